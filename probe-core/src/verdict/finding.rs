//! Making findings, and the short names that they have in a chain.

use super::{Confidence, Evidence, Finding, FindingKind, Severity};
use crate::time::Mono;
use crate::timeline::LinkName;

impl Finding {
    /// Of a kind, about a link, since a time, in one sentence.
    pub fn new(kind: FindingKind, link: Option<LinkName>, at: Mono, text: impl Into<String>) -> Self {
        Self {
            kind,
            at,
            until: None,
            link,
            title: kind.words().to_owned(),
            severity: Severity::Warning,
            confidence: Confidence::High,
            text: text.into(),
            action: String::new(),
            evidence: Vec::new(),
        }
    }

    /// Under another short name than that of its kind.
    #[must_use]
    pub fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Until when, where it is over.
    #[must_use]
    pub fn until(mut self, until: Option<Mono>) -> Self {
        self.until = until;
        self
    }

    /// How bad, and how sure.
    #[must_use]
    pub fn weighed(mut self, severity: Severity, confidence: Confidence) -> Self {
        (self.severity, self.confidence) = (severity, confidence);
        self
    }

    /// What to do about it.
    #[must_use]
    pub fn action(mut self, action: impl Into<String>) -> Self {
        self.action = action.into();
        self
    }

    /// What supports it.
    #[must_use]
    pub fn evidence(mut self, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        self.evidence.extend(evidence);
        self
    }

    /// True when it was going on at `at`.
    pub fn covers(&self, at: Mono) -> bool {
        self.at <= at && self.until.is_none_or(|until| at < until)
    }

    /// Name of its link, or nothing.
    pub fn link_name(&self) -> &str {
        self.link.as_ref().map_or("", |link| link.name.as_str())
    }

    /// Its link and its title: `eth1: carrier lost`.
    pub fn label(&self) -> String {
        match self.link_name() {
            "" => self.title.clone(),
            link => format!("{link}: {}", self.title),
        }
    }
}

impl Evidence {
    /// When, where it has a time.
    pub fn at(&self) -> Option<Mono> {
        match self {
            Evidence::Packet { at, .. } | Evidence::Entry { at, .. } => Some(*at),
            Evidence::Counter { .. } | Evidence::Fact { .. } => None,
        }
    }
}

impl FindingKind {
    /// In a few words.
    pub const fn words(self) -> &'static str {
        match self {
            FindingKind::BondDown => "down",
            FindingKind::BondCarriesNothing => "looks up and carries nothing",
            FindingKind::Degraded => "goes on with fewer slaves",
            FindingKind::AdminDown => "set down by the administrator",
            FindingKind::CarrierLoss => "carrier lost",
            FindingKind::Flapping => "carrier flaps",
            FindingKind::SlaveRemoved => "taken out of its bond",
            FindingKind::PartnerSilent => "the partner's LACPDUs stopped",
            FindingKind::LacpdusNotArriving => "our LACPDUs do not reach the partner",
            FindingKind::LacpdusNotSent => "no LACPDUs are sent",
            FindingKind::PartnerChanged => "another partner",
            FindingKind::LacpTimeoutMismatch => "the ends disagree on the LACP rate",
            FindingKind::LacpKeyMismatch => "LACP key or system mismatch",
            FindingKind::TxBlackout => "TX blackout",
            FindingKind::RxBlackout => "RX blackout",
            FindingKind::DuplicateStorm => "TX duplication storm",
            FindingKind::GhostPackets => "ghost packets",
            FindingKind::NextHopUnreachable => "the next hop does not answer",
            FindingKind::PathLoss => "targets behind the next hop do not answer",
            FindingKind::LocalDrops => "the kernel drops packets",
            FindingKind::LogFailure => "a log tells of a failure",
            FindingKind::Recovered => "works again",
        }
    }
}
