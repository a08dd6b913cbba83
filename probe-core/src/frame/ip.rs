//! IPv4 (RFC 791) and IPv6 (RFC 8200).

use std::net::IpAddr;

use super::view::View;
use super::{icmp, route, transport};

/// Most extension headers that are followed.
const MAX_EXTENSIONS: usize = 8;

/// A packet's payload, and whose it is.
#[derive(Clone, Copy)]
pub(super) struct Packet<'a> {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) protocol: u8,
    /// Behind the IP headers.
    pub(super) payload: View<'a>,
    /// Bytes there, by the header.
    pub(super) length: usize,
}

impl Packet<'_> {
    /// `10.0.0.1 → 10.0.0.2`.
    pub(super) fn way(&self) -> String {
        format!("{} → {}", self.source, self.destination)
    }
}

/// `behind`: bytes of the frame from here on, for packets that do not say their length.
pub(super) fn v4(view: View<'_>, behind: usize) -> Option<String> {
    let (first, total) = (view.u8(0)?, usize::from(view.u16(2)?));
    let header = usize::from(first & 0xf) * 4;
    let (fragment, protocol) = (view.u16(6)?, view.u8(9)?);
    let (source, destination) = (view.v4(12)?.into(), view.v4(16)?.into());
    if first >> 4 != 4 || header < 20 {
        return Some(format!("IPv4 {source} → {destination}, malformed"));
    }
    let length = if total == 0 { behind } else { total }.saturating_sub(header);
    let packet = Packet { source, destination, protocol, payload: view.from(header), length };
    let offset = usize::from(fragment & 0x1fff) * 8;
    Some(upper(packet, offset))
}

pub(super) fn v6(view: View<'_>, behind: usize) -> Option<String> {
    let (first, total, mut next) = (view.u8(0)?, usize::from(view.u16(4)?), view.u8(6)?);
    let (source, destination) = (view.v6(8)?.into(), view.v6(24)?.into());
    if first >> 4 != 6 {
        return Some(format!("IPv6 {source} → {destination}, malformed"));
    }
    let length = if total == 0 { behind.saturating_sub(40) } else { total };
    let mut at = 0;
    let mut fragment = 0;
    let payload = view.from(40);
    for _ in 0..MAX_EXTENSIONS {
        let size = match next {
            0 | 43 | 60 | 135 | 139 | 140 => (usize::from(payload.u8(at + 1)?) + 1) * 8,
            44 => {
                fragment = usize::from(payload.u16(at + 2)? & 0xfff8);
                8
            }
            51 => (usize::from(payload.u8(at + 1)?) + 2) * 4,
            _ => break,
        };
        next = payload.u8(at)?;
        at += size;
        if fragment > 0 {
            break;
        }
    }
    let packet = Packet { source, destination, protocol: next, payload: payload.from(at), length: length.saturating_sub(at) };
    Some(upper(packet, fragment))
}

fn upper(packet: Packet<'_>, offset: usize) -> String {
    let name = name_of(packet.protocol);
    if offset > 0 {
        return format!("fragment of {name} {}, offset {offset}, {} bytes", packet.way(), packet.length);
    }
    let text = match packet.protocol {
        1 => icmp::v4(packet),
        58 => icmp::v6(packet),
        2 => route::igmp(packet),
        6 => transport::tcp(packet),
        17 => transport::udp(packet),
        89 => route::ospf(packet),
        112 => route::vrrp(packet),
        _ => Some(format!("{name} {}, {} bytes", packet.way(), packet.length)),
    };
    text.unwrap_or_else(|| format!("{name} {}, cut", packet.way()))
}

/// Name of a protocol (IANA's list).
fn name_of(protocol: u8) -> String {
    let name = match protocol {
        1 => "ICMP",
        2 => "IGMP",
        4 => "IPIP",
        6 => "TCP",
        17 => "UDP",
        41 => "IPv6 within IP",
        47 => "GRE",
        50 => "ESP",
        51 => "AH",
        58 => "ICMPv6",
        88 => "EIGRP",
        89 => "OSPF",
        103 => "PIM",
        112 => "VRRP",
        115 => "L2TP",
        132 => "SCTP",
        other => return format!("IP protocol {other}"),
    };
    name.to_owned()
}
