//! What `linkprobe status` shows of recoveries.

use serde::{Deserialize, Serialize};

use super::{RecoverMode, Recovery};
use crate::time::{Mono, seconds};

/// The recovery, at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RecoveryStatus {
    /// off, dry-run or on.
    pub mode: String,
    /// What is done now; empty for nothing.
    pub now: String,
    /// What the last one was for and how it ended; empty where there was none since the start.
    pub last: String,
    /// Seconds since it ended.
    pub last_age_s: Option<f64>,
    /// How it ended, by its name; empty where there was none.
    pub last_outcome: String,
    /// Its incident.
    pub last_incident: String,
    /// Recoveries and runs of the command in an hour at most.
    pub limit: u32,
    /// How many are left within this hour, by bond, and `command`.
    pub left: Vec<Left>,
}

/// How many are left.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// The bond, or `command`.
    pub what: String,
    /// So many.
    pub count: u32,
}

impl Recovery {
    /// At `now`; `bonds` are the names of the watched ones.
    pub fn status(&self, now: Mono, bonds: &[String]) -> RecoveryStatus {
        let last = self.last.as_ref();
        let mut what: Vec<String> = if self.config.on.is_empty() { Vec::new() } else { bonds.to_vec() };
        if !self.config.command.is_empty() {
            what.push("command".to_owned());
        }
        let left = |what: String| {
            let count = self.config.limit.saturating_sub(self.state.count(&what, now));
            Left { what, count }
        };
        let running = self.run.as_ref().map(super::run::Run::words);
        let called = self.called.as_ref().map(|call| format!("running {}", call.argv.join(" ")));
        RecoveryStatus {
            mode: self.config.mode.name().to_owned(),
            now: running.into_iter().chain(called).collect::<Vec<_>>().join("; "),
            last: last.map_or_else(String::new, |record| {
                let bond = if record.bond.is_empty() { String::new() } else { format!("{}: ", record.bond) };
                format!("{bond}{} for {} (incident {})", record.outcome.name(), record.why, record.incident)
            }),
            last_age_s: last.map(|record| seconds(now.since(record.to))),
            last_outcome: last.map_or_else(String::new, |record| record.outcome.name().to_owned()),
            last_incident: last.map_or_else(String::new, |record| record.incident.clone()),
            limit: self.config.limit,
            left: if self.config.mode == RecoverMode::Off { Vec::new() } else { what.into_iter().map(left).collect() },
        }
    }
}
