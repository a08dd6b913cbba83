//! How bad something is, in the eight severities of syslog (RFC 5424, 6.2.1, table 2).

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// A severity. Its number is syslog's, and so is its order: *less is worse*. A level of a sink lets pass what is `<=` to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// The system is unusable.
    Emergency = 0,
    /// Action must be taken at once.
    Alert = 1,
    /// Critical conditions.
    Critical = 2,
    /// Error conditions.
    Error = 3,
    /// Warning conditions.
    Warning = 4,
    /// Normal but significant.
    Notice = 5,
    /// Informational.
    Info = 6,
    /// For debugging.
    Debug = 7,
}

impl Level {
    /// All, the worst first, which is the order of their numbers.
    pub const ALL: [Self; 8] =
        [Self::Emergency, Self::Alert, Self::Critical, Self::Error, Self::Warning, Self::Notice, Self::Info, Self::Debug];

    /// Syslog's number, 0 to 7.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// Its name in full.
    pub fn name(self) -> &'static str {
        match self {
            Self::Emergency => "emergency",
            Self::Alert => "alert",
            Self::Critical => "critical",
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for Level {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A word that names no severity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no level: emergency, alert, critical, error, warning, notice, info or debug")]
pub struct UnknownLevel(String);

/// Reads a name in full, the short ones of syslog.conf(5), or a number; capital letters are as good as small ones.
impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Ok(match word.to_ascii_lowercase().as_str() {
            "emergency" | "emerg" | "panic" | "0" => Self::Emergency,
            "alert" | "1" => Self::Alert,
            "critical" | "crit" | "2" => Self::Critical,
            "error" | "err" | "3" => Self::Error,
            "warning" | "warn" | "4" => Self::Warning,
            "notice" | "5" => Self::Notice,
            "info" | "informational" | "6" => Self::Info,
            "debug" | "7" => Self::Debug,
            _ => return Err(UnknownLevel(word.chars().take(40).collect())),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_have_the_numbers_and_the_order_of_syslog() {
        for (number, level) in (0..).zip(Level::ALL) {
            assert_eq!(level.number(), number);
            assert_eq!(number.to_string().parse(), Ok(level));
            assert_eq!(level.to_string().parse(), Ok(level));
        }
        assert!(Level::Emergency < Level::Critical && Level::Warning < Level::Info, "less is worse");
    }

    #[test]
    fn the_usual_short_names_are_understood_and_other_words_refused() {
        let short = [("emerg", Level::Emergency), ("crit", Level::Critical), ("ERR", Level::Error), ("warn", Level::Warning)];
        for (word, level) in short {
            assert_eq!(word.parse(), Ok(level));
        }
        for word in ["", "8", "-1", "loud", "err ", "warnings"] {
            let error = word.parse::<Level>().unwrap_err();
            assert!(error.to_string().contains("emergency, alert"), "{error}");
        }
    }

    #[test]
    fn a_level_is_padded_like_any_word_and_serialized_by_name() {
        assert_eq!(format!("[{:<8}]", Level::Error), "[error   ]");
        assert_eq!(serde_json::to_string(&Level::Warning).unwrap(), "\"warning\"");
    }
}
