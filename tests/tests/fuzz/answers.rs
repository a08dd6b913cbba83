//! What others answer: probes on the wire, the kernel to questions about routes, addresses and counters.

use std::net::{Ipv4Addr, Ipv6Addr};

use probe_core::netlink::{self, AddressMessage, LinkMessage, RouteMessage};
use probe_core::reach::wire::{Arp, advertisement, arp_reply, echo_reply_v4, echo_reply_v6};

/// What the corpus' ARP replies answer.
const ASKED: Arp = Arp { mac: [2, 0, 0, 0, 0, 1], own: Ipv4Addr::new(10, 0, 0, 1), target: Ipv4Addr::new(10, 0, 0, 2) };
/// What its advertisements answer.
const NEIGHBOUR: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
/// `struct nlmsghdr`.
const HEADER: usize = 16;

/// An answer to any probe. What is taken for one has the bytes that make it one.
pub fn probe(input: &[u8]) {
    if let Ok((from, echo)) = echo_reply_v4(input) {
        assert_eq!(input.get(12..16), Some(&from.octets()[..]));
        assert!(input.len() >= 44, "header, and a reply with key and number");
        let message = &input[usize::from(input[0] & 15) * 4..];
        assert_eq!(message.get(4..6), Some(&echo.id.to_be_bytes()[..]));
    }
    if let Ok(echo) = echo_reply_v6(input) {
        assert_eq!((input[0], input.get(8..16)), (129, Some(&echo.key.to_be_bytes()[..])));
    }
    if arp_reply(input, &ASKED).is_ok() {
        assert_eq!((input.get(28..32), input.get(38..42)), (Some(&[10, 0, 0, 2][..]), Some(&[10, 0, 0, 1][..])));
    }
    if advertisement(input, NEIGHBOUR).is_ok() {
        assert_eq!(input.get(8..24), Some(&NEIGHBOUR.octets()[..]));
    }
}

/// A datagram of routes, addresses, or a link's counters; and the payload of the bonding driver's.
pub fn network(input: &[u8]) {
    // each message but the last is of a header at least, so that no datagram holds more
    let most = input.len() / HEADER + 1;
    assert!(netlink::decode_routes(input).len() <= most);
    assert!(netlink::decode_addresses(input).len() <= most);
    assert!(netlink::decode(input).len() <= most);
    for payload in [Some(input), input.get(HEADER..)].into_iter().flatten() {
        let _ = netlink::lacp_counters(payload);
        let _ = netlink::link_reason(1, payload);
    }
}

/// Else a mutation seldom gets beyond the first check.
#[test]
fn the_corpus_holds_answers_that_are_taken() {
    for echo in [&include_bytes!("../../corpus/answer/echo4.bin")[..], include_bytes!("../../corpus/answer/echo4-options.bin")] {
        assert_eq!(echo_reply_v4(echo).map(|(from, echo)| (from, echo.number)), Ok(([10, 0, 80, 11].into(), 0x10007)));
    }
    assert!(echo_reply_v6(include_bytes!("../../corpus/answer/echo6.bin")).is_ok());
    assert_eq!(arp_reply(include_bytes!("../../corpus/answer/arp.bin"), &ASKED), Ok(()));
    for answer in [
        include_bytes!("../../corpus/answer/advertisement.bin"),
        &include_bytes!("../../corpus/answer/advertisement-nonce.bin")[..],
    ] {
        assert_eq!(advertisement(answer, NEIGHBOUR), Ok(()));
    }
}

/// The numbers of the corpus are little-endian, the kernel's are the machine's.
#[test]
#[cfg(target_endian = "little")]
fn the_corpus_holds_routes_addresses_and_counters_that_are_read() {
    let routes = netlink::decode_routes(include_bytes!("../../corpus/network/routes.bin"));
    let gateways = routes.iter().map(|decoded| match &decoded.message {
        Ok(RouteMessage::New(routes)) => Some(routes.len()),
        _ => None,
    });
    assert_eq!(gateways.collect::<Vec<_>>(), [Some(1), Some(1), Some(2), Some(0), None], "{routes:?}");
    let addresses = netlink::decode_addresses(include_bytes!("../../corpus/network/addresses.bin"));
    let read = addresses.iter().filter(|decoded| matches!(decoded.message, Ok(AddressMessage::New(_))));
    assert_eq!(read.count(), 2, "{addresses:?}");
    let stats = netlink::decode(include_bytes!("../../corpus/network/stats.bin"));
    assert!(matches!(&stats[0].message, Ok(LinkMessage::Stats { ifindex: 7, .. })), "{stats:?}");
    let counters = netlink::lacp_counters(&include_bytes!("../../corpus/network/lacp-counters.bin")[HEADER..]);
    assert_eq!(counters.map(|counters| counters.map(|counters| counters.sent)), Ok(Some(19)));
}
