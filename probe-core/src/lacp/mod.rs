//! LACP (IEEE 802.1AX): what the two ends of a slave say of each other, followed as a state per slave and end.

mod ask;
mod calm;
mod follow;
mod history;
mod pdu;
mod side;
mod state;
#[cfg(test)]
mod tests;
mod words;

use serde::Serialize;

pub use ask::{Ask, Grown};
pub use calm::{Listed, Moments, collapse, moments};
pub use follow::{Follow, Partner, Phase, Told};
pub use history::LacpduHistory;
pub use pdu::{Lacpdu, PduError, PortInfo};
pub use side::{LONG, SHORT, Side};
pub use state::PortState;
pub use words::{change, letters};

use crate::direction::Direction;
use crate::time::Mono;
use crate::timeline::LinkName;

/// A LACPDU that passed a tap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LacpduSeen {
    /// When.
    pub at: Mono,
    /// The slave.
    pub link: LinkName,
    /// [`Direction::Egress`]: ours; [`Direction::Ingress`]: the partner's.
    pub direction: Direction,
    /// What it says.
    pub pdu: Lacpdu,
    /// So many before it are not listed: they said the same, and came on time.
    pub unlisted: u64,
}

impl Listed for LacpduSeen {
    type Link = u32;

    fn link(&self) -> u32 {
        self.link.ifindex
    }

    fn direction(&self) -> Direction {
        self.direction
    }

    fn at(&self) -> Mono {
        self.at
    }

    fn pdu(&self) -> &Lacpdu {
        &self.pdu
    }

    fn unlisted(&mut self) -> &mut u64 {
        &mut self.unlisted
    }
}

/// What the bonding driver counted at a slave since it was enslaved (`BOND_XSTATS_3AD`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LacpCounters {
    /// LACPDUs that it received.
    pub received: u64,
    /// LACPDUs that it sent.
    pub sent: u64,
    /// Frames of slow protocols that it does not know.
    pub unknown: u64,
    /// Frames of slow protocols that it could not understand.
    pub illegal: u64,
    /// Marker PDUs received.
    pub marker_received: u64,
    /// Marker PDUs sent.
    pub marker_sent: u64,
    /// Answers to marker PDUs received.
    pub marker_responses_received: u64,
    /// Answers to marker PDUs sent.
    pub marker_responses_sent: u64,
}

impl LacpCounters {
    /// What was counted since `before`; `None` where less is counted now: the slave was taken out and put back, and counts from 0.
    pub fn since(&self, before: &Self) -> Option<Self> {
        Some(Self {
            received: self.received.checked_sub(before.received)?,
            sent: self.sent.checked_sub(before.sent)?,
            unknown: self.unknown.checked_sub(before.unknown)?,
            illegal: self.illegal.checked_sub(before.illegal)?,
            marker_received: self.marker_received.checked_sub(before.marker_received)?,
            marker_sent: self.marker_sent.checked_sub(before.marker_sent)?,
            marker_responses_received: self.marker_responses_received.checked_sub(before.marker_responses_received)?,
            marker_responses_sent: self.marker_responses_sent.checked_sub(before.marker_responses_sent)?,
        })
    }
}
