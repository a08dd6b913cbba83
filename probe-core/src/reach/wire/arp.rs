//! ARP requests and their replies, as whole Ethernet frames.

use std::net::Ipv4Addr;

use super::{WireError, expect, head};

/// Bytes of a request: an Ethernet header and 28 of ARP. The driver pads it.
pub const ARP_FRAME: usize = 42;

const ETHERTYPE: u32 = 0x0806;
const ETHERNET: u32 = 1;
const IPV4: u32 = 0x0800;
const REPLY: u32 = 2;

/// A question: who has `target`?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arp {
    /// Our hardware address.
    pub mac: [u8; 6],
    /// Our address; 0.0.0.0 where the interface has none.
    pub own: Ipv4Addr,
    /// The address that is asked for.
    pub target: Ipv4Addr,
}

/// A broadcast request.
pub fn arp_request(arp: &Arp) -> [u8; ARP_FRAME] {
    let mut frame = [0; ARP_FRAME];
    frame[..6].fill(0xff);
    frame[6..12].copy_from_slice(&arp.mac);
    // Ethertype, hardware type, protocol type, their lengths, request.
    frame[12..22].copy_from_slice(&[0x08, 0x06, 0, 1, 0x08, 0x00, 6, 4, 0, 1]);
    frame[22..28].copy_from_slice(&arp.mac);
    frame[28..32].copy_from_slice(&arp.own.octets());
    frame[38..].copy_from_slice(&arp.target.octets());
    frame
}

/// Reads a frame that answers the question. A reply to everybody (gratuitous, at a takeover) answers nobody's question.
///
/// # Errors
/// What is wrong with it, or that it answers another question.
pub fn arp_reply(frame: &[u8], arp: &Arp) -> Result<(), WireError> {
    let (header, rest) = head::<14>("an Ethernet frame", frame)?;
    let [.., e0, e1] = *header;
    expect("the Ethernet type", u16::from_be_bytes([e0, e1]), ETHERTYPE)?;
    let (message, _) = head::<28>("an ARP packet", rest)?;
    let [h0, h1, p0, p1, hardware, protocol, o0, o1, rest @ ..] = *message;
    expect("ARP's hardware type", u16::from_be_bytes([h0, h1]), ETHERNET)?;
    expect("ARP's protocol type", u16::from_be_bytes([p0, p1]), IPV4)?;
    expect("ARP's hardware length", hardware, 6)?;
    expect("ARP's protocol length", protocol, 4)?;
    expect("ARP's operation", u16::from_be_bytes([o0, o1]), REPLY)?;
    let [_, _, _, _, _, _, s0, s1, s2, s3, m0, m1, m2, m3, m4, m5, t0, t1, t2, t3] = rest;
    let answers = Ipv4Addr::new(s0, s1, s2, s3) == arp.target && [m0, m1, m2, m3, m4, m5] == arp.mac;
    if answers && Ipv4Addr::new(t0, t1, t2, t3) == arp.own { Ok(()) } else { Err(WireError::Foreign) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The next hop of the reference incident, an HSRP address.
    const ASKED: Arp =
        Arp { mac: [2, 0, 0, 0, 0, 1], own: Ipv4Addr::new(10, 100, 100, 75), target: Ipv4Addr::new(10, 100, 100, 65) };

    const REPLY: [u8; 42] = [
        2, 0, 0, 0, 0, 1, 0x00, 0x00, 0x0c, 0x9f, 0xf0, 0x01, 0x08, 0x06, // Ethernet
        0x00, 0x01, 0x08, 0x00, 6, 4, 0x00, 0x02, // Ethernet, IPv4, reply
        0x00, 0x00, 0x0c, 0x9f, 0xf0, 0x01, 10, 100, 100, 65, // sender
        2, 0, 0, 0, 0, 1, 10, 100, 100, 75, // target
    ];

    #[test]
    fn a_request_goes_to_everybody_and_asks_for_the_target() {
        let frame = arp_request(&ASKED);
        assert_eq!(frame[..14], [255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 8, 6]);
        assert_eq!(frame[14..22], [0, 1, 8, 0, 6, 4, 0, 1]);
        assert_eq!(frame[22..], [2, 0, 0, 0, 0, 1, 10, 100, 100, 75, 0, 0, 0, 0, 0, 0, 10, 100, 100, 65]);
    }

    #[test]
    fn a_reply_to_us_answers_also_when_it_is_padded() {
        assert_eq!(arp_reply(&REPLY, &ASKED), Ok(()));
        let mut padded = REPLY.to_vec();
        padded.resize(60, 0);
        assert_eq!(arp_reply(&padded, &ASKED), Ok(()));
    }

    #[test]
    fn what_is_no_reply_to_us_is_an_error_that_says_why() {
        let with = |at: usize, byte: u8| {
            let mut frame = REPLY;
            frame[at] = byte;
            arp_reply(&frame, &ASKED)
        };
        assert_eq!(with(13, 0), Err(WireError::Field { field: "the Ethernet type", value: 0x0800 }));
        assert_eq!(with(15, 6), Err(WireError::Field { field: "ARP's hardware type", value: 6 }));
        assert_eq!(with(18, 8), Err(WireError::Field { field: "ARP's hardware length", value: 8 }));
        assert_eq!(with(21, 1), Err(WireError::Field { field: "ARP's operation", value: 1 }));
        assert_eq!(with(31, 66), Err(WireError::Foreign), "of another host");
        assert_eq!(with(37, 9), Err(WireError::Foreign), "to another host");
        assert_eq!(with(41, 65), Err(WireError::Foreign), "gratuitous");
        for length in 0..REPLY.len() {
            assert!(matches!(arp_reply(&REPLY[..length], &ASKED), Err(WireError::Short { .. })), "{length}");
        }
    }
}
