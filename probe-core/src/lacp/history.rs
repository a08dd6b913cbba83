//! The LACPDUs of the recent past: an incident begins before its trigger.

use std::collections::{BTreeMap, VecDeque};

use super::LacpduSeen;
use super::calm::{collapse, moments};
use crate::direction::Direction;
use crate::time::{Mono, SECOND};

/// LACPDUs that are held: those of 12 slaves at the fast rate in the longest window, twice a second each. Of more, calm runs lose their
/// middle.
const MOST: usize = 8192;
/// What is so near to a change or a gap stays as long as there is room for it, nanoseconds.
const NEAR: [u64; 3] = [100 * SECOND, 10 * SECOND, 0];
/// Slaves whose newest LACPDU of before is held.
const MOST_SLAVES: usize = 1024;

/// Bounded, oldest first.
#[derive(Clone, Debug, Default)]
pub struct LacpduHistory {
    seen: VecDeque<LacpduSeen>,
    /// The newest of those that were forgotten, by slave and direction.
    earlier: BTreeMap<(u32, Direction), LacpduSeen>,
    lost: u64,
}

impl LacpduHistory {
    /// Adds one, and forgets those of before `keep`.
    pub fn push(&mut self, seen: LacpduSeen, keep: Mono) {
        while self.seen.front().is_some_and(|seen| seen.at < keep) {
            self.forget_first();
        }
        if self.seen.len() >= MOST {
            self.make_room();
        }
        self.seen.push_back(seen);
    }

    /// Those from `from` to `to`, both included, in order; before them the last one of each slave and direction of before
    /// `from`: what held when the window began.
    pub fn window(&self, from: Mono, to: Mono) -> Vec<LacpduSeen> {
        let of_before = self.earlier.values().chain(&self.seen).filter(|seen| seen.at < from);
        let before: BTreeMap<(u32, Direction), &LacpduSeen> = of_before.map(|seen| (key(seen), seen)).collect();
        let within = self.seen.iter().filter(|seen| (from..=to).contains(&seen.at));
        let mut all: Vec<LacpduSeen> = before.into_values().chain(within).cloned().collect();
        all.sort_by_key(|seen| seen.at);
        all
    }

    /// LACPDUs that were pushed out for want of room.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// An eighth at least, so that it is not for every LACPDU.
    fn make_room(&mut self) {
        let room = MOST - MOST / 8;
        let moments = moments(&mut self.seen);
        for ns in NEAR {
            if self.seen.len() > room {
                collapse(&mut self.seen, &moments, ns);
            }
        }
        while self.seen.len() > room {
            self.lost += 1;
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        let Some(old) = self.seen.pop_front() else { return };
        let key = key(&old);
        if self.earlier.len() < MOST_SLAVES || self.earlier.contains_key(&key) {
            self.earlier.insert(key, old);
        }
    }
}

fn key(seen: &LacpduSeen) -> (u32, Direction) {
    (seen.link.ifindex, seen.direction)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lacp::{Lacpdu, PortState};
    use crate::samples::at;
    use crate::timeline::LinkName;

    fn seen(ms: u64, ifindex: u32, direction: Direction) -> LacpduSeen {
        LacpduSeen {
            at: at(ms),
            link: LinkName { ifindex, name: format!("eth{ifindex}") },
            direction,
            pdu: Lacpdu::default(),
            unlisted: 0,
        }
    }

    fn times(history: &LacpduHistory, from: u64, to: u64) -> Vec<u64> {
        history.window(at(from), at(to)).iter().map(|seen| seen.at.0 / 1_000_000).collect()
    }

    #[test]
    fn a_window_begins_with_what_each_end_had_said_last_before_it() {
        let mut history = LacpduHistory::default();
        for (ms, ifindex, direction) in
            [(10, 1, Direction::Egress), (20, 1, Direction::Ingress), (30, 2, Direction::Egress), (90_000, 1, Direction::Egress)]
        {
            history.push(seen(ms, ifindex, direction), at(ms).minus(30_000_000_000));
        }
        assert_eq!(times(&history, 60_000, 100_000), [10, 20, 30, 90_000]);
        assert_eq!(times(&history, 95_000, 99_000), [20, 30, 90_000]);
    }

    #[test]
    fn a_flood_that_changes_each_time_is_bounded_and_counted() {
        let mut history = LacpduHistory::default();
        for ms in 0..20_000 {
            let mut seen = seen(ms, 1, Direction::Ingress);
            seen.pdu.actor.port = ms as u16;
            history.push(seen, at(0));
        }
        let held = times(&history, 0, 20_000).len() as u64;
        assert!((MOST as u64 * 7 / 8..=MOST as u64 + 1).contains(&held), "{held}");
        assert!(held + history.lost() >= 20_000, "the last one of before is listed too");
    }

    #[test]
    fn what_happened_stays_however_long_it_is_calm_after_that() {
        let mut history = LacpduHistory::default();
        for second in 0..50_000u64 {
            let mut seen = seen(second * 1000, 1, Direction::Ingress);
            seen.pdu.partner.state = PortState(0x3f);
            seen.pdu.actor.state = PortState(if (300..310).contains(&second) { 0xbd } else { 0x3f });
            history.push(seen, at(0));
        }
        assert_eq!(history.lost(), 0);
        let held = history.window(at(0), at(50_000_000));
        assert!(held.len() < MOST);
        assert_eq!(held.iter().map(|seen| seen.unlisted + 1).sum::<u64>(), 50_000);
        let around = times(&history, 250_000, 350_000);
        assert_eq!(around.len(), 102, "all of them, and the one before");
    }
}
