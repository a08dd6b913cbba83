//! Classes of IPv4 and IPv6 packets.

use network_types::{
    ip::{IpProto, Ipv4Hdr, Ipv6Hdr},
    tcp::TcpHdr,
    udp::UdpHdr,
};
use probe_common::class::id;

use crate::{
    frame::{Frame, header},
    hide::{forget, mask},
    parse::Stop,
};

/// Most extension headers that are followed.
const MAX_EXTENSIONS: usize = 8;
/// Extension headers that begin behind this are not followed: the verifier wants a bound.
const MAX_OFFSET: usize = 4096;

/// A power of two that no offset reaches.
const BEYOND: u64 = 8192;
const _: () = assert!(MAX_OFFSET + 2048 + 8 < BEYOND as usize);

const ICMP: u8 = IpProto::Icmp as u8;
const IGMP: u8 = IpProto::Igmp as u8;
const TCP: u8 = IpProto::Tcp as u8;
const UDP: u8 = IpProto::Udp as u8;
const ICMPV6: u8 = IpProto::Ipv6Icmp as u8;
const OSPF: u8 = 89;
const VRRP: u8 = 112;

/// Extension headers (RFC 8200, and IANA's list of them).
const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const DESTINATION: u8 = 60;
const MOBILITY: u8 = 135;
const HIP: u8 = 139;
const SHIM6: u8 = 140;

/// The classes that differ between the two versions.
struct Classes {
    tcp: u8,
    udp: u8,
    other: u8,
}

/// IPv4 at `offset`.
#[inline(always)]
pub fn classify_v4<F: Frame>(frame: &F, offset: usize) -> Result<u8, Stop> {
    let ip: Ipv4Hdr = header(frame, offset).ok_or(Stop::Malformed)?;
    let length = usize::from(ip.vihl & 0xf) * 4;
    if ip.vihl >> 4 != 4 || length < Ipv4Hdr::LEN {
        return Err(Stop::Malformed);
    }
    if u16::from_be_bytes(ip.frags) & 0x1fff != 0 {
        return Ok(id::FRAGMENT);
    }
    let classes = Classes { tcp: id::TCP4, udp: id::UDP4, other: id::IP4 };
    match ip.proto {
        ICMP => Ok(id::ICMP4),
        IGMP => Ok(id::IGMP),
        protocol => upper(frame, offset + length, protocol, &classes),
    }
}

/// IPv6 at `offset`.
#[inline(always)]
pub fn classify_v6<F: Frame>(frame: &F, offset: usize) -> Result<u8, Stop> {
    let ip: Ipv6Hdr = header(frame, offset).ok_or(Stop::Malformed)?;
    if ip.vcf[0] >> 4 != 6 {
        return Err(Stop::Malformed);
    }
    let mut next = ip.next_hdr;
    let mut offset = offset + Ipv6Hdr::LEN;
    for _ in 0..MAX_EXTENSIONS {
        if !is_extension(next) {
            break;
        }
        if offset > MAX_OFFSET {
            return Err(Stop::Limit);
        }
        // next header, length; for a fragment header: next header, reserved, offset and flags
        let head: [u8; 4] = header(frame, offset).ok_or(Stop::Malformed)?;
        let length = match next {
            FRAGMENT if u16::from_be_bytes([head[2], head[3]]) >> 3 != 0 => return Ok(id::FRAGMENT),
            FRAGMENT => 8,
            AUTHENTICATION => (usize::from(head[1]) + 2) * 4,
            _ => (usize::from(head[1]) + 1) * 8,
        };
        next = head[0];
        // One way on whatever the header's length was; it is within this.
        offset = mask(forget((offset + length) as u64), BEYOND) as usize;
    }
    if is_extension(next) {
        return Err(Stop::Limit);
    }
    let classes = Classes { tcp: id::TCP6, udp: id::UDP6, other: id::IP6 };
    match next {
        ICMPV6 => icmp_v6(frame, offset),
        protocol => upper(frame, offset, protocol, &classes),
    }
}

#[inline(always)]
fn is_extension(protocol: u8) -> bool {
    matches!(protocol, HOP_BY_HOP | ROUTING | FRAGMENT | AUTHENTICATION | DESTINATION | MOBILITY | HIP | SHIM6)
}

#[inline(always)]
fn icmp_v6<F: Frame>(frame: &F, offset: usize) -> Result<u8, Stop> {
    let kind: u8 = header(frame, offset).ok_or(Stop::Malformed)?;
    Ok(match kind {
        130..=132 | 143 => id::IGMP,
        133..=137 => id::ND,
        _ => id::ICMP6,
    })
}

#[inline(always)]
fn upper<F: Frame>(frame: &F, offset: usize, protocol: u8, classes: &Classes) -> Result<u8, Stop> {
    match protocol {
        TCP => {
            let tcp: TcpHdr = header(frame, offset).ok_or(Stop::Malformed)?;
            let (source, destination) = (u16::from_be_bytes(tcp.source), u16::from_be_bytes(tcp.dest));
            Ok(if source == 179 || destination == 179 { id::BGP } else { classes.tcp })
        }
        UDP => {
            let udp: UdpHdr = header(frame, offset).ok_or(Stop::Malformed)?;
            Ok(match u16::from_be_bytes(udp.dst) {
                3784 | 3785 | 4784 | 6784 => id::BFD,
                1985 | 2029 => id::HSRP,
                _ => classes.udp,
            })
        }
        OSPF => Ok(id::OSPF),
        VRRP => Ok(id::VRRP),
        _ => Ok(classes.other),
    }
}
