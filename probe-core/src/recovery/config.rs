//! What a recovery is told at its start.

use super::{Cause, RecoverMode};
use crate::time::SECOND;

/// Settings of a [`super::Recovery`]. Times are nanoseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveryConfig {
    /// Whether anything is done.
    pub mode: RecoverMode,
    /// What a bond is put back for.
    pub on: Vec<Cause>,
    /// Recoveries of a bond, and runs of the command, within an hour.
    pub limit: u32,
    /// Longest time for a slave that was put back to carry traffic.
    pub wait: u64,
    /// The command and its arguments; empty for none.
    pub command: Vec<String>,
    /// What the command is run for.
    pub command_on: Vec<Cause>,
}

impl Default for RecoveryConfig {
    fn default() -> Self {
        Self { mode: RecoverMode::Off, on: Vec::new(), limit: 2, wait: 10 * SECOND, command: Vec::new(), command_on: Vec::new() }
    }
}
