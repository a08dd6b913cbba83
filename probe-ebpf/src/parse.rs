//! Which class a frame is of: Ethernet, VLAN tags, LLC, and on to the network layer.

use network_types::{
    eth::{EthHdr, EtherType},
    llc::LlcHdr,
    vlan::VlanHdr,
};
use probe_common::class::id;

use crate::{
    frame::{Frame, header},
    hide::{forget, mask},
    ip,
};

/// Most tags in one frame.
const MAX_TAGS: usize = 4;

/// Types that network-types has no name for, in network order as the headers are.
const RARP: u16 = 0x8035_u16.to_be();
const SLOW: u16 = 0x8809_u16.to_be();
const MPLS: u16 = 0x8847_u16.to_be();
const MPLS_MULTICAST: u16 = 0x8848_u16.to_be();
const LLDP: u16 = 0x88cc_u16.to_be();
const ARP: u16 = EtherType::Arp as u16;
const IPV4: u16 = EtherType::Ipv4 as u16;
const IPV6: u16 = EtherType::Ipv6 as u16;

/// Values of the type field below this are lengths: IEEE 802.3 frames with LLC.
const SMALLEST_TYPE: u16 = 0x600;

/// What came of parsing.
pub struct Parsed {
    /// Class.
    pub class: u8,
    /// More tags or extension headers than we follow.
    pub gave_up: bool,
}

/// Why parsing ended early.
pub enum Stop {
    /// The frame ends before a header does, or a header contradicts itself.
    Malformed,
    /// More tags or extension headers than we follow.
    Limit,
}

/// Finds the class.
#[inline(always)]
pub fn classify<F: Frame>(frame: &F) -> Parsed {
    match try_classify(frame) {
        Ok(class) => Parsed { class, gave_up: false },
        Err(Stop::Malformed) => Parsed { class: id::MALFORMED, gave_up: false },
        Err(Stop::Limit) => Parsed { class: id::OTHER, gave_up: true },
    }
}

#[inline(always)]
fn try_classify<F: Frame>(frame: &F) -> Result<u8, Stop> {
    let ethernet: EthHdr = header(frame, 0).ok_or(Stop::Malformed)?;
    let mut kind = ethernet.ether_type;
    let mut offset = EthHdr::LEN;
    for _ in 0..MAX_TAGS {
        if !is_tag(kind) {
            break;
        }
        let tag: VlanHdr = header(frame, offset).ok_or(Stop::Malformed)?;
        kind = tag.ether_type;
        // One way on for any number of tags, not one for each.
        offset = mask(forget((offset + VlanHdr::LEN) as u64), 64) as usize;
    }
    match kind {
        IPV4 => ip::classify_v4(frame, offset),
        IPV6 => ip::classify_v6(frame, offset),
        ARP | RARP => arp(frame, offset),
        SLOW => slow(frame, offset),
        LLDP => Ok(id::LLDP),
        MPLS | MPLS_MULTICAST => Ok(id::MPLS),
        kind if u16::from_be(kind) < SMALLEST_TYPE => llc(frame, offset),
        kind if is_tag(kind) => Err(Stop::Limit),
        _ => Ok(id::OTHER),
    }
}

#[inline(always)]
fn is_tag(kind: u16) -> bool {
    const C_TAG: u16 = EtherType::Ieee8021q as u16;
    const S_TAG: u16 = EtherType::Ieee8021ad as u16;
    const OLD_1: u16 = EtherType::Ieee8021QinQ1 as u16;
    const OLD_2: u16 = EtherType::Ieee8021QinQ2 as u16;
    const OLD_3: u16 = EtherType::Ieee8021QinQ3 as u16;
    matches!(kind, C_TAG | S_TAG | OLD_1 | OLD_2 | OLD_3)
}

/// ARP and RARP (RFC 826, RFC 903): the lengths of addresses must be those of the networks that it names, and of IPv4 over Ethernet it
/// must be whole. Of other networks nothing more is known here.
#[inline(always)]
fn arp<F: Frame>(frame: &F, offset: usize) -> Result<u8, Stop> {
    const ETHERNET: u16 = 1;
    const PROTOCOL_IPV4: u16 = 0x0800;
    // hardware, protocol, lengths of their addresses, operation
    let head: [u8; 8] = header(frame, offset).ok_or(Stop::Malformed)?;
    let ethernet = u16::from_be_bytes([head[0], head[1]]) == ETHERNET;
    let ipv4 = u16::from_be_bytes([head[2], head[3]]) == PROTOCOL_IPV4;
    if ethernet && head[4] != 6 || ipv4 && head[5] != 4 {
        return Err(Stop::Malformed);
    }
    if ethernet && ipv4 {
        let _addresses: [u8; 20] = header(frame, offset + 8).ok_or(Stop::Malformed)?;
    }
    Ok(id::ARP)
}

/// Slow protocols (IEEE 802.3 annex 57A): the first byte is the subtype.
#[inline(always)]
fn slow<F: Frame>(frame: &F, offset: usize) -> Result<u8, Stop> {
    const LACP: u8 = 1;
    match header(frame, offset).ok_or(Stop::Malformed)? {
        LACP => Ok(id::LACP),
        _ => Ok(id::SLOW),
    }
}

/// LLC, and SNAP behind it.
#[inline(always)]
fn llc<F: Frame>(frame: &F, offset: usize) -> Result<u8, Stop> {
    /// Control field of unnumbered information: one byte.
    const UI: u8 = 0x03;
    /// Of SNAP's five bytes the first three.
    const CISCO: [u8; 3] = [0x00, 0x00, 0x0c];
    let llc: LlcHdr = header(frame, offset).ok_or(Stop::Malformed)?;
    match (llc.dsap, llc.ssap, llc.control_byte0()) {
        (0x42, 0x42, UI) => Ok(id::STP),
        (0xfe, 0xfe, UI) => Ok(id::ISIS),
        (0xaa, 0xaa, UI) => {
            let organisation: [u8; 3] = header(frame, offset + 3).ok_or(Stop::Malformed)?;
            Ok(if organisation == CISCO { id::STP } else { id::OTHER })
        }
        _ => Ok(id::OTHER),
    }
}
