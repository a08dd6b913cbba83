//! All counters at one moment.

use probe_common::counters::TapCounters;

use crate::link::LinkStats;
use crate::table::Role;
use crate::time::Mono;
use crate::timeline::LinkName;

/// The watched links at one moment: totals since taps and links were made, not differences.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// When the taps were read.
    pub at: Mono,
    /// Each bond before its slaves, then the others.
    pub links: Vec<LinkSnapshot>,
}

impl Snapshot {
    /// Whether a link of that index is in it.
    pub fn has(&self, ifindex: u32) -> bool {
        self.links.iter().any(|link| link.link.ifindex == ifindex)
    }
}

/// One link.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkSnapshot {
    /// The link.
    pub link: LinkName,
    /// Why it is watched.
    pub role: Role,
    /// Its bond.
    pub master: Option<LinkName>,
    /// Its ingress tap; `None` where there is none.
    pub ingress: Option<TapSnapshot>,
    /// Its egress tap; `None` where there is none.
    pub egress: Option<TapSnapshot>,
    /// Its driver; `None` where the kernel did not tell in time.
    pub driver: Option<LinkStats>,
    /// Its speed in bits per second, as the driver said last; `None` where it does not tell.
    pub speed_bps: Option<u64>,
}

/// One tap.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TapSnapshot {
    /// Its id. The same link has another id when it was tapped anew: that one began at 0.
    pub tap: u16,
    /// What it counted, on all CPUs together.
    pub counters: TapCounters,
}
