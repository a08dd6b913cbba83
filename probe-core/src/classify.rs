//! Which class a frame is of, by the rules of the kernel programs: for frames that come from files.

use probe_common::class::id;

/// Most VLAN tags that are followed.
const MAX_TAGS: usize = 4;
/// Most IPv6 extension headers that are followed.
const MAX_EXTENSIONS: usize = 8;
/// Extension headers that begin behind this in the frame are not followed.
const MAX_OFFSET: usize = 4096;
/// Values of the type field below this are lengths: IEEE 802.3 frames with LLC.
const SMALLEST_TYPE: u16 = 0x600;

/// Why there is no class yet.
enum Stop {
    /// A header contradicts itself.
    Malformed,
    /// The bytes end before a header does; the class that is left if the frame was only cut.
    Short(u8),
}

/// Finds the class of a frame of `length` bytes; `frame` are its first ones.
pub fn classify(frame: &[u8], length: u32) -> u8 {
    let cut = frame.len() < length as usize;
    match ethernet(frame) {
        Ok(class) => class,
        Err(Stop::Short(class)) if cut => class,
        Err(Stop::Short(_) | Stop::Malformed) => id::MALFORMED,
    }
}

fn ethernet(frame: &[u8]) -> Result<u8, Stop> {
    let mut kind = be16(frame, 12).ok_or(Stop::Short(id::OTHER))?;
    let mut at = 14;
    for _ in 0..MAX_TAGS {
        if !is_tag(kind) {
            break;
        }
        kind = be16(frame, at + 2).ok_or(Stop::Short(id::OTHER))?;
        at += 4;
    }
    let inner = frame.get(at..).unwrap_or(&[]);
    match kind {
        0x0800 => ipv4(inner),
        0x86DD => ipv6(inner, at),
        0x0806 | 0x8035 => arp(inner),
        0x8809 => inner.first().map(|kind| if *kind == 1 { id::LACP } else { id::SLOW }).ok_or(Stop::Short(id::SLOW)),
        0x88CC => Ok(id::LLDP),
        0x8847 | 0x8848 => Ok(id::MPLS),
        kind if kind < SMALLEST_TYPE => llc(inner),
        _ => Ok(id::OTHER),
    }
}

fn is_tag(kind: u16) -> bool {
    matches!(kind, 0x8100 | 0x88A8 | 0x9100 | 0x9200 | 0x9300)
}

/// ARP and RARP: the lengths of addresses are those of the networks that it names, and of IPv4 over Ethernet it is whole.
fn arp(inner: &[u8]) -> Result<u8, Stop> {
    let head = inner.get(..8).ok_or(Stop::Short(id::ARP))?;
    let (ethernet, ipv4) = (head[..2] == [0, 1], head[2..4] == [8, 0]);
    if ethernet && head[4] != 6 || ipv4 && head[5] != 4 {
        return Err(Stop::Malformed);
    }
    if ethernet && ipv4 && inner.len() < 28 { Err(Stop::Short(id::ARP)) } else { Ok(id::ARP) }
}

fn llc(inner: &[u8]) -> Result<u8, Stop> {
    let class = match inner.get(..3).ok_or(Stop::Short(id::OTHER))? {
        [0x42, 0x42, 3] => id::STP,
        [0xFE, 0xFE, 3] => id::ISIS,
        [0xAA, 0xAA, 3] => {
            let organisation = inner.get(3..6).ok_or(Stop::Short(id::OTHER))?;
            if organisation == [0, 0, 0x0C] { id::STP } else { id::OTHER }
        }
        _ => id::OTHER,
    };
    // where the control field has two bytes, they belong to the header; no frame of one byte less is whole
    if inner.len() < 4 { Err(Stop::Short(class)) } else { Ok(class) }
}

fn ipv4(ip: &[u8]) -> Result<u8, Stop> {
    let header = ip.get(..20).ok_or(Stop::Short(id::IP4))?;
    let (version, length) = (header[0] >> 4, usize::from(header[0] & 15) * 4);
    if version != 4 || length < 20 {
        return Err(Stop::Malformed);
    }
    if u16::from_be_bytes([header[6], header[7]]) & 0x1FFF != 0 {
        return Ok(id::FRAGMENT);
    }
    match header[9] {
        1 => Ok(id::ICMP4),
        2 => Ok(id::IGMP),
        protocol => upper(ip.get(length..).unwrap_or(&[]), protocol, [id::TCP4, id::UDP4, id::IP4]),
    }
}

/// `offset`: where it begins in the frame.
fn ipv6(ip: &[u8], offset: usize) -> Result<u8, Stop> {
    let header = ip.get(..40).ok_or(Stop::Short(id::IP6))?;
    if header[0] >> 4 != 6 {
        return Err(Stop::Malformed);
    }
    let (mut next, mut at) = (header[6], 40);
    for _ in 0..MAX_EXTENSIONS {
        if !is_extension(next) {
            break;
        }
        if offset + at > MAX_OFFSET {
            return Ok(id::OTHER);
        }
        let head = ip.get(at..at + 4).ok_or(Stop::Short(id::IP6))?;
        let length = match next {
            44 if u16::from_be_bytes([head[2], head[3]]) >> 3 != 0 => return Ok(id::FRAGMENT),
            44 => 8,
            51 => (usize::from(head[1]) + 2) * 4,
            _ => (usize::from(head[1]) + 1) * 8,
        };
        next = head[0];
        at += length;
    }
    if is_extension(next) {
        return Ok(id::OTHER);
    }
    let payload = ip.get(at..).unwrap_or(&[]);
    match next {
        58 => match payload.first().ok_or(Stop::Short(id::ICMP6))? {
            130..=132 | 143 => Ok(id::IGMP),
            133..=137 => Ok(id::ND),
            _ => Ok(id::ICMP6),
        },
        protocol => upper(payload, protocol, [id::TCP6, id::UDP6, id::IP6]),
    }
}

fn is_extension(protocol: u8) -> bool {
    matches!(protocol, 0 | 43 | 44 | 51 | 60 | 135 | 139 | 140)
}

fn upper(payload: &[u8], protocol: u8, [tcp, udp, other]: [u8; 3]) -> Result<u8, Stop> {
    // what is cut behind its ports is known by them all the same
    let whole = |length: usize, class| if payload.len() < length { Err(Stop::Short(class)) } else { Ok(class) };
    match protocol {
        6 => match (be16(payload, 0), be16(payload, 2)) {
            (Some(179), Some(_)) | (Some(_), Some(179)) => whole(20, id::BGP),
            _ => whole(20, tcp),
        },
        17 => match be16(payload, 2) {
            Some(3784 | 3785 | 4784 | 6784) => whole(8, id::BFD),
            Some(1985 | 2029) => whole(8, id::HSRP),
            _ => whole(8, udp),
        },
        89 => Ok(id::OSPF),
        112 => Ok(id::VRRP),
        _ => Ok(other),
    }
}

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|raw| u16::from_be_bytes(*raw))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: &[u8], inner: &[u8]) -> Vec<u8> {
        [&[0; 12], kind, inner].concat()
    }

    fn v4(protocol: u8, rest: &[u8]) -> Vec<u8> {
        [&[0x45, 0, 0, 40, 0, 0, 0, 0, 64, protocol, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8], rest].concat()
    }

    fn class(frame: &[u8]) -> u8 {
        classify(frame, frame.len() as u32)
    }

    #[test]
    fn frames_are_of_the_class_that_their_headers_say() {
        let udp = |port: u16| v4(17, &[&[9, 9][..], &port.to_be_bytes(), &[0; 4]].concat());
        let tcp = |ports: [u8; 4]| v4(6, &[&ports[..], &[0; 16]].concat());
        let mut fragment = v4(6, &[]);
        fragment[7] = 1;
        let v6 = |next: u8, rest: &[u8]| [&[0x60, 0, 0, 0, 0, 0, next, 64], &[0; 32][..], rest].concat();
        let arp = |head: [u8; 8], rest: usize| [&head[..], &vec![9; rest]].concat();
        let cases: [(&[u8], Vec<u8>, u8); 20] = [
            (&[8, 6], arp([0, 1, 8, 0, 6, 4, 0, 1], 20), id::ARP),
            (&[8, 6], arp([0, 32, 8, 0, 20, 4, 0, 1], 0), id::ARP),
            (&[8, 6], arp([0, 1, 8, 0, 6, 4, 0, 1], 19), id::MALFORMED),
            (&[8, 6], arp([0, 1, 8, 0, 8, 4, 0, 1], 20), id::MALFORMED),
            (&[0x80, 0x35], arp([0, 1, 8, 0, 6, 16, 0, 3], 20), id::MALFORMED),
            (&[8, 6], vec![0, 1, 8, 0, 6, 4, 0], id::MALFORMED),
            (&[0x88, 9], vec![1], id::LACP),
            (&[0x88, 9], vec![2], id::SLOW),
            (&[8, 0], tcp([0, 179, 1, 2]), id::BGP),
            (&[8, 0], tcp([1, 1, 1, 2]), id::TCP4),
            (&[8, 0], udp(1985), id::HSRP),
            (&[8, 0], udp(53), id::UDP4),
            (&[8, 0], v4(112, &[]), id::VRRP),
            (&[8, 0], fragment, id::FRAGMENT),
            (&[0x81, 0, 3, 0xBC, 8, 0], v4(1, &[]), id::ICMP4),
            (&[0x86, 0xDD], v6(58, &[135]), id::ND),
            (&[0x86, 0xDD], v6(0, &[58, 0, 0, 0, 0, 0, 0, 0, 143]), id::IGMP),
            (&[0, 38], vec![0x42, 0x42, 3, 0], id::STP),
            (&[8, 0], vec![0x35; 20], id::MALFORMED),
            (&[8, 0], v4(6, &[]), id::MALFORMED),
        ];
        for (kind, inner, wanted) in cases {
            assert_eq!(class(&frame(kind, &inner)), wanted, "{kind:x?} {inner:x?}");
        }
    }

    #[test]
    fn a_frame_that_was_cut_is_of_the_class_that_is_left() {
        assert_eq!(classify(&frame(&[8, 0], &v4(6, &[])), 60), id::TCP4);
        assert_eq!(classify(&frame(&[8, 0], &v4(6, &[0, 179, 1, 2])), 60), id::BGP);
        assert_eq!(classify(&frame(&[8, 6], &[0, 1, 8, 0, 6, 4]), 60), id::ARP);
        assert_eq!(classify(&frame(&[8, 6], &[0, 1, 8, 0, 7, 4, 0, 1]), 60), id::MALFORMED);
        assert_eq!(classify(&[0; 5], 60), id::OTHER);
        assert_eq!(classify(&[0; 5], 5), id::MALFORMED);
    }
}
