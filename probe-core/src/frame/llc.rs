//! IEEE 802.3 frames: LLC, and SNAP behind it.

use super::Addresses;
use super::view::View;

pub(super) fn describe(view: View<'_>, addresses: Addresses) -> Option<String> {
    let source = addresses.source;
    Some(match (view.u8(0)?, view.u8(1)?) {
        (0x42, 0x42) => spanning_tree(view.from(3), addresses),
        (0xfe, 0xfe) => format!("IS-IS of {source}"),
        (0xaa, 0xaa) => match (view.array(3)?, view.u16(6)?) {
            ([0x00, 0x00, 0x0c], 0x2000) => format!("CDP of {source}"),
            ([0x00, 0x00, 0x0c], 0x010b) => format!("PVST+ of {source}"),
            ([0x00, 0x00, 0x0c], 0x0111) => format!("UDLD of {source}"),
            (_, protocol) => format!("SNAP {protocol:#06x} {addresses}"),
        },
        (to, _) => format!("LLC {to:#04x} {addresses}"),
    })
}

/// BPDUs (IEEE 802.1D, clause 9): protocol, version, type, flags, the root.
fn spanning_tree(view: View<'_>, addresses: Addresses) -> String {
    let what = match view.u8(3) {
        Some(0x80) => "STP topology change",
        Some(0x02) => "RSTP",
        _ => "STP",
    };
    match (view.u8(3), view.u16(5), view.mac(7)) {
        (Some(0x00 | 0x02), Some(priority), Some(root)) => {
            format!("{what} of {}, root {priority}/{root}", addresses.source)
        }
        _ => format!("{what} of {}", addresses.source),
    }
}
