//! What the kernel drops of the watched links, once a second, as an event of the engine.

use std::collections::{BTreeMap, BTreeSet};

use probe_common::drops::{DropKey, MAX_DROPS};
use probe_core::drops::{DropTotal, is_trouble};
use probe_core::flight::Event;
use probe_core::time::{Mono, SECOND};
use probe_core::timeline::LinkName;

use super::Agent;
use crate::kernel::drops::places;

/// Time between two readings of the kernel's symbols, nanoseconds: there are some hundred thousand. For a place of a link's trouble they are
/// read at once: there are few such places, and a row that is on the timeline gets no name later.
const SYMBOLS_EVERY: u64 = 30 * SECOND;

/// What was dropped when it was last looked at.
#[derive(Debug, Default)]
pub(super) struct Dropped {
    counts: BTreeMap<DropKey, u64>,
    places: BTreeMap<u64, String>,
    asked: Option<Mono>,
}

impl Agent {
    pub(super) fn drops(&mut self, now: Mono) {
        let counts = match self.kernel.drops.counts() {
            Ok(counts) => counts,
            Err(error) => return log::error!("drops: {error}"),
        };
        let before = |key: &DropKey| self.dropped.counts.get(key).copied().unwrap_or(0);
        let more: Vec<(DropKey, u64)> =
            counts.iter().map(|(key, count)| (*key, count.saturating_sub(before(key)))).filter(|(_, more)| *more > 0).collect();
        self.dropped.counts = counts;
        self.forget_drops(&more);
        if more.is_empty() {
            return;
        }
        self.find_places(now);
        let total = |(key, packets): (DropKey, u64)| DropTotal {
            link: LinkName { ifindex: key.ifindex, name: String::new() },
            reason: self.kernel.drops.reason(key.reason),
            place: self.dropped.places.get(&key.location).cloned().unwrap_or_default(),
            packets,
        };
        let drops = more.into_iter().map(total).collect();
        self.handle(Event::Drops(drops));
    }

    /// Makes room in the kernel's table: links come and go, and once it is full no further reason would be counted.
    fn forget_drops(&mut self, grown: &[(DropKey, u64)]) {
        let tapped: BTreeSet<u32> = self.kernel.taps().map(|tap| tap.ifindex).collect();
        let crowded = self.dropped.counts.len() > MAX_DROPS as usize * 3 / 4;
        let grows = |key: &DropKey| grown.iter().any(|(of, _)| of == key);
        let stale = |key: &&DropKey| !tapped.contains(&key.ifindex) || crowded && !grows(key);
        let stale: Vec<DropKey> = self.dropped.counts.keys().filter(stale).copied().collect();
        for key in stale {
            self.kernel.drops.forget(key);
            self.dropped.counts.remove(&key);
        }
    }

    fn find_places(&mut self, now: Mono) {
        let news = || self.dropped.counts.keys().filter(|key| !self.dropped.places.contains_key(&key.location));
        let unknown: BTreeSet<u64> = news().map(|key| key.location).collect();
        let due = self.dropped.asked.is_none_or(|asked| now.since(asked) >= SYMBOLS_EVERY);
        let urgent = || news().any(|key| is_trouble(&self.kernel.drops.reason(key.reason)));
        if unknown.is_empty() || !due && !urgent() {
            return;
        }
        self.dropped.asked = Some(now);
        let found = places(&unknown);
        // What cannot be told is not asked for again.
        self.dropped.places.extend(unknown.into_iter().map(|location| (location, String::new())));
        self.dropped.places.extend(found);
    }
}
