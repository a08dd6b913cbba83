//! Frames of every kind, built for a sequence number.

use anyhow::{Result, bail};

use super::checksum::{finish, folded, partial};
use super::headers::{self, Ipv4, TCP, UDP, low16};
use super::kind::Kind;
use super::mark::{MAC_PREFIX, MARK, Stamp, stamp};
use super::real;

/// Length of a `virtio_net_hdr`, which stands before every frame of [`Kind::Gso`] (linux/virtio_net.h).
pub const VNET_HEADER: usize = 10;

/// What all frames of a run have in common.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Which run: chosen by the sender, carried by every frame.
    pub stream: u32,
    /// Bytes of a frame on the wire without FCS; [`Kind::default_size`] when `None`.
    pub size: Option<usize>,
    /// A VLAN tag for every frame (beside those that [`Kind::Vlan`] and [`Kind::Qinq`] have anyway).
    pub vlan: Option<u16>,
    /// How many source MACs and ports the frames are spread over, 1 to 256.
    pub flows: u16,
    /// Destination MAC of the kinds that need no certain one.
    pub destination: [u8; 6],
    /// Segments of a GSO packet.
    pub segments: u16,
}

impl Default for Plan {
    fn default() -> Plan {
        Plan { stream: 1, size: None, vlan: None, flows: 1, destination: [0x02, 0x4c, 0x50, 0xff, 0, 1], segments: 8 }
    }
}

impl Plan {
    /// Refuses what cannot be built.
    ///
    /// # Errors
    /// A size that is too small or too large for `kind`, a VLAN id above 4094, no flows or too many, too many segments.
    pub fn check(&self, kind: Kind) -> Result<()> {
        if !kind.is_marked() {
            return match self.size {
                Some(_) => bail!("a frame of kind {} has the size that it has", kind.name()),
                None => Ok(()),
            };
        }
        let size = self.size_of(kind);
        let least = self.headers_of(kind) + MARK;
        if size < least {
            bail!("a frame of kind {} has at least {least} bytes, not {size}", kind.name());
        }
        let most = if kind == Kind::Lacp { self.headers_of(kind) + 50 } else { 65_535 };
        if size > most {
            bail!("a frame of kind {} has at most {most} bytes, not {size}", kind.name());
        }
        if self.vlan.is_some_and(|vlan| vlan > 4094) {
            bail!("a VLAN id is at most 4094");
        }
        if self.flows == 0 || self.flows > 256 {
            bail!("flows are 1 to 256, not {}", self.flows);
        }
        if kind == Kind::GsoUdp && self.vlan.is_some() {
            bail!("a socket puts no VLAN tag on its packets: send on a VLAN interface");
        }
        if kind.is_gso() && (self.segments == 0 || usize::from(self.segments) * size > 65_000) {
            bail!("{} segments of {size} bytes do not make a GSO packet of at most 65000 bytes", self.segments);
        }
        Ok(())
    }

    /// Bytes of a frame of `kind` (of a segment of it, for [`Kind::Gso`]).
    pub fn size_of(&self, kind: Kind) -> usize {
        let size = self.size.unwrap_or_else(|| kind.default_size() + if self.vlan.is_some() { 4 } else { 0 });
        if kind == Kind::Fragments {
            // a fragment carries a multiple of eight bytes
            let headers = self.headers_of(kind) - 8;
            return size - size.saturating_sub(headers) % 8;
        }
        size
    }

    fn headers_of(&self, kind: Kind) -> usize {
        let tags = usize::from(self.vlan.is_some()) + tags(kind).len();
        14 + 4 * tags
            + match kind {
                Kind::Udp | Kind::Vlan | Kind::Qinq | Kind::Jumbo | Kind::Storm | Kind::Fragments | Kind::GsoUdp => 28,
                Kind::Tcp | Kind::Gso | Kind::Keepalive | Kind::Retransmission => 40,
                Kind::Ipv4Options => 40,
                Kind::Ipv6Ext => 64,
                Kind::Arp => 28,
                Kind::Lacp => 60,
                Kind::Vrrp | Kind::Hsrp => 0,
            }
    }
}

/// What [`build`] made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Built {
    /// Bytes of the frame, a virtio header not counted.
    pub bytes: usize,
    /// Packets on the wire.
    pub segments: u64,
    /// Sequence numbers that it used up.
    pub marks: u64,
}

/// Tags that belong to a kind: protocol and VLAN id.
fn tags(kind: Kind) -> &'static [(u16, u16)] {
    match kind {
        Kind::Vlan | Kind::Keepalive => &[(0x8100, 956)],
        Kind::Qinq => &[(0x88a8, 100), (0x8100, 956)],
        _ => &[],
    }
}

/// Record route with room for three addresses, and one no-operation: 12 bytes; then eight no-operations.
const OPTIONS: [u8; 20] = [7, 15, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1];

/// Writes the frame `seq` of `kind` into `out`, in place of what was there. A frame of [`Kind::Gso`] has a virtio header before it.
/// The plan has passed [`Plan::check`].
pub fn build(plan: &Plan, kind: Kind, seq: u64, out: &mut Vec<u8>) -> Built {
    out.clear();
    let id = u16::try_from(seq & 0xffff).unwrap_or(0);
    let seq = if kind.is_constant() || kind == Kind::Retransmission { 0 } else { seq };
    if kind == Kind::GsoUdp {
        return payload(plan, out, seq);
    }
    if kind == Kind::Gso {
        out.resize(VNET_HEADER, 0);
    }
    let start = out.len();
    let flow = u8::try_from(seq % u64::from(plan.flows)).unwrap_or(0);
    let source = [MAC_PREFIX[0], MAC_PREFIX[1], MAC_PREFIX[2], 0, 0, flow];
    ethernet(plan, kind, source, out);
    let l3 = out.len();
    if let Some(payload) = real::payload(kind) {
        out.extend(payload);
        return Built { bytes: out.len(), segments: 1, marks: 0 };
    }
    let inner = plan.size_of(kind) - (l3 - start);
    let ports = (40_000 + u16::from(flow), 9);
    match kind {
        Kind::Arp => headers::arp_request(out, source),
        Kind::Lacp => headers::lacpdu(out, source),
        Kind::Fragments => fragment(out, ports, inner, seq),
        Kind::Ipv6Ext => {
            headers::ipv6_with_options(out, inner - 56);
            headers::udp(out, ports, inner - 64);
        }
        Kind::Tcp => {
            ip4(out, TCP, inner - 20, &[]);
            let sequence = u32::try_from(seq & u64::from(u32::MAX)).unwrap_or(0);
            headers::tcp(out, ports, sequence.wrapping_mul(low16(inner - 40).into()));
        }
        Kind::Keepalive => {
            // The mark stands behind the packet, as padding does.
            ip4(out, TCP, 20, &[]);
            headers::tcp(out, (61_730, 1434), 11_646);
            out[l3 + 33] = 0x10;
        }
        Kind::Retransmission => {
            headers::ipv4(out, &Ipv4 { protocol: TCP, payload: inner - 20, id, fragment: 0x4000, options: &[] });
            headers::tcp(out, ports, 1);
        }
        Kind::Gso => return gso(plan, out, start, l3, inner, seq),
        Kind::Ipv4Options => {
            ip4(out, UDP, inner - 40, &OPTIONS);
            headers::udp(out, ports, inner - 48);
        }
        _ => {
            ip4(out, UDP, inner - 20, &[]);
            headers::udp(out, ports, inner - 28);
        }
    }
    let at = out.len();
    out.resize(start + plan.size_of(kind), 0);
    let checksum_at = match kind {
        Kind::Tcp | Kind::Keepalive | Kind::Retransmission => Some(l3 + 20 + 16),
        Kind::Ipv6Ext => Some(l3 + 56 + 6),
        _ => None,
    };
    let end = out.len();
    stamp(out, at, end, Stamp { stream: plan.stream, kind, l3, checksum_at }, seq, true);
    match (kind, checksum_at) {
        (Kind::Keepalive, Some(at)) => transport_checksum(&mut out[..l3 + 40], l3 + 20, at, headers::pseudo4(TCP, 20)),
        (Kind::Tcp | Kind::Retransmission, Some(at)) => {
            transport_checksum(out, l3 + 20, at, headers::pseudo4(TCP, end - l3 - 20));
        }
        (Kind::Ipv6Ext, Some(at)) => {
            transport_checksum(out, l3 + 56, at, headers::pseudo6(UDP, end - l3 - 56));
        }
        _ => {}
    }
    Built { bytes: end - start, segments: 1, marks: 1 }
}

fn ethernet(plan: &Plan, kind: Kind, source: [u8; 6], out: &mut Vec<u8>) {
    let (target, ethertype) = match kind {
        Kind::Arp => ([0xff; 6], 0x0806u16),
        Kind::Lacp => ([0x01, 0x80, 0xc2, 0, 0, 0x02], 0x8809),
        Kind::Ipv6Ext => (plan.destination, 0x86dd),
        _ => (plan.destination, 0x0800),
    };
    let (target, source) = real::macs(kind).unwrap_or((target, source));
    out.extend(target);
    out.extend(source);
    let own = plan.vlan.map(|vlan| (0x8100, vlan));
    for (protocol, vlan) in own.iter().chain(tags(kind)) {
        out.extend(protocol.to_be_bytes());
        out.extend(vlan.to_be_bytes());
    }
    out.extend(ethertype.to_be_bytes());
}

fn ip4(out: &mut Vec<u8>, protocol: u8, payload: usize, options: &'static [u8]) {
    headers::ipv4(out, &Ipv4 { protocol, payload, id: 0, fragment: 0x4000, options });
}

/// One of three fragments of the datagram `seq / 3`; only the first has a UDP header.
fn fragment(out: &mut Vec<u8>, ports: (u16, u16), inner: usize, seq: u64) {
    let payload = inner - 20;
    let which = seq % 3;
    let more = if which < 2 { 0x2000 } else { 0 };
    let offset = u16::try_from(which).unwrap_or(0) * low16(payload / 8);
    let id = u16::try_from((seq / 3) & 0xffff).unwrap_or(0);
    headers::ipv4(out, &Ipv4 { protocol: UDP, payload, id, fragment: more | offset, options: &[] });
    if which == 0 {
        headers::udp(out, ports, 3 * payload - 8);
    }
}

/// A TCP packet of several segments with a mark each, behind a virtio header that tells the kernel how to cut it.
fn gso(plan: &Plan, out: &mut Vec<u8>, start: usize, l3: usize, inner: usize, seq: u64) -> Built {
    let segment = inner - 40;
    let segments = usize::from(plan.segments);
    ip4(out, TCP, 20 + segment * segments, &[]);
    headers::tcp(out, (41_000, 9), 1);
    let pseudo = folded(headers::pseudo4(TCP, 20 + segment * segments));
    out[l3 + 36..l3 + 38].copy_from_slice(&pseudo.to_be_bytes());
    let at = out.len();
    marks(plan, Kind::Gso, out, segment, seq);
    // NEEDS_CSUM, GSO_TCPV4, header length, size of a segment, where the checksum starts and stands: in the machine's byte order
    let fields = [at - start, segment, l3 + 20 - start, 16].map(|n| low16(n).to_ne_bytes());
    out[0] = 1;
    out[1] = if segments > 1 { 1 } else { 0 };
    for (i, field) in fields.iter().enumerate() {
        out[2 + 2 * i..4 + 2 * i].copy_from_slice(field);
    }
    let count = u64::from(plan.segments);
    Built { bytes: out.len() - start, segments: count, marks: count }
}

/// What a socket is given: the segments' payloads one behind the other.
fn payload(plan: &Plan, out: &mut Vec<u8>, seq: u64) -> Built {
    marks(plan, Kind::GsoUdp, out, plan.size_of(Kind::GsoUdp) - 42, seq);
    let count = u64::from(plan.segments);
    Built { bytes: out.len() + 42, segments: count, marks: count }
}

/// Appends a mark and body of `length` bytes for every segment.
fn marks(plan: &Plan, kind: Kind, out: &mut Vec<u8>, length: usize, seq: u64) {
    let what = Stamp { stream: plan.stream, kind, l3: 0, checksum_at: None };
    for i in 0..u64::from(plan.segments) {
        let at = out.len();
        out.resize(at + length, 0);
        stamp(out, at, at + length, what, seq + i, false);
    }
}

fn transport_checksum(out: &mut [u8], from: usize, at: usize, pseudo: u64) {
    let sum = finish(partial(&out[from..], pseudo));
    // 0 means "none" for UDP
    let sum = if sum == 0 { 0xffff } else { sum };
    out[at..at + 2].copy_from_slice(&sum.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::super::mark::{Seen, Verdict, verify};
    use super::*;

    fn frame(plan: &Plan, kind: Kind, seq: u64) -> Vec<u8> {
        plan.check(kind).unwrap();
        let mut out = Vec::new();
        let built = build(plan, kind, seq, &mut out);
        let frame = match kind {
            Kind::Gso => out.split_off(VNET_HEADER),
            // the kernel's headers
            Kind::GsoUdp => [vec![0x08; 42], out].concat(),
            _ => out,
        };
        assert_eq!(frame.len(), built.bytes);
        frame
    }

    #[test]
    fn every_kind_is_found_whole_with_its_sequence_number() {
        let plan = Plan { stream: 7, flows: 3, ..Plan::default() };
        for kind in Kind::ALL.into_iter().filter(|kind| kind.is_marked()) {
            for seq in [0, 1, 2, 40] {
                let marks = if kind.is_gso() { 8 } else { 1 };
                let seq_seen = if kind.is_storm() || kind == Kind::Retransmission { 0 } else { seq };
                let seen = Seen { stream: 7, kind, seq: seq_seen, marks };
                assert_eq!(verify(&frame(&plan, kind, seq)), Verdict::Whole(seen), "{kind:?} {seq}");
            }
        }
    }

    #[test]
    fn any_changed_byte_behind_the_macs_is_noticed() {
        let plan = Plan { vlan: Some(12), ..Plan::default() };
        for kind in [Kind::Udp, Kind::Fragments, Kind::Arp, Kind::Qinq, Kind::Lacp, Kind::Ipv4Options] {
            let whole = frame(&plan, kind, 5);
            let tags = 4 * (1 + tags(kind).len());
            for at in 12 + tags..whole.len() {
                let mut torn = whole.clone();
                torn[at] ^= 0x10;
                assert!(matches!(verify(&torn), Verdict::Torn(_)), "{kind:?}: byte {at}");
            }
        }
    }

    #[test]
    fn two_halves_of_different_frames_are_torn() {
        let plan = Plan::default();
        let (a, b) = (frame(&plan, Kind::Udp, 1), frame(&plan, Kind::Udp, 2));
        // up to the last byte of the sequence number both are the same
        for at in 66..a.len() - 1 {
            let mixed = [&a[..at], &b[at..]].concat();
            assert!(matches!(verify(&mixed), Verdict::Torn(_)), "cut at {at}");
        }
    }

    #[test]
    fn a_frame_that_is_cut_off_is_known_as_far_as_it_goes() {
        let plan = Plan::default();
        let whole = frame(&plan, Kind::Tcp, 9);
        let seen = Seen { stream: 1, kind: Kind::Tcp, seq: 9, marks: 1 };
        assert_eq!(verify(&whole[..128]), Verdict::Cut(seen));
        assert_eq!(verify(&whole[..60]), Verdict::Short);
        assert_eq!(verify(&[0; 60]), Verdict::Foreign);
    }

    #[test]
    fn a_tag_that_is_put_in_or_taken_out_changes_nothing() {
        let whole = frame(&Plan::default(), Kind::Udp, 3);
        let tagged = [&whole[..12], &[0x81, 0x00, 0x00, 0x64], &whole[12..]].concat();
        assert!(matches!(verify(&tagged), Verdict::Whole(_)));
    }

    #[test]
    fn sizes_that_cannot_be_built_are_refused_with_the_least_size() {
        let plan = Plan { size: Some(64), ..Plan::default() };
        assert!(plan.check(Kind::Udp).unwrap_err().to_string().contains("at least 82"));
    }
}
