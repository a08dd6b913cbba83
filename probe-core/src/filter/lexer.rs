//! An expression as words and signs.

use super::FilterError;

/// Longest expression, characters.
const LONGEST: usize = 16_384;

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A keyword, name, number or address.
    Word(String),
    /// A word behind a backslash: a name even if it is a keyword.
    Escaped(String),
    /// An operator or bracket.
    Sign(&'static str),
    /// Nothing follows.
    End,
}

/// A token and where it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// In characters from 1.
    pub(super) column: usize,
}

/// The longest first: `<=` is no `<`.
const SIGNS: [&str; 25] = [
    "&&", "||", "<<", ">>", "<=", ">=", "==", "!=", "(", ")", "[", "]", "<", ">", "=", "!", "&", "|", "^", "+", "-", "*", "/",
    "%", ":",
];

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, FilterError> {
    let characters: Vec<char> = text.chars().collect();
    if characters.len() > LONGEST {
        let expected = format!("at most {LONGEST} characters");
        return Err(FilterError { column: LONGEST + 1, expected, found: format!("{} characters", characters.len()) });
    }
    let (mut tokens, mut at, mut brackets) = (Vec::new(), 0usize, 0usize);
    while let Some(first) = characters.get(at) {
        let rest = characters.get(at..).unwrap_or(&[]);
        let column = at + 1;
        let (kind, length) = if first.is_whitespace() {
            at += 1;
            continue;
        } else if *first == '\\' {
            let word = word(rest.get(1..).unwrap_or(&[]), false);
            let length = word.chars().count() + 1;
            (Kind::Escaped(word), length)
        } else if first.is_ascii_alphanumeric() || brackets == 0 && rest.starts_with(&[':', ':']) {
            let word = word(rest, brackets == 0);
            let length = word.chars().count();
            (Kind::Word(word), length)
        } else {
            let sign = SIGNS.iter().find(|sign| sign.chars().zip(rest).filter(|(a, b)| a == *b).count() == sign.len());
            let Some(sign) = sign else {
                let expected = "a word, a number or an operator".to_owned();
                return Err(FilterError { column, expected, found: format!("{first:?}") });
            };
            match *sign {
                "[" => brackets += 1,
                "]" => brackets = brackets.saturating_sub(1),
                _ => {}
            }
            (Kind::Sign(sign), sign.len())
        };
        tokens.push(Token { kind, column });
        at += length.max(1);
    }
    tokens.push(Token { kind: Kind::End, column: characters.len() + 1 });
    Ok(tokens)
}

/// The word at the beginning. Points are part of addresses, and colons outside brackets; a minus where a letter follows a name
/// (`tcp-syn`).
fn word(rest: &[char], colons: bool) -> String {
    let named = rest.first().is_some_and(char::is_ascii_alphabetic);
    let mut length = 0;
    while let Some(c) = rest.get(length) {
        let next = rest.get(length + 1);
        let part = match c {
            '.' => true,
            ':' => colons,
            '-' => named && next.is_some_and(char::is_ascii_alphabetic),
            c => c.is_ascii_alphanumeric() || *c == '_',
        };
        if !part {
            break;
        }
        length += 1;
    }
    rest.iter().take(length).collect()
}
