//! What passed one interface in one direction, second by second.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Mark;
use super::frame::Says;
use crate::direction::Direction;
use crate::time::{Mono, SECOND};

/// Seconds that are kept: the newest.
const MOST: usize = 1800;

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
    /// Seconds in which something passed, in order.
    pub seconds: VecDeque<Heard>,
}

/// A second in which something passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Number of the second on the monotonic clock.
    pub second: u64,
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
        Self { link: Arc::from(link), direction, packets: 0, lacpdus: 0, last: Mark::default(), seconds: VecDeque::new() }
    }

    /// Takes a packet, and what it is in words where it is kept. False when an older second had to go for it.
    pub(super) fn take(&mut self, mark: Mark, says: &Says, words: impl Fn() -> String) -> bool {
        let second = mark.at.0 / SECOND;
        let is_lacp = matches!(says, Says::Lacp(_));
        self.packets += 1;
        self.lacpdus += u64::from(is_lacp);
        self.last = mark.clone();
        let rank = says.rank();
        // Packets of a file may go back in time by a little: they count for the newest second.
        let last = self.seconds.back_mut().filter(|last| last.second >= second);
        let Some(heard) = last else {
            let text = words();
            self.seconds.push_back(Heard { second, packets: 1, others: u64::from(!is_lacp), best: mark, text, rank });
            let fits = self.seconds.len() <= MOST;
            if !fits {
                self.seconds.pop_front();
            }
            return fits;
        };
        heard.packets += 1;
        heard.others += u64::from(!is_lacp);
        if rank > heard.rank {
            (heard.best, heard.text, heard.rank) = (mark, words(), rank);
        }
        true
    }

    /// The packet between `from` and `to` that tells most, and what it is; LACPDUs only when nothing else passed.
    pub fn best_within(&self, from: Mono, to: Mono) -> Option<&Heard> {
        let within = self.seconds.iter().filter(|heard| heard.best.at >= from && heard.best.at <= to);
        within.max_by_key(|heard| (heard.rank, std::cmp::Reverse(heard.second)))
    }

    /// Packets in the whole seconds between `from` and `to`: all, and those that are no LACPDUs.
    pub fn count_within(&self, from: Mono, to: Mono) -> (u64, u64) {
        let seconds = from.0.div_ceil(SECOND)..to.0 / SECOND;
        let within = self.seconds.iter().filter(|heard| seconds.contains(&heard.second));
        within.fold((0, 0), |(all, others), heard| (all + heard.packets, others + heard.others))
    }
}
