//! When the kernel is asked about a slave, for rtnetlink says nothing of LACP alone; and what its counters say beside the taps'.

use serde::Serialize;

use super::LacpCounters;
use crate::time::{Mono, SECOND};

/// The bonding driver looks at its state machines every 100 ms: what it thinks of a LACPDU is known after that.
const SOON: u64 = 3 * SECOND / 10;
/// So long after a change it is asked once more: what came of it.
const AGAIN: u64 = 5 * SECOND;
/// However little happens it is asked so often, so that what its counters have grown by is about the recent past.
const REFRESH: u64 = 60 * SECOND;
/// Least time between two questions about one slave.
const LEAST: u64 = SECOND;

/// Questions about one slave, and their answers.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    asked: Option<Mono>,
    soon: Option<Mono>,
    again: Option<Mono>,
    /// The question that waits for its answer was asked because something changed.
    changed: bool,
    answer: Option<Answer>,
}

#[derive(Clone, Copy, Debug)]
struct Answer {
    at: Mono,
    counters: LacpCounters,
    seen_sent: u64,
    seen_received: u64,
}

/// What was counted between two answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Grown {
    /// By the bonding driver.
    pub counters: LacpCounters,
    /// LACPDUs that passed the egress tap.
    pub seen_sent: u64,
    /// LACPDUs that passed the ingress tap.
    pub seen_received: u64,
    /// In so many nanoseconds.
    pub within_ns: u64,
}

impl Ask {
    /// Something changed: asks soon, and once more later.
    pub fn change(&mut self, now: Mono) {
        self.soon = self.soon.or(Some(now.plus(SOON)));
        self.again = Some(now.plus(AGAIN));
    }

    /// When it is to be asked next.
    pub fn due(&self) -> Mono {
        let refresh = self.asked.map_or(Mono(0), |at| at.plus(REFRESH));
        let due = [self.soon, self.again].into_iter().flatten().fold(refresh, Mono::min);
        self.asked.map_or(due, |at| due.max(at.plus(LEAST)))
    }

    /// Whether it is to be asked now, and then takes it as asked.
    pub fn take(&mut self, now: Mono) -> bool {
        if self.due() > now {
            return false;
        }
        let passed = |due: &mut Option<Mono>| due.take_if(|due| *due <= now).is_some();
        let (soon, again) = (passed(&mut self.soon), passed(&mut self.again));
        self.changed = soon || again;
        self.asked = Some(now);
        true
    }

    /// The kernel's counters, and how many LACPDUs the taps have seen so far. Returns what was counted since the last answer, when
    /// it was asked because something had changed.
    pub fn answered(&mut self, now: Mono, counters: LacpCounters, seen_sent: u64, seen_received: u64) -> Option<Grown> {
        let before = self.answer.replace(Answer { at: now, counters, seen_sent, seen_received })?;
        // A slave that was taken out and put back counts from 0.
        let grown = counters.since(&before.counters)?;
        std::mem::take(&mut self.changed).then(|| Grown {
            counters: grown,
            seen_sent: seen_sent.saturating_sub(before.seen_sent),
            seen_received: seen_received.saturating_sub(before.seen_received),
            within_ns: now.since(before.at),
        })
    }

    /// The newest answer, and when it came.
    pub fn counters(&self) -> Option<(Mono, LacpCounters)> {
        self.answer.map(|answer| (answer.at, answer.counters))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::at;

    fn counted(sent: u64, received: u64) -> LacpCounters {
        LacpCounters { sent, received, ..LacpCounters::default() }
    }

    #[test]
    fn a_slave_is_asked_about_at_once_then_now_and_then_and_after_changes_but_never_twice_a_second() {
        let mut ask = Ask::default();
        let mut asked = Vec::new();
        for ms in (0..200_000).step_by(100) {
            if (70_000..71_000).contains(&ms) {
                ask.change(at(ms));
            }
            if ask.take(at(ms)) {
                asked.push(ms);
            }
        }
        assert_eq!(asked, [0, 60_000, 70_300, 71_300, 75_900, 135_900, 195_900]);
    }

    #[test]
    fn an_answer_after_a_change_tells_what_was_counted_since_the_last_one() {
        let mut ask = Ask::default();
        assert!(ask.take(at(0)));
        assert_eq!(ask.answered(at(0), counted(10, 10), 0, 0), None);
        assert!(ask.take(at(60_000)));
        assert_eq!(ask.answered(at(60_000), counted(12, 12), 2, 2), None, "nothing had changed");
        ask.change(at(61_000));
        assert!(ask.take(at(61_300)));
        let grown = Grown { counters: counted(3, 0), seen_sent: 3, seen_received: 0, within_ns: 1_300_000_000 };
        assert_eq!(ask.answered(at(61_300), counted(15, 12), 5, 2), Some(grown));
        ask.change(at(70_000));
        assert!(ask.take(at(70_300)));
        assert_eq!(ask.answered(at(70_300), counted(1, 1), 6, 2), None, "it was put into its bond again");
    }
}
