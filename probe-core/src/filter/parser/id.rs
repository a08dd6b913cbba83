//! Primitives: qualifiers, and what they qualify.

use std::net::Ipv6Addr;

use super::super::FilterError;
use super::super::eval::{Node, Relation, Value};
use super::super::lexer::Kind;
use super::super::names;
use super::super::primitive::{self as p, Side};
use super::{Parser, number};
use crate::direction::Direction;

/// What stands before an address or number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Qualifiers {
    /// `ip`, `tcp`, `ether`…
    protocol: Option<String>,
    side: Option<Side>,
    kind: Option<Type>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Host,
    Net,
    Port,
    Range,
    Proto,
}

/// Words that may stand before others.
const PROTOCOLS: [&str; 16] =
    ["ether", "ip", "ip6", "arp", "rarp", "stp", "tcp", "udp", "sctp", "icmp", "icmp6", "igmp", "pim", "vrrp", "ah", "esp"];

impl Parser {
    /// One condition.
    pub(super) fn primitive(&mut self) -> Result<Node, FilterError> {
        let Kind::Word(word) = self.kind().clone() else {
            return Err(self.wrong("a condition, such as host, port, tcp or vlan"));
        };
        match word.as_str() {
            "vlan" => return self.vlan(),
            "less" | "greater" => return self.length(&word),
            "broadcast" | "multicast" => return Ok(self.group(&word)),
            "inbound" => return Ok(self.way(Direction::Ingress)),
            "outbound" => return Ok(self.way(Direction::Egress)),
            "mpls" | "pppoed" | "pppoes" | "gateway" | "protochain" => {
                return Err(self.wrong("a condition that is known here"));
            }
            _ => {}
        }
        let given = self.qualifiers();
        if given == Qualifiers::default() {
            // A number or address alone: as the one before, or a host.
            if self.at == 0 && number(&word).is_some() {
                return Err(self.wrong("a condition, such as host, port, tcp or vlan"));
            }
            let last = self.last.clone();
            return self.id(&last);
        }
        if let Some(node) = self.alone(&given)? {
            return Ok(node);
        }
        self.last = given.clone();
        self.id(&given)
    }

    /// A protocol that nothing follows that it could qualify.
    fn alone(&mut self, given: &Qualifiers) -> Result<Option<Node>, FilterError> {
        let (Some(protocol), None, None) = (&given.protocol, given.side, given.kind) else { return Ok(None) };
        let (ether, ip, ip6) = (protocol == "ether", protocol == "ip", protocol == "ip6");
        if ether && (self.is_word("broadcast") || self.is_word("multicast")) {
            let Kind::Word(word) = self.kind().clone() else { return Ok(None) };
            return Ok(Some(self.group(&word)));
        }
        if (ip || ip6) && self.take_word("multicast") {
            return Ok(Some(if ip { p::multicast4(self.tags) } else { p::multicast6(self.tags) }));
        }
        // `ip 10.0.0.1` is `ip host 10.0.0.1`.
        if matches!(self.kind(), Kind::Word(word) if !matches!(word.as_str(), "and" | "or")) {
            return Ok(None);
        }
        if ether {
            return Err(self.wrong("host, src, dst, proto, broadcast or multicast"));
        }
        let tags = self.tags;
        Ok(Some(match (protocol.as_str(), names::ethertype(protocol), names::protocol(protocol)) {
            (_, Some(kind), _) => p::ethertype(tags, kind),
            ("icmp" | "igmp" | "vrrp", _, Some(number)) => p::proto4(tags, number),
            ("icmp6", _, Some(number)) => p::proto6(tags, number),
            (_, _, Some(number)) => p::proto(tags, number),
            _ => return Err(self.wrong("a protocol")),
        }))
    }

    fn qualifiers(&mut self) -> Qualifiers {
        let mut given = Qualifiers::default();
        if let Kind::Word(word) = self.kind()
            && PROTOCOLS.contains(&word.as_str())
        {
            given.protocol = Some(word.clone());
            self.at += 1;
        }
        given.side = self.side();
        given.kind = match self.kind() {
            Kind::Word(word) => match word.as_str() {
                "host" => Some(Type::Host),
                "net" => Some(Type::Net),
                "port" => Some(Type::Port),
                "portrange" => Some(Type::Range),
                "proto" => Some(Type::Proto),
                _ => None,
            },
            _ => None,
        };
        self.at += usize::from(given.kind.is_some());
        given
    }

    /// `src`, `dst`, `src or dst`, `src and dst`.
    fn side(&mut self) -> Option<Side> {
        let first = if self.take_word("src") {
            Side::Source
        } else if self.take_word("dst") {
            Side::Destination
        } else {
            return None;
        };
        let other = if first == Side::Source { "dst" } else { "src" };
        let both = matches!(self.kind_at(self.at + 1), Kind::Word(word) if word == other);
        let join = match self.kind() {
            Kind::Word(word) if word == "or" => Side::Either,
            Kind::Word(word) if word == "and" => Side::Both,
            Kind::Sign("||") => Side::Either,
            Kind::Sign("&&") => Side::Both,
            _ => return Some(first),
        };
        // `src or dst port 80`, but not `src 10.0.0.1 or dst 10.0.0.2`.
        if !both {
            return Some(first);
        }
        self.at += 2;
        Some(join)
    }

    /// What the qualifiers are about.
    fn id(&mut self, given: &Qualifiers) -> Result<Node, FilterError> {
        if self.take_sign("(") {
            return self.ids(given);
        }
        let side = given.side.unwrap_or_default();
        match (given.kind, given.protocol.as_deref()) {
            (Some(Type::Proto), protocol) => self.proto(protocol),
            (Some(Type::Port), protocol) => {
                let port = self.port()?;
                self.ports(protocol, side, (port, port))
            }
            (Some(Type::Range), protocol) => {
                let first = self.port()?;
                self.expect_sign("-")?;
                let last = self.port()?;
                self.ports(protocol, side, (first.min(last), first.max(last)))
            }
            (Some(Type::Host) | None, Some("ether")) => self.mac(side),
            (Some(Type::Host | Type::Net) | None, protocol) => self.net(given.kind == Some(Type::Net), protocol, side),
        }
    }

    /// `host (a or b)`.
    fn ids(&mut self, given: &Qualifiers) -> Result<Node, FilterError> {
        let mut node = self.deeper(|parser| parser.id(given))?;
        loop {
            let join = if self.take_word("or") || self.take_sign("||") {
                Node::Any
            } else if self.take_word("and") || self.take_sign("&&") {
                Node::All
            } else {
                self.expect_sign(")")?;
                return Ok(node);
            };
            self.count()?;
            let right = self.deeper(|parser| parser.id(given))?;
            node = self.deeper(|_| Ok(join(vec![node, right])))?;
        }
    }

    fn proto(&mut self, protocol: Option<&str>) -> Result<Node, FilterError> {
        let (tags, ether) = (self.tags, protocol == Some("ether"));
        let named = if ether { names::ethertype } else { names::protocol };
        let wanted =
            if ether { "a type: a number, \\ip, \\arp, \\ip6…" } else { "a protocol: a number, \\tcp, \\udp, \\icmp…" };
        let value = match self.kind() {
            Kind::Word(word) => number(word).or_else(|| named(word)),
            Kind::Escaped(word) => named(word),
            _ => None,
        };
        let most = if ether { 0xFFFF } else { 0xFF };
        let value = value.filter(|value| *value <= most).ok_or_else(|| self.wrong(wanted))?;
        let node = match protocol {
            Some("ether") => p::ethertype(tags, value),
            Some("ip") => p::proto4(tags, value),
            Some("ip6") => p::proto6(tags, value),
            None => p::proto(tags, value),
            Some(_) => return Err(self.wrong("proto behind ether, ip, ip6 or nothing")),
        };
        self.at += 1;
        Ok(node)
    }

    fn port(&mut self) -> Result<u32, FilterError> {
        let port = match self.kind() {
            Kind::Word(word) => number(word).filter(|port| *port <= 0xFFFF),
            _ => None,
        };
        let port = port.ok_or_else(|| self.wrong("the number of a port"))?;
        self.at += 1;
        Ok(port)
    }

    fn ports(&mut self, protocol: Option<&str>, side: Side, range: (u32, u32)) -> Result<Node, FilterError> {
        let protocols: &[u32] = match protocol {
            None => &[p::TCP, p::UDP, p::SCTP],
            Some("tcp") => &[p::TCP],
            Some("udp") => &[p::UDP],
            Some("sctp") => &[p::SCTP],
            Some(_) => {
                self.at = self.at.saturating_sub(1);
                return Err(self.wrong("a port of tcp, udp or sctp"));
            }
        };
        Ok(p::ports(self.tags, side, protocols, range))
    }

    fn mac(&mut self, side: Side) -> Result<Node, FilterError> {
        let read = |word: &str| {
            let bytes: Option<Vec<u8>> = word.split(':').map(|part| u8::from_str_radix(part, 16).ok()).collect();
            <[u8; 6]>::try_from(bytes?).ok()
        };
        let address = match self.kind() {
            Kind::Word(word) => read(word),
            _ => None,
        };
        let address = address.ok_or_else(|| self.wrong("a hardware address like 00:1b:21:3c:4d:5e"))?;
        self.at += 1;
        Ok(p::mac(side, address))
    }

    fn net(&mut self, net: bool, protocol: Option<&str>, side: Side) -> Result<Node, FilterError> {
        let wanted = if net { "a network like 10.0.0.0/8 or 2001:db8::/32" } else { "an address like 10.0.0.1 or 2001:db8::1" };
        let Kind::Word(word) = self.kind().clone() else { return Err(self.wrong(wanted)) };
        let kinds: &[u32] = match protocol {
            None => &[p::IP, p::ARP, p::RARP],
            Some("ip") => &[p::IP],
            Some("arp") => &[p::ARP],
            Some("rarp") => &[p::RARP],
            Some("ip6") => &[],
            Some(_) => return Err(self.wrong("an address behind ip, ip6, arp, rarp, ether or nothing")),
        };
        if word.contains(':') {
            let address: u128 = word.parse::<Ipv6Addr>().map_err(|_| self.wrong(wanted))?.to_bits();
            if !matches!(protocol, None | Some("ip6")) {
                return Err(self.wrong("an address of IPv4"));
            }
            self.at += 1;
            let bits = self.prefix(128)?.unwrap_or(128);
            return Ok(p::net6(self.tags, side, address, u128::MAX.checked_shl(128 - bits).unwrap_or(0)));
        }
        let (address, given) = address4(&word).filter(|(_, bits)| net || *bits == 32).ok_or_else(|| self.wrong(wanted))?;
        if kinds.is_empty() {
            return Err(self.wrong("an address of IPv6"));
        }
        self.at += 1;
        let mask = if net && self.take_word("mask") {
            let mask = match self.kind() {
                Kind::Word(word) => address4(word).filter(|(_, bits)| *bits == 32).map(|(mask, _)| mask),
                _ => None,
            };
            let mask = mask.ok_or_else(|| self.wrong("a mask like 255.255.0.0"))?;
            self.at += 1;
            mask
        } else {
            u32::MAX.checked_shl(32 - self.prefix(32)?.unwrap_or(given)).unwrap_or(0)
        };
        if address & !mask != 0 {
            self.at -= 1;
            return Err(self.wrong("a network whose address has no bit beyond its mask"));
        }
        Ok(p::net4(self.tags, side, kinds, address, mask))
    }

    /// `/8`.
    fn prefix(&mut self, most: u32) -> Result<Option<u32>, FilterError> {
        if !self.take_sign("/") {
            return Ok(None);
        }
        let bits = match self.kind() {
            Kind::Word(word) => word.parse().ok().filter(|bits| *bits <= most),
            _ => None,
        };
        let bits = bits.ok_or_else(|| self.wrong(&format!("a number of bits, {most} at most")))?;
        self.at += 1;
        Ok(Some(bits))
    }

    fn vlan(&mut self) -> Result<Node, FilterError> {
        self.at += 1;
        let id = match self.kind() {
            Kind::Word(word) => number(word),
            _ => None,
        };
        if id.is_some_and(|id| id > 4095) {
            return Err(self.wrong("a VLAN, 4095 at most"));
        }
        self.at += usize::from(id.is_some());
        let node = p::vlan(self.tags, id);
        self.tags += 1;
        Ok(node)
    }

    fn length(&mut self, word: &str) -> Result<Node, FilterError> {
        self.at += 1;
        let length = match self.kind() {
            Kind::Word(word) => number(word),
            _ => None,
        };
        let length = length.ok_or_else(|| self.wrong("a length in bytes"))?;
        self.at += 1;
        let relation = if word == "less" { Relation::LessOrEqual } else { Relation::GreaterOrEqual };
        Ok(Node::Compare(Value::Length, relation, Value::Number(length)))
    }

    fn way(&mut self, direction: Direction) -> Node {
        self.at += 1;
        Node::Way(direction)
    }

    fn group(&mut self, word: &str) -> Node {
        self.at += 1;
        if word == "broadcast" { p::mac(Side::Destination, [0xFF; 6]) } else { p::multicast() }
    }
}

/// An IPv4 address of one to four parts, and how many bits were given.
fn address4(word: &str) -> Option<(u32, u32)> {
    let parts: Vec<u8> = word.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    if parts.is_empty() || parts.len() > 4 {
        return None;
    }
    let bits = 8 * parts.len() as u32;
    let address = parts.iter().fold(0u32, |sum, part| sum << 8 | u32::from(*part));
    Some((address.checked_shl(32 - bits).unwrap_or(0), bits))
}
