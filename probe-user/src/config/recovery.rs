//! Settings of what is done about an incident.

use std::time::Duration;

use clap::Args;
use clap::builder::PossibleValuesParser;
use probe_core::recovery::RecoverMode;

use super::lists::parse_reason;
use super::units::parse_duration;

/// Options of the recovery.
#[derive(Args, Clone, Debug, Default, PartialEq)]
pub struct RecoverySettings {
    /// After an incident, take slaves out of the bond and put them back: off, dry-run or on [default: off; dry-run with --recover-on]
    ///
    /// One slave at a time, never the last working one, and only when the incident is on disk; the next one when LACP works again on the
    /// one before. dry-run puts on the timeline what would be done.
    #[arg(long, value_name = "off|dry-run|on", value_parser = PossibleValuesParser::new(RecoverMode::ALL.map(RecoverMode::name)), hide_possible_values = true, help_heading = "Recovery")]
    pub recover: Option<String>,
    /// What it is done for: a list with commas, of findings and triggers, such as tx-blackout
    ///
    /// Findings are called as in incident.json, triggers as for --triggers.
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = parse_reason, help_heading = "Recovery")]
    pub recover_on: Option<Vec<String>>,
    /// At most so many recoveries of a bond in an hour [default: 2]
    #[arg(long, value_name = "N", help_heading = "Recovery")]
    pub recover_limit: Option<u32>,
    /// How long a slave that was put back may take until LACP works on it [default: 10s]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, help_heading = "Recovery")]
    pub recover_wait: Option<Duration>,
    /// Run a command after an incident, without a shell; given once for the command and once for each argument
    ///
    /// Its environment tells of the incident: LINKPROBE_INCIDENT, LINKPROBE_DIRECTORY, LINKPROBE_BOND, LINKPROBE_SLAVE, LINKPROBE_FINDINGS…
    /// It is run where --recover is on, and only told where it is dry-run.
    #[arg(long, value_name = "WORD", allow_hyphen_values = true, help_heading = "Recovery")]
    pub command: Option<Vec<String>>,
    /// What the command is run for: a list with commas, of findings and triggers
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = parse_reason, help_heading = "Recovery")]
    pub command_on: Option<Vec<String>>,
    /// How long the command may take before it is ended [default: 30s]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, help_heading = "Recovery")]
    pub command_timeout: Option<Duration>,
}

impl RecoverySettings {
    /// These settings, and those of `below` where these have none.
    #[must_use]
    pub fn over(self, below: Self) -> Self {
        macro_rules! first { ($($field:ident),*) => { Self { $($field: self.$field.or(below.$field)),* } } }
        first!(recover, recover_on, recover_limit, recover_wait, command, command_on, command_timeout)
    }
}
