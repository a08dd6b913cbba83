//! What must be found of each fault, and what must not.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::case::Outcome;
use super::fault::{Fault, Mode};
use crate::harness::Incident;
use crate::harness::json::list;

/// Names of findings and triggers, as in incident.json.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// The first finding is one of these; empty: there is no incident.
    pub first: &'static [&'static str],
    /// These are found as well.
    pub also: &'static [&'static str],
    /// These are not found.
    pub never: &'static [&'static str],
    /// One of these fired.
    pub triggers: &'static [&'static str],
    /// Words that stand among what it was not.
    pub excluded: &'static [&'static str],
    /// The kernel dropped for reasons that begin so, each at a place that has a name.
    pub drops: &'static [&'static str],
}

/// Findings of a bond that is broken from within, which no fault outside of it may bring.
const HARD: &[&str] = &["duplicate-storm", "admin-down", "carrier-loss", "flapping", "slave-removed", "partner-changed"];
/// Findings of LACP and its kin, which a loss of carrier must not be taken for.
const SOFT: &[&str] = &[
    "duplicate-storm",
    "tx-blackout",
    "rx-blackout",
    "partner-silent",
    "lacpdus-not-arriving",
    "partner-changed",
    "lacp-key-mismatch",
    "lacp-timeout-mismatch",
    "ghost-packets",
];

/// What must be made of a fault.
pub fn expected(fault: Fault, mode: Mode) -> Expected {
    let lacp = mode == Mode::Lacp;
    let none = Expected::default();
    match fault {
        Fault::TxDuplication => Expected {
            first: &["duplicate-storm"],
            also: if lacp {
                &["tx-blackout", "ghost-packets", "lacpdus-not-arriving", "bond-carries-nothing"]
            } else {
                &["tx-blackout", "ghost-packets"]
            },
            never: &["carrier-loss", "admin-down", "flapping", "rx-blackout", "slave-removed", "partner-silent", "path-loss"],
            triggers: &["storm"],
            excluded: &["no carrier loss", "not set down", "no RX loss"],
            ..none
        },
        Fault::CarrierBoth => {
            Expected { first: &["carrier-loss"], also: &["bond-down"], never: SOFT, triggers: &["bond-down"], ..none }
        }
        Fault::CarrierOne => Expected {
            first: &["carrier-loss"],
            also: &["degraded"],
            never: &[
                "bond-down",
                "bond-carries-nothing",
                "duplicate-storm",
                "tx-blackout",
                "rx-blackout",
                "admin-down",
                "flapping",
            ],
            triggers: &["slave-down"],
            ..none
        },
        Fault::AdminDown => Expected {
            first: &["admin-down"],
            never: &["duplicate-storm", "tx-blackout", "rx-blackout", "carrier-loss", "flapping", "lacp-key-mismatch"],
            triggers: &["bond-down"],
            ..none
        },
        Fault::PartnerLacpDead => Expected {
            first: &["partner-silent"],
            never: &[
                "carrier-loss",
                "admin-down",
                "duplicate-storm",
                "tx-blackout",
                "rx-blackout",
                "flapping",
                "lacpdus-not-sent",
            ],
            triggers: &["lacp-down"],
            ..none
        },
        Fault::PartnerRestart => Expected {
            first: &["partner-changed"],
            never: &["carrier-loss", "admin-down", "duplicate-storm", "tx-blackout", "rx-blackout", "slave-removed"],
            triggers: &["lacp-partner"],
            ..none
        },
        Fault::KeyMismatch => Expected {
            first: &["lacp-key-mismatch"],
            never: &["carrier-loss", "admin-down", "duplicate-storm", "tx-blackout", "rx-blackout", "bond-down"],
            triggers: &["lacp-partner", "lacp-down"],
            ..none
        },
        Fault::TimeoutMismatch => Expected {
            first: &["lacp-timeout-mismatch"],
            never: &["carrier-loss", "admin-down", "duplicate-storm", "tx-blackout", "rx-blackout", "lacp-key-mismatch"],
            triggers: &["lacp-down"],
            ..none
        },
        Fault::RxBlackout => Expected {
            first: if lacp { &["rx-blackout"] } else { &["rx-blackout", "next-hop-unreachable"] },
            never: &["carrier-loss", "admin-down", "duplicate-storm", "tx-blackout", "lacpdus-not-sent", "flapping"],
            triggers: if lacp { &["blackout", "lacp-down"] } else { &["blackout", "probe-down"] },
            ..none
        },
        Fault::NextHopDead => Expected {
            first: &["next-hop-unreachable"],
            never: &[
                "tx-blackout",
                "rx-blackout",
                "partner-silent",
                "lacpdus-not-arriving",
                "path-loss",
                "carrier-loss",
                "admin-down",
            ],
            triggers: &["probe-down"],
            ..none
        },
        Fault::PathOnly => Expected {
            first: &["path-loss"],
            never: &["next-hop-unreachable", "tx-blackout", "rx-blackout", "partner-silent", "carrier-loss", "duplicate-storm"],
            triggers: &["probe-down"],
            ..none
        },
        Fault::Flapping => Expected {
            first: &["flapping"],
            never: &["bond-down", "admin-down", "duplicate-storm", "tx-blackout", "rx-blackout", "slave-removed"],
            triggers: &["slave-down"],
            ..none
        },
        Fault::TxDrops => Expected { first: &["local-drops"], never: HARD, triggers: &["drops"], drops: &["QDISC_"], ..none },
        Fault::SlaveRemoved => Expected {
            first: &["slave-removed"],
            also: &["bond-down"],
            never: &["duplicate-storm", "tx-blackout", "rx-blackout", "flapping", "lacp-key-mismatch"],
            triggers: &["slave-removed"],
            ..none
        },
        Fault::Clean => none,
    }
}

impl Expected {
    /// Holds an outcome against it.
    ///
    /// # Errors
    /// With what is not as expected.
    pub fn holds(&self, outcome: &Outcome) -> Result<()> {
        let Some(incident) = outcome.incidents.first() else {
            ensure!(self.first.is_empty(), "no incident came of it:\n{}", outcome.log);
            return Ok(());
        };
        ensure!(!self.first.is_empty(), "there must be no incident:\n{}\n{}", incident.report, outcome.log);
        ensure!(outcome.incidents.len() == 1, "{} incidents came of one fault:\n{}", outcome.incidents.len(), outcome.log);
        let fired = incident.trigger_kinds()?;
        ensure!(fired.iter().any(|kind| self.triggers.contains(&kind.as_str())), "{fired:?} fired, none of {:?}", self.triggers);
        let verdict = Found::of(incident)?;
        let excluded = incident.json["verdict"]["excluded"].to_string();
        for words in self.excluded {
            ensure!(excluded.contains(words), "{words:?} is not among what it was not: {excluded}\n{}", incident.report);
        }
        let first = verdict.chain.first().context("the verdict is empty")?;
        ensure!(
            self.first.contains(&first.as_str()),
            "found first: {first}, not {:?}; {verdict:?}\n{}",
            self.first,
            incident.report
        );
        let all = || verdict.chain.iter().chain(&verdict.others);
        for wanted in self.also {
            ensure!(all().any(|kind| kind == wanted), "{wanted} is not found: {verdict:?}\n{}", incident.report);
        }
        let dropped = list(&incident.json, "/drops")?;
        for reason in self.drops {
            let named = |drop: &&Value| drop["reason"].as_str().is_some_and(|name| name.starts_with(reason));
            let place = |drop: &Value| drop["place"].as_str().is_some_and(|place| !place.is_empty());
            let mut rows = dropped.iter().filter(named).peekable();
            ensure!(rows.peek().is_some() && rows.all(place), "{reason} without a place: {dropped:#?}\n{}", incident.report);
        }
        for wrong in self.never {
            ensure!(all().all(|kind| kind != wrong), "{wrong} is found: {verdict:?}\n{}", incident.report);
        }
        Ok(())
    }
}

/// The findings of an incident, by name.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The verdict in one sentence.
    pub headline: String,
    /// The chain, first the cause.
    pub chain: Vec<String>,
    /// The others.
    pub others: Vec<String>,
}

impl Found {
    /// Of an incident.
    ///
    /// # Errors
    /// When its JSON is not as expected.
    pub fn of(incident: &Incident) -> Result<Found> {
        let verdict = &incident.json["verdict"];
        let kinds = |list: &Value| -> Vec<String> {
            let kind = |finding: &Value| finding["kind"].as_str().map(str::to_owned);
            list.as_array().into_iter().flatten().filter_map(kind).collect()
        };
        let headline = verdict["headline"].as_str().unwrap_or_default().to_owned();
        Ok(Found { headline, chain: kinds(&verdict["chain"]), others: kinds(&verdict["others"]) })
    }
}
