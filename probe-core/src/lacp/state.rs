//! The state of a port: eight flags in one octet (IEEE 802.1AX-2014, 6.4.2.3).

use std::fmt;

use serde::{Serialize, Serializer};

/// Names of the flags, from bit 0 on.
const NAMES: [&str; 8] =
    ["activity", "timeout", "aggregation", "synchronization", "collecting", "distributing", "defaulted", "expired"];

/// A port's state, as its actor tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PortState(pub u8);

macro_rules! flags {
    ($($(#[$doc:meta])* $name:ident = $bit:literal;)*) => {
        impl PortState {
            $($(#[$doc])* pub const fn $name(self) -> bool { self.0 & (1 << $bit) != 0 })*
        }
    };
}

flags! {
    /// It sends LACPDUs whether or not the partner does.
    activity = 0;
    /// It wants LACPDUs every second (short timeout), not every 30.
    timeout = 1;
    /// It can be one of several.
    aggregation = 2;
    /// It is in the right aggregator.
    synchronization = 3;
    /// It takes frames in.
    collecting = 4;
    /// It sends frames out.
    distributing = 5;
    /// What it knows of its partner is a default of its own: none was heard of.
    defaulted = 6;
    /// Its partner was not heard of for three periods.
    expired = 7;
}

impl PortState {
    /// Names of the flags that are set, from bit 0 on.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        NAMES.into_iter().enumerate().filter(move |(bit, _)| self.0 & (1 << bit) != 0).map(|(_, name)| name)
    }

    /// True when traffic passes both ways.
    pub const fn is_working(self) -> bool {
        self.synchronization() && self.collecting() && self.distributing() && !self.defaulted() && !self.expired()
    }
}

impl fmt::Display for PortState {
    /// `activity, aggregation, synchronization`; `none` when no flag is set.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("none");
        }
        self.names().enumerate().try_for_each(|(i, name)| write!(f, "{}{name}", if i == 0 { "" } else { ", " }))
    }
}

impl Serialize for PortState {
    /// A list of names.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.names())
    }
}
