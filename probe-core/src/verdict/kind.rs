//! The findings by name.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::FindingKind;

/// A name that no finding has.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("no finding is called {name:?}: there are {}", FindingKind::ALL.map(FindingKind::name).join(", "))]
pub struct UnknownFinding {
    /// The name.
    pub name: String,
}

impl FindingKind {
    /// Every kind of finding.
    pub const ALL: [FindingKind; 22] = [
        FindingKind::BondDown,
        FindingKind::BondCarriesNothing,
        FindingKind::Degraded,
        FindingKind::AdminDown,
        FindingKind::CarrierLoss,
        FindingKind::Flapping,
        FindingKind::SlaveRemoved,
        FindingKind::PartnerSilent,
        FindingKind::LacpdusNotArriving,
        FindingKind::LacpdusNotSent,
        FindingKind::PartnerChanged,
        FindingKind::LacpTimeoutMismatch,
        FindingKind::LacpKeyMismatch,
        FindingKind::TxBlackout,
        FindingKind::RxBlackout,
        FindingKind::DuplicateStorm,
        FindingKind::GhostPackets,
        FindingKind::NextHopUnreachable,
        FindingKind::PathLoss,
        FindingKind::LocalDrops,
        FindingKind::LogFailure,
        FindingKind::Recovered,
    ];

    /// Its name in the configuration and in incident.json.
    pub const fn name(self) -> &'static str {
        match self {
            FindingKind::BondDown => "bond-down",
            FindingKind::BondCarriesNothing => "bond-carries-nothing",
            FindingKind::Degraded => "degraded",
            FindingKind::AdminDown => "admin-down",
            FindingKind::CarrierLoss => "carrier-loss",
            FindingKind::Flapping => "flapping",
            FindingKind::SlaveRemoved => "slave-removed",
            FindingKind::PartnerSilent => "partner-silent",
            FindingKind::LacpdusNotArriving => "lacpdus-not-arriving",
            FindingKind::LacpdusNotSent => "lacpdus-not-sent",
            FindingKind::PartnerChanged => "partner-changed",
            FindingKind::LacpTimeoutMismatch => "lacp-timeout-mismatch",
            FindingKind::LacpKeyMismatch => "lacp-key-mismatch",
            FindingKind::TxBlackout => "tx-blackout",
            FindingKind::RxBlackout => "rx-blackout",
            FindingKind::DuplicateStorm => "duplicate-storm",
            FindingKind::GhostPackets => "ghost-packets",
            FindingKind::NextHopUnreachable => "next-hop-unreachable",
            FindingKind::PathLoss => "path-loss",
            FindingKind::LocalDrops => "local-drops",
            FindingKind::LogFailure => "log-failure",
            FindingKind::Recovered => "recovered",
        }
    }
}

impl FromStr for FindingKind {
    type Err = UnknownFinding;

    fn from_str(name: &str) -> Result<Self, UnknownFinding> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| UnknownFinding { name: name.to_owned() })
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finding_is_found_by_the_name_that_incident_json_has_for_it() {
        for kind in FindingKind::ALL {
            assert_eq!(serde_json::to_value(kind).expect("a name"), kind.name());
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        let mut all = FindingKind::ALL.to_vec();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), FindingKind::ALL.len());
        assert!("tx-black-out".parse::<FindingKind>().expect_err("no such").to_string().contains("tx-blackout, rx-blackout"));
    }
}
