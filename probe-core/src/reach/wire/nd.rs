//! Neighbour solicitations and the advertisements that answer them (RFC 4861, sections 4.3 and 4.4), without their IP header.

use std::net::Ipv6Addr;

use super::{WireError, expect, head};

/// Bytes of a solicitation with our hardware address.
pub const SOLICITATION: usize = 32;

const SOLICITATION_TYPE: u8 = 135;
const ADVERTISEMENT_TYPE: u32 = 136;
const SOURCE_LINK_LAYER: u8 = 1;
/// The S flag: an answer, not news for everybody.
const SOLICITED: u8 = 0x40;

/// Where a solicitation for `target` is sent: its solicited-node multicast address (RFC 4291, section 2.7.1).
pub fn solicited_node(target: Ipv6Addr) -> Ipv6Addr {
    let [.., a, b] = target.segments();
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00 | (a & 0xff), b)
}

/// A solicitation from `mac`. The kernel fills the checksum in.
pub fn solicitation(target: Ipv6Addr, mac: [u8; 6]) -> [u8; SOLICITATION] {
    let mut message = [0; SOLICITATION];
    message[0] = SOLICITATION_TYPE;
    message[8..24].copy_from_slice(&target.octets());
    message[24] = SOURCE_LINK_LAYER;
    message[25] = 1;
    message[26..].copy_from_slice(&mac);
    message
}

/// Reads an advertisement that answers a solicitation for `target`.
///
/// # Errors
/// What is wrong with it, or that it answers another question.
pub fn advertisement(message: &[u8], target: Ipv6Addr) -> Result<(), WireError> {
    let (header, rest) = head::<8>("an advertisement", message)?;
    let [kind, code, _, _, flags, ..] = *header;
    expect("the ICMP type", kind, ADVERTISEMENT_TYPE)?;
    expect("the ICMP code", code, 0)?;
    let (of, mut options) = head::<16>("an advertisement", rest)?;
    while let Some((option, _)) = options.split_first_chunk::<2>() {
        let length = usize::from(option[1]) * 8;
        let short = WireError::Short { what: "an option", length: options.len(), wanted: length };
        expect("an option's length", u32::from(length == 0), 0)?;
        options = options.get(length..).ok_or(short)?;
    }
    if Ipv6Addr::from(*of) == target && flags & SOLICITED != 0 { Ok(()) } else { Err(WireError::Foreign) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Ipv6Addr {
        "fe80::205:73ff:fea0:1".parse().expect("an address")
    }

    /// A router's answer: R, S and O set, with its hardware address.
    const ANSWER: [u8; 32] = [
        136, 0, 0x12, 0x34, 0xe0, 0, 0, 0, // type, code, checksum, flags
        0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0x02, 0x05, 0x73, 0xff, 0xfe, 0xa0, 0x00, 0x01, // target
        2, 1, 0x00, 0x05, 0x73, 0xa0, 0x00, 0x01, // its hardware address
    ];

    #[test]
    fn a_solicitation_asks_the_targets_group_and_says_who_asks() {
        assert_eq!(solicited_node(target()), "ff02::1:ffa0:1".parse::<Ipv6Addr>().expect("an address"));
        let message = solicitation(target(), [2, 0, 0, 0, 0, 1]);
        assert_eq!(message[..8], [135, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(message[8..24], ANSWER[8..24]);
        assert_eq!(message[24..], [1, 1, 2, 0, 0, 0, 0, 1]);
    }

    #[test]
    fn an_answer_counts_with_and_without_options() {
        assert_eq!(advertisement(&ANSWER, target()), Ok(()));
        assert_eq!(advertisement(&ANSWER[..24], target()), Ok(()));
    }

    #[test]
    fn what_is_no_answer_is_an_error_that_says_why() {
        let with = |at: usize, byte: u8| {
            let mut message = ANSWER;
            message[at] = byte;
            advertisement(&message, target())
        };
        assert_eq!(with(0, 135), Err(WireError::Field { field: "the ICMP type", value: 135 }));
        assert_eq!(with(1, 1), Err(WireError::Field { field: "the ICMP code", value: 1 }));
        assert_eq!(with(4, 0xa0), Err(WireError::Foreign), "unsolicited");
        assert_eq!(with(23, 2), Err(WireError::Foreign), "of another host");
        assert_eq!(with(25, 2), Err(WireError::Short { what: "an option", length: 8, wanted: 16 }));
        assert!(matches!(with(25, 0), Err(WireError::Field { .. })));
        for length in 0..24 {
            assert!(matches!(advertisement(&ANSWER[..length], target()), Err(WireError::Short { .. })), "{length}");
        }
    }
}
