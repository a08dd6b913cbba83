//! What a frame says, as far as the verdict asks. Every read is checked; a frame that is cut short by the snap length says nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::dialogue::Ask;
use crate::lacp::Lacpdu;

/// A frame: its inner VLAN tag, and what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// Tag next to the payload.
    pub vlan: Option<u16>,
    /// What it says.
    pub says: Says,
}

/// What a frame says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// A LACPDU.
    Lacp(Box<Lacpdu>),
    /// A question to somebody.
    Asks(Ask, IpAddr),
    /// The answer of somebody.
    Answers(Ask, IpAddr),
    /// A sign of life of a protocol, which comes on its own.
    Hello,
    /// Anything else.
    Other,
    /// It claims to be LACP, ARP or neighbour discovery, and is broken.
    Broken,
}

impl Says {
    /// How well it shows to a person that receiving works.
    pub fn rank(&self) -> u8 {
        match self {
            Says::Hello => 4,
            Says::Answers(..) => 3,
            Says::Asks(..) => 2,
            Says::Other => 1,
            Says::Lacp(_) | Says::Broken => 0,
        }
    }
}

/// Reads a frame of `length` bytes, of which `bytes` were captured.
pub(super) fn read(bytes: &[u8], length: u32) -> Option<Frame> {
    let mut at = 12;
    let mut vlan = None;
    let mut ethertype = u16_at(bytes, at)?;
    // Two tags at most: more are nobody's.
    for _ in 0..2 {
        if matches!(ethertype, 0x8100 | 0x88a8 | 0x9100) {
            vlan = Some(u16_at(bytes, at + 2)? & 0x0fff);
            at += 4;
            ethertype = u16_at(bytes, at)?;
        }
    }
    let payload = bytes.get(at + 2..)?;
    let says = match ethertype {
        0x8809 if payload.first() == Some(&1) => lacp(bytes, vlan),
        0x0806 => arp(payload).unwrap_or(Says::Broken),
        0x0800 => ipv4(payload).unwrap_or(Says::Other),
        0x86dd => ipv6(payload).unwrap_or(Says::Other),
        0x88cc => Says::Hello,
        _ if bytes.get(..6) == Some(&[0x01, 0x80, 0xc2, 0, 0, 0]) => Says::Hello,
        _ => Says::Other,
    };
    let cut = (bytes.len() as u64) < u64::from(length);
    let says = if says == Says::Broken && cut { Says::Other } else { says };
    Some(Frame { vlan, says })
}

fn lacp(bytes: &[u8], vlan: Option<u16>) -> Says {
    match Lacpdu::decode(bytes) {
        Ok(pdu) if vlan.is_none() => Says::Lacp(Box::new(pdu)),
        _ => Says::Broken,
    }
}

fn arp(payload: &[u8]) -> Option<Says> {
    // Ethernet, IPv4, six and four bytes (RFC 826).
    if payload.get(..6)? != [0, 1, 8, 0, 6, 4] {
        return None;
    }
    let (sender, target) = (v4_at(payload, 14)?, v4_at(payload, 24)?);
    // An announcement asks nobody and answers nobody (RFC 5227).
    let announces = sender == target;
    Some(match u16_at(payload, 6)? {
        1 if !announces => Says::Asks(Ask::Arp, target),
        2 if !announces => Says::Answers(Ask::Arp, sender),
        _ => Says::Other,
    })
}

fn ipv4(packet: &[u8]) -> Option<Says> {
    let header = usize::from(packet.first()? & 0x0f) * 4;
    let (source, destination) = (v4_at(packet, 12)?, v4_at(packet, 16)?);
    // A fragment other than the first has no header of what it carries.
    if header < 20 || u16_at(packet, 6)? & 0x1fff != 0 {
        return None;
    }
    let inner = packet.get(header..)?;
    let echo = |kind: u8| match kind {
        8 => Some(Says::Asks(Ask::Icmp, destination)),
        0 => Some(Says::Answers(Ask::Icmp, source)),
        _ => None,
    };
    match *packet.get(9)? {
        1 => echo(*inner.first()?),
        protocol => is_hello(protocol, inner).then_some(Says::Hello),
    }
}

fn ipv6(packet: &[u8]) -> Option<Says> {
    let (source, destination) = (v6_at(packet, 8)?, v6_at(packet, 24)?);
    let inner = packet.get(40..)?;
    match *packet.get(6)? {
        58 => match *inner.first()? {
            128 => Some(Says::Asks(Ask::Icmp, destination)),
            129 => Some(Says::Answers(Ask::Icmp, source)),
            135 => v6_at(inner, 8).map(|target| Says::Asks(Ask::Nd, target)),
            136 => v6_at(inner, 8).map(|target| Says::Answers(Ask::Nd, target)),
            _ => None,
        },
        protocol => is_hello(protocol, inner).then_some(Says::Hello),
    }
}

/// VRRP, OSPF, HSRP and BFD.
fn is_hello(protocol: u8, inner: &[u8]) -> bool {
    match protocol {
        112 | 89 => true,
        17 => matches!(u16_at(inner, 2), Some(1985 | 2029 | 3784 | 4784 | 6784)),
        _ => false,
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|two| u16::from_be_bytes(*two))
}

fn v4_at(bytes: &[u8], at: usize) -> Option<IpAddr> {
    bytes.get(at..)?.first_chunk::<4>().map(|four| IpAddr::V4(Ipv4Addr::from(*four)))
}

fn v6_at(bytes: &[u8], at: usize) -> Option<IpAddr> {
    bytes.get(at..)?.first_chunk::<16>().map(|sixteen| IpAddr::V6(Ipv6Addr::from(*sixteen)))
}

#[cfg(test)]
mod tests {
    use super::super::observer::frames;
    use super::*;
    use crate::samples::Random;

    fn says(bytes: &[u8]) -> Says {
        read(bytes, bytes.len() as u32).expect("a frame").says
    }

    #[test]
    fn questions_and_answers_are_known_in_a_vlan_and_without() {
        let next_hop = "10.100.100.65".parse().expect("an address");
        assert_eq!(says(&frames::arp(1, [10, 100, 100, 66], [10, 100, 100, 65], None)), Says::Asks(Ask::Arp, next_hop));
        let tagged = frames::arp(2, [10, 100, 100, 65], [10, 100, 100, 66], Some(956));
        let frame = read(&tagged, 64).expect("a frame");
        assert_eq!(frame, Frame { vlan: Some(956), says: Says::Answers(Ask::Arp, next_hop) });
        assert_eq!(says(&frames::echo(8, [10, 0, 0, 1], [10, 0, 80, 11])), Says::Asks(Ask::Icmp, [10, 0, 80, 11].into()));
        assert_eq!(says(&frames::echo(0, [10, 0, 80, 11], [10, 0, 0, 1])), Says::Answers(Ask::Icmp, [10, 0, 80, 11].into()));
    }

    #[test]
    fn an_announcement_asks_nobody() {
        assert!(matches!(says(&frames::arp(1, [10, 0, 0, 1], [10, 0, 0, 1], None)), Says::Other));
    }

    #[test]
    fn hellos_are_known() {
        assert_eq!(says(&frames::hsrp([10, 100, 100, 66])), Says::Hello);
    }

    #[test]
    fn a_broken_frame_is_told_from_one_that_was_cut() {
        let whole = frames::arp(1, [10, 0, 0, 1], [10, 0, 0, 2], None);
        assert_eq!(says(&whole[..30]), Says::Broken);
        assert!(matches!(read(&whole[..30], 60).expect("a frame").says, Says::Other));
        assert_eq!(read(&whole[..10], 60), None);
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let mut random = Random(7);
        let seeds = [frames::arp(1, [1; 4], [2; 4], Some(5)), frames::echo(8, [1; 4], [2; 4]), frames::hsrp([1; 4])];
        for _ in 0..20_000 {
            let mut bytes = seeds[random.below(seeds.len())].clone();
            for _ in 0..random.below(6) {
                let at = random.below(bytes.len());
                bytes[at] = random.byte();
            }
            bytes.truncate(random.below(bytes.len() + 1));
            let _ = read(&bytes, bytes.len() as u32);
        }
    }
}
