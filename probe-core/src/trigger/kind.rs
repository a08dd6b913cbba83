//! The triggers by name.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// What can fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A bond can no longer pass packets: no carrier, operationally or administratively down, or deleted.
    BondDown,
    /// A bond can pass packets again.
    BondUp,
    /// A slave no longer carries traffic: no carrier, administratively down, or down for the bond's monitor.
    SlaveDown,
    /// A slave carries traffic again.
    SlaveUp,
    /// A slave left its bond, or is gone.
    SlaveRemoved,
    /// A slave came to a bond.
    SlaveAdded,
    /// A bond has fewer slaves that are up than the minimum, and had enough before.
    MinSlaves,
    /// An interface that is watched by name can no longer pass packets, or is gone.
    InterfaceDown,
    /// It can again.
    InterfaceUp,
    /// A slave stopped distributing, or one of its ends expired or defaulted: LACP no longer works there.
    LacpDown,
    /// LACP works there again.
    LacpUp,
    /// Another system, key or port answers at the other end of a slave.
    LacpPartner,
    /// A probed target no longer answers.
    ProbeDown,
    /// It answers again.
    ProbeUp,
    /// One frame is repeated like a storm.
    Storm,
    /// The storm is over.
    StormEnd,
    /// More packets left the bond than reached its slaves or the wire.
    Ghosts,
    /// Packets are handed over and do not reach the wire, or nothing is received any more.
    Blackout,
    /// That is over.
    BlackoutEnd,
    /// The packet rate is far from that of the minutes before.
    Rate,
    /// The kernel drops packets in a burst.
    Drops,
    /// A log line told of a failure.
    LogFailure,
    /// A log line told of a recovery.
    LogRecovery,
    /// Somebody asked for an incident.
    Manual,
}

/// A name that no trigger has.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("no trigger is called {name:?}: there are {}", Kind::NAMES.join(", "))]
pub struct UnknownKind {
    /// The name.
    pub name: String,
}

impl Kind {
    /// Every trigger.
    pub const ALL: [Kind; 24] = [
        Kind::BondDown,
        Kind::BondUp,
        Kind::SlaveDown,
        Kind::SlaveUp,
        Kind::SlaveRemoved,
        Kind::SlaveAdded,
        Kind::MinSlaves,
        Kind::InterfaceDown,
        Kind::InterfaceUp,
        Kind::LacpDown,
        Kind::LacpUp,
        Kind::LacpPartner,
        Kind::ProbeDown,
        Kind::ProbeUp,
        Kind::Storm,
        Kind::StormEnd,
        Kind::Ghosts,
        Kind::Blackout,
        Kind::BlackoutEnd,
        Kind::Rate,
        Kind::Drops,
        Kind::LogFailure,
        Kind::LogRecovery,
        Kind::Manual,
    ];

    /// Their names, in the same order.
    pub const NAMES: [&str; 24] = [
        "bond-down",
        "bond-up",
        "slave-down",
        "slave-up",
        "slave-removed",
        "slave-added",
        "min-slaves",
        "interface-down",
        "interface-up",
        "lacp-down",
        "lacp-up",
        "lacp-partner",
        "probe-down",
        "probe-up",
        "storm",
        "storm-end",
        "ghosts",
        "blackout",
        "blackout-end",
        "rate",
        "drops",
        "log-failure",
        "log-recovery",
        "manual",
    ];

    /// Those that open an incident unless the configuration says otherwise: what is bad. The others only join one.
    pub const DEFAULT: [Kind; 13] = [
        Kind::BondDown,
        Kind::SlaveDown,
        Kind::SlaveRemoved,
        Kind::MinSlaves,
        Kind::InterfaceDown,
        Kind::LacpDown,
        Kind::LacpPartner,
        Kind::ProbeDown,
        Kind::Storm,
        Kind::Blackout,
        Kind::Drops,
        Kind::LogFailure,
        Kind::Manual,
    ];

    /// Its name in the configuration and in incident.json.
    pub fn name(self) -> &'static str {
        match self {
            Kind::BondDown => "bond-down",
            Kind::BondUp => "bond-up",
            Kind::SlaveDown => "slave-down",
            Kind::SlaveUp => "slave-up",
            Kind::SlaveRemoved => "slave-removed",
            Kind::SlaveAdded => "slave-added",
            Kind::MinSlaves => "min-slaves",
            Kind::InterfaceDown => "interface-down",
            Kind::InterfaceUp => "interface-up",
            Kind::LacpDown => "lacp-down",
            Kind::LacpUp => "lacp-up",
            Kind::LacpPartner => "lacp-partner",
            Kind::ProbeDown => "probe-down",
            Kind::ProbeUp => "probe-up",
            Kind::Storm => "storm",
            Kind::StormEnd => "storm-end",
            Kind::Ghosts => "ghosts",
            Kind::Blackout => "blackout",
            Kind::BlackoutEnd => "blackout-end",
            Kind::Rate => "rate",
            Kind::Drops => "drops",
            Kind::LogFailure => "log-failure",
            Kind::LogRecovery => "log-recovery",
            Kind::Manual => "manual",
        }
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Self, UnknownKind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| UnknownKind { name: name.to_owned() })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trigger_is_found_by_its_name_and_another_name_is_answered_with_all() {
        for (kind, name) in Kind::ALL.into_iter().zip(Kind::NAMES) {
            assert_eq!((kind.name(), name.parse()), (name, Ok(kind)));
        }
        let error = "bond-gone".parse::<Kind>().expect_err("no such trigger");
        assert!(error.to_string().contains("bond-down, bond-up, slave-down"), "{error}");
    }
}
