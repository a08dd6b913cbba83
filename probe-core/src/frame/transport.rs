//! TCP (RFC 9293), and UDP (RFC 768) with what is known by its port.

use std::net::{IpAddr, SocketAddr};

use super::ip::Packet;
use super::view::View;

/// Names of TCP's flags, from bit 0 on.
const FLAGS: [&str; 8] = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"];

/// `TCP 10.0.0.1:443 → 10.0.0.2:55555 [PSH, ACK] len 1448`.
pub(super) fn tcp(packet: Packet<'_>) -> Option<String> {
    let way = way(packet)?;
    let (header, flags) = (usize::from(packet.payload.u8(12)? >> 4) * 4, packet.payload.u8(13)?);
    let names: Vec<&str> = FLAGS.into_iter().enumerate().filter(|(bit, _)| flags >> bit & 1 == 1).map(|(_, name)| name).collect();
    Some(format!("TCP {way} [{}] len {}", names.join(", "), packet.length.saturating_sub(header)))
}

/// `UDP 10.0.0.1:1000 → 10.0.0.2:2000 len 100`.
pub(super) fn udp(packet: Packet<'_>) -> Option<String> {
    let (way, port) = (way(packet)?, packet.payload.u16(2)?);
    let payload = packet.payload.from(8);
    let length = packet.length.saturating_sub(8);
    Some(match port {
        1985 | 2029 => hsrp(payload, packet.source).unwrap_or_else(|| format!("HSRP {way}, cut")),
        3784 | 4784 | 6784 => bfd(payload).map_or_else(|| format!("BFD {way}, cut"), |state| format!("BFD {way}, {state}")),
        3785 => format!("BFD echo {way} len {length}"),
        _ => format!("UDP {way} len {length}"),
    })
}

/// `10.0.0.1:1000 → [2001:db8::1]:2000`.
fn way(packet: Packet<'_>) -> Option<String> {
    let source = SocketAddr::new(packet.source, packet.payload.u16(0)?);
    let destination = SocketAddr::new(packet.destination, packet.payload.u16(2)?);
    Some(format!("{source} → {destination}"))
}

/// HSRP version 1 (RFC 2281), and 2 (TLVs; type 1 is the group's state).
fn hsrp(view: View<'_>, source: IpAddr) -> Option<String> {
    let (version, operation, group) = match view.u8(0)? {
        1 if view.u8(2)? == 2 => (2, view.u8(3)?, view.u16(6)?),
        _ => (1, view.u8(1)?, u16::from(view.u8(6)?)),
    };
    let operation = match operation {
        0 => "hello",
        1 => "coup",
        2 => "resign",
        3 => "advertisement",
        _ => "message",
    };
    Some(format!("HSRPv{version} {operation} of {source}, group {group}"))
}

/// The state that a BFD packet tells (RFC 5880, 4.1).
fn bfd(view: View<'_>) -> Option<&'static str> {
    Some(["admin down", "down", "init", "up"][usize::from(view.u8(1)? >> 6)])
}
