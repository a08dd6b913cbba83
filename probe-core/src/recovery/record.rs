//! What became of a recovery: kept beside the incident that it belongs to.

use serde::Serialize;

use super::{RecoverMode, Step};
use crate::time::Mono;
use crate::timeline::LinkName;

/// How a recovery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The bond works again.
    Recovered,
    /// Everything was done, and whether it works cannot be seen.
    Done,
    /// Everything was done, and the bond does not work.
    NotRecovered,
    /// Something could not be done.
    Failed,
    /// Nothing was done, for a reason.
    Refused,
    /// Nothing was done but told.
    DryRun,
    /// The agent was stopped before the end.
    Stopped,
}

impl Outcome {
    /// As people and JSON see it.
    pub const fn name(self) -> &'static str {
        match self {
            Outcome::Recovered => "recovered",
            Outcome::Done => "done",
            Outcome::NotRecovered => "not-recovered",
            Outcome::Failed => "failed",
            Outcome::Refused => "refused",
            Outcome::DryRun => "dry-run",
            Outcome::Stopped => "stopped",
        }
    }
}

/// A recovery, from its cause to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record {
    /// The incident.
    pub incident: String,
    /// Its directory.
    #[serde(skip)]
    pub directory: String,
    /// What it was for: names of findings and triggers.
    pub why: String,
    /// The bond; empty where none was found.
    pub bond: String,
    /// Whether anything was done.
    pub mode: RecoverMode,
    /// How it ended.
    pub outcome: Outcome,
    /// When it began.
    pub from: Mono,
    /// When it ended.
    pub to: Mono,
    /// What was done, in order.
    pub steps: Vec<Done>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Done {
    /// When.
    pub at: Mono,
    /// The bond or the slave.
    pub link: Option<LinkName>,
    /// What.
    pub step: Step,
    /// In words.
    pub text: String,
}
