//! The verdict: what broke first, what followed, and what it was not.
//!
//! The [`rules`] find what they can in a [`case::Case`], each kind of finding in a file of its own; [`chain`] puts the findings in
//! order by time and by what can cause what ([`causes`]); [`judge`] makes the verdict of it. All of it is data in, data out.

mod case;
mod causes;
mod chain;
mod excluded;
mod finding;
mod judge;
mod kind;
mod lacp;
mod life;
mod missing;
#[cfg(test)]
mod reference;
mod rules;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod zoo;

use serde::Serialize;

use crate::time::Mono;
use crate::timeline::LinkName;

pub use judge::judge;
pub use kind::UnknownFinding;

/// How bad it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    #[default]
    Info,
    /// Redundancy is gone, or something is about to break.
    Warning,
    /// Traffic is lost.
    Critical,
}

impl Severity {
    /// As people and JSON see it.
    pub const fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Critical => "critical",
        }
    }
}

/// How sure the verdict is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// One of several that fit.
    #[default]
    Low,
    /// It fits, and something that would prove it is missing.
    Medium,
    /// The evidence leaves no other.
    High,
}

impl Confidence {
    /// As people and JSON see it.
    pub const fn name(self) -> &'static str {
        match self {
            Confidence::Low => "low",
            Confidence::Medium => "medium",
            Confidence::High => "high",
        }
    }
}

/// What was found, by its name in incident.json.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// The bond or interface can pass nothing: no carrier, or down.
    BondDown,
    /// The bond's carrier is up, and no slave passes traffic both ways.
    BondCarriesNothing,
    /// Some slaves of a bond do not work; others do.
    Degraded,
    /// Set down by the administrator.
    AdminDown,
    /// The carrier was lost.
    CarrierLoss,
    /// The carrier came and went several times.
    Flapping,
    /// A slave was taken out of its bond, or is gone.
    SlaveRemoved,
    /// The partner's LACPDUs stopped, with the carrier up.
    PartnerSilent,
    /// We send LACPDUs, and the partner says that it does not get them.
    LacpdusNotArriving,
    /// We do not send LACPDUs.
    LacpdusNotSent,
    /// Another system, key or port at the other end.
    PartnerChanged,
    /// The ends disagree on the LACP rate.
    LacpTimeoutMismatch,
    /// A slave is individual, or in another aggregator: keys or systems differ.
    LacpKeyMismatch,
    /// What is handed over for transmission does not reach the other end; receiving works.
    TxBlackout,
    /// Nothing is received, though we send and the carrier is up.
    RxBlackout,
    /// One frame is repeated byte for byte, many times a second.
    DuplicateStorm,
    /// More leaves one layer than went into it, or reaches the next.
    GhostPackets,
    /// The next hop does not answer ARP or neighbour solicitations, or probes.
    NextHopUnreachable,
    /// Targets behind the next hop do not answer; the next hop does.
    PathLoss,
    /// The kernel dropped packets.
    LocalDrops,
    /// A log line told of a failure.
    LogFailure,
    /// It works again.
    Recovered,
}

/// What supports a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Evidence {
    /// A packet in the capture.
    Packet {
        /// Its number there, from 1, as Wireshark counts it.
        number: u64,
        /// When it passed.
        at: Mono,
        /// What it is, in words.
        text: String,
    },
    /// An entry of the timeline, or a packet that is not in the capture.
    Entry {
        /// When.
        at: Mono,
        /// In words.
        text: String,
    },
    /// A count.
    Counter {
        /// What is counted, where.
        name: String,
        /// How many.
        value: u64,
    },
    /// A fact without a time of its own: an attribute, the absence of something.
    Fact {
        /// In words.
        text: String,
    },
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What.
    pub kind: FindingKind,
    /// When it began.
    pub at: Mono,
    /// When it ended, where it did.
    pub until: Option<Mono>,
    /// What it is about.
    pub link: Option<LinkName>,
    /// In a few words, for a chain.
    pub title: String,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// In one sentence.
    pub text: String,
    /// What to do about it, in one sentence; empty where nothing is to be done.
    pub action: String,
    /// What supports it, in order of time.
    pub evidence: Vec<Evidence>,
}

/// The verdict on an incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// In one sentence: what broke first, and what came of it.
    pub headline: String,
    /// The worst of its findings.
    pub severity: Severity,
    /// That of what came first.
    pub confidence: Confidence,
    /// The causal chain, in order of time: the first is the cause.
    pub chain: Vec<Finding>,
    /// What was found beside the chain.
    pub others: Vec<Finding>,
    /// What it was not: one sentence each, with what rules it out.
    pub excluded: Vec<String>,
    /// Evidence that is missing, and what it would have decided.
    pub missing: Vec<String>,
    /// What to do first.
    pub action: String,
}
