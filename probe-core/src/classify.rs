//! Which class a frame is of, by the rules of the kernel programs: for frames that come from files.

use probe_common::class::id;

/// Most VLAN tags that are followed.
const MAX_TAGS: usize = 4;
/// Most IPv6 extension headers that are followed.
const MAX_EXTENSIONS: usize = 8;
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
        0x86DD => ipv6(inner),
        0x0806 | 0x8035 => Ok(id::ARP),
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

fn llc(inner: &[u8]) -> Result<u8, Stop> {
    match inner.get(..3).ok_or(Stop::Short(id::OTHER))? {
        [0x42, 0x42, 3] => Ok(id::STP),
        [0xFE, 0xFE, 3] => Ok(id::ISIS),
        [0xAA, 0xAA, 3] => {
            let organisation = inner.get(3..6).ok_or(Stop::Short(id::OTHER))?;
            Ok(if organisation == [0, 0, 0x0C] { id::STP } else { id::OTHER })
        }
        _ => Ok(id::OTHER),
    }
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

fn ipv6(ip: &[u8]) -> Result<u8, Stop> {
    let header = ip.get(..40).ok_or(Stop::Short(id::IP6))?;
    if header[0] >> 4 != 6 {
        return Err(Stop::Malformed);
    }
    let (mut next, mut at) = (header[6], 40);
    for _ in 0..MAX_EXTENSIONS {
        if !matches!(next, 0 | 43 | 44 | 51 | 60 | 135 | 139 | 140) {
            break;
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

fn upper(payload: &[u8], protocol: u8, [tcp, udp, other]: [u8; 3]) -> Result<u8, Stop> {
    match protocol {
        6 => match (be16(payload, 0), be16(payload, 2)) {
            (Some(179), Some(_)) | (Some(_), Some(179)) => Ok(id::BGP),
            (Some(_), Some(_)) => Ok(tcp),
            _ => Err(Stop::Short(tcp)),
        },
        17 => Ok(match be16(payload, 2).ok_or(Stop::Short(udp))? {
            3784 | 3785 | 4784 | 6784 => id::BFD,
            1985 | 2029 => id::HSRP,
            _ => udp,
        }),
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
        let mut fragment = v4(6, &[]);
        fragment[7] = 1;
        let v6 = |next: u8, rest: &[u8]| [&[0x60, 0, 0, 0, 0, 0, next, 64], &[0; 32][..], rest].concat();
        let cases: [(&[u8], Vec<u8>, u8); 15] = [
            (&[8, 6], vec![], id::ARP),
            (&[0x88, 9], vec![1], id::LACP),
            (&[0x88, 9], vec![2], id::SLOW),
            (&[8, 0], v4(6, &[0, 179, 1, 2]), id::BGP),
            (&[8, 0], v4(6, &[1, 1, 1, 2]), id::TCP4),
            (&[8, 0], udp(1985), id::HSRP),
            (&[8, 0], udp(53), id::UDP4),
            (&[8, 0], v4(112, &[]), id::VRRP),
            (&[8, 0], fragment, id::FRAGMENT),
            (&[0x81, 0, 3, 0xBC, 8, 0], v4(1, &[]), id::ICMP4),
            (&[0x86, 0xDD], v6(58, &[135]), id::ND),
            (&[0x86, 0xDD], v6(0, &[58, 0, 0, 0, 0, 0, 0, 0, 143]), id::IGMP),
            (&[0, 38], vec![0x42, 0x42, 3], id::STP),
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
        assert_eq!(classify(&[0; 5], 60), id::OTHER);
        assert_eq!(classify(&[0; 5], 5), id::MALFORMED);
    }
}
