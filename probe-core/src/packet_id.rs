//! Which records are the same packet: one id for one packet that was seen at several taps.
//!
//! A packet is known by its length and its captured bytes. Bytes alone do not tell two equal frames apart (a keep-alive that is
//! sent again, every copy of a storm), so the k-th of them at one tap is matched with the k-th at every other tap. The counting
//! starts anew where no equal frame was seen for [`WINDOW_NS`]: a loss at one tap does not shift the matching for ever.
//!
//! What is changed on its way (a router's TTL, packets merged by GRO between the slave and the bond) is another packet here.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};

use foldhash::quality::RandomState;

use crate::time::Mono;

/// Longest time from the first tap that sees a packet to the last, nanoseconds: 50 ms.
///
/// Between a slave and its bond lie microseconds, or a full queue; two equal control frames of one sender are further apart.
pub const WINDOW_NS: u64 = 50_000_000;
/// Most packets that are open to be matched at one time; beyond it the oldest is closed early.
pub const MAX_OPEN: usize = 1 << 16;
/// Taps whose places in a group need no memory of their own: bond and slave, or both ends of a path through the router, and one more.
const FEW: usize = 3;

/// Hands out ids, to records in the order of their time.
#[derive(Debug, Default)]
pub struct PacketIds {
    /// Every open packet, oldest first: ids rise by one from each to the next.
    open: VecDeque<Open>,
    /// Packets that were closed: the first of `open` has the next id.
    closed: u64,
    groups: HashMap<u64, Group, BuildHasherDefault<Hashed>>,
    hasher: RandomState,
}

/// A packet that may be seen at another tap still.
#[derive(Debug)]
struct Open {
    /// When it was first seen.
    at: Mono,
    key: u64,
    /// Id of the next one with the same key.
    next: Option<u64>,
}

/// Equal frames, each still open to be matched: a list through [`Open::next`].
#[derive(Debug)]
struct Group {
    first: u64,
    last: u64,
    /// By tap, the packet that it saw last.
    few: [(u16, u64); FEW],
    /// How many of those there are.
    taps: usize,
    more: Vec<(u16, u64)>,
}

impl PacketIds {
    /// Id of a record: `bytes` are the captured ones of a frame of `length` bytes. Ids start at 1.
    ///
    /// Records must come in the order of `at`; an earlier one is taken as if it were now.
    pub fn id(&mut self, at: Mono, tap: u16, length: u32, bytes: &[u8]) -> u64 {
        self.close_before(at.minus(WINDOW_NS));
        // 64 bits: among 65,536 open packets two unequal ones hardly ever meet.
        let key = self.hasher.hash_one((length, bytes));
        let new = self.closed + self.open.len() as u64 + 1;
        let Some(group) = self.groups.get_mut(&key) else {
            self.groups.insert(key, Group::of(new, tap));
            return self.append(at, key);
        };
        let seen = group.seen_by(tap);
        // What it saw may be closed: it goes on with the first that is not.
        let next = match *seen {
            seen if seen <= self.closed => Some(group.first),
            seen => (seen - self.closed - 1).try_into().ok().and_then(|place: usize| self.open.get(place)?.next),
        };
        *group.seen_by(tap) = next.unwrap_or(new);
        if let Some(known) = next {
            return known;
        }
        let before = std::mem::replace(&mut group.last, new);
        let before = usize::try_from(before - self.closed - 1).ok().and_then(|place| self.open.get_mut(place));
        if let Some(before) = before {
            before.next = Some(new);
        }
        self.append(at, key)
    }

    /// Packets that are open to be matched, at most [`MAX_OPEN`].
    pub fn open(&self) -> usize {
        self.open.len()
    }

    fn append(&mut self, at: Mono, key: u64) -> u64 {
        self.open.push_back(Open { at, key, next: None });
        let id = self.closed + self.open.len() as u64;
        if self.open.len() > MAX_OPEN {
            self.close_oldest();
        }
        id
    }

    fn close_before(&mut self, limit: Mono) {
        while self.open.front().is_some_and(|open| open.at < limit) {
            self.close_oldest();
        }
    }

    fn close_oldest(&mut self) {
        let Some(Open { key, next, .. }) = self.open.pop_front() else { return };
        self.closed += 1;
        match next {
            Some(next) => {
                if let Some(group) = self.groups.get_mut(&key) {
                    group.first = next;
                }
            }
            None => drop(self.groups.remove(&key)),
        }
    }
}

impl Group {
    fn of(id: u64, tap: u16) -> Self {
        let mut few = [(0, 0); FEW];
        few[0] = (tap, id);
        Self { first: id, last: id, few, taps: 1, more: Vec::new() }
    }

    /// The packet that a tap saw last; 0 when it saw none.
    fn seen_by(&mut self, tap: u16) -> &mut u64 {
        let known = self.few[..self.taps].iter().position(|&(of, _)| of == tap);
        if let Some(place) = known {
            return &mut self.few[place].1;
        }
        if self.taps < FEW {
            let place = self.taps;
            self.taps += 1;
            self.few[place] = (tap, 0);
            return &mut self.few[place].1;
        }
        let place = self.more.iter().position(|&(of, _)| of == tap).unwrap_or_else(|| {
            self.more.push((tap, 0));
            self.more.len() - 1
        });
        &mut self.more[place].1
    }
}

/// Keys are hashes already.
#[derive(Debug, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("keys have 64 bits")
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOND: u16 = 0;
    const SLAVE: u16 = 1;
    const PEER: u16 = 2;

    fn us(us: u64) -> Mono {
        Mono(us * 1000)
    }

    #[test]
    fn one_packet_at_three_taps_has_one_id() {
        let mut ids = PacketIds::default();
        let first = ids.id(us(0), BOND, 60, b"frame");
        assert_eq!(ids.id(us(2), SLAVE, 60, b"frame"), first);
        assert_eq!(ids.id(us(49_999), PEER, 60, b"frame"), first);
    }

    #[test]
    fn different_bytes_or_lengths_are_different_packets() {
        let mut ids = PacketIds::default();
        let first = ids.id(us(0), BOND, 60, b"frame");
        assert_ne!(ids.id(us(1), SLAVE, 60, b"frama"), first);
        assert_ne!(ids.id(us(1), SLAVE, 61, b"frame"), first);
    }

    #[test]
    fn the_kth_copy_at_one_tap_is_the_kth_copy_at_the_other() {
        let mut ids = PacketIds::default();
        let sent: Vec<u64> = (0..100).map(|i| ids.id(us(i), BOND, 60, b"copy")).collect();
        let seen: Vec<u64> = (0..100).map(|i| ids.id(us(200 + i), SLAVE, 60, b"copy")).collect();
        assert_eq!(sent, seen);
        assert!(sent.windows(2).all(|pair| pair[0] < pair[1]), "every copy has an id of its own");
    }

    #[test]
    fn copies_that_alternate_between_the_taps_are_paired() {
        let mut ids = PacketIds::default();
        for i in 0..10 {
            let sent = ids.id(us(i * 100), BOND, 60, b"copy");
            assert_eq!(ids.id(us(i * 100 + 1), SLAVE, 60, b"copy"), sent);
        }
    }

    #[test]
    fn a_loss_at_one_tap_is_forgotten_after_the_window() {
        let mut ids = PacketIds::default();
        let lost = ids.id(us(0), BOND, 60, b"hello");
        let second = ids.id(us(1_000_000), BOND, 60, b"hello");
        assert_ne!(second, lost);
        assert_eq!(ids.id(us(1_000_010), SLAVE, 60, b"hello"), second);
    }

    #[test]
    fn equal_bytes_long_after_each_other_are_different_packets() {
        let mut ids = PacketIds::default();
        let first = ids.id(us(0), BOND, 60, b"hello");
        assert_ne!(ids.id(us(50_001), SLAVE, 60, b"hello"), first);
    }

    #[test]
    fn a_vlan_tag_that_is_back_in_the_frame_matches_and_one_that_is_not_does_not() {
        let tagged = b"\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01\x81\x00\x03\xbc\x08\x06arp";
        let untagged = b"\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01\x08\x06arp";
        let mut ids = PacketIds::default();
        let first = ids.id(us(0), BOND, 64, tagged);
        assert_eq!(ids.id(us(1), SLAVE, 64, tagged), first);
        assert_ne!(ids.id(us(2), PEER, 60, untagged), first);
    }

    #[test]
    fn a_storm_holds_a_bounded_number_of_packets_open() {
        let mut ids = PacketIds::default();
        for i in 0..3 * MAX_OPEN as u64 {
            ids.id(Mono(i), BOND, 60, b"storm");
            ids.id(Mono(i), SLAVE, 60, &i.to_le_bytes());
        }
        assert_eq!(ids.open(), MAX_OPEN);
        assert!(ids.groups.len() <= MAX_OPEN);
    }

    #[test]
    fn after_a_calm_time_nothing_is_kept() {
        let mut ids = PacketIds::default();
        for i in 0..1000 {
            ids.id(us(i), BOND, 60, &i.to_le_bytes());
        }
        ids.id(us(10_000_000), BOND, 60, b"later");
        assert_eq!((ids.open(), ids.groups.len()), (1, 1));
    }
}
