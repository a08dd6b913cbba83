//! The grammar. `and` and `or` bind equally; `vlan` moves what follows it in the text, whatever the parentheses.

mod id;

use super::FilterError;
use super::eval::Node;
use super::lexer::{Kind, Token, tokens};
use id::Qualifiers;

/// Deepest nesting.
const DEEPEST: usize = 64;
/// Most primitives.
const MOST: usize = 1024;

pub(super) struct Parser {
    tokens: Vec<Token>,
    /// Index of the token that is next.
    pub(super) at: usize,
    /// VLAN tags that were asked for so far.
    pub(super) tags: u32,
    depth: usize,
    primitives: usize,
    /// Qualifiers of the last primitive that had any: a number or address alone is meant in the same way.
    last: Qualifiers,
}

/// Reads an expression; an empty one takes every frame.
pub(super) fn parse(text: &str) -> Result<Node, FilterError> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, tags: 0, depth: 0, primitives: 0, last: Qualifiers::default() };
    if *parser.kind() == Kind::End {
        return Ok(Node::All(Vec::new()));
    }
    let node = parser.expression()?;
    if *parser.kind() == Kind::End { Ok(node) } else { Err(parser.wrong("and, or, or the end")) }
}

/// A number as C writes it.
pub(super) fn number(word: &str) -> Option<u32> {
    let lower = word.to_ascii_lowercase();
    match lower.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None if lower.len() > 1 && lower.starts_with('0') => u32::from_str_radix(&lower, 8).ok(),
        None => lower.parse().ok(),
    }
}

impl Parser {
    fn expression(&mut self) -> Result<Node, FilterError> {
        let mut left = self.term()?;
        loop {
            left = match self.kind() {
                Kind::Sign("&&") => self.joined(left, Node::All)?,
                Kind::Sign("||") => self.joined(left, Node::Any)?,
                Kind::Word(word) if word == "and" => self.joined(left, Node::All)?,
                Kind::Word(word) if word == "or" => self.joined(left, Node::Any)?,
                _ => return Ok(left),
            };
        }
    }

    fn joined(&mut self, left: Node, join: fn(Vec<Node>) -> Node) -> Result<Node, FilterError> {
        self.at += 1;
        let right = self.term()?;
        let same = matches!((&left, join(Vec::new())), (Node::All(_), Node::All(_)) | (Node::Any(_), Node::Any(_)));
        // A long chain stays flat: evaluation is recursive.
        match left {
            Node::All(mut nodes) | Node::Any(mut nodes) if same => {
                nodes.push(right);
                Ok(join(nodes))
            }
            left => Ok(join(vec![left, right])),
        }
    }

    fn term(&mut self) -> Result<Node, FilterError> {
        let not = matches!(self.kind(), Kind::Sign("!")) || self.is_word("not");
        if not {
            self.at += 1;
            return Ok(Node::Not(Box::new(self.deeper(Self::term)?)));
        }
        if let Some(comparison) = self.comparison()? {
            self.count()?;
            return Ok(comparison);
        }
        if self.take_sign("(") {
            let inner = self.deeper(Self::expression)?;
            self.expect_sign(")")?;
            return Ok(inner);
        }
        self.count()?;
        self.primitive()
    }

    fn count(&mut self) -> Result<(), FilterError> {
        self.primitives += 1;
        if self.primitives > MOST { Err(self.wrong(&format!("at most {MOST} conditions"))) } else { Ok(()) }
    }

    /// What is nested.
    pub(super) fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, FilterError>) -> Result<T, FilterError> {
        if self.depth >= DEEPEST {
            return Err(self.wrong(&format!("at most {DEEPEST} levels of nesting")));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    pub(super) fn kind(&self) -> &Kind {
        self.kind_at(self.at)
    }

    pub(super) fn kind_at(&self, at: usize) -> &Kind {
        self.tokens.get(at).map_or(&Kind::End, |token| &token.kind)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.kind(), Kind::Word(found) if found == word)
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    pub(super) fn take_sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.kind(), Kind::Sign(found) if *found == sign);
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect_sign(&mut self, sign: &str) -> Result<(), FilterError> {
        if self.take_sign(sign) { Ok(()) } else { Err(self.wrong(sign)) }
    }

    /// One of these signs, if it stands here.
    pub(super) fn sign_of<T: Copy>(&mut self, signs: &[(&str, T)]) -> Option<T> {
        let Kind::Sign(found) = self.kind() else { return None };
        let (_, value) = signs.iter().find(|(sign, _)| sign == found)?;
        self.at += 1;
        Some(*value)
    }

    /// What stands here will not do.
    pub(super) fn wrong(&self, expected: &str) -> FilterError {
        let column = self.tokens.get(self.at).or(self.tokens.last()).map_or(1, |token| token.column);
        let found = match self.kind() {
            Kind::Word(word) => format!("{word:?}"),
            Kind::Escaped(word) => format!("\"\\{word}\""),
            Kind::Sign(sign) => format!("{sign:?}"),
            Kind::End => "the end".to_owned(),
        };
        FilterError { column, expected: expected.to_owned(), found }
    }
}
