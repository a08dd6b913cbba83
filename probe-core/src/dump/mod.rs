//! Capture files, pcap and pcapng, walked in the bytes of whoever reads them.
//!
//! A [`Walker`] never copies: it is shown the bytes from where it stands on and says where in them the next packet is, how many
//! bytes it must see, or how many to pass over. Every number in a file is untrusted.

mod link;
mod pcap;
mod pcapng;
#[cfg(test)]
mod tests;
mod walker;

use thiserror::Error;

pub use link::{Frame, LinkType, Unreadable};
pub use walker::Walker;

use crate::direction::Direction;

/// Most bytes of one packet, and of one block that is read as a whole: larger ones are damage.
pub const MOST_PACKET: u32 = 1 << 20;
/// Most bytes of a block that describes something: it holds names and keys.
pub(super) const MOST_BLOCK: u32 = 2 * MOST_PACKET;
/// Most interfaces that one file can describe.
pub const MOST_INTERFACES: usize = 4096;

/// Longest name of an interface that is taken from a file, bytes; the kernel's have 15.
pub(super) const MOST_NAME: usize = 256;

/// What comes next in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A packet, within the bytes that were shown.
    Packet(Head),
    /// Nothing of interest in so many bytes, perhaps more than were shown.
    Skip(u64),
    /// At least so many bytes must be shown.
    More(usize),
}

/// A packet, and where its bytes are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Its interface: an index of [`Walker::interfaces`].
    pub interface: u32,
    /// Nanoseconds since 1970; `None` where the file does not say.
    pub at_ns: Option<u64>,
    /// Where its captured bytes begin.
    pub start: usize,
    /// How many there are.
    pub captured: usize,
    /// Length of the packet before it was cut.
    pub length: u32,
    /// Which way it went, where the file says so.
    pub direction: Option<Direction>,
    /// Number of the interface that the kernel says it passed, where a file of one interface holds packets of many; else 0.
    pub ifindex: u32,
    /// Bytes from where the walker stood to what follows.
    pub used: usize,
}

/// An interface, as a file describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// Its name; empty in a pcap.
    pub name: String,
    /// Hardware address; zeros where the file has none.
    pub mac: [u8; 6],
    /// What its packets begin with.
    pub link_type: LinkType,
    /// Longest capture of a packet; 0 where there is no limit.
    pub snaplen: u32,
    /// Bits per second; 0 where the file does not say.
    pub speed_bps: u64,
    /// Packets that the capturing program says it lost.
    pub dropped: u64,
}

/// What a file begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// libpcap's own.
    Pcap,
    /// The block format.
    Pcapng,
}

/// Why a file cannot be read, or not from here on. Offsets are bytes from the start of what was unpacked.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DumpError {
    /// Neither format.
    #[error("offset 0: not a capture: {what}")]
    Foreign {
        /// What it is, as far as its first bytes tell.
        what: String,
    },
    /// A version that nobody reads.
    #[error("offset {at}: {format} version {major}.{minor} is not known")]
    Version {
        /// Where.
        at: u64,
        /// Which format.
        format: &'static str,
        /// As it says.
        major: u16,
        /// As it says.
        minor: u16,
    },
    /// A length that cannot be.
    #[error("offset {at}: {what} of {length} bytes{}", limit_text(*.limit))]
    Length {
        /// Where the packet or block begins.
        at: u64,
        /// What has this length.
        what: &'static str,
        /// As the file says.
        length: u64,
        /// What it may be at most, or 0 where another rule is broken.
        limit: u64,
    },
    /// Something that contradicts what the file said before.
    #[error("offset {at}: {what}")]
    Broken {
        /// Where.
        at: u64,
        /// What is wrong.
        what: String,
    },
}

fn limit_text(limit: u64) -> String {
    if limit == 0 { String::new() } else { format!(", {limit} are the most") }
}

/// The integers of a file, in its byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    pub(super) fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let raw = *bytes.get(at..)?.first_chunk()?;
        Some(if self == Order::Little { u16::from_le_bytes(raw) } else { u16::from_be_bytes(raw) })
    }

    #[inline]
    pub(super) fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let raw = *bytes.get(at..)?.first_chunk()?;
        Some(if self == Order::Little { u32::from_le_bytes(raw) } else { u32::from_be_bytes(raw) })
    }

    pub(super) fn u64(self, bytes: &[u8], at: usize) -> Option<u64> {
        let raw = *bytes.get(at..)?.first_chunk()?;
        Some(if self == Order::Little { u64::from_le_bytes(raw) } else { u64::from_be_bytes(raw) })
    }
}
