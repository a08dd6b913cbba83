//! What the engine is told at its start.

use std::collections::BTreeSet;

use crate::table::Watched;
use crate::time::SECOND;
use crate::trigger::Kind;

/// Settings of a [`super::Flight`]. Times are nanoseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlightConfig {
    /// Names of the links to watch.
    pub watched: Watched,
    /// How long before its first trigger an incident begins.
    pub before: u64,
    /// How long after its last trigger it ends.
    pub after: u64,
    /// How long after its first trigger it ends at the latest; what fires from there on opens the next one.
    pub longest: u64,
    /// How long after it fired a trigger does not fire again for the same link. Within an open incident it is counted there
    /// and extends the window; where it is longer than [`Self::after`] it also keeps such a trigger from opening the next one.
    pub cooldown: u64,
    /// Slaves of each bond that must be up; 0 for no minimum.
    pub min_slaves: usize,
    /// The triggers that open an incident. All others join one that is open, and extend it. A manual one always opens.
    pub opens: BTreeSet<Kind>,
    /// Entries that the timeline holds.
    pub timeline_room: usize,
}

impl Default for FlightConfig {
    fn default() -> Self {
        Self {
            watched: Watched::default(),
            before: 30 * SECOND,
            after: 10 * SECOND,
            longest: 300 * SECOND,
            cooldown: 5 * SECOND,
            min_slaves: 1,
            opens: Kind::DEFAULT.into_iter().collect(),
            timeline_room: 65_536,
        }
    }
}
