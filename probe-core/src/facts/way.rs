//! What passed one interface in one direction, second by second.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Mark;
use super::frame::Says;
use crate::direction::Direction;
use crate::lacp::Moments;
use crate::time::{Mono, SECOND};

/// Seconds that are kept. Of more, neighbours of calm times become one.
const MOST: usize = 1800;
/// What is so near to a pause, or to what happened otherwise, stays a second each as long as there is room for it.
const NEAR: [u64; 3] = [120 * SECOND, 10 * SECOND, 0];
/// The newest seconds that stay as they are.
const NEWEST: usize = 60;

/// One interface, one direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// Name of the interface.
    pub link: Arc<str>,
    /// Which way.
    pub direction: Direction,
    /// Packets in the file.
    pub packets: u64,
    /// Of those, LACPDUs.
    pub lacpdus: u64,
    /// The last packet.
    pub last: Mark,
    /// Seconds in which something passed, in order; of very many, calm neighbours are one.
    pub seconds: VecDeque<Heard>,
}

/// A second in which something passed, or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Number of the second on the monotonic clock.
    pub second: u64,
    /// The last one that is in this.
    pub until: u64,
    /// Packets in it.
    pub packets: u64,
    /// Of those, the ones that are no LACPDUs.
    pub others: u64,
    /// The one that tells most: a hello rather than any frame.
    pub best: Mark,
    /// What that one is, in words.
    pub text: String,
    /// See [`Self::rank`].
    rank: u8,
}

impl Heard {
    /// How well the best packet shows to a person that receiving works: more is better, 0 for LACPDUs.
    pub fn rank(&self) -> u8 {
        self.rank
    }
}

impl Way {
    pub(super) fn new(link: &str, direction: Direction) -> Self {
        let link: Arc<str> = Arc::from(link);
        let last = Mark { link: Arc::clone(&link), ..Mark::default() };
        Self { link, direction, packets: 0, lacpdus: 0, last, seconds: VecDeque::new() }
    }

    /// Takes a packet, and what it is in words where it is kept. True when there are too many seconds: [`Self::make_room`] is wanted.
    pub(super) fn take(&mut self, number: u64, at: Mono, says: &Says, words: impl Fn() -> String) -> bool {
        let second = at.0 / SECOND;
        let is_lacp = matches!(says, Says::Lacp(_));
        self.packets += 1;
        self.lacpdus += u64::from(is_lacp);
        (self.last.number, self.last.at) = (number, at);
        let rank = says.rank();
        // Packets of a file may go back in time by a little: they count for the newest second.
        let last = self.seconds.back_mut().filter(|last| last.until >= second);
        let Some(heard) = last else {
            let text = words();
            let others = u64::from(!is_lacp);
            self.seconds.push_back(Heard { second, until: second, packets: 1, others, best: self.last.clone(), text, rank });
            return self.seconds.len() > MOST;
        };
        heard.packets += 1;
        heard.others += u64::from(!is_lacp);
        if rank > heard.rank {
            (heard.best, heard.text, heard.rank) = (self.last.clone(), words(), rank);
        }
        false
    }

    /// Makes one of each two neighbours away from pauses and from all `moments`. Where that is not enough the oldest go: returns how many
    /// packets they stood for.
    pub(super) fn make_room(&mut self, moments: &Moments) -> u64 {
        let room = MOST - MOST / 8;
        let gap = |pair: (&Heard, &Heard)| pair.1.second.saturating_sub(pair.0.until);
        let neighbours = || self.seconds.iter().zip(self.seconds.iter().skip(1));
        let mut gaps: Vec<u64> = neighbours().map(gap).collect();
        gaps.sort_unstable();
        // A pause is longer than most.
        let usual = gaps.get(gaps.len() / 2).map_or(1, |middle| middle + middle / 2);
        let pauses = neighbours().filter(|pair| gap(*pair) > usual).flat_map(|(before, after)| [before.best.at, after.best.at]);
        let moments: Moments = pauses.chain(moments.iter()).collect();
        for ns in NEAR {
            if self.seconds.len() > room {
                self.join(&moments, ns, usual);
            }
        }
        let oldest = self.seconds.len().saturating_sub(room);
        self.seconds.drain(..oldest).map(|heard| heard.packets).sum()
    }

    fn join(&mut self, moments: &Moments, ns: u64, usual: u64) {
        let calm = |heard: &Heard| !moments.near(heard.best.at, ns);
        let last = self.seconds.len().saturating_sub(NEWEST);
        let mut kept: VecDeque<Heard> = VecDeque::new();
        // Whether the one that was kept last is still a single one.
        let mut single = false;
        for (place, heard) in std::mem::take(&mut self.seconds).into_iter().enumerate() {
            let joins = |before: &&mut Heard| {
                single && place < last && calm(before) && calm(&heard) && heard.second.saturating_sub(before.until) <= usual
            };
            if let Some(before) = kept.back_mut().filter(joins) {
                before.until = heard.until;
                before.packets += heard.packets;
                before.others += heard.others;
                if heard.rank > before.rank {
                    (before.best, before.text, before.rank) = (heard.best, heard.text, heard.rank);
                }
                single = false;
            } else {
                kept.push_back(heard);
                single = true;
            }
        }
        self.seconds = kept;
    }

    /// The packet between `from` and `to` that tells most, and what it is; LACPDUs only when nothing else passed.
    pub fn best_within(&self, from: Mono, to: Mono) -> Option<&Heard> {
        let within = self.seconds.iter().filter(|heard| heard.best.at >= from && heard.best.at <= to);
        within.max_by_key(|heard| (heard.rank, std::cmp::Reverse(heard.second)))
    }

    /// Packets in the whole seconds between `from` and `to`: all, and those that are no LACPDUs.
    pub fn count_within(&self, from: Mono, to: Mono) -> (u64, u64) {
        let seconds = from.0.div_ceil(SECOND)..to.0 / SECOND;
        let within = self.seconds.iter().filter(|heard| seconds.contains(&heard.second) && seconds.contains(&heard.until));
        within.fold((0, 0), |(all, others), heard| (all + heard.packets, others + heard.others))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::at;

    /// A packet each second but in `pause`.
    fn way(pause: std::ops::Range<u64>, seconds: u64) -> Way {
        let mut way = Way::new("eth1", Direction::Ingress);
        for second in (0..seconds).filter(|second| !pause.contains(second)) {
            let mark = Mark { number: second + 1, at: at(second * 1000), link: "eth1".into() };
            if way.take(mark.number, mark.at, &Says::Hello, || "a hello".to_owned()) {
                assert_eq!(way.make_room(&Moments::default()), 0, "calm seconds are joined, and none goes");
            }
        }
        way
    }

    #[test]
    fn a_pause_stays_to_the_second_however_long_it_is_calm_after_that() {
        let way = way(500..520, 100_000);
        assert!(way.seconds.len() <= MOST);
        assert_eq!(way.seconds.iter().map(|heard| heard.packets).sum::<u64>(), 100_000 - 20);
        let near: Vec<u64> = way.seconds.iter().map(|heard| heard.second).filter(|second| (400..600).contains(second)).collect();
        assert_eq!(near, (400..500).chain(520..600).collect::<Vec<u64>>());
        assert_eq!(way.best_within(at(500_000), at(519_000)), None);
        assert_eq!(way.count_within(at(490_000), at(530_000)), (20, 20));
    }

    #[test]
    fn the_newest_seconds_stay_as_they_are() {
        let way = way(0..0, 50_000);
        assert!(way.seconds.iter().rev().take(NEWEST).all(|heard| heard.second == heard.until));
    }
}
