//! Facts: what the packets of a capture say, in bounded memory, each with the number that the packet has in the file.
//!
//! An [`Observer`] is given every packet in the order of the file; the rules of [`crate::verdict`] read what it gathered.

mod dialogue;
mod frame;
mod observer;
mod way;

use std::sync::Arc;

use crate::direction::Direction;
use crate::lacp::{Lacpdu, Listed};
use crate::time::Mono;

pub use dialogue::{Ask, Dialogue, Exchange, Silence};
#[cfg(test)]
pub(crate) use observer::frames;
pub use observer::{Observer, Seen, Wanted};
pub use way::{Heard, Way};

/// In place of the number of a packet that a filter left out of the file: it counts, and nothing can point at it.
pub const NOT_IN_FILE: u64 = 0;

/// A packet of the capture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// Its number in the file, from 1, as Wireshark counts it; or [`NOT_IN_FILE`].
    pub number: u64,
    /// When it passed.
    pub at: Mono,
    /// Where: name of the interface.
    pub link: Arc<str>,
}

/// Where a repeated frame stands in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepeatMarks {
    /// The first copy that is there.
    pub first: Option<Mark>,
    /// The last one.
    pub last: Option<Mark>,
    /// Copies that are there.
    pub copies: u64,
}

/// A LACPDU of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LacpduFact {
    /// The packet.
    pub mark: Mark,
    /// [`Direction::Egress`]: ours; [`Direction::Ingress`]: the partner's.
    pub direction: Direction,
    /// What it says.
    pub pdu: Lacpdu,
    /// So many before it are not listed: they said the same, and came on time.
    pub unlisted: u64,
}

impl Listed for LacpduFact {
    type Link = Arc<str>;

    fn link(&self) -> Arc<str> {
        Arc::clone(&self.mark.link)
    }

    fn direction(&self) -> Direction {
        self.direction
    }

    fn at(&self) -> Mono {
        self.mark.at
    }

    fn pdu(&self) -> &Lacpdu {
        &self.pdu
    }

    fn unlisted(&mut self) -> &mut u64 {
        &mut self.unlisted
    }
}

/// What the packets say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Packets that were looked at.
    pub packets: u64,
    /// Of those, the ones that are broken where they claim to be LACP, ARP or neighbour discovery.
    pub malformed: u64,
    /// Observations for which there was no room: calm runs lose their middle first, which is none of these, then the oldest go.
    pub left_out: u64,
    /// LACPDUs, in order; of calm runs the ends, where there are too many.
    pub lacpdus: Vec<LacpduFact>,
    /// Who was asked, and answered or not.
    pub dialogues: Vec<Dialogue>,
    /// Each interface and direction in which anything passed.
    pub ways: Vec<Way>,
    /// Where the incident's repeats stand in the file, in the order of [`crate::incident::Incident::repeats`].
    pub repeats: Vec<RepeatMarks>,
    /// Control and bulk packets are all there from these times on; `None`: from the window's start on.
    pub complete_from: [Option<Mono>; 2],
}

impl Facts {
    /// What passed an interface in one direction, if anything did.
    pub fn way(&self, link: &str, direction: Direction) -> Option<&Way> {
        self.ways.iter().find(|way| &*way.link == link && way.direction == direction)
    }
}
