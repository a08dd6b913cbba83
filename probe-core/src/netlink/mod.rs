//! Bytes of rtnetlink to values. The attributes that Linkprobe needs are read here with checked reads, all others are
//! skipped: so no message is lost for an attribute that nobody asked for.
//!
//! Sources: linux/netlink.h, linux/rtnetlink.h, linux/if_link.h; rtnetlink(7). Numbers are in the machine's byte order.

mod attribute;
mod bond;
mod lacp_stats;
mod link;
mod link_reason;
mod route;
mod stats;
#[cfg(test)]
mod tests;

pub use lacp_stats::{lacp_counters, lacp_counters_request};
pub use link_reason::link_reason;
pub use route::{Address, AddressMessage, Route, RouteMessage, decode_addresses, decode_routes};
pub use stats::stats_request;
use thiserror::Error;

use crate::link::{LinkState, LinkStats};

/// What one message says about links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkMessage {
    /// `RTM_NEWLINK`: a link is as described, be it new or not.
    New(Box<LinkState>),
    /// `RTM_DELLINK`: a link is gone from this network namespace.
    Del {
        /// Which.
        ifindex: u32,
    },
    /// `RTM_NEWSTATS`: what a link's driver has counted.
    Stats {
        /// Which.
        ifindex: u32,
        /// Its counters.
        stats: LinkStats,
    },
    /// The end of a dump.
    Done,
    /// The kernel refused a request, or broke off a dump.
    Error(
        /// The error number, positive.
        i32,
    ),
    /// `NLMSG_OVERRUN`: data was lost.
    Overrun,
    /// Nothing about a link's state: other types, acknowledgements, bridge port messages (which have the type of a link
    /// message and say nothing of it), wireless events.
    Other,
}

/// One message of a datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded<M = LinkMessage> {
    /// Sequence number of the request that it answers; 0 in a notification.
    pub sequence: u32,
    /// `NLM_F_DUMP_INTR`: links changed while the dump went on, so that it may miss one. Ask again.
    pub interrupted: bool,
    /// What it says, or why it cannot be understood.
    pub message: Result<M, DecodeError>,
}

/// Why a message cannot be understood. Each says where.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DecodeError {
    /// The datagram ends within a message's header.
    #[error("netlink datagram: {left} bytes left at offset {offset}, a message header has 16")]
    Header {
        /// Where in the datagram.
        offset: usize,
        /// Bytes that are there.
        left: usize,
    },
    /// A message claims to be shorter than its header or longer than its datagram.
    #[error("netlink datagram: the message at offset {offset} claims {length} bytes of {left}")]
    Length {
        /// Where in the datagram.
        offset: usize,
        /// What it claims.
        length: usize,
        /// Bytes that are there.
        left: usize,
    },
    /// A message is too short for the fixed part of its type.
    #[error("netlink message of type {kind}: {length} bytes of payload are too few")]
    Short {
        /// Type of the message.
        kind: u16,
        /// Bytes after its header.
        length: usize,
    },
    /// A link message with an index that no link has.
    #[error("link message for interface index {0}")]
    Index(
        /// The index.
        i32,
    ),
    /// An attribute claims to be shorter than its header or longer than what it stands in.
    #[error("link {ifindex}: attribute {kind} claims {length} bytes of {left}")]
    Attribute {
        /// The link.
        ifindex: u32,
        /// Type of the attribute.
        kind: u16,
        /// What it claims.
        length: usize,
        /// Bytes that are there.
        left: usize,
    },
    /// An attribute has a size that its type cannot have.
    #[error("link {ifindex}: {name} has {length} bytes")]
    Size {
        /// The link.
        ifindex: u32,
        /// Name of the attribute in the kernel's headers.
        name: &'static str,
        /// Bytes of its value.
        length: usize,
    },
    /// An attribute has a value that is none of those that exist.
    #[error("link {ifindex}: {name} is {value}")]
    Value {
        /// The link.
        ifindex: u32,
        /// Name of the attribute in the kernel's headers.
        name: &'static str,
        /// The value.
        value: u32,
    },
}

const HEADER: usize = 16;
const NLM_F_DUMP_INTR: u16 = 0x10;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLMSG_OVERRUN: u16 = 4;
const RTM_NEWLINK: u16 = 16;
const RTM_DELLINK: u16 = 17;
const RTM_NEWSTATS: u16 = 92;

/// The messages about links of one datagram from a `NETLINK_ROUTE` socket, in order.
///
/// A message that cannot be understood does not hide those after it, unless its length is wrong.
pub fn decode(datagram: &[u8]) -> Vec<Decoded> {
    decode_as(datagram, message)
}

/// The messages of a datagram, each by its type and payload.
fn decode_as<M>(datagram: &[u8], message: impl Fn(u16, &[u8]) -> Result<M, DecodeError>) -> Vec<Decoded<M>> {
    let mut messages = Vec::new();
    let mut offset = 0;
    while let Some(rest) = datagram.get(offset..).filter(|rest| !rest.is_empty()) {
        let Some(header) = Header::read(rest) else {
            messages.push(broken(DecodeError::Header { offset, left: rest.len() }));
            break;
        };
        let Some(payload) = rest.get(HEADER..header.length) else {
            messages.push(broken(DecodeError::Length { offset, length: header.length, left: rest.len() }));
            break;
        };
        messages.push(Decoded {
            sequence: header.sequence,
            interrupted: header.flags & NLM_F_DUMP_INTR != 0,
            message: message(header.kind, payload),
        });
        offset = offset.saturating_add(header.length.next_multiple_of(4));
    }
    messages
}

fn broken<M>(error: DecodeError) -> Decoded<M> {
    Decoded { sequence: 0, interrupted: false, message: Err(error) }
}

/// `struct nlmsghdr`.
struct Header {
    length: usize,
    kind: u16,
    flags: u16,
    sequence: u32,
}

impl Header {
    fn read(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; HEADER] = bytes.first_chunk()?;
        let [l0, l1, l2, l3, k0, k1, f0, f1, s0, s1, s2, s3, ..] = *bytes;
        Some(Self {
            length: u32::from_ne_bytes([l0, l1, l2, l3]) as usize,
            kind: u16::from_ne_bytes([k0, k1]),
            flags: u16::from_ne_bytes([f0, f1]),
            sequence: u32::from_ne_bytes([s0, s1, s2, s3]),
        })
    }
}

fn message(kind: u16, payload: &[u8]) -> Result<LinkMessage, DecodeError> {
    match kind {
        RTM_NEWLINK => link::new(payload),
        RTM_DELLINK => link::del(payload),
        RTM_NEWSTATS => stats::new(payload),
        _ => Ok(match ended(kind, payload)? {
            Some(Ended::Done) => LinkMessage::Done,
            Some(Ended::Error(number)) => LinkMessage::Error(number),
            Some(Ended::Overrun) => LinkMessage::Overrun,
            None => LinkMessage::Other,
        }),
    }
}

/// How a dump ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Nothing more comes.
    Done,
    /// The kernel refused it, or broke it off: the error number, positive.
    Error(i32),
    /// Data was lost.
    Overrun,
}

/// What a message of netlink itself says of a dump's end; `None` for any other, and for an acknowledgement.
fn ended(kind: u16, payload: &[u8]) -> Result<Option<Ended>, DecodeError> {
    let number = payload.first_chunk().map(|bytes| i32::from_ne_bytes(*bytes));
    match (kind, number) {
        (NLMSG_OVERRUN, _) => Ok(Some(Ended::Overrun)),
        // Both carry an error number, negative. That of an acknowledgement and of a whole dump is 0.
        (NLMSG_ERROR | NLMSG_DONE, Some(number)) if number < 0 => Ok(Some(Ended::Error(number.saturating_neg()))),
        (NLMSG_DONE, _) => Ok(Some(Ended::Done)),
        (NLMSG_ERROR, None) => Err(DecodeError::Short { kind, length: payload.len() }),
        _ => Ok(None),
    }
}
