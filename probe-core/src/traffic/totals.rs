//! Totals that go on when taps are made anew.
//!
//! A tap that is attached again counts from 0. What is exported must not: so for each name of a link and direction, what earlier taps had
//! counted is kept and added. Drivers' counters stay as the kernel tells them, so that they equal `ip -s link`; they go back only where the
//! kernel's own do, when a link is made anew.

use probe_common::counters::TapCounters;

use super::difference::began_anew;
use super::{LinkSnapshot, Snapshot, TapSnapshot};
use crate::link::LinkStats;
use crate::table::Role;
use crate::time::Mono;
use crate::timeline::LinkName;

/// Links that are gone are remembered until there are so many links: when one comes back, its totals go on.
const MOST: usize = 1024;

/// Totals of every link that was watched.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Totals {
    /// When they were read; 0 before they were.
    pub at: Mono,
    /// In the order of the newest snapshot, then those that are gone.
    links: Vec<LinkTotal>,
}

/// One link.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkTotal {
    /// The link, as it is called now.
    pub link: LinkName,
    /// Why it is watched.
    pub role: Role,
    /// Its bond.
    pub master: Option<LinkName>,
    /// When it was seen last.
    pub seen: Mono,
    /// What its ingress taps counted, all that it has had; `None` when it never had one.
    pub ingress: Option<TapTotals>,
    /// What its egress taps counted.
    pub egress: Option<TapTotals>,
    /// The driver's counters, as they were told last.
    pub driver: Option<DriverTotal>,
    /// Its speed in bits per second.
    pub speed_bps: Option<u64>,
}

/// What the taps of one link and direction counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TapTotals {
    /// By all that were there before the present one.
    earlier: TapCounters,
    /// The present one.
    present: TapSnapshot,
}

/// What a driver had counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DriverTotal {
    /// When it was asked.
    pub at: Mono,
    /// The link that it was asked for: another one under the same name counts from 0.
    pub ifindex: u32,
    /// Its counters.
    pub stats: LinkStats,
}

impl Totals {
    /// Takes what was counted until the snapshot's time.
    pub fn take(&mut self, snapshot: &Snapshot) {
        let mut before = std::mem::take(&mut self.links);
        for link in &snapshot.links {
            let taps = [link.ingress, link.egress].map(|tap| tap.map(|tap| tap.tap));
            let found = position(&before, &link.link, taps, |total| !snapshot.has(total.link.ifindex));
            let total = found.map(|index| before.swap_remove(index));
            self.links.push(LinkTotal::after(total, link, snapshot.at));
        }
        before.sort_by_key(|total| std::cmp::Reverse(total.seen));
        before.truncate(MOST.saturating_sub(self.links.len()));
        self.links.append(&mut before);
        self.at = snapshot.at;
    }

    /// The links that are there.
    pub fn present(&self) -> impl Iterator<Item = &LinkTotal> {
        self.links.iter().filter(|link| link.seen == self.at)
    }

    /// All links, also those that are gone.
    pub fn links(&self) -> &[LinkTotal] {
        &self.links
    }

    /// What a link was before, if it was.
    pub(super) fn before(&self, link: &LinkTotal) -> Option<&LinkTotal> {
        position(&self.links, &link.link, link.taps(), |_| true).and_then(|index| self.links.get(index))
    }
}

/// The same link, also when it was renamed; else one that had its name and of which `free` holds.
fn position(links: &[LinkTotal], link: &LinkName, taps: [Option<u16>; 2], free: impl Fn(&LinkTotal) -> bool) -> Option<usize> {
    let tapped = |total: &LinkTotal| total.taps() == taps && taps != [None, None];
    let same = |total: &LinkTotal| total.link.ifindex == link.ifindex && (total.link.name == link.name || tapped(total));
    let named = || links.iter().position(|total| total.link.name == link.name && free(total));
    links.iter().position(same).or_else(named)
}

impl LinkTotal {
    fn after(before: Option<Self>, now: &LinkSnapshot, at: Mono) -> Self {
        let (ingress, egress, driver) = before.map_or((None, None, None), |total| (total.ingress, total.egress, total.driver));
        let told = now.driver.map(|stats| DriverTotal { at, ifindex: now.link.ifindex, stats });
        let same = driver.filter(|driver| driver.ifindex == now.link.ifindex);
        Self {
            link: now.link.clone(),
            role: now.role,
            master: now.master.clone(),
            seen: at,
            ingress: TapTotals::after(ingress, now.ingress),
            egress: TapTotals::after(egress, now.egress),
            driver: told.or(same),
            speed_bps: now.speed_bps,
        }
    }

    fn taps(&self) -> [Option<u16>; 2] {
        [self.ingress, self.egress].map(|tap| tap.map(|tap| tap.present.tap))
    }
}

impl TapTotals {
    fn after(before: Option<Self>, now: Option<TapSnapshot>) -> Option<Self> {
        match (before, now) {
            (None, now) => now.map(|present| Self { earlier: TapCounters::ZERO, present }),
            (before, None) => before,
            (Some(Self { mut earlier, present: last }), Some(present)) => {
                if last.tap != present.tap || began_anew(&present.counters, &last.counters) {
                    earlier.add(&last.counters);
                }
                Some(Self { earlier, present })
            }
        }
    }

    /// All of it together. What is no counter but state of one tap is left at zero.
    pub fn counters(&self) -> TapCounters {
        let mut counters = self.earlier;
        counters.add(&self.present.counters);
        counters
    }
}
