//! Repeats: one frame that passes a tap again and again, byte for byte the same.

mod fold;
mod hash;
mod track;

pub use fold::{Fate, Fed, Fold};
pub use hash::hash;
pub use track::{Key, Track, Tracks};

use serde::Serialize;

use crate::direction::Direction;
use crate::time::Mono;
use crate::timeline::LinkName;

/// An exemplar of a repeated frame: a copy that was kept, with what was counted up to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RepeatSeen {
    /// When this copy passed.
    pub at: Mono,
    /// When the first one passed.
    pub first_at: Mono,
    /// Interface.
    pub link: LinkName,
    /// Direction.
    pub direction: Direction,
    /// Hash of what was compared: tells one repeat from another at this tap.
    pub hash: u64,
    /// Copies so far, this one and the first included.
    pub copies: u64,
    /// Length of the frame in bytes, VLAN tags included, without FCS.
    pub length: u32,
    /// Name of its class.
    pub class: &'static str,
    /// Its first bytes.
    #[serde(skip)]
    pub bytes: Vec<u8>,
}

/// What is known of one repeated frame at an incident's end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RepeatTotal {
    /// The last exemplar; its `copies` is the total.
    pub last: RepeatSeen,
    /// What the frame is, in words: `TCP 172.20.18.40:61730 → 10.100.200.143:1434, VLAN 956`.
    pub what: String,
    /// Most copies in one second.
    pub peak_per_second: u64,
    /// It was a storm.
    pub storm: bool,
}

impl RepeatTotal {
    /// True for a copy: a frame of that length and with the same first bytes, at the same interface, going the same way.
    pub fn is_of(&self, ifindex: u32, direction: Direction, length: u32, bytes: &[u8]) -> bool {
        let seen = &self.last;
        let common = bytes.len().min(seen.bytes.len());
        (seen.link.ifindex, seen.direction, seen.length) == (ifindex, direction, length)
            && common > 0
            && bytes.get(..common) == seen.bytes.get(..common)
    }
}

/// A storm that goes on, for `linkprobe status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StormRow {
    /// Interface.
    pub link: LinkName,
    /// Direction.
    pub direction: Direction,
    /// What the frame is, in words.
    pub what: String,
    /// Copies so far.
    pub copies: u64,
    /// Copies per second, lately.
    pub rate: u64,
}
