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
    pub const ALL: [Kind; 10] = [
        Kind::BondDown,
        Kind::BondUp,
        Kind::SlaveDown,
        Kind::SlaveUp,
        Kind::SlaveRemoved,
        Kind::SlaveAdded,
        Kind::MinSlaves,
        Kind::InterfaceDown,
        Kind::InterfaceUp,
        Kind::Manual,
    ];

    /// Their names, in the same order.
    pub const NAMES: [&str; 10] = [
        "bond-down",
        "bond-up",
        "slave-down",
        "slave-up",
        "slave-removed",
        "slave-added",
        "min-slaves",
        "interface-down",
        "interface-up",
        "manual",
    ];

    /// Those that open an incident unless the configuration says otherwise: what is bad. The others only join one.
    pub const DEFAULT: [Kind; 6] =
        [Kind::BondDown, Kind::SlaveDown, Kind::SlaveRemoved, Kind::MinSlaves, Kind::InterfaceDown, Kind::Manual];

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
