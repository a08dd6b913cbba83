//! When one target is asked, and which question an answer belongs to.

use std::collections::VecDeque;

use crate::time::Mono;

/// Questions to one target that may be open at once: a timeout that is many intervals long.
const MOST_OPEN: usize = 1024;

/// The questions to one target. Times are of sending and receiving, not of when the agent came to look.
#[derive(Clone, Debug)]
pub struct Schedule {
    interval: u64,
    timeout: u64,
    next: Mono,
    number: u64,
    open: VecDeque<(u64, Mono)>,
    late: u64,
}

/// An answer that came in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    /// When the question was sent.
    pub sent: Mono,
    /// How long the answer took, nanoseconds.
    pub rtt: u64,
}

impl Schedule {
    /// First question at `first`, then every `interval` nanoseconds; an answer counts within `timeout` nanoseconds.
    pub fn new(first: Mono, interval: u64, timeout: u64) -> Self {
        Self { interval: interval.max(1), timeout, next: first, number: 0, open: VecDeque::new(), late: 0 }
    }

    /// The number of the question to send now, if one is due. Those that were due while nobody looked are left out: what was not
    /// asked is not lost.
    pub fn due(&mut self, now: Mono) -> Option<u64> {
        if now < self.next || self.open.len() >= MOST_OPEN {
            return None;
        }
        let missed = now.since(self.next) / self.interval;
        self.next = self.next.plus(self.interval.saturating_mul(missed + 1));
        self.number += 1;
        Some(self.number)
    }

    /// That question was sent.
    pub fn sent(&mut self, number: u64, at: Mono) {
        self.open.push_back((number, at));
    }

    /// An answer was received at `at`: to question `number`, or, where answers carry none, to the oldest open one. `None` when it
    /// came too late, or answers nothing that is open; that is counted.
    pub fn answered(&mut self, number: Option<u64>, at: Mono) -> Option<Answered> {
        let timeout = self.timeout;
        let fits = |(asked, sent): &(u64, Mono)| number.is_none_or(|number| number == *asked) && at.since(*sent) <= timeout;
        let found = self.open.iter().position(fits).and_then(|place| self.open.remove(place));
        if found.is_none() {
            self.late += 1;
        }
        found.map(|(_, sent)| Answered { sent, rtt: at.since(sent) })
    }

    /// When a question was sent whose time is over by `now`; call until `None`, and after all answers that are there.
    pub fn expired(&mut self, now: Mono) -> Option<Mono> {
        let (_, sent) = self.open.front().copied()?;
        if now.since(sent) <= self.timeout {
            return None;
        }
        self.open.pop_front();
        Some(sent)
    }

    /// When there is something to do next.
    pub fn next_deadline(&self) -> Mono {
        let expires = self.open.front().map(|(_, sent)| sent.plus(self.timeout).plus(1));
        expires.map_or(self.next, |expires| expires.min(self.next))
    }

    /// Answers that came too late or twice, since the last call.
    pub fn take_late(&mut self) -> u64 {
        std::mem::take(&mut self.late)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::at;

    const MS: u64 = 1_000_000;

    fn schedule() -> Schedule {
        Schedule::new(at(0), 1000 * MS, 1000 * MS)
    }

    fn ask(schedule: &mut Schedule, ms: u64) -> u64 {
        let number = schedule.due(at(ms)).expect("due");
        schedule.sent(number, at(ms));
        number
    }

    #[test]
    fn one_question_per_interval_and_an_answer_gives_its_time() {
        let mut schedule = schedule();
        let first = ask(&mut schedule, 0);
        assert_eq!(schedule.due(at(999)), None);
        assert_eq!(schedule.answered(Some(first), at(3)), Some(Answered { sent: at(0), rtt: 3 * MS }));
        assert_eq!(schedule.next_deadline(), at(1000));
        assert_eq!(schedule.expired(at(5000)), None);
        assert_ne!(ask(&mut schedule, 1000), first);
    }

    #[test]
    fn a_late_answer_is_counted_and_never_taken_for_the_next_one() {
        let mut schedule = schedule();
        let first = ask(&mut schedule, 0);
        assert_eq!(schedule.expired(at(1000)), None);
        assert_eq!(schedule.expired(at(1001)), Some(at(0)));
        let second = ask(&mut schedule, 1001);
        assert_eq!(schedule.answered(Some(first), at(1100)), None);
        assert_eq!(schedule.answered(Some(second), at(1101)), Some(Answered { sent: at(1001), rtt: 100 * MS }));
        assert_eq!((schedule.take_late(), schedule.take_late()), (1, 0));
    }

    #[test]
    fn an_answer_in_time_counts_however_late_it_is_looked_at() {
        let mut schedule = schedule();
        let first = ask(&mut schedule, 0);
        // The agent slept for five seconds; the kernel's stamp says when the answer came.
        assert_eq!(schedule.answered(Some(first), at(20)), Some(Answered { sent: at(0), rtt: 20 * MS }));
        assert_eq!(schedule.expired(at(5000)), None);
        // And what came too late is lost, though nobody looked before.
        let second = ask(&mut schedule, 5000);
        assert_eq!(schedule.answered(Some(second), at(6001)), None);
        assert_eq!(schedule.expired(at(9000)), Some(at(5000)));
    }

    #[test]
    fn a_second_answer_to_one_question_answers_nothing() {
        let mut schedule = schedule();
        let first = ask(&mut schedule, 0);
        assert!(schedule.answered(Some(first), at(3)).is_some());
        assert_eq!(schedule.answered(Some(first), at(4)), None);
        assert_eq!(schedule.take_late(), 1);
    }

    #[test]
    fn what_was_not_asked_is_not_lost() {
        let mut schedule = schedule();
        ask(&mut schedule, 0);
        assert_eq!(schedule.expired(at(60_300)), Some(at(0)));
        ask(&mut schedule, 60_300);
        assert_eq!(schedule.due(at(60_900)), None);
        assert!(schedule.due(at(61_000)).is_some());
    }

    #[test]
    fn with_a_long_timeout_several_questions_are_open_and_answers_may_pass_each_other() {
        let mut schedule = Schedule::new(at(0), 1000 * MS, 3000 * MS);
        let numbers = [ask(&mut schedule, 0), ask(&mut schedule, 1000), ask(&mut schedule, 2000)];
        assert_eq!(schedule.answered(Some(numbers[2]), at(2010)), Some(Answered { sent: at(2000), rtt: 10 * MS }));
        assert_eq!(schedule.answered(None, at(2500)), Some(Answered { sent: at(0), rtt: 2500 * MS }));
        assert_eq!(schedule.expired(at(4001)), Some(at(1000)));
        assert_eq!(schedule.expired(at(9000)), None);
    }
}
