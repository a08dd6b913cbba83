//! What a frame is, in words of one line: `TCP 172.20.18.40:61730 → 10.100.200.143:1434 [ACK] len 0, VLAN 956`.

mod arp;
mod icmp;
mod ip;
mod llc;
mod route;
#[cfg(test)]
mod tests;
mod transport;
mod view;

use std::fmt;

use view::View;

use crate::lacp::Lacpdu;

/// Most VLAN tags that are followed.
const MAX_TAGS: usize = 4;
/// Bytes of the two addresses and the type.
const ETHERNET: usize = 14;
/// Values of the type field below this are lengths (IEEE 802.3).
const SMALLEST_TYPE: u16 = 0x600;

/// Says what a frame is. `bytes` are its first ones, from the destination address on; `length` is that of the whole frame. Never panics:
/// of a frame that is cut or malformed it says as much as can be read.
pub fn describe(bytes: &[u8], length: u32) -> String {
    let view = View::new(bytes);
    let (Some(destination), Some(source), Some(mut kind)) = (view.mac(0), view.mac(6), view.u16(12)) else {
        return format!("frame of {length} bytes");
    };
    let addresses = Addresses { source, destination };
    let mut at = ETHERNET;
    let mut tags = Vec::new();
    while is_tag(kind) && tags.len() < MAX_TAGS {
        let (Some(tag), Some(next)) = (view.u16(at), view.u16(at + 2)) else { break };
        tags.push((tag & 0xfff).to_string());
        kind = next;
        at += 4;
    }
    let inner = view.from(at);
    let behind = (length as usize).saturating_sub(at);
    let text = match kind {
        0x0800 => ip::v4(inner, behind),
        0x86dd => ip::v6(inner, behind),
        0x0806 | 0x8035 => arp::describe(inner, addresses),
        0x8809 => slow(bytes, inner, addresses),
        0x88cc => Some(format!("LLDP of {source}")),
        0x8847 | 0x8848 => inner.u32(0).map(|label| format!("MPLS label {} {addresses}", label >> 12)),
        kind if kind < SMALLEST_TYPE => llc::describe(inner, addresses),
        kind => Some(format!("ethertype {kind:#06x} {addresses}")),
    };
    let mut text = text.unwrap_or_else(|| format!("{} {addresses}, cut", name_of(kind)));
    if !tags.is_empty() {
        text.push_str(", VLAN ");
        text.push_str(&tags.join("."));
    }
    text
}

fn is_tag(kind: u16) -> bool {
    matches!(kind, 0x8100 | 0x88a8 | 0x9100 | 0x9200 | 0x9300)
}

/// Slow protocols (IEEE 802.3 annex 57A).
fn slow(bytes: &[u8], inner: View<'_>, addresses: Addresses) -> Option<String> {
    Some(match inner.u8(0)? {
        1 => match Lacpdu::decode(bytes) {
            Ok(pdu) => format!(
                "LACPDU of system {}, key {}, port {} ({}); of the other end: {}, port {} ({})",
                Mac(pdu.actor.system),
                pdu.actor.key,
                pdu.actor.port,
                pdu.actor.state,
                Mac(pdu.partner.system),
                pdu.partner.port,
                pdu.partner.state
            ),
            Err(_) => format!("LACPDU {addresses}, malformed or cut"),
        },
        2 => format!("LACP marker {addresses}"),
        3 => format!("OAM {addresses}"),
        subtype => format!("slow protocol {subtype} {addresses}"),
    })
}

fn name_of(kind: u16) -> String {
    match kind {
        0x0800 => "IPv4".to_owned(),
        0x86dd => "IPv6".to_owned(),
        0x0806 | 0x8035 => "ARP".to_owned(),
        0x8809 => "slow protocol".to_owned(),
        0x8847 | 0x8848 => "MPLS".to_owned(),
        kind if kind < SMALLEST_TYPE => "LLC".to_owned(),
        kind => format!("ethertype {kind:#06x}"),
    }
}

/// Who sends a frame to whom.
#[derive(Clone, Copy)]
struct Addresses {
    source: Mac,
    destination: Mac,
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} → {}", self.source, self.destination)
    }
}

/// A hardware address.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Mac([u8; 6]);

impl Mac {
    const BROADCAST: Mac = Mac([0xff; 6]);
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Mac::BROADCAST {
            return f.write_str("broadcast");
        }
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}
