//! What the taps had counted at each moment of the recent past, so that an incident can say what they counted *within its window*.

use std::collections::VecDeque;

use probe_common::class;
use probe_common::counters::{ClassCount, TapCounters};

use crate::incident::ClassTotals;
use crate::time::{Mono, SECOND};

/// Most moments kept: with a longer history they are further apart.
const MOMENTS: u64 = 120;

/// Counters of every tap, at moments of the recent past.
#[derive(Debug)]
pub struct CountHistory {
    span: u64,
    step: u64,
    moments: VecDeque<Moment>,
}

/// Counters of every tap at one moment.
#[derive(Clone, Debug)]
pub struct Moment {
    /// When they were read.
    pub at: Mono,
    /// By tap id.
    pub taps: Vec<(u16, TapCounters)>,
    /// Losses that no tap is to blame for, by name.
    pub losses: Vec<(String, u64)>,
}

impl CountHistory {
    /// Reaches back `span` nanoseconds at least, once it has been fed for so long.
    pub fn new(span: u64) -> Self {
        Self { span, step: (span / MOMENTS).max(SECOND), moments: VecDeque::new() }
    }

    /// From now on it reaches back so many nanoseconds.
    pub fn set_span(&mut self, span: u64) {
        (self.span, self.step) = (span, (span / MOMENTS).max(SECOND));
    }

    /// True when it is time to read the counters again.
    pub fn is_due(&self, now: Mono) -> bool {
        self.moments.back().is_none_or(|last| now.since(last.at) >= self.step)
    }

    /// Adds what was read, and forgets what is older than the span.
    pub fn push(&mut self, moment: Moment) {
        let oldest = moment.at.minus(self.span);
        self.moments.push_back(moment);
        // The newest one that is older than the span stays: it is the base of a window that begins there.
        while self.moments.get(1).is_some_and(|second| second.at <= oldest) {
            self.moments.pop_front();
        }
    }

    /// The last moment not after `at`; the first one there is when all are later; `None` when it was never fed.
    pub fn base(&self, at: Mono) -> Option<&Moment> {
        self.moments.iter().rev().find(|m| m.at <= at).or_else(|| self.moments.front())
    }
}

/// What one tap counted between two moments, by class; classes that counted nothing are left out. A tap that `before`
/// does not know began at 0.
pub fn classes_between(tap: u16, before: Option<&Moment>, after: &TapCounters) -> Vec<ClassTotals> {
    let zero = [ClassCount::default(); class::CLASSES];
    let before = find(tap, before).map_or(&zero, |c| &c.classes);
    let rows = (0u8..).zip(before.iter().zip(&after.classes));
    rows.filter_map(|(id, (before, after))| {
        // Less than before: the id was given to another tap since, and began at 0 again.
        let since = |after: u64, before: u64| after.checked_sub(before).unwrap_or(after);
        let packets = since(after.packets, before.packets);
        (packets > 0).then(|| ClassTotals {
            class: class::name(id).unwrap_or("unknown"),
            packets,
            bytes: since(after.bytes, before.bytes),
            segments: since(after.segments, before.segments),
        })
    })
    .collect()
}

/// What one tap lost between two moments, by name; zeros are left out.
pub fn losses_between(tap: u16, before: Option<&Moment>, after: &TapCounters) -> Vec<(String, u64)> {
    let before = find(tap, before).map(|c| c.losses).unwrap_or_default();
    named_losses(&after.losses)
        .into_iter()
        .zip(named_losses(&before))
        .map(|((name, after), (_, before))| (name.to_string(), after.saturating_sub(before)))
        .filter(|(_, n)| *n > 0)
        .collect()
}

/// Frames that one tap counted instead of recording between two moments: copies of others.
pub fn repeats_between(tap: u16, before: Option<&Moment>, after: &TapCounters) -> u64 {
    let before = find(tap, before).map_or(0, |counters| counters.repeats);
    after.repeats.checked_sub(before).unwrap_or(after.repeats)
}

/// The losses of a tap under the names that people and JSON see.
pub fn named_losses(losses: &probe_common::counters::TapLosses) -> [(&'static str, u64); 6] {
    [
        ("record-busy", losses.record_busy),
        ("record-unreadable", losses.record_unreadable),
        ("truncated", losses.truncated),
        ("samples-lost", losses.samples_lost),
        ("parse-limit", losses.parse_limit),
        ("events-limited", losses.events_limited),
    ]
}

/// What was lost between two moments without a tap to blame, by name; zeros are left out.
pub fn other_losses_between(before: Option<&Moment>, after: Vec<(String, u64)>) -> Vec<(String, u64)> {
    let known = before.map_or(&[][..], |moment| &moment.losses);
    let earlier = |name: &str| known.iter().find(|(known, _)| known == name).map_or(0, |(_, count)| *count);
    let since = after.into_iter().map(|(name, count)| (earlier(&name), name, count));
    since.map(|(before, name, count)| (name, count.saturating_sub(before))).filter(|(_, n)| *n > 0).collect()
}

fn find(tap: u16, moment: Option<&Moment>) -> Option<&TapCounters> {
    moment?.taps.iter().find(|(id, _)| *id == tap).map(|(_, counters)| counters)
}

#[cfg(test)]
mod tests {
    use super::*;
    use probe_common::counters::TapLosses;

    fn counters(arp: u64, truncated: u64) -> TapCounters {
        let mut classes = [ClassCount::default(); class::CLASSES];
        classes[usize::from(class::id::ARP)] = ClassCount { packets: arp, bytes: arp * 60, segments: arp };
        let losses = TapLosses { truncated, ..Default::default() };
        TapCounters { classes, losses, ..TapCounters::ZERO }
    }

    fn moment(second: u64, arp: u64) -> Moment {
        Moment { at: Mono(second * SECOND), taps: vec![(3, counters(arp, arp))], losses: vec![("overruns".to_owned(), arp)] }
    }

    #[test]
    fn a_window_counts_from_the_last_moment_before_it() {
        let mut history = CountHistory::new(30 * SECOND);
        (0..100).for_each(|s| history.push(moment(s, 10 * s)));
        let base = history.base(Mono(80 * SECOND + 1));
        assert_eq!(base.map(|m| m.at), Some(Mono(80 * SECOND)));
        let now = counters(1000, 803);
        let classes = classes_between(3, base, &now);
        assert_eq!(classes, [ClassTotals { class: "arp", packets: 200, bytes: 12_000, segments: 200 }]);
        assert_eq!(losses_between(3, base, &now), [("truncated".to_string(), 3)]);
        let named = |n| vec![("overruns".to_owned(), n), ("none".to_owned(), 0)];
        assert_eq!(other_losses_between(base, named(801)), [("overruns".to_owned(), 1)]);
        assert_eq!(other_losses_between(base, named(800)), []);
    }

    #[test]
    fn history_is_bounded_and_reaches_back_over_its_span() {
        let mut history = CountHistory::new(600 * SECOND);
        for s in 0..5000 {
            if history.is_due(Mono(s * SECOND)) {
                history.push(moment(s, s));
            }
        }
        assert!(history.moments.len() as u64 <= MOMENTS + 2);
        let reach = history.base(Mono(0)).map(|m| m.at.0 / SECOND);
        assert!(reach.is_some_and(|s| (4385..=4399).contains(&s)), "{reach:?}");
    }

    #[test]
    fn a_tap_that_was_not_there_before_counts_from_zero() {
        let before = moment(1, 5);
        assert_eq!(classes_between(9, Some(&before), &counters(7, 0))[0].packets, 7);
        assert_eq!(classes_between(9, None, &counters(0, 0)), []);
    }
}
