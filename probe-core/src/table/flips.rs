//! Counts the flips of one link's carrier from two witnesses: exact edges from the kernel, and the counters in messages.
//!
//! The kernel counts every flip (`carrier_up_count`, `carrier_down_count`) where it makes it, which is also where the edge
//! is taken; messages come later and several flips may share one. So each flip is seen as an edge and counted by a later
//! message, or only counted, when there are no edges (the kernel refuses tracing programs) or one was lost.

use crate::time::{Mono, SECOND};

/// A message counts an edge within about a second: linkwatch waits no longer. An edge that no message has counted in this
/// time was none: two CPUs may both be about to make the same flip.
const SETTLE: u64 = 3 * SECOND;

/// What is known of the flips of one link.
#[derive(Clone, Debug)]
pub struct Flips {
    since: Mono,
    first: Both,
    counted: Both,
    /// Edges that no message has counted yet.
    ahead: Both,
    newest_edge: Mono,
    /// Flips that a message counted before their edges came.
    owed: Both,
    owed_at: Mono,
}

/// A number for each direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Both {
    /// Times that the carrier came.
    pub ups: u32,
    /// Times that it went.
    pub downs: u32,
}

/// What a message's counters tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Less than an earlier message: this one is late, what it says is no longer so.
    Stale,
    /// So many flips that were not seen as edges. `carrier_is_newer`: edges came that this message does not know yet.
    Unseen {
        /// How many.
        flips: Both,
        /// The carrier that the last edge left is newer than the one in the message.
        edges_are_newer: bool,
    },
}

/// What an edge is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// A flip that nobody has told of. `opposite_missed`: the one before it was not seen at all.
    New {
        /// The carrier was already what this edge makes it.
        opposite_missed: bool,
    },
    /// A flip that a message has already told of: now its exact time is known.
    Late,
    /// From before the link was known.
    Old,
}

impl Flips {
    /// Of a link that is seen for the first time, at `at`, with these counters.
    pub fn new(at: Mono, counters: Both) -> Self {
        Self {
            since: at,
            first: counters,
            counted: counters,
            ahead: Both::default(),
            newest_edge: Mono(0),
            owed: Both::default(),
            owed_at: at,
        }
    }

    /// A message came at `at` with these counters.
    pub fn message(&mut self, at: Mono, counters: Both) -> Counted {
        let (Some(ups), Some(downs)) = (grown(self.counted.ups, counters.ups), grown(self.counted.downs, counters.downs)) else {
            return Counted::Stale;
        };
        self.counted = counters;
        let flips = Both { ups: ups.saturating_sub(self.ahead.ups), downs: downs.saturating_sub(self.ahead.downs) };
        self.ahead.ups = self.ahead.ups.saturating_sub(ups);
        self.ahead.downs = self.ahead.downs.saturating_sub(downs);
        if at.since(self.newest_edge) > SETTLE {
            self.ahead = Both::default();
        }
        if flips != Both::default() {
            self.owed.ups = self.owed.ups.saturating_add(flips.ups);
            self.owed.downs = self.owed.downs.saturating_add(flips.downs);
            self.owed_at = self.owed_at.max(at);
        }
        Counted::Unseen { flips, edges_are_newer: self.ahead != Both::default() }
    }

    /// The carrier came or went at `at`; `carrier` is what it was until now, as far as is known.
    pub fn edge(&mut self, at: Mono, up: bool, carrier: bool) -> Edge {
        if at <= self.since {
            return Edge::Old;
        }
        if at <= self.owed_at {
            let owed = if up { &mut self.owed.ups } else { &mut self.owed.downs };
            if let Some(less) = owed.checked_sub(1) {
                *owed = less;
                return Edge::Late;
            }
        } else {
            // Edges come in order: those that are still owed were lost.
            self.owed = Both::default();
        }
        self.newest_edge = self.newest_edge.max(at);
        let opposite_missed = carrier == up;
        if up || opposite_missed {
            self.ahead.ups = self.ahead.ups.saturating_add(1);
        }
        if !up || opposite_missed {
            self.ahead.downs = self.ahead.downs.saturating_add(1);
        }
        Edge::New { opposite_missed }
    }

    /// Flips since the link was seen for the first time.
    pub fn seen(&self) -> Both {
        Both {
            ups: self.counted.ups.wrapping_sub(self.first.ups).saturating_add(self.ahead.ups),
            downs: self.counted.downs.wrapping_sub(self.first.downs).saturating_add(self.ahead.downs),
        }
    }

    /// Flips since the kernel made the link, in both directions.
    pub fn total(&self) -> u64 {
        [self.counted.ups, self.counted.downs, self.ahead.ups, self.ahead.downs].map(u64::from).iter().sum()
    }
}

/// By how much a counter that may wrap has grown; `None` when it is behind.
fn grown(from: u32, to: u32) -> Option<u32> {
    Some(to.wrapping_sub(from)).filter(|difference| *difference <= i32::MAX.cast_unsigned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(ms: u64) -> Mono {
        Mono(ms * 1_000_000)
    }

    const fn both(ups: u32, downs: u32) -> Both {
        Both { ups, downs }
    }

    const fn unseen(ups: u32, downs: u32) -> Counted {
        Counted::Unseen { flips: both(ups, downs), edges_are_newer: false }
    }

    #[test]
    fn forty_flips_in_one_message_are_all_counted() {
        let mut flips = Flips::new(at(1000), both(1, 1));
        assert_eq!(flips.message(at(2000), both(21, 21)), unseen(20, 20));
        assert_eq!(flips.seen(), both(20, 20));
        assert_eq!(flips.total(), 42);
    }

    #[test]
    fn a_message_after_its_edges_tells_nothing_new() {
        let mut flips = Flips::new(at(1000), both(1, 1));
        assert_eq!(flips.edge(at(1500), false, true), Edge::New { opposite_missed: false });
        assert_eq!(flips.edge(at(1600), true, false), Edge::New { opposite_missed: false });
        assert_eq!(flips.message(at(2000), both(2, 2)), unseen(0, 0));
        assert_eq!(flips.seen(), both(1, 1));
    }

    #[test]
    fn a_message_between_two_edges_leaves_the_second_for_the_next_message() {
        let mut flips = Flips::new(at(1000), both(1, 1));
        flips.edge(at(1500), false, true);
        flips.edge(at(1501), true, false);
        let first = flips.message(at(1502), both(1, 2));
        assert_eq!(first, Counted::Unseen { flips: both(0, 0), edges_are_newer: true });
        assert_eq!(flips.seen(), both(1, 1));
        assert_eq!(flips.message(at(1503), both(2, 2)), unseen(0, 0));
        assert_eq!(flips.seen(), both(1, 1));
    }

    #[test]
    fn an_edge_that_comes_after_its_message_is_late_and_not_counted_again() {
        let mut flips = Flips::new(at(1000), both(1, 1));
        assert_eq!(flips.message(at(2000), both(1, 2)), unseen(0, 1));
        assert_eq!(flips.edge(at(1999), false, false), Edge::Late);
        assert_eq!(flips.seen(), both(0, 1));
    }

    #[test]
    fn an_edge_that_was_lost_does_not_swallow_a_later_one() {
        let mut flips = Flips::new(at(1000), both(1, 1));
        flips.message(at(2000), both(1, 2));
        assert_eq!(flips.edge(at(3000), true, false), Edge::New { opposite_missed: false });
        assert_eq!(flips.edge(at(3001), false, true), Edge::New { opposite_missed: false });
        assert_eq!(flips.seen(), both(1, 2));
    }

    #[test]
    fn a_lost_edge_between_two_is_inferred_and_the_message_agrees() {
        let mut flips = Flips::new(at(1000), both(1, 1));
        assert_eq!(flips.edge(at(1500), true, true), Edge::New { opposite_missed: true });
        assert_eq!(flips.seen(), both(1, 1));
        assert_eq!(flips.message(at(2000), both(2, 2)), unseen(0, 0));
        assert_eq!(flips.seen(), both(1, 1));
    }

    #[test]
    fn an_edge_that_no_message_ever_counts_is_dropped() {
        let mut flips = Flips::new(at(1000), both(1, 1));
        flips.edge(at(1500), false, true);
        flips.edge(at(1500), false, false);
        let first = flips.message(at(1600), both(1, 2));
        assert_eq!(first, Counted::Unseen { flips: both(0, 0), edges_are_newer: true });
        assert_eq!(flips.message(at(9000), both(1, 2)), unseen(0, 0));
        assert_eq!(flips.seen(), both(0, 1));
    }

    #[test]
    fn counters_that_are_behind_make_a_message_stale_and_counters_that_wrap_do_not() {
        let mut flips = Flips::new(at(1000), both(7, u32::MAX));
        assert_eq!(flips.message(at(2000), both(6, u32::MAX)), Counted::Stale);
        assert_eq!(flips.message(at(3000), both(8, 0)), unseen(1, 1));
    }

    #[test]
    fn edges_from_before_the_link_was_known_are_not_counted() {
        let mut flips = Flips::new(at(1000), both(1, 1));
        assert_eq!(flips.edge(at(900), false, true), Edge::Old);
        assert_eq!(flips.seen(), both(0, 0));
    }
}
