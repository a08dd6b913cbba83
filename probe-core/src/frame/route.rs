//! Protocols of routers: OSPF (RFC 2328, RFC 5340), VRRP (RFC 5798), IGMP.

use super::ip::Packet;

pub(super) fn ospf(packet: Packet<'_>) -> Option<String> {
    let (version, kind, router) = (packet.payload.u8(0)?, packet.payload.u8(1)?, packet.payload.v4(4)?);
    let kind = match kind {
        1 => "hello",
        2 => "database description",
        3 => "link state request",
        4 => "link state update",
        5 => "link state acknowledgement",
        _ => "message",
    };
    Some(format!("OSPFv{version} {kind} {}, router {router}", packet.way()))
}

pub(super) fn vrrp(packet: Packet<'_>) -> Option<String> {
    let (version, router, priority) = (packet.payload.u8(0)? >> 4, packet.payload.u8(1)?, packet.payload.u8(2)?);
    Some(format!("VRRPv{version} advertisement of {}, router {router}, priority {priority}", packet.source))
}

pub(super) fn igmp(packet: Packet<'_>) -> Option<String> {
    let what = match packet.payload.u8(0)? {
        0x11 => "query",
        0x12 | 0x16 | 0x22 => "report",
        0x17 => "leave",
        _ => "message",
    };
    Some(format!("IGMP {what} {}", packet.way()))
}
