//! Frames as routers send them, without a mark: the hellos of the reference incident. Each is the same every time.

use super::checksum::{finish, partial};
use super::headers::{UDP, low16};
use super::kind::Kind;

const VRRP: u8 = 112;
/// The addresses of the reference incident.
const ROUTER: [u8; 4] = [10, 100, 100, 75];
const UPSTREAM: [u8; 4] = [10, 100, 100, 66];

/// Bytes behind the Ethernet header; `None` for a kind that has a mark and is built elsewhere.
pub fn payload(kind: Kind) -> Option<Vec<u8>> {
    Some(match kind {
        Kind::Vrrp => ipv4(ROUTER, [224, 0, 0, 18], VRRP, 255, &vrrp()),
        Kind::Hsrp => ipv4(UPSTREAM, [224, 0, 0, 102], UDP, 1, &hsrp()),
        _ => return None,
    })
}

/// Destination and source MAC, where the protocol has its own.
pub fn macs(kind: Kind) -> Option<([u8; 6], [u8; 6])> {
    match kind {
        Kind::Vrrp => Some(([0x01, 0, 0x5e, 0, 0, 18], [0, 0, 0x5e, 0, 1, 75])),
        Kind::Hsrp => Some(([0x01, 0, 0x5e, 0, 0, 102], [0, 0, 0x0c, 0x9f, 0xf0, 0x01])),
        _ => None,
    }
}

/// An advertisement of VRRPv2 (RFC 3768): router 75, priority 200, one address, every second.
fn vrrp() -> Vec<u8> {
    let mut vrrp = vec![0x21, 75, 200, 1, 0, 1, 0, 0, 10, 100, 100, 74];
    vrrp.extend([0; 8]);
    let sum = finish(partial(&vrrp, 0));
    vrrp[6..8].copy_from_slice(&sum.to_be_bytes());
    vrrp
}

/// A hello of HSRPv2: a group state TLV of an active router (RFC 2281 describes version 1; the TLV is the vendor's).
fn hsrp() -> Vec<u8> {
    let mut hello = vec![1, 40, 2, 0, 6, 4, 0, 1];
    hello.extend([0, 0, 0x0c, 0x9f, 0xf0, 0x01]);
    for number in [100u32, 3000, 10_000] {
        hello.extend(number.to_be_bytes());
    }
    hello.extend([10, 100, 100, 65]);
    hello.extend([0; 12]);
    let length = low16(8 + hello.len());
    let mut udp = Vec::new();
    for number in [1985, 1985, length, 0] {
        udp.extend(u16::to_be_bytes(number));
    }
    udp.extend(hello);
    udp
}

fn ipv4(from: [u8; 4], to: [u8; 4], protocol: u8, ttl: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x45, 0];
    packet.extend(low16(20 + payload.len()).to_be_bytes());
    packet.extend([0, 0, 0x40, 0, ttl, protocol, 0, 0]);
    packet.extend(from);
    packet.extend(to);
    let sum = finish(partial(&packet, 0));
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    packet.extend(payload);
    packet
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic::{Plan, build};

    fn frame(kind: Kind) -> Vec<u8> {
        let plan = Plan::default();
        plan.check(kind).expect("a plan");
        let mut out = Vec::new();
        assert_eq!(build(&plan, kind, 5, &mut out).bytes, out.len());
        out
    }

    #[test]
    fn hellos_have_their_groups_and_ports() {
        let vrrp = frame(Kind::Vrrp);
        assert_eq!((vrrp[..6].to_vec(), vrrp[22], vrrp[23]), (vec![1, 0, 0x5e, 0, 0, 18], 255, VRRP));
        let hsrp = frame(Kind::Hsrp);
        assert_eq!(hsrp[34..38], [7, 193, 7, 193]);
        assert_eq!(hsrp.len(), 14 + 20 + 8 + 42);
        // a header with a right checksum sums up to nothing
        assert_eq!(finish(partial(&hsrp[14..34], 0)), 0);
    }
}
