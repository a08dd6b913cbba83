//! What the words mean, as libpcap has it.

use super::eval::{Base, Load, Node, Relation, Value};

pub(super) const IP: u32 = 0x0800;
pub(super) const ARP: u32 = 0x0806;
pub(super) const RARP: u32 = 0x8035;
pub(super) const IP6: u32 = 0x86DD;
pub(super) const TCP: u32 = 6;
pub(super) const UDP: u32 = 17;
pub(super) const SCTP: u32 = 132;
const FRAGMENT6: u32 = 44;
/// Values of the type field up to this are lengths, and LLC follows.
const LONGEST_LLC: u32 = 1500;

/// Which of two places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Side {
    Source,
    Destination,
    #[default]
    Either,
    Both,
}

fn is(base: Base, offset: u32, size: u8, mask: u32, value: u32) -> Node {
    Node::Is { load: Load { base, offset, size }, mask, value: value & mask }
}

fn all_ones(size: u8) -> u32 {
    if size >= 4 { u32::MAX } else { (1 << (8 * u32::from(size))) - 1 }
}

fn equals(base: Base, offset: u32, size: u8, value: u32) -> Node {
    is(base, offset, size, all_ones(size), value)
}

/// Of the two sides, those that are meant.
pub(super) fn sides(side: Side, source: impl FnOnce() -> Node, destination: impl FnOnce() -> Node) -> Node {
    match side {
        Side::Source => source(),
        Side::Destination => destination(),
        Side::Either => Node::Any(vec![source(), destination()]),
        Side::Both => Node::All(vec![source(), destination()]),
    }
}

/// Where the type field is, behind so many tags.
fn type_field(tags: u32) -> u32 {
    12 + 4 * tags
}

/// `ether proto`.
pub(super) fn ethertype(tags: u32, kind: u32) -> Node {
    let at = type_field(tags);
    if kind > LONGEST_LLC {
        return equals(Base::Frame, at, 2, kind);
    }
    let is_llc = Node::Compare(
        Value::Bytes { base: Base::Frame, offset: Box::new(Value::Number(at)), size: 2 },
        Relation::LessOrEqual,
        Value::Number(LONGEST_LLC),
    );
    // Both service access points of these are the same.
    let points = match kind {
        0x42 | 0xF0 | 0xFE => equals(Base::Network(tags), 0, 2, kind << 8 | kind),
        kind => equals(Base::Network(tags), 0, 1, kind),
    };
    Node::All(vec![is_llc, points])
}

/// `vlan`, with its id.
pub(super) fn vlan(tags: u32, id: Option<u32>) -> Node {
    let at = type_field(tags);
    let tagged = Node::Any([0x8100, 0x88A8, 0x9100].map(|kind| equals(Base::Frame, at, 2, kind)).into());
    match id {
        Some(id) => Node::All(vec![tagged, is(Base::Frame, at + 2, 2, 0x0FFF, id)]),
        None => tagged,
    }
}

/// `ip proto`.
pub(super) fn proto4(tags: u32, number: u32) -> Node {
    Node::All(vec![ethertype(tags, IP), equals(Base::Network(tags), 9, 1, number)])
}

/// `ip6 proto`: also behind a fragment header.
pub(super) fn proto6(tags: u32, number: u32) -> Node {
    let next = |value| equals(Base::Network(tags), 6, 1, value);
    let behind = Node::All(vec![next(FRAGMENT6), equals(Base::Network(tags), 40, 1, number)]);
    Node::All(vec![ethertype(tags, IP6), Node::Any(vec![next(number), behind])])
}

/// `proto`.
pub(super) fn proto(tags: u32, number: u32) -> Node {
    Node::Any(vec![proto4(tags, number), proto6(tags, number)])
}

/// Not a fragment other than the first.
pub(super) fn first_fragment(tags: u32) -> Node {
    is(Base::Network(tags), 6, 2, 0x1FFF, 0)
}

/// An IPv4 address under a mask, in packets of these types.
pub(super) fn net4(tags: u32, side: Side, kinds: &[u32], address: u32, mask: u32) -> Node {
    let of = |kind: &u32| {
        let (source, destination) = if *kind == IP { (12, 16) } else { (14, 24) };
        let at = |offset| is(Base::Network(tags), offset, 4, mask, address);
        Node::All(vec![ethertype(tags, *kind), sides(side, || at(source), || at(destination))])
    };
    Node::Any(kinds.iter().map(of).collect())
}

/// An IPv6 address under a mask.
pub(super) fn net6(tags: u32, side: Side, address: u128, mask: u128) -> Node {
    let at = |offset: u32| {
        let word = |number: u32| {
            let of = |bits: u128| (bits >> (96 - 32 * number)) as u32;
            (of(mask) != 0).then(|| is(Base::Network(tags), offset + 4 * number, 4, of(mask), of(address)))
        };
        Node::All((0..4).filter_map(word).collect())
    };
    Node::All(vec![ethertype(tags, IP6), sides(side, || at(8), || at(24))])
}

/// A range of ports, both ends included, of these protocols.
pub(super) fn ports(tags: u32, side: Side, protocols: &[u32], (first, last): (u32, u32)) -> Node {
    let within = |base: Base, offset: u32| {
        if first == last {
            return equals(base, offset, 2, first);
        }
        let port = || Value::Bytes { base, offset: Box::new(Value::Number(offset)), size: 2 };
        Node::All(vec![
            Node::Compare(port(), Relation::GreaterOrEqual, Value::Number(first)),
            Node::Compare(port(), Relation::LessOrEqual, Value::Number(last)),
        ])
    };
    let either = |base: Base, from: u32| sides(side, || within(base, from), || within(base, from + 2));
    let of4 = protocols.iter().map(|protocol| {
        Node::All(vec![equals(Base::Network(tags), 9, 1, *protocol), first_fragment(tags), either(Base::Transport(tags), 0)])
    });
    let of6 = protocols
        .iter()
        .map(|protocol| Node::All(vec![equals(Base::Network(tags), 6, 1, *protocol), either(Base::Network(tags), 40)]));
    Node::Any(vec![
        Node::All(vec![ethertype(tags, IP), Node::Any(of4.collect())]),
        Node::All(vec![ethertype(tags, IP6), Node::Any(of6.collect())]),
    ])
}

/// `ether host`, `ether src`, `ether dst`.
pub(super) fn mac(side: Side, address: [u8; 6]) -> Node {
    let [a, b, c, d, e, f] = address;
    let at = |offset| {
        Node::All(vec![
            equals(Base::Frame, offset, 4, u32::from_be_bytes([a, b, c, d])),
            equals(Base::Frame, offset + 4, 2, u32::from_be_bytes([0, 0, e, f])),
        ])
    };
    sides(side, || at(6), || at(0))
}

/// `multicast`.
pub(super) fn multicast() -> Node {
    is(Base::Frame, 0, 1, 1, 1)
}

/// `ip multicast`.
pub(super) fn multicast4(tags: u32) -> Node {
    let first = Value::Bytes { base: Base::Network(tags), offset: Box::new(Value::Number(16)), size: 1 };
    Node::All(vec![ethertype(tags, IP), Node::Compare(first, Relation::GreaterOrEqual, Value::Number(224))])
}

/// `ip6 multicast`.
pub(super) fn multicast6(tags: u32) -> Node {
    Node::All(vec![ethertype(tags, IP6), equals(Base::Network(tags), 24, 1, 255)])
}
