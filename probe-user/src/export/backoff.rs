//! Pauses between attempts: longer and longer, and never quite the same, so that not all agents come at once when a collector is back.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// The pauses of one receiver.
#[derive(Clone, Debug)]
pub struct Backoff {
    least: Duration,
    most: Duration,
    next: Duration,
    attempts: u64,
    random: RandomState,
}

impl Backoff {
    /// From `least`, twice as long each time, to `most`.
    pub fn new(least: Duration, most: Duration) -> Self {
        Self { least, most, next: least, attempts: 0, random: RandomState::new() }
    }

    /// The next pause: a quarter shorter or longer than it should be, and not above `most`.
    pub fn pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = (self.next * 2).min(self.most);
        self.attempts += 1;
        let random = self.random.hash_one(self.attempts) % 1001;
        let factor = 750 + u32::try_from(random / 2).unwrap_or(0);
        (pause * factor / 1000).min(self.most)
    }

    /// It went well for a while.
    pub fn reset(&mut self) {
        self.next = self.least;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound_and_vary() {
        let seconds = Duration::from_secs;
        let mut backoff = Backoff::new(seconds(1), seconds(60));
        let mut expected = 1.0_f64;
        for _ in 0..12 {
            let pause = backoff.pause().as_secs_f64();
            assert!(pause >= 0.75 * expected && pause <= (1.25 * expected).min(60.0), "{pause} for {expected}");
            expected = (2.0 * expected).min(60.0);
        }
        backoff.reset();
        assert!(backoff.pause() <= Duration::from_millis(1250));
        let pauses: std::collections::BTreeSet<Duration> =
            (0..20).map(|_| Backoff::new(seconds(8), seconds(60)).pause()).collect();
        assert!(pauses.len() > 10, "agents that start together come at different times: {pauses:?}");
    }
}
