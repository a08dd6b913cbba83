//! What an expression means for a frame.

use crate::direction::Direction;

/// A frame.
pub(super) struct Frame<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) length: u32,
    /// Where it is known.
    pub(super) direction: Option<Direction>,
}

/// Something that holds or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// All of them, asked in order until one does not hold.
    All(Vec<Node>),
    /// One of them, asked in order until one holds.
    Any(Vec<Node>),
    Not(Box<Node>),
    Compare(Value, Relation, Value),
    /// A value under a mask is this.
    Is {
        load: Load,
        mask: u32,
        value: u32,
    },
    /// The frame goes this way.
    Way(Direction),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A number, of 32 bits without sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Number(u32),
    /// Length of the frame.
    Length,
    /// `size` bytes at an offset.
    Bytes {
        base: Base,
        offset: Box<Value>,
        size: u8,
    },
    Binary(Operator, Box<Value>, Box<Value>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    And,
    Or,
    Xor,
    Left,
    Right,
}

/// `size` bytes at a fixed offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Load {
    pub(super) base: Base,
    pub(super) offset: u32,
    pub(super) size: u8,
}

/// What an offset is counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// The frame's first byte.
    Frame,
    /// The network layer's header, behind so many VLAN tags.
    Network(u32),
    /// What follows an IPv4 header, behind so many VLAN tags.
    Transport(u32),
}

/// Bytes of the addresses and the type, and of a tag.
const ETHERNET: u32 = 14;
const TAG: u32 = 4;

impl Node {
    /// `None`: a byte is asked for that the frame does not have, or its direction, which is not known.
    pub(super) fn holds(&self, frame: &Frame<'_>) -> Option<bool> {
        match self {
            Node::All(nodes) => {
                for node in nodes {
                    if !node.holds(frame)? {
                        return Some(false);
                    }
                }
                Some(true)
            }
            Node::Any(nodes) => {
                for node in nodes {
                    if node.holds(frame)? {
                        return Some(true);
                    }
                }
                Some(false)
            }
            Node::Not(node) => Some(!node.holds(frame)?),
            Node::Compare(left, relation, right) => {
                let (left, right) = (left.of(frame)?, right.of(frame)?);
                Some(match relation {
                    Relation::Equal => left == right,
                    Relation::Unequal => left != right,
                    Relation::Less => left < right,
                    Relation::LessOrEqual => left <= right,
                    Relation::Greater => left > right,
                    Relation::GreaterOrEqual => left >= right,
                })
            }
            Node::Is { load, mask, value } => Some(frame.bytes(load.base, load.offset, load.size)? & mask == *value),
            Node::Way(direction) => Some(frame.direction? == *direction),
        }
    }

    /// True when a frame's direction is asked for anywhere.
    pub(super) fn asks_for_direction(&self) -> bool {
        match self {
            Node::All(nodes) | Node::Any(nodes) => nodes.iter().any(Node::asks_for_direction),
            Node::Not(node) => node.asks_for_direction(),
            Node::Compare(..) | Node::Is { .. } => false,
            Node::Way(_) => true,
        }
    }
}

impl Value {
    fn of(&self, frame: &Frame<'_>) -> Option<u32> {
        Some(match self {
            Value::Number(number) => *number,
            Value::Length => frame.length,
            Value::Bytes { base, offset, size } => frame.bytes(*base, offset.of(frame)?, *size)?,
            Value::Binary(operator, left, right) => operator.of(left.of(frame)?, right.of(frame)?)?,
        })
    }
}

impl Operator {
    /// `None`: a division by zero.
    pub(super) fn of(self, left: u32, right: u32) -> Option<u32> {
        Some(match self {
            Operator::Add => left.wrapping_add(right),
            Operator::Subtract => left.wrapping_sub(right),
            Operator::Multiply => left.wrapping_mul(right),
            Operator::Divide => left.checked_div(right)?,
            Operator::Remainder => left.checked_rem(right)?,
            Operator::And => left & right,
            Operator::Or => left | right,
            Operator::Xor => left ^ right,
            Operator::Left => left.checked_shl(right).unwrap_or(0),
            Operator::Right => left.checked_shr(right).unwrap_or(0),
        })
    }
}

impl Frame<'_> {
    fn bytes(&self, base: Base, offset: u32, size: u8) -> Option<u32> {
        let start = match base {
            Base::Frame => 0,
            Base::Network(tags) => ETHERNET + TAG * tags,
            Base::Transport(tags) => {
                let network = ETHERNET + TAG * tags;
                let first = *self.bytes.get(network as usize)?;
                network + u32::from(first & 15) * 4
            }
        };
        let at = start.checked_add(offset)? as usize;
        let bytes = self.bytes.get(at..at.checked_add(usize::from(size))?)?;
        Some(bytes.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte)))
    }
}
