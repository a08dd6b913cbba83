//! Headers, written one behind the other into a frame.

use super::checksum::{finish, partial};

pub const UDP: u8 = 17;
pub const TCP: u8 = 6;
pub const HOP_BY_HOP: u8 = 0;
pub const DESTINATION_OPTIONS: u8 = 60;

/// Addresses of TEST-NET-2 and of the documentation prefix: nobody answers.
pub const SOURCE4: [u8; 4] = [198, 51, 100, 1];
pub const TARGET4: [u8; 4] = [198, 51, 100, 2];
pub const SOURCE6: [u8; 16] = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
pub const TARGET6: [u8; 16] = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];

/// What an IPv4 header says beside its constant parts.
pub struct Ipv4 {
    pub protocol: u8,
    /// Bytes behind the header.
    pub payload: usize,
    pub id: u16,
    /// Flags and offset of fragmentation, as they stand in the header.
    pub fragment: u16,
    /// A multiple of four bytes.
    pub options: &'static [u8],
}

pub fn ipv4(out: &mut Vec<u8>, header: &Ipv4) {
    let start = out.len();
    let length = 20 + header.options.len();
    out.push(0x40 | low8(length / 4));
    out.push(0);
    out.extend(low16(length + header.payload).to_be_bytes());
    out.extend(header.id.to_be_bytes());
    out.extend(header.fragment.to_be_bytes());
    out.extend([64, header.protocol, 0, 0]);
    out.extend(SOURCE4);
    out.extend(TARGET4);
    out.extend(header.options);
    let sum = finish(partial(&out[start..], 0));
    out[start + 10..start + 12].copy_from_slice(&sum.to_be_bytes());
}

/// An IPv6 header with hop-by-hop and destination options, `payload` bytes of UDP behind them.
pub fn ipv6_with_options(out: &mut Vec<u8>, payload: usize) {
    out.extend([0x60, 0, 0, 0]);
    out.extend(low16(payload + 16).to_be_bytes());
    out.extend([HOP_BY_HOP, 64]);
    out.extend(SOURCE6);
    out.extend(TARGET6);
    // PadN of four bytes fills each header of eight
    out.extend([DESTINATION_OPTIONS, 0, 1, 4, 0, 0, 0, 0]);
    out.extend([UDP, 0, 1, 4, 0, 0, 0, 0]);
}

/// A UDP header; its checksum is left 0 ("none" in IPv4).
pub fn udp(out: &mut Vec<u8>, ports: (u16, u16), payload: usize) {
    out.extend(ports.0.to_be_bytes());
    out.extend(ports.1.to_be_bytes());
    out.extend(low16(8 + payload).to_be_bytes());
    out.extend([0, 0]);
}

/// A TCP header (ACK, PSH) without options; its checksum is left 0.
pub fn tcp(out: &mut Vec<u8>, ports: (u16, u16), sequence: u32) {
    out.extend(ports.0.to_be_bytes());
    out.extend(ports.1.to_be_bytes());
    out.extend(sequence.to_be_bytes());
    out.extend(1u32.to_be_bytes());
    out.extend([0x50, 0x18, 0x20, 0x00, 0, 0, 0, 0]);
}

/// An ARP request of the sender for the target.
pub fn arp_request(out: &mut Vec<u8>, sender: [u8; 6]) {
    out.extend([0, 1, 0x08, 0, 6, 4, 0, 1]);
    out.extend(sender);
    out.extend(SOURCE4);
    out.extend([0; 6]);
    out.extend(TARGET4);
}

/// A LACPDU up to its reserved bytes: 60 of the 110 (IEEE 802.1AX).
pub fn lacpdu(out: &mut Vec<u8>, system: [u8; 6]) {
    out.extend([1, 1]);
    for (tlv, system, state) in [(1, system, 0x3d), (2, [0; 6], 0x02)] {
        out.extend([tlv, 20, 0xff, 0xff]);
        out.extend(system);
        out.extend([0, 15, 0, 0xff, 0, 1, state, 0, 0, 0]);
    }
    out.extend([3, 16, 0, 0]);
    out.extend([0; 12]);
    out.extend([0, 0]);
}

/// The sum of a transport's pseudo-header over IPv4.
pub fn pseudo4(protocol: u8, length: usize) -> u64 {
    let sum = partial(&SOURCE4, u64::from(protocol));
    partial(&TARGET4, sum) + u64::from(low16(length))
}

/// The sum of a transport's pseudo-header over IPv6.
pub fn pseudo6(protocol: u8, length: usize) -> u64 {
    let sum = partial(&SOURCE6, u64::from(protocol));
    partial(&TARGET6, sum) + u64::from(low16(length))
}

/// A length that fits its field: [`super::frame::Plan::check`] sees to it.
pub fn low16(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}

fn low8(n: usize) -> u8 {
    u8::try_from(n).unwrap_or(u8::MAX)
}
