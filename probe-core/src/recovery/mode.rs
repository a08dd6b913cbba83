//! Whether a bond is put back, only talked about, or left alone.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use thiserror::Error;

/// What is done when an incident asks for a recovery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecoverMode {
    /// Nothing, whatever is configured beside.
    #[default]
    Off,
    /// Everything is decided and told on the timeline, and nothing is done.
    DryRun,
    /// It is done.
    On,
}

/// A word that is no mode.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{word:?} is no way to recover: it is off, dry-run or on")]
pub struct UnknownMode {
    /// The word.
    pub word: String,
}

impl RecoverMode {
    /// Every mode.
    pub const ALL: [RecoverMode; 3] = [RecoverMode::Off, RecoverMode::DryRun, RecoverMode::On];

    /// Its name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            RecoverMode::Off => "off",
            RecoverMode::DryRun => "dry-run",
            RecoverMode::On => "on",
        }
    }
}

impl FromStr for RecoverMode {
    type Err = UnknownMode;

    fn from_str(word: &str) -> Result<Self, UnknownMode> {
        Self::ALL.into_iter().find(|mode| mode.name() == word).ok_or_else(|| UnknownMode { word: word.to_owned() })
    }
}

impl fmt::Display for RecoverMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_read_as_it_is_written_and_is_off_unless_said() {
        for mode in RecoverMode::ALL {
            assert_eq!(mode.name().parse(), Ok(mode));
        }
        assert_eq!(RecoverMode::default(), RecoverMode::Off);
        assert!("yes".parse::<RecoverMode>().expect_err("no mode").to_string().contains("off, dry-run or on"));
    }
}
