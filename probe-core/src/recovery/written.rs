//! An incident that is safe on disk, as far as a recovery has to know it.

use super::Cause;
use crate::incident::Trigger;
use crate::timeline::LinkName;
use crate::verdict::{Finding, FindingKind, Severity, Verdict};

/// The incident.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Its id.
    pub id: String,
    /// Its directory.
    pub directory: String,
    /// The verdict in one line.
    pub headline: String,
    /// The worst of its findings.
    pub severity: Severity,
    /// What was found: the chain, then what is beside it.
    pub findings: Vec<Found>,
    /// What fired, in order.
    pub triggers: Vec<Fire>,
}

/// A finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What.
    pub kind: FindingKind,
    /// What it is about.
    pub link: Option<LinkName>,
    /// It was over within the incident.
    pub over: bool,
}

/// A trigger that fired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fire {
    /// Its name.
    pub kind: &'static str,
    /// The link that it is about.
    pub link: Option<LinkName>,
}

/// What of an incident is a cause to act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The cause.
    pub cause: Cause,
    /// The link that it is about.
    pub link: Option<LinkName>,
    /// A finding that was not over at the incident's end.
    pub goes_on: bool,
}

impl Written {
    /// Of an incident with this verdict.
    pub fn new(id: &str, directory: &str, headline: &str, verdict: &Verdict, triggers: &[Trigger]) -> Self {
        let found = |finding: &Finding| Found { kind: finding.kind, link: finding.link.clone(), over: finding.until.is_some() };
        Self {
            id: id.to_owned(),
            directory: directory.to_owned(),
            headline: headline.to_owned(),
            severity: verdict.severity,
            findings: verdict.chain.iter().chain(&verdict.others).map(found).collect(),
            triggers: triggers.iter().map(|trigger| Fire { kind: trigger.kind, link: trigger.link.clone() }).collect(),
        }
    }

    /// What of it is among `causes`: findings first, each in its order.
    pub fn matches(&self, causes: &[Cause]) -> Vec<Match> {
        let mut matches: Vec<Match> = Vec::new();
        for found in &self.findings {
            if let Some(cause) = causes.iter().find(|cause| cause.is_finding(found.kind)) {
                matches.push(Match { cause: *cause, link: found.link.clone(), goes_on: !found.over });
            }
        }
        for fire in &self.triggers {
            let Some(cause) = causes.iter().find(|cause| cause.is_trigger(fire.kind)) else { continue };
            if !matches.iter().any(|known| known.cause == *cause && known.link == fire.link) {
                matches.push(Match { cause: *cause, link: fire.link.clone(), goes_on: false });
            }
        }
        matches
    }
}

/// Names of causes, each once, for people: `tx-blackout, lacp-down`.
pub fn names(matches: &[Match]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for found in matches {
        if !names.contains(&found.cause.name()) {
            names.push(found.cause.name());
        }
    }
    names.join(", ")
}
