//! Log lines: which of them tell of a failure or of a recovery.

mod defaults;
mod kmsg;
mod lines;
mod stamps;

use regex::{RegexBuilder, RegexSet, RegexSetBuilder};
use thiserror::Error;

pub use kmsg::{Record, record};
pub use lines::{LONGEST_LINE, Lines};
pub use stamps::Stamps;

/// Largest program that a pattern may compile to, bytes.
const LARGEST_PROGRAM: usize = 1 << 20;
/// Longest name of a pattern, bytes.
const LONGEST_NAME: usize = 32;
/// How a pattern is written, for messages.
const FORM: &str = "write NAME=REGEX, such as bgp-down=neighbor .* Down";

/// What lines are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// Its name.
    pub name: String,
    /// It tells of a failure; false: of a recovery.
    pub failure: bool,
    /// It is a trigger. What the kernel says of its links is none: netlink tells of it sooner and surer, and the line is only put
    /// beside it on the timeline.
    pub fires: bool,
    /// The regular expression, looked for anywhere in the line.
    pub regex: String,
}

/// Why a text is no pattern.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PatternError {
    /// It has no name, or an odd one.
    #[error("{0:?} has no name of letters, digits and - before its =; {FORM}")]
    Name(
        /// The text.
        String,
    ),
    /// The regular expression does not compile, or matches every line.
    #[error("pattern {name}: {problem}; {FORM}")]
    Regex {
        /// Name of the pattern.
        name: String,
        /// What is wrong with it, in one line.
        problem: String,
    },
}

impl Pattern {
    /// Reads `NAME=REGEX`: a trigger.
    ///
    /// # Errors
    /// When there is no name, or the regular expression does not compile.
    pub fn parse(text: &str, failure: bool) -> Result<Self, PatternError> {
        let odd = || PatternError::Name(text.chars().take(80).collect());
        let (name, regex) = text.split_once('=').ok_or_else(odd)?;
        let name = name.trim();
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(allowed) {
            return Err(odd());
        }
        let pattern = Self { name: name.to_owned(), failure, fires: true, regex: regex.to_owned() };
        pattern.check()?;
        Ok(pattern)
    }

    fn check(&self) -> Result<(), PatternError> {
        let wrong = |problem: String| PatternError::Regex { name: self.name.clone(), problem };
        let regex =
            RegexBuilder::new(&self.regex).size_limit(LARGEST_PROGRAM).build().map_err(|error| wrong(one_line(&error)))?;
        if regex.is_match("") {
            return Err(wrong("it matches every line".to_owned()));
        }
        Ok(())
    }
}

/// The last line of the crate's drawing says what is wrong.
fn one_line(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default().trim();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

/// All patterns, looked for at once.
#[derive(Clone, Debug)]
pub struct Patterns {
    patterns: Vec<Pattern>,
    set: RegexSet,
}

impl Patterns {
    /// These patterns, and the default ones after them.
    ///
    /// # Errors
    /// When they do not compile together.
    pub fn new(own: &[Pattern]) -> Result<Self, PatternError> {
        let mut patterns = own.to_vec();
        patterns.extend(defaults::patterns());
        let set = RegexSetBuilder::new(patterns.iter().map(|pattern| &pattern.regex));
        let size = LARGEST_PROGRAM.saturating_mul(patterns.len());
        let wrong = |error| PatternError::Regex { name: "all".to_owned(), problem: one_line(&error) };
        let set = { set }.size_limit(size).build().map_err(wrong)?;
        Ok(Self { patterns, set })
    }

    /// The first pattern that a line matches. Linkprobe's own lines match none: what it reports must not be news to it.
    pub fn find(&self, line: &str) -> Option<&Pattern> {
        if is_own(line) {
            return None;
        }
        self.set.matches(line).iter().next().and_then(|first| self.patterns.get(first))
    }
}

/// Whether a line is one of ours: `linkprobe: ` on standard error, `linkprobe[123]: ` in a system's log.
fn is_own(line: &str) -> bool {
    line.match_indices("linkprobe").any(|(at, name)| {
        let begins = line[..at].chars().next_back().is_none_or(char::is_whitespace);
        let rest = &line[at + name.len()..];
        let after = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((pid, after)) if pid.chars().all(|c| c.is_ascii_digit()) => after,
            _ => rest,
        };
        begins && after.starts_with(": ")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_that_does_not_compile_says_why_in_one_line() {
        let error = |text: &str| Pattern::parse(text, true).expect_err(text).to_string();
        assert!(error("a=(").starts_with("pattern a: unclosed group; write NAME=REGEX"), "{}", error("a=("));
        assert!(error("a=x{2000000000}").contains("pattern a: "), "{}", error("a=x{2000000000}"));
        assert!(error("a=.*").contains("it matches every line"));
        for text in ["down", "=down", "two words=down", "ä=down", ""] {
            assert!(error(text).contains("has no name"), "{text}");
        }
        assert!(!error("a=(?P<x").contains('\n'));
    }

    #[test]
    fn own_patterns_come_before_the_default_ones() {
        let own = [Pattern::parse("mine=NIC Link is Down", true).expect("a pattern")];
        let patterns = Patterns::new(&own).expect("patterns");
        let found = patterns.find("ixgbe 0000:01:00.0 eth1: NIC Link is Down").expect("found");
        assert_eq!((found.name.as_str(), found.fires), ("mine", true));
    }

    #[test]
    fn our_own_lines_are_no_news() {
        let patterns = Patterns::new(&[]).expect("patterns");
        let news = "Keepalived_vrrp[99]: (VI_1) Entering FAULT STATE";
        assert!(patterns.find(news).is_some());
        for own in [
            format!("linkprobe: kernel: {news}"),
            format!("Nov 30 18:57:12 r1 linkprobe[4711]: /var/log/messages: {news}"),
            format!("linkprobe: error: {news}"),
        ] {
            assert_eq!(patterns.find(&own), None, "{own}");
        }
        assert!(patterns.find(&format!("my-linkprobe: {news}")).is_some());
    }
}
