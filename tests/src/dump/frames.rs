//! The frames of the reference incident.

use crate::traffic::checksum::{finish, partial};

type Mac = [u8; 6];

/// The router, and the address of its second slave.
const ROUTER: Mac = [0x00, 0x1B, 0x21, 0x3C, 0x4D, 0x50];
const ROUTER_SECOND: Mac = [0x00, 0x1B, 0x21, 0x3C, 0x4D, 0x52];
/// The switch that is the LACP partner.
const SWITCH: Mac = [0x00, 0x1C, 0x73, 0x00, 0x00, 0x01];
/// HSRP's virtual router, and the router behind it that sends its hellos.
const NEXT_HOP: Mac = [0x00, 0x00, 0x0C, 0x9F, 0xF0, 0x01];
const UPSTREAM: Mac = [0x00, 0x23, 0x04, 0xEE, 0xBE, 0x01];
/// A host on the VLAN.
const SERVER: Mac = [0x00, 0x50, 0x56, 0x9A, 0x11, 0x22];
const BROADCAST: Mac = [0xFF; 6];
const SLOW: Mac = [0x01, 0x80, 0xC2, 0, 0, 2];

const OUR_IP: [u8; 4] = [10, 100, 100, 75];
const NEXT_HOP_IP: [u8; 4] = [10, 100, 100, 65];
const PINGED: [u8; 4] = [10, 0, 80, 11];

/// State of a port that works: activity, aggregation, synchronization, collecting, distributing.
pub const WORKING: u8 = 0x3D;
/// The partner has had none of ours for three periods: activity, aggregation, expired.
pub const PARTNER_EXPIRED: u8 = 0x85;
/// The partner knows nobody: activity, aggregation, defaulted.
pub const PARTNER_DEFAULTED: u8 = 0x45;

fn ethernet(destination: Mac, source: Mac, kind: &[u8], rest: &[u8]) -> Vec<u8> {
    let mut frame = [&destination[..], &source, kind, rest].concat();
    frame.resize(frame.len().max(60), 0);
    frame
}

fn ipv4(protocol: u8, ttl: u8, id: u16, source: [u8; 4], destination: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let (length, id) = ((20 + payload.len() as u16).to_be_bytes(), id.to_be_bytes());
    let mut packet = vec![0x45, 0, length[0], length[1], id[0], id[1], 0x40, 0, ttl, protocol, 0, 0];
    packet.extend(source);
    packet.extend(destination);
    let sum = finish(partial(&packet, 0)).to_be_bytes();
    packet[10..12].copy_from_slice(&sum);
    packet.extend(payload);
    packet
}

/// TCP on VLAN 956 from 172.20.18.40:61730 to 10.100.200.143:1434, or back.
fn tcp(out: bool, id: u16, sequence: u32, acknowledged: u32, options: &[u8]) -> Vec<u8> {
    let (client, server) = (([172, 20, 18, 40], 61_730u16), ([10, 100, 200, 143], 1434u16));
    let (from, to) = if out { (client, server) } else { (server, client) };
    let mut segment = [from.1.to_be_bytes(), to.1.to_be_bytes()].concat();
    segment.extend([sequence.to_be_bytes(), acknowledged.to_be_bytes()].concat());
    segment.extend([((5 + options.len() as u8 / 4) << 4), 0x10, 0x01, 0xF5, 0, 0, 0, 0]);
    segment.extend(options);
    let (destination, source) = if out { (SERVER, ROUTER) } else { (ROUTER, SERVER) };
    let kind = [0x81, 0, 0x03, 0xBC, 8, 0];
    ethernet(destination, source, &kind, &ipv4(6, 127, id, from.0, to.0, &segment))
}

/// The frame of the storm: an ACK with Seq 11646, Ack 3142, SLE 3141, SRE 3142.
pub fn keep_alive_ack() -> Vec<u8> {
    let sack = [1, 1, 5, 10, 0, 0, 0x0C, 0x45, 0, 0, 0x0C, 0x46];
    tcp(true, 0x5A01, 11_646, 3142, &sack)
}

/// A keep-alive of the server in calm times, and the ACK of it.
pub fn keep_alive(number: u16) -> Vec<u8> {
    tcp(false, number, 3141, 11_646, &[])
}

/// See [`keep_alive`].
pub fn keep_alive_ack_of(number: u16) -> Vec<u8> {
    tcp(true, number, 11_646, 3142, &[])
}

fn arp(operation: u8, sender: (Mac, [u8; 4]), target: (Mac, [u8; 4])) -> Vec<u8> {
    [&[0, 1, 8, 0, 6, 4, 0, operation][..], &sender.0, &sender.1, &target.0, &target.1].concat()
}

/// Who has the next hop? Asked of the address that it had, or of all.
pub fn arp_request(unicast: bool) -> Vec<u8> {
    let target = if unicast { NEXT_HOP } else { BROADCAST };
    ethernet(target, ROUTER, &[8, 6], &arp(1, (ROUTER, OUR_IP), ([0; 6], NEXT_HOP_IP)))
}

/// The next hop's answer.
pub fn arp_reply() -> Vec<u8> {
    ethernet(ROUTER, NEXT_HOP, &[8, 6], &arp(2, (NEXT_HOP, NEXT_HOP_IP), (ROUTER, OUR_IP)))
}

/// An echo request of ours, or the answer.
pub fn ping(number: u16, request: bool) -> Vec<u8> {
    let number = number.to_be_bytes();
    let mut message = vec![if request { 8 } else { 0 }, 0, 0, 0, 0x4C, 0x50, number[0], number[1]];
    message.extend([0x55; 24]);
    let sum = finish(partial(&message, 0)).to_be_bytes();
    message[2..4].copy_from_slice(&sum);
    let (from, to) = if request { (OUR_IP, PINGED) } else { (PINGED, OUR_IP) };
    let (destination, source) = if request { (NEXT_HOP, ROUTER) } else { (ROUTER, UPSTREAM) };
    ethernet(destination, source, &[8, 0], &ipv4(1, 64, u16::from_be_bytes(number), from, to, &message))
}

/// A VRRP advertisement of ours.
pub fn vrrp() -> Vec<u8> {
    let message = [0x21, 75, 100, 1, 0, 1, 0, 0, 10, 100, 100, 74, 0, 0, 0, 0, 0, 0, 0, 0];
    ethernet([1, 0, 0x5E, 0, 0, 18], ROUTER, &[8, 0], &ipv4(112, 255, 7, OUR_IP, [224, 0, 0, 18], &message))
}

/// An HSRPv2 hello of the upstream router.
pub fn hsrp_hello() -> Vec<u8> {
    let mut message = vec![0x07, 0xC1, 0x07, 0xC1, 0, 60, 0, 0, 1, 40, 2, 0, 6, 4, 0, 1];
    message.resize(60, 0);
    ethernet([1, 0, 0x5E, 0, 0, 102], UPSTREAM, &[8, 0], &ipv4(17, 1, 0, [10, 100, 100, 66], [224, 0, 0, 102], &message))
}

/// System, key, port, state.
struct End(Mac, u16, u16, u8);

fn lacpdu(source: Mac, actor: End, partner: End) -> Vec<u8> {
    let tlv = |kind: u8, End(system, key, port, state): End| {
        let (key, port) = (key.to_be_bytes(), port.to_be_bytes());
        [&[kind, 20, 0xFF, 0xFF][..], &system, &key, &[0, 0xFF], &port, &[state, 0, 0, 0]].concat()
    };
    let mut frame = [&SLOW[..], &source, &[0x88, 9, 1, 1], &tlv(1, actor), &tlv(2, partner), &[3, 16]].concat();
    frame.resize(124, 0);
    frame
}

/// Ours: `broken` when the partner no longer knows us.
pub fn our_lacpdu(port: u16, broken: bool) -> Vec<u8> {
    let source = if port == 1 { ROUTER } else { ROUTER_SECOND };
    let (ours, theirs) = if broken { (0x0D, PARTNER_EXPIRED) } else { (WORKING, WORKING) };
    lacpdu(source, End(ROUTER, 15, port, ours), End(SWITCH, 7, 100 + port, theirs))
}

/// The switch's, in this state; a defaulted one knows nobody.
pub fn partner_lacpdu(port: u16, state: u8) -> Vec<u8> {
    let mut source = SWITCH;
    source[5] += port as u8;
    let known = match state {
        PARTNER_DEFAULTED => End([0; 6], 0, 0, 0x02),
        PARTNER_EXPIRED => End(ROUTER, 15, port, 0x0F),
        _ => End(ROUTER, 15, port, WORKING),
    };
    lacpdu(source, End(SWITCH, 7, 100 + port, state), known)
}
