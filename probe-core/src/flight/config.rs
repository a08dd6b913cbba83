//! What the engine is told at its start.

use std::collections::BTreeSet;

use crate::reach::Loss;
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
    /// Outages shorter than this fire nothing: what goes down waits so long. 0: nothing waits.
    pub ignore_shorter: u64,
    /// Slaves of each bond that must be up; 0 for no minimum.
    pub min_slaves: usize,
    /// The triggers that open an incident. All others join one that is open, and extend it. A manual one always opens.
    pub opens: BTreeSet<Kind>,
    /// When a probed target counts as lost, and as answering again.
    pub probe_loss: Loss,
    /// Copies of one frame in a second from which on they are a storm.
    pub storm_rate: u64,
    /// Packets of one link that the kernel drops in a second for one reason: as many are a burst.
    pub drop_burst: u64,
    /// Entries that the timeline holds.
    pub timeline_room: usize,
    /// How far the history of seconds and states reaches back; 0: there is none.
    pub history: u64,
    /// Bytes of memory that it takes at most.
    pub history_memory: usize,
}

impl Default for FlightConfig {
    fn default() -> Self {
        Self {
            watched: Watched::default(),
            before: 30 * SECOND,
            after: 10 * SECOND,
            longest: 300 * SECOND,
            cooldown: 5 * SECOND,
            ignore_shorter: 0,
            min_slaves: 1,
            opens: Kind::DEFAULT.into_iter().collect(),
            probe_loss: Loss::default(),
            storm_rate: u64::from(probe_common::repeat::STORM_RATE),
            drop_burst: 100,
            timeline_room: 65_536,
            history: 0,
            history_memory: 8 << 20,
        }
    }
}
