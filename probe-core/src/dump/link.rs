//! What packets begin with: Ethernet, or what Linux makes of other links ("cooked"), or nothing before IP.

use std::fmt;

use crate::direction::Direction;

/// A link type (`LINKTYPE_*` of the tcpdump group's registry).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkType(pub u16);

/// A packet as an Ethernet frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Its bytes, from the destination address on.
    pub bytes: &'a [u8],
    /// Its length before it was cut.
    pub length: u32,
    /// Which way it went, where its header says so.
    pub direction: Option<Direction>,
    /// Interface index, where its header says so; else 0.
    pub ifindex: u32,
}

/// Why a packet is no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// Its link type is not one of those that are read.
    LinkType(LinkType),
    /// It is shorter than its header.
    Short,
}

/// Bytes of an Ethernet header.
const ETHERNET: usize = 14;
/// `PACKET_OUTGOING` of linux/if_packet.h.
const OUTGOING: u16 = 4;
/// `PACKET_BROADCAST`.
const BROADCAST: u16 = 1;

impl LinkType {
    /// Ethernet, with whatever tags.
    pub const ETHERNET: Self = Self(1);
    const NULL: Self = Self(0);
    const RAW: Self = Self(101);
    const LOOP: Self = Self(108);
    const SLL: Self = Self(113);
    const IPV4: Self = Self(228);
    const IPV6: Self = Self(229);
    const SLL2: Self = Self(276);

    /// Whether its packets are read.
    pub fn is_read(self) -> bool {
        let known = [Self::NULL, Self::ETHERNET, Self::RAW, Self::LOOP, Self::SLL, Self::IPV4, Self::IPV6, Self::SLL2];
        known.contains(&self)
    }

    /// A packet as an Ethernet frame; one that has another header gets one in `room`, whose destination is zero where the packet
    /// does not say it.
    ///
    /// # Errors
    /// See [`Unreadable`].
    #[inline]
    pub fn frame<'a>(self, bytes: &'a [u8], length: u32, room: &'a mut Vec<u8>) -> Result<Frame<'a>, Unreadable> {
        if self == Self::ETHERNET {
            return Ok(Frame { bytes, length, direction: None, ifindex: 0 });
        }
        self.other(bytes, length, room)
    }

    fn other<'a>(self, bytes: &'a [u8], length: u32, room: &'a mut Vec<u8>) -> Result<Frame<'a>, Unreadable> {
        let seen = match self {
            Self::SLL => sll(bytes).ok_or(Unreadable::Short)?,
            Self::SLL2 => sll2(bytes).ok_or(Unreadable::Short)?,
            Self::RAW | Self::IPV4 | Self::IPV6 => ip(0, bytes).ok_or(Unreadable::Short)?,
            Self::NULL | Self::LOOP => ip(4, bytes).ok_or(Unreadable::Short)?,
            other => return Err(Unreadable::LinkType(other)),
        };
        let payload = bytes.get(seen.header..).unwrap_or(&[]);
        room.clear();
        room.extend_from_slice(&seen.destination);
        room.extend_from_slice(&seen.source);
        // Below 0x600 it is a frame of 802.3 whose LLC header follows: its length stands there.
        let kind = if seen.protocol < 0x600 { payload.len().min(0x5FF) as u16 } else { seen.protocol };
        room.extend_from_slice(&kind.to_be_bytes());
        room.extend_from_slice(payload);
        let length = length.saturating_sub(seen.header as u32).saturating_add(ETHERNET as u32).max(room.len() as u32);
        Ok(Frame { bytes: room, length, direction: seen.direction, ifindex: seen.ifindex })
    }
}

/// What a header that is not Ethernet's says.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    header: usize,
    destination: [u8; 6],
    source: [u8; 6],
    protocol: u16,
    direction: Option<Direction>,
    ifindex: u32,
}

/// `LINKTYPE_LINUX_SLL`: packet type, ARPHRD, address length, address, protocol.
fn sll(bytes: &[u8]) -> Option<Seen> {
    let head: &[u8; 16] = bytes.first_chunk()?;
    let field = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
    Some(cooked(16, field(0), [head[6], head[7], head[8], head[9], head[10], head[11]], field(4), field(14)))
}

/// `LINKTYPE_LINUX_SLL2`: protocol, reserved, ifindex, ARPHRD, packet type, address length, address.
fn sll2(bytes: &[u8]) -> Option<Seen> {
    let head: &[u8; 20] = bytes.first_chunk()?;
    let protocol = u16::from_be_bytes([head[0], head[1]]);
    let source = [head[12], head[13], head[14], head[15], head[16], head[17]];
    let seen = cooked(20, head[10].into(), source, head[11].into(), protocol);
    Some(Seen { ifindex: u32::from_be_bytes([head[4], head[5], head[6], head[7]]), ..seen })
}

fn cooked(header: usize, packet_type: u16, source: [u8; 6], address_length: u16, protocol: u16) -> Seen {
    let direction = if packet_type == OUTGOING { Direction::Egress } else { Direction::Ingress };
    let destination = match (packet_type, protocol) {
        // The one address that such frames go to.
        (_, 0x8809) => [1, 0x80, 0xC2, 0, 0, 2],
        (BROADCAST, _) => [0xFF; 6],
        _ => [0; 6],
    };
    let source = if address_length == 6 { source } else { [0; 6] };
    Seen { header, destination, source, protocol, direction: Some(direction), ifindex: 0 }
}

fn ip(header: usize, bytes: &[u8]) -> Option<Seen> {
    let protocol = match bytes.get(header)? >> 4 {
        4 => 0x0800,
        6 => 0x86DD,
        _ => return None,
    };
    Some(Seen { header, protocol, ..Seen::default() })
}

impl fmt::Display for LinkType {
    /// By name, or its number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            0 => "NULL",
            1 => "ETHERNET",
            9 => "PPP",
            50 => "PPP_HDLC",
            101 => "RAW",
            105 => "IEEE802_11",
            108 => "LOOP",
            113 => "LINUX_SLL",
            127 => "IEEE802_11_RADIOTAP",
            189 => "USB_LINUX",
            195 => "IEEE802_15_4",
            220 => "USB_LINUX_MMAPPED",
            228 => "IPV4",
            229 => "IPV6",
            239 => "NFLOG",
            253 => "NETLINK",
            276 => "LINUX_SLL2",
            other => return write!(f, "{other}"),
        };
        f.write_str(name)
    }
}
