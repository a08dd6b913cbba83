//! pcap: a file header, then a header before each packet (draft-ietf-opsawg-pcap).
//!
//! Four magic numbers: microseconds, nanoseconds, and Kuznetzov's modified format, whose packet headers are eight bytes longer and say
//! which interface a packet passed and which way; each in two byte orders.

use super::{DumpError, Head, Interface, LinkType, MOST_PACKET, Order, Step};
use crate::direction::Direction;

/// Bytes of the file's header.
pub(super) const FILE_HEADER: usize = 24;
/// Bytes of a packet's header.
const PACKET_HEADER: usize = 16;
/// Bytes of a packet's header in the modified format.
const MODIFIED_HEADER: usize = 24;
/// `PACKET_OUTGOING` of linux/if_packet.h.
const OUTGOING: u8 = 4;

/// What the file's header says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pcap {
    order: Order,
    /// Nanoseconds of one unit of a stamp's fraction.
    unit: u64,
    modified: bool,
    limit: u32,
}

/// The byte order, unit and kind that a magic number stands for.
pub(super) fn magic(first: [u8; 4]) -> Option<(Order, u64, bool)> {
    let known = |magic: u32| match magic {
        0xA1B2_C3D4 => Some((1000, false)),
        0xA1B2_3C4D => Some((1, false)),
        0xA1B2_CD34 => Some((1000, true)),
        _ => None,
    };
    let little = known(u32::from_le_bytes(first)).map(|(unit, modified)| (Order::Little, unit, modified));
    little.or_else(|| known(u32::from_be_bytes(first)).map(|(unit, modified)| (Order::Big, unit, modified)))
}

impl Pcap {
    /// Reads the file's header, all of which is shown.
    pub(super) fn open(bytes: &[u8; FILE_HEADER]) -> Result<(Self, Interface), DumpError> {
        let first = [bytes[0], bytes[1], bytes[2], bytes[3]];
        let (order, unit, modified) = magic(first).ok_or_else(|| DumpError::Foreign { what: "no pcap".to_owned() })?;
        let field = |at| order.u32(bytes, at).unwrap_or(0);
        let (major, minor) = (order.u16(bytes, 4).unwrap_or(0), order.u16(bytes, 6).unwrap_or(0));
        if major != 2 {
            return Err(DumpError::Version { at: 4, format: "pcap", major, minor });
        }
        let snaplen = field(16);
        // Bits 26 to 31 tell of a checksum at the end of frames, others are reserved.
        let link_type = LinkType((field(20) & 0xFFFF) as u16);
        let limit = snaplen.clamp(262_144, MOST_PACKET);
        let interface = Interface { link_type, snaplen, ..Interface::default() };
        Ok((Self { order, unit, modified, limit }, interface))
    }

    /// What comes next in `bytes`, at offset `at` of the file.
    #[inline]
    pub(super) fn step(&self, at: u64, bytes: &[u8]) -> Result<Step, DumpError> {
        let header = if self.modified { MODIFIED_HEADER } else { PACKET_HEADER };
        let Some(head) = bytes.get(..header) else { return Ok(Step::More(header)) };
        let field = |at| self.order.u32(head, at).unwrap_or(0);
        let (captured, length) = (field(8), field(12));
        if captured > self.limit {
            let (what, limit) = ("packet", u64::from(self.limit));
            return Err(DumpError::Length { at, what, length: captured.into(), limit });
        }
        let used = header + captured as usize;
        if bytes.len() < used {
            return Ok(Step::More(used));
        }
        let at_ns = u64::from(field(0)) * 1_000_000_000 + u64::from(field(4)) * self.unit;
        let mut packet = Head {
            at_ns: Some(at_ns),
            start: header,
            captured: captured as usize,
            length: length.max(captured),
            used,
            ..Head::default()
        };
        if self.modified {
            packet.ifindex = field(16);
            let outgoing = head.get(22).is_some_and(|&kind| kind == OUTGOING);
            packet.direction = Some(if outgoing { Direction::Egress } else { Direction::Ingress });
        }
        Ok(Step::Packet(packet))
    }
}
