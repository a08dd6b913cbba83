//! ICMP (RFC 792), ICMPv6 (RFC 4443), neighbour discovery (RFC 4861), multicast listener discovery.

use super::ip::Packet;

pub(super) fn v4(packet: Packet<'_>) -> Option<String> {
    let (kind, code) = (packet.payload.u8(0)?, packet.payload.u8(1)?);
    let way = packet.way();
    Some(match kind {
        0 => format!("ICMP echo reply {way}{}", echo(packet)?),
        8 => format!("ICMP echo request {way}{}", echo(packet)?),
        3 => format!("ICMP unreachable (code {code}) {way}"),
        5 => format!("ICMP redirect {way}"),
        11 => format!("ICMP time exceeded {way}"),
        _ => format!("ICMP type {kind} code {code} {way}"),
    })
}

pub(super) fn v6(packet: Packet<'_>) -> Option<String> {
    let (kind, code) = (packet.payload.u8(0)?, packet.payload.u8(1)?);
    let (way, source) = (packet.way(), packet.source);
    Some(match kind {
        1 => format!("ICMPv6 unreachable (code {code}) {way}"),
        2 => format!("ICMPv6 packet too big {way}"),
        3 => format!("ICMPv6 time exceeded {way}"),
        128 => format!("ICMPv6 echo request {way}{}", echo(packet)?),
        129 => format!("ICMPv6 echo reply {way}{}", echo(packet)?),
        133 => format!("ND router solicitation of {source}"),
        134 => format!("ND router advertisement of {source}"),
        135 => format!("ND who-has {} tell {source}", packet.payload.v6(8)?),
        136 => format!("ND {} is there, {way}", packet.payload.v6(8)?),
        137 => format!("ND redirect {way}"),
        130..=132 | 143 => format!("MLD {} of {source}", if kind == 130 { "query" } else { "report" }),
        _ => format!("ICMPv6 type {kind} code {code} {way}"),
    })
}

fn echo(packet: Packet<'_>) -> Option<String> {
    Some(format!(", id {}, seq {}", packet.payload.u16(4)?, packet.payload.u16(6)?))
}
