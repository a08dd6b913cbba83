//! Drops in the engine: totals for an incident, and bursts of those that are a link's trouble.

use std::collections::{BTreeMap, VecDeque};

use super::{Action, Flight};
use crate::drops::{DropTotal, is_trouble};
use crate::time::{Mono, SECOND};
use crate::timeline::{Entry, LinkName, Source, What};
use crate::trigger::{Fired, Kind};

/// Rows that are kept at most, and that an incident lists at most.
const MOST_ROWS: usize = 16_384;
const MOST_TOTALS: usize = 256;
/// A burst that goes on is told again after this time, nanoseconds.
const AGAIN: u64 = 30 * SECOND;
/// Time without so many drops after which the next are another burst, nanoseconds.
const QUIET: u64 = 5 * SECOND;

/// What was dropped, each second of the recent past.
#[derive(Clone, Debug)]
pub(super) struct Drops {
    rows: VecDeque<(Mono, DropTotal)>,
    /// How long rows are kept, nanoseconds.
    keep: u64,
    lost: u64,
    /// By link and reason: when a burst was last seen, and when it was last told.
    bursts: BTreeMap<(u32, String), (Mono, Mono)>,
    /// Since the start, for `linkprobe status`.
    totals: BTreeMap<(String, String, String), u64>,
}

impl Drops {
    /// `window`: nanoseconds that an incident's window can be long.
    pub(super) fn new(window: u64) -> Self {
        let keep = window.saturating_add(60 * SECOND);
        Self { rows: VecDeque::new(), keep, lost: 0, bursts: BTreeMap::new(), totals: BTreeMap::new() }
    }

    /// From now on another window.
    pub(super) fn set_window(&mut self, window: u64) {
        self.keep = window.saturating_add(60 * SECOND);
    }

    /// What was dropped from `from` to `to`, most first.
    pub(super) fn window(&self, from: Mono, to: Mono) -> Vec<DropTotal> {
        let mut sums: BTreeMap<(u32, &str, &str), DropTotal> = BTreeMap::new();
        for (_, row) in self.rows.iter().filter(|(at, _)| (from..=to).contains(at)) {
            let sum = sums.entry((row.link.ifindex, &row.reason, &row.place));
            let sum = sum.or_insert_with(|| DropTotal { packets: 0, ..row.clone() });
            sum.packets = sum.packets.saturating_add(row.packets);
        }
        most_first(sums.into_values().collect())
    }

    /// What was dropped since the start, most first.
    pub(super) fn totals(&self) -> Vec<DropTotal> {
        let total = |((name, reason, place), packets): (&(String, String, String), &u64)| DropTotal {
            link: LinkName { ifindex: 0, name: name.clone() },
            reason: reason.clone(),
            place: place.clone(),
            packets: *packets,
        };
        most_first(self.totals.iter().map(total).collect())
    }

    /// Rows that were pushed out before their time, or had no room.
    pub(super) fn lost(&self) -> u64 {
        self.lost
    }

    fn take(&mut self, now: Mono, row: &DropTotal) {
        let oldest = now.minus(self.keep);
        while self.rows.front().is_some_and(|(at, _)| *at < oldest) {
            self.rows.pop_front();
        }
        if self.rows.len() >= MOST_ROWS {
            self.rows.pop_front();
            self.lost += 1;
        }
        self.rows.push_back((now, row.clone()));
        let key = (row.link.name.clone(), row.reason.clone(), row.place.clone());
        if self.totals.len() < MOST_ROWS || self.totals.contains_key(&key) {
            let total = self.totals.entry(key).or_default();
            *total = total.saturating_add(row.packets);
        } else {
            self.lost += 1;
        }
    }

    /// Whether a burst is to be told, and whether it begins.
    fn burst(&mut self, now: Mono, key: (u32, String)) -> (bool, bool) {
        self.bursts.retain(|_, (seen, _)| now.since(*seen) < QUIET);
        match self.bursts.get_mut(&key) {
            None => {
                self.bursts.insert(key, (now, now));
                (true, true)
            }
            Some((seen, told)) => {
                *seen = now;
                let again = now.since(*told) >= AGAIN;
                if again {
                    *told = now;
                }
                (again, false)
            }
        }
    }
}

fn most_first(mut totals: Vec<DropTotal>) -> Vec<DropTotal> {
    totals.sort_by_key(|total| std::cmp::Reverse(total.packets));
    totals.truncate(MOST_TOTALS);
    totals
}

impl Flight {
    /// What the kernel dropped in the last second.
    pub(super) fn drops(&mut self, now: Mono, drops: Vec<DropTotal>, actions: &mut Vec<Action>) {
        let mut bursts: BTreeMap<(u32, String), DropTotal> = BTreeMap::new();
        for mut row in drops {
            if self.table.role(row.link.ifindex).is_none() {
                continue;
            }
            row.link.name = self.table.name_of(row.link.ifindex);
            self.drops.take(now, &row);
            if is_trouble(&row.reason) {
                let sum = bursts.entry((row.link.ifindex, row.reason.clone()));
                let sum = sum.or_insert_with(|| DropTotal { packets: 0, ..row.clone() });
                sum.packets = sum.packets.saturating_add(row.packets);
            }
        }
        let least = self.config.drop_burst;
        for (key, sum) in bursts.into_iter().filter(|(_, sum)| sum.packets >= least) {
            let (told, begins) = self.drops.burst(now, key);
            if !told {
                continue;
            }
            let (reason, place, packets) = (sum.reason, sum.place, sum.packets);
            let about = reason.clone();
            let what = What::Drops { reason, place, packets, within_ns: SECOND };
            let entry = Entry { at: now, link: Some(sum.link), source: Source::Kernel, what };
            let fired = Fired { at: now, kind: Kind::Drops, link: entry.link.clone(), text: entry.describe() };
            self.report(vec![entry], actions);
            if begins {
                self.fire_about(&fired, &about, actions);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{closed, config, kinds, started};
    use super::*;
    use crate::flight::Event;
    use crate::samples::at;

    fn row(ifindex: u32, reason: &str, packets: u64) -> DropTotal {
        let link = LinkName { ifindex, name: String::new() };
        DropTotal { link, reason: reason.to_owned(), place: "__dev_queue_xmit".to_owned(), packets }
    }

    fn told(actions: &[Action]) -> Vec<String> {
        let entry = |action: &Action| match action {
            Action::Report(entry) if matches!(entry.what, What::Drops { .. }) => Some(entry.describe()),
            _ => None,
        };
        actions.iter().filter_map(entry).collect()
    }

    #[test]
    fn a_burst_of_a_full_queue_opens_an_incident_and_is_told_once_while_it_goes_on() {
        let mut flight = started(config());
        let first = flight.handle(at(60_000), Event::Drops(vec![row(1, "QDISC_DROP", 5000)]));
        assert_eq!(told(&first), ["eth1: 5000 packets dropped by the kernel: QDISC_DROP in __dev_queue_xmit"]);
        for second in 61..70 {
            let more = flight.handle(at(second * 1000), Event::Drops(vec![row(1, "QDISC_DROP", 5000)]));
            assert_eq!(told(&more), Vec::<String>::new());
        }
        let incident = closed(flight.handle(at(69_500), Event::Stop));
        assert_eq!(kinds(&incident), ["drops"]);
        let totals: Vec<_> = incident.drops.iter().map(|total| (total.link.name.as_str(), total.packets)).collect();
        assert_eq!(totals, [("eth1", 50_000)]);
    }

    #[test]
    fn what_any_machine_drops_is_counted_and_fires_nothing() {
        let mut flight = started(config());
        let ordinary = ["NO_SOCKET", "NETFILTER_DROP", "OTHERHOST", "TCP_OLD_DATA", "NOT_SPECIFIED", "0x20003"];
        let rows = ordinary.map(|reason| row(1, reason, 100_000)).to_vec();
        let few = row(1, "QDISC_DROP", 99);
        let actions = flight.handle(at(60_000), Event::Drops([rows, vec![few, row(99, "QDISC_DROP", 1_000_000)]].concat()));
        assert_eq!(actions, []);
        assert_eq!(flight.status(at(60_000)).drops.len(), 7);
    }

    #[test]
    fn a_burst_after_a_pause_is_another() {
        let mut flight = started(config());
        flight.handle(at(60_000), Event::Drops(vec![row(1, "QDISC_DROP", 500)]));
        let later = flight.handle(at(70_000), Event::Drops(vec![row(1, "QDISC_DROP", 500)]));
        assert_eq!(told(&later).len(), 1);
    }
}
