//! Filters in the syntax of pcap-filter(7), the subset that a link's operator needs, with the meaning that libpcap gives it.
//!
//! Read here rather than by libpcap: a static binary for routers has none, and what crates there are in pure Rust are young. What is
//! known, for Ethernet frames:
//!
//! - `host`, `net` (`10.0.0.0/8`, `10.1`, `2001:db8::/32`, `net A mask M`), `port`, `portrange`, `proto`, with `src`, `dst`, `src or dst`,
//!   `src and dst` before them, and `ip`, `ip6`, `arp`, `rarp`, `tcp`, `udp`, `sctp` where they have a meaning; `ether host`,
//!   `ether src`, `ether dst`, `ether proto`;
//! - `ip`, `ip6`, `arp`, `rarp`, `stp`, `tcp`, `udp`, `sctp`, `icmp`, `icmp6`, `igmp`, `pim`, `vrrp`, `ah`, `esp`, `broadcast`,
//!   `multicast`, `ip multicast`, `ip6 multicast`, `less N`, `greater N`;
//! - `inbound`, `outbound`: which way the frame goes at its tap;
//! - `vlan [ID]`: what follows it in the expression is looked for behind the tag;
//! - bytes and numbers: `ip[8] < 5`, `tcp[tcpflags] & (tcp-syn | tcp-fin) != 0`, `ether[12:2] = 0x8809`, `len > 100`;
//! - `and` (`&&`), `or` (`||`), `not` (`!`), parentheses. `and` and `or` bind equally, from left to right. Qualifiers need not be said
//!   again: `tcp port 80 or 443`.
//!
//! Not known are `mpls`, `pppoed`, `pppoes`, `gateway`, `protochain`, and names of hosts, services and protocols beyond these words:
//! such an expression is refused. As in libpcap, a frame that ends before a byte that is
//! asked for is not taken, whatever the rest of the expression says.

mod arithmetic;
mod eval;
mod lexer;
mod names;
mod parser;
mod primitive;
#[cfg(test)]
mod tests;

use std::str::FromStr;

use thiserror::Error;

use crate::direction::Direction;
use eval::{Frame, Node};

/// A filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    text: String,
    node: Node,
    /// It asks which way a frame goes.
    directed: bool,
}

/// An expression that is none.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("column {column}: expected {expected}, found {found}")]
pub struct FilterError {
    /// Where, in characters from 1.
    pub column: usize,
    /// What could stand there.
    pub expected: String,
    /// What does.
    pub found: String,
}

impl Filter {
    /// Whether a frame is taken. `frame` are its first bytes from the destination address on, `length` that of the whole frame;
    /// a filter that asks for the direction takes no frame of which that is not known.
    pub fn takes(&self, frame: &[u8], length: u32, direction: Option<Direction>) -> bool {
        self.node.holds(&Frame { bytes: frame, length, direction }).unwrap_or(false)
    }

    /// Whether a frame is taken in one of the two directions: for who does not know it yet.
    pub fn may_take(&self, frame: &[u8], length: u32) -> bool {
        let ways = if self.directed { &[Some(Direction::Ingress), Some(Direction::Egress)][..] } else { &[None][..] };
        ways.iter().any(|way| self.takes(frame, length, *way))
    }

    /// The expression as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let node = parser::parse(text)?;
        Ok(Self { text: text.to_owned(), directed: node.asks_for_direction(), node })
    }
}
