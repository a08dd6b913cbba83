//! Which records are the same packet: one id for one packet that was seen at several taps.
//!
//! A packet is known by its length and its captured bytes. Bytes alone do not tell two equal frames apart (a keep-alive that is
//! sent again, every copy of a storm), so the k-th of them at one tap is matched with the k-th at every other tap. The counting
//! starts anew where no equal frame was seen for [`WINDOW_NS`]: a loss at one tap does not shift the matching for ever.
//!
//! What is changed on its way (a router's TTL, packets merged by GRO between the slave and the bond) is another packet here.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hasher};

use crate::time::Mono;

/// Longest time from the first tap that sees a packet to the last, nanoseconds: 50 ms.
///
/// Between a slave and its bond lie microseconds, or a full queue; two equal control frames of one sender are further apart.
pub const WINDOW_NS: u64 = 50_000_000;
/// Most packets that are open to be matched at one time; beyond it the oldest is closed early.
pub const MAX_OPEN: usize = 1 << 16;

/// Hands out ids, to records in the order of their time.
#[derive(Debug, Default)]
pub struct PacketIds {
    last_id: u64,
    groups: HashMap<u64, Group>,
    /// Every open packet, oldest first: when it was first seen, and its group.
    open: VecDeque<(Mono, u64)>,
}

/// Equal frames, each still open to be matched.
#[derive(Debug, Default)]
struct Group {
    /// Number of the first of `ids`: how many of this group were closed before.
    base: u64,
    ids: VecDeque<u64>,
    /// Per tap, the number of the packet that it sees next. Few taps see one packet: a list is fastest.
    next: Vec<(u16, u64)>,
}

impl PacketIds {
    /// Id of a record: `bytes` are the captured ones of a frame of `length` bytes. Ids start at 1.
    ///
    /// Records must come in the order of `at`; an earlier one is taken as if it were now.
    pub fn id(&mut self, at: Mono, tap: u16, length: u32, bytes: &[u8]) -> u64 {
        self.close_before(at.minus(WINDOW_NS));
        let key = key(length, bytes);
        let group = self.groups.entry(key).or_default();
        let slot = match group.next.iter().position(|&(of, _)| of == tap) {
            Some(slot) => slot,
            None => {
                group.next.push((tap, 0));
                group.next.len() - 1
            }
        };
        let number = group.next[slot].1.max(group.base);
        group.next[slot].1 = number + 1;
        let known = usize::try_from(number - group.base).ok().and_then(|place| group.ids.get(place));
        if let Some(&id) = known {
            return id;
        }
        self.last_id += 1;
        group.ids.push_back(self.last_id);
        self.open.push_back((at, key));
        if self.open.len() > MAX_OPEN {
            self.close_oldest();
        }
        self.last_id
    }

    /// Packets that are open to be matched, at most [`MAX_OPEN`].
    pub fn open(&self) -> usize {
        self.open.len()
    }

    fn close_before(&mut self, limit: Mono) {
        while self.open.front().is_some_and(|&(at, _)| at < limit) {
            self.close_oldest();
        }
    }

    fn close_oldest(&mut self) {
        let Some((_, key)) = self.open.pop_front() else { return };
        if let Some(group) = self.groups.get_mut(&key) {
            group.ids.pop_front();
            group.base += 1;
            if group.ids.is_empty() {
                self.groups.remove(&key);
            }
        }
    }
}

/// What equal frames have in common. 64 bits: among 65,536 open packets two unequal ones hardly ever meet.
fn key(length: u32, bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write_u32(length);
    hasher.write(bytes);
    hasher.finish()
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
