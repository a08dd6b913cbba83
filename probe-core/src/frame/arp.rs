//! ARP (RFC 826) for IPv4 over Ethernet.

use super::view::View;
use super::{Addresses, Mac};

pub(super) fn describe(view: View<'_>, addresses: Addresses) -> Option<String> {
    let operation = view.u16(6)?;
    if (view.u16(2)?, view.u8(4)?, view.u8(5)?) != (0x0800, 6, 4) {
        return Some(format!("ARP operation {operation}, not of IPv4 {addresses}"));
    }
    let (sender_mac, sender, target) = (view.mac(8)?, view.v4(14)?, view.v4(24)?);
    let to =
        if addresses.destination == Mac::BROADCAST { "broadcast".to_owned() } else { format!("to {}", addresses.destination) };
    Some(match operation {
        1 if sender == target => format!("ARP announcement of {sender} at {sender_mac}, {to}"),
        1 if sender.is_unspecified() => format!("ARP probe for {target} of {sender_mac}, {to}"),
        1 => format!("ARP who-has {target} tell {sender}, {to}"),
        2 => format!("ARP {sender} is-at {sender_mac}, {to}"),
        operation => format!("ARP operation {operation} of {sender}, {to}"),
    })
}
