//! Numbers, and bytes of a frame: `ip[8] < 5`, `tcp[tcpflags] & tcp-syn != 0`, `len > 100`.

use super::FilterError;
use super::eval::{Base, Node, Operator, Relation, Value};
use super::lexer::Kind;
use super::names;
use super::parser::{Parser, number};
use super::primitive as p;

/// Operators by how strongly they bind, the weakest first.
const LEVELS: [&[(&str, Operator)]; 4] = [
    &[("|", Operator::Or), ("&", Operator::And), ("^", Operator::Xor)],
    &[("<<", Operator::Left), (">>", Operator::Right)],
    &[("+", Operator::Add), ("-", Operator::Subtract)],
    &[("*", Operator::Multiply), ("/", Operator::Divide), ("%", Operator::Remainder)],
];

const RELATIONS: [(&str, Relation); 7] = [
    ("=", Relation::Equal),
    ("==", Relation::Equal),
    ("!=", Relation::Unequal),
    ("<=", Relation::LessOrEqual),
    (">=", Relation::GreaterOrEqual),
    ("<", Relation::Less),
    (">", Relation::Greater),
];

/// A value, and what must hold for its bytes to be there: `tcp[13]` is asked of TCP only.
struct Guarded {
    value: Value,
    guards: Vec<Node>,
}

impl Parser {
    /// Two values that are compared. `None`: what stands here is no value; nothing is read then.
    pub(super) fn comparison(&mut self) -> Result<Option<Node>, FilterError> {
        let start = self.at;
        if !self.begins_value() {
            return Ok(None);
        }
        let left = match self.value(0) {
            Ok(left) => left,
            // It may be a parenthesis around something else.
            Err(error) => return if self.begins_here(start, "(") { self.back(start) } else { Err(error) },
        };
        let Some(relation) = self.sign_of(&RELATIONS) else {
            return if self.begins_here(start, "(") {
                self.back(start)
            } else {
                Err(self.wrong("a comparison: =, !=, <, >, <= or >="))
            };
        };
        let right = self.value(0)?;
        let mut nodes: Vec<Node> = left.guards.into_iter().chain(right.guards).collect();
        nodes.push(Node::Compare(left.value, relation, right.value));
        Ok(Some(Node::All(nodes)))
    }

    fn back<T>(&mut self, start: usize) -> Result<Option<T>, FilterError> {
        self.at = start;
        Ok(None)
    }

    fn begins_here(&self, start: usize, sign: &str) -> bool {
        matches!(self.kind_at(start), Kind::Sign(found) if *found == sign)
    }

    /// A number with an operator behind it, a named constant, `len`, a protocol with a bracket, a parenthesis or a minus.
    fn begins_value(&self) -> bool {
        let operator = |at: usize| match self.kind_at(at) {
            Kind::Sign(sign) => !matches!(*sign, "(" | ")" | "[" | "]" | "!" | "&&" | "||" | ":"),
            _ => false,
        };
        match self.kind() {
            Kind::Sign(sign) => matches!(*sign, "(" | "-"),
            Kind::Word(word) if word == "len" || names::constant(word).is_some() => true,
            Kind::Word(word) if number(word).is_some() => operator(self.at + 1),
            Kind::Word(_) => matches!(self.kind_at(self.at + 1), Kind::Sign("[")),
            Kind::Escaped(_) | Kind::End => false,
        }
    }

    fn value(&mut self, level: usize) -> Result<Guarded, FilterError> {
        let Some(operators) = LEVELS.get(level) else { return self.operand() };
        let mut left = self.value(level + 1)?;
        loop {
            let column = self.at;
            let Some(operator) = self.sign_of(operators) else { return Ok(left) };
            let right = self.value(level + 1)?;
            if matches!(operator, Operator::Divide | Operator::Remainder) && right.value == Value::Number(0) {
                self.at = column + 1;
                return Err(self.wrong("a number other than 0"));
            }
            left.guards.extend(right.guards);
            left.value = Value::Binary(operator, Box::new(left.value), Box::new(right.value));
        }
    }

    fn operand(&mut self) -> Result<Guarded, FilterError> {
        if self.take_sign("-") {
            let Guarded { value, guards } = self.deeper(Self::operand)?;
            let value = Value::Binary(Operator::Subtract, Box::new(Value::Number(0)), Box::new(value));
            return Ok(Guarded { value, guards });
        }
        if self.take_sign("(") {
            let inner = self.deeper(|parser| parser.value(0))?;
            self.expect_sign(")")?;
            return Ok(inner);
        }
        let Kind::Word(word) = self.kind().clone() else { return Err(self.wrong("a number, len, or bytes like ip[8]")) };
        let plain = |value| Ok(Guarded { value, guards: Vec::new() });
        if word == "len" {
            self.at += 1;
            return plain(Value::Length);
        }
        if let Some(value) = number(&word).or_else(|| names::constant(&word)) {
            self.at += 1;
            return plain(Value::Number(value));
        }
        self.bytes(&word)
    }

    /// `proto[offset]`, `proto[offset:size]`.
    fn bytes(&mut self, word: &str) -> Result<Guarded, FilterError> {
        let tags = self.tags;
        let upper = |number| (Base::Transport(tags), vec![p::proto4(tags, number), p::first_fragment(tags)]);
        let (base, guards) = match word {
            "ether" => (Base::Frame, Vec::new()),
            "ip" => (Base::Network(tags), vec![p::ethertype(tags, p::IP)]),
            "ip6" => (Base::Network(tags), vec![p::ethertype(tags, p::IP6)]),
            "arp" => (Base::Network(tags), vec![p::ethertype(tags, p::ARP)]),
            "rarp" => (Base::Network(tags), vec![p::ethertype(tags, p::RARP)]),
            "icmp6" => (Base::Network(tags), vec![p::proto6(tags, 58)]),
            name => match names::protocol(name) {
                Some(number) => upper(number),
                None => {
                    return Err(self.wrong("a number, len, or a protocol and its bytes: ether, ip, ip6, arp, tcp, udp, icmp…"));
                }
            },
        };
        self.at += 1;
        self.expect_sign("[")?;
        let mut offset = self.deeper(|parser| parser.value(0))?;
        let size = if self.take_sign(":") { self.size()? } else { 1 };
        self.expect_sign("]")?;
        if word == "icmp6" {
            // Behind the fixed header.
            offset.value = Value::Binary(Operator::Add, Box::new(offset.value), Box::new(Value::Number(40)));
        }
        let guards = offset.guards.into_iter().chain(guards).collect();
        Ok(Guarded { value: Value::Bytes { base, offset: Box::new(offset.value), size }, guards })
    }

    fn size(&mut self) -> Result<u8, FilterError> {
        let size = match self.kind() {
            Kind::Word(word) => number(word),
            _ => None,
        };
        let size = size.filter(|size| matches!(size, 1 | 2 | 4)).ok_or_else(|| self.wrong("1, 2 or 4 bytes"))?;
        self.at += 1;
        Ok(size as u8)
    }
}
