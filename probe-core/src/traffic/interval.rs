//! What the watched links carried over a time.

use probe_common::counters::TapCounters;

use super::difference;
use super::totals::{LinkTotal, TapTotals, Totals};
use crate::link::LinkStats;
use crate::matrix::Count;
use crate::table::Role;
use crate::time::Mono;
use crate::timeline::LinkName;

/// Everything between two moments: differences.
#[derive(Clone, Debug, PartialEq)]
pub struct Interval {
    /// Its beginning.
    pub from: Mono,
    /// Its end.
    pub to: Mono,
    /// Each bond before its slaves, then the others; at the end, those that vanished within it.
    pub links: Vec<LinkInterval>,
}

/// One link.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkInterval {
    /// The link.
    pub link: LinkName,
    /// Why it is watched.
    pub role: Role,
    /// Its bond.
    pub master: Option<LinkName>,
    /// It is there at the end.
    pub present: bool,
    /// At the ingress tap; `None` where there is none.
    pub ingress: Option<TapCounters>,
    /// At the egress tap; `None` where there is none.
    pub egress: Option<TapCounters>,
    /// By the driver; `None` where it told nothing at one of the ends, or the link is another one than at the beginning.
    pub driver: Option<DriverInterval>,
    /// Its speed in bits per second at the end.
    pub speed_bps: Option<u64>,
}

/// What a driver counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DriverInterval {
    /// Nanoseconds between the two times that it told: another time than the interval where it once did not answer.
    pub ns: u64,
    /// What it counted in them.
    pub stats: LinkStats,
}

impl Interval {
    /// What was counted between two states of the totals. What a link had counted before it came under watch is no part of it.
    pub fn between(before: &Totals, after: &Totals) -> Self {
        let seen = after.links().iter().filter(|link| link.seen > before.at);
        let links = seen.map(|link| LinkInterval::between(before.before(link), link, after.at)).collect();
        Self { from: before.at, to: after.at, links }
    }

    /// Its length, nanoseconds.
    pub fn ns(&self) -> u64 {
        self.to.since(self.from)
    }
}

impl LinkInterval {
    fn between(before: Option<&LinkTotal>, after: &LinkTotal, end: Mono) -> Self {
        // A tap that was not there at the beginning has counted from 0 within the interval.
        let tap = |after: Option<TapTotals>, before: Option<TapTotals>| {
            let before = before.map_or(TapCounters::ZERO, |tap| tap.counters());
            Some(difference::tap(&after?.counters(), &before))
        };
        let driver = || {
            let (before, after) = (before?.driver?, after.driver?);
            let ns = after.at.since(before.at);
            let same = before.ifindex == after.ifindex && ns > 0;
            same.then(|| DriverInterval { ns, stats: difference::driver(&after.stats, &before.stats) })
        };
        Self {
            link: after.link.clone(),
            role: after.role,
            master: after.master.clone(),
            present: after.seen == end,
            ingress: tap(after.ingress, before.and_then(|link| link.ingress)),
            egress: tap(after.egress, before.and_then(|link| link.egress)),
            driver: driver(),
            speed_bps: after.speed_bps,
        }
    }
}

/// All classes of a tap together.
pub fn sum(counters: &TapCounters) -> Count {
    let mut sum = Count::default();
    for class in &counters.classes {
        sum.packets += class.segments;
        sum.frames += class.packets;
        sum.bytes += class.bytes;
    }
    sum
}
