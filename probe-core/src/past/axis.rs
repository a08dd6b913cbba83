//! When the seconds of a chapter ended, and how long they were: about one byte each.

use super::varint::{difference, follow, put, take};
use crate::time::{Mono, SECOND};

/// Times are kept to a tenth of a millisecond, nanoseconds.
const TICK: u64 = 100_000;
/// Ticks of a second.
const USUAL: u64 = SECOND / TICK;

/// One second: the time in which its counts were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its start.
    pub from: Mono,
    /// Its end.
    pub at: Mono,
}

impl Span {
    /// Its length in nanoseconds.
    pub fn ns(self) -> u64 {
        self.at.since(self.from)
    }
}

/// The times of a chapter's seconds, in order.
#[derive(Clone, Debug, Default)]
pub struct Axis {
    bytes: Vec<u8>,
    seconds: u32,
    /// Ticks: start of the first one, end of the last one.
    first: u64,
    last: u64,
}

impl Axis {
    /// That begins at `from`.
    pub fn new(from: Mono) -> Self {
        let tick = from.0 / TICK;
        Self { first: tick, last: tick, ..Self::default() }
    }

    /// Adds the next second. One that does not begin where the last one ended leaves a gap.
    pub fn push(&mut self, at: Mono, ns: u64) {
        let (from, at) = (at.minus(ns).0 / TICK, at.0 / TICK);
        if self.seconds == 0 {
            (self.first, self.last) = (from, from);
        }
        let gap = from != self.last;
        put(&mut self.bytes, difference(USUAL, at.wrapping_sub(self.last)) << 1 | u64::from(gap));
        if gap {
            put(&mut self.bytes, at.saturating_sub(from));
        }
        self.last = at;
        self.seconds += 1;
    }

    /// How many seconds there are.
    pub fn len(&self) -> u32 {
        self.seconds
    }

    /// Start of the first one; where there is none, where it would be.
    pub fn from(&self) -> Mono {
        Mono(self.first.saturating_mul(TICK))
    }

    /// End of the last one.
    pub fn to(&self) -> Mono {
        Mono(self.last.saturating_mul(TICK))
    }

    /// The seconds, in order.
    pub fn spans(&self) -> impl Iterator<Item = Span> {
        let (mut at, mut last) = (0, self.first);
        (0..self.seconds).map(move |_| {
            let told = take(&self.bytes, &mut at);
            let end = last.wrapping_add(follow(USUAL, told >> 1));
            let from = if told & 1 == 1 { end.saturating_sub(take(&self.bytes, &mut at)) } else { last };
            last = end;
            Span { from: Mono(from.saturating_mul(TICK)), at: Mono(end.saturating_mul(TICK)) }
        })
    }

    /// Bytes of memory.
    pub fn memory(&self) -> usize {
        self.bytes.capacity()
    }

    /// Gives back what is not used.
    pub fn settle(&mut self) {
        self.bytes.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Random;

    #[test]
    fn seconds_come_back_with_their_gaps_and_need_about_a_byte() {
        let mut random = Random(3);
        let mut axis = Axis::new(Mono(0));
        let mut now = 77 * SECOND;
        let mut expected = Vec::new();
        for second in 0..600u64 {
            let ns = match second {
                100 => 4 * SECOND,
                _ => SECOND + random.next() % 30 * TICK,
            };
            if second == 300 {
                now += 61 * SECOND;
            }
            let from = Mono(now);
            now += ns;
            axis.push(Mono(now), ns);
            expected.push(Span { from, at: Mono(now) });
        }
        assert_eq!(axis.spans().collect::<Vec<_>>(), expected);
        assert_eq!((axis.from(), axis.to(), axis.len()), (Mono(77 * SECOND), Mono(now), 600));
        assert!(axis.bytes.len() < 620, "{} bytes", axis.bytes.len());
    }

    #[test]
    fn what_is_rounded_does_not_add_up() {
        let mut axis = Axis::new(Mono(0));
        let mut now = 5 * SECOND;
        for _ in 0..10_000 {
            axis.push(Mono(now + SECOND + 66_666), SECOND + 66_666);
            now += SECOND + 66_666;
        }
        assert!(now.abs_diff(axis.to().0) < TICK);
        assert_eq!(axis.spans().filter(|span| span.ns().abs_diff(SECOND) > TICK).count(), 0, "no gap was made up");
    }
}
