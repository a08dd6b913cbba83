//! Storms in the engine: a frame that is repeated like a storm fires once for its link and direction, however long it goes on.

use std::collections::BTreeMap;

use super::{Action, Flight};
use crate::direction::Direction;
use crate::incident::Incident;
use crate::repeat::{Key, RepeatSeen, StormRow, Tracks};
use crate::table::Role;
use crate::time::{Mono, SECOND};
use crate::timeline::{Entry, LinkName, Source, What};
use crate::trigger::{Fired, Kind};

/// Frames of one storm that the timeline tells of; those beyond are in the totals.
const MOST_TOLD: u32 = 16;

/// The repeats, and the storms that go on.
#[derive(Clone, Debug)]
pub(super) struct Repeats {
    tracks: Tracks,
    /// By bond or lone interface, and direction: what is repeated on a bond is seen on its slaves too, and is one storm.
    storms: BTreeMap<(u32, Direction), Storm>,
}

#[derive(Clone, Debug)]
struct Storm {
    /// The frame that began it.
    first: Key,
    frames: u32,
}

impl Repeats {
    /// `window`: nanoseconds that an incident's window can be long.
    pub(super) fn new(storm_rate: u64, window: u64) -> Self {
        Self { tracks: Tracks::new(storm_rate, window.saturating_add(60 * SECOND)), storms: BTreeMap::new() }
    }

    /// From now on another window.
    pub(super) fn set_window(&mut self, window: u64) {
        self.tracks.set_keep(window.saturating_add(60 * SECOND));
    }

    /// When it is to be seen whether a storm is over.
    pub(super) fn deadline(&self) -> Option<Mono> {
        self.tracks.storms().filter_map(crate::repeat::Track::over_at).min()
    }

    /// Frames that were not followed for want of room.
    pub(super) fn lost(&self) -> u64 {
        self.tracks.lost()
    }

    /// The storms that go on, for `linkprobe status`.
    pub(super) fn rows(&self) -> Vec<StormRow> {
        let row = |track: &crate::repeat::Track| StormRow {
            link: track.last.link.clone(),
            direction: track.last.direction,
            what: track.what.clone(),
            copies: track.last.copies,
            rate: track.rate,
        };
        self.tracks.storms().map(row).collect()
    }

    /// Puts into an incident what repeated itself in its window.
    pub(super) fn complete(&self, incident: &mut Incident) {
        (incident.repeats, _) = self.tracks.totals(incident.from, incident.to);
    }
}

impl Flight {
    /// The kernel programs tell of a storm.
    pub(super) fn repeat(&mut self, now: Mono, seen: RepeatSeen, actions: &mut Vec<Action>) {
        self.repeated(now, seen, true, actions);
        self.storms_go_on(now, actions);
    }

    /// What the kernel programs have counted.
    pub(super) fn repeats(&mut self, now: Mono, seen: Vec<RepeatSeen>, actions: &mut Vec<Action>) {
        for seen in seen {
            self.repeated(now, seen, false, actions);
        }
        self.storms_go_on(now, actions);
    }

    fn repeated(&mut self, now: Mono, mut seen: RepeatSeen, told: bool, actions: &mut Vec<Action>) {
        let ifindex = seen.link.ifindex;
        let Some(role) = self.table.role(ifindex) else { return };
        seen.link.name = self.table.name_of(ifindex);
        let key = (ifindex, seen.direction, seen.hash);
        let at = if told { seen.at } else { now };
        if !self.repeats.tracks.observe(at, seen, told) {
            return;
        }
        let group = match role {
            Role::Slave { master } => master,
            Role::Bond | Role::Plain => ifindex,
        };
        let storm = self.repeats.storms.get_mut(&(group, key.1));
        let fires = storm.is_none();
        let storm = match storm {
            Some(storm) => storm,
            None => self.repeats.storms.entry((group, key.1)).or_insert(Storm { first: key, frames: 0 }),
        };
        storm.frames += 1;
        if storm.frames > MOST_TOLD {
            return;
        }
        let Some(entry) = self.storm_entry(&key, true) else { return };
        let fired = Fired { at: entry.at, kind: Kind::Storm, link: entry.link.clone(), text: entry.describe() };
        self.report(vec![entry], actions);
        if fires {
            self.fire(&fired, actions);
        }
    }

    /// An incident goes on with its storms, up to its limit.
    fn storms_go_on(&mut self, now: Mono, actions: &mut Vec<Action>) {
        let last = self.repeats.tracks.storms().filter_map(|track| track.storm_at).max();
        if let (Some(last), Some(open)) = (last, &mut self.open) {
            actions.extend(open.go_on(last.min(now)).map(|until| Action::Extend { until }));
        }
    }

    /// Ends the storms that have had no copy for a while.
    pub(super) fn storms_over(&mut self, now: Mono, actions: &mut Vec<Action>) {
        if self.repeats.tracks.over(now).is_empty() {
            return;
        }
        let table = &self.table;
        let group = |ifindex: u32| match table.role(ifindex) {
            Some(Role::Slave { master }) => master,
            _ => ifindex,
        };
        let going: Vec<(u32, Direction)> =
            self.repeats.tracks.storms().map(|track| (group(track.last.link.ifindex), track.last.direction)).collect();
        let (go_on, over): (BTreeMap<_, _>, BTreeMap<_, _>) =
            std::mem::take(&mut self.repeats.storms).into_iter().partition(|(group, _)| going.contains(group));
        self.repeats.storms = go_on;
        for storm in over.into_values() {
            let Some(entry) = self.storm_entry(&storm.first, false) else { continue };
            let fired = Fired { at: entry.at, kind: Kind::StormEnd, link: entry.link.clone(), text: entry.describe() };
            self.report(vec![entry], actions);
            self.fire(&fired, actions);
        }
    }

    fn storm_entry(&self, key: &Key, begins: bool) -> Option<Entry> {
        let track = self.repeats.tracks.get(key)?;
        let repeat = RepeatSeen { bytes: Vec::new(), ..track.last.clone() };
        // A storm begins with its first copy, unless that one was an ordinary frame long before.
        let at = match begins {
            true if repeat.at.since(repeat.first_at) < SECOND => repeat.first_at,
            _ => repeat.at,
        };
        let link = LinkName { ifindex: key.0, name: repeat.link.name.clone() };
        let what = What::Storm { begins, repeat, what: track.what.clone(), rate: track.rate };
        Some(Entry { at, link: Some(link), source: Source::Kernel, what })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{closed, config, doings, kinds, started};
    use super::*;
    use crate::flight::Event;
    use crate::samples::at;

    const MS: u64 = 1_000_000;

    fn seen(ms: u64, first_ms: u64, ifindex: u32, hash: u64, copies: u64) -> RepeatSeen {
        let mut arp = vec![0xff; 6];
        arp.extend_from_slice(&[0, 0x0c, 0x29, 1, 2, 3, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 0, 0x0c, 0x29, 1, 2, 3, 10, 100, 100, 75]);
        arp.extend_from_slice(&[0, 0, 0, 0, 0, 0, 10, 100, 100, 65]);
        RepeatSeen {
            at: at(ms),
            first_at: at(first_ms),
            link: LinkName { ifindex, name: String::new() },
            direction: Direction::Egress,
            hash,
            copies,
            length: 60,
            class: "arp",
            bytes: arp,
        }
    }

    fn counted(ms: u64, first_ms: u64, ifindex: u32, hash: u64, copies: u64) -> RepeatSeen {
        RepeatSeen { bytes: Vec::new(), ..seen(ms, first_ms, ifindex, hash, copies) }
    }

    fn storms(actions: &[Action]) -> Vec<String> {
        let entry = |action: &Action| match action {
            Action::Report(entry) if matches!(entry.what, What::Storm { .. }) => {
                Some(format!("{} {}", entry.at.0 / MS, entry.describe()))
            }
            _ => None,
        };
        actions.iter().filter_map(entry).collect()
    }

    fn opens(actions: &[Action]) -> usize {
        actions.iter().filter(|action| matches!(action, Action::Open(_))).count()
    }

    #[test]
    fn a_storm_opens_one_incident_with_its_packet_in_words_and_its_slaves_join() {
        let mut flight = started(config());
        let actions = flight.handle(at(60_001), Event::Repeat(Box::new(seen(60_001, 60_000, 10, 7, 256))));
        let told = "bond0: duplicate storm, egress: ARP who-has 10.100.100.65 tell 10.100.100.75, broadcast: 256 copies, \
                    256000 in a second";
        assert_eq!(storms(&actions), [format!("60000 {told}")]);
        assert_eq!(doings(&actions), ["open 1 storm", "until 70001"]);
        let slave = flight.handle(at(60_002), Event::Repeat(Box::new(seen(60_002, 60_000, 1, 9, 256))));
        assert_eq!((storms(&slave).len(), opens(&slave)), (1, 0));
        let second = flight.handle(at(60_003), Event::Repeat(Box::new(seen(60_003, 60_001, 10, 8, 256))));
        assert_eq!((storms(&second).len(), opens(&second)), (1, 0));
        // Doublings are not told again.
        let doubled = flight.handle(at(60_004), Event::Repeat(Box::new(seen(60_004, 60_000, 10, 7, 512))));
        assert_eq!((storms(&doubled).len(), opens(&doubled)), (0, 0));
    }

    #[test]
    fn a_long_storm_is_one_incident_up_to_its_limit_and_its_end_is_told_once() {
        let mut flight = started(config());
        let mut opened = 0;
        let mut incidents = Vec::new();
        flight.handle(at(60_001), Event::Repeat(Box::new(seen(60_001, 60_000, 10, 7, 256))));
        for second in 61..1000u64 {
            let counted = counted(second * 1000, 60_000, 10, 7, (second - 60) * 370_000);
            let actions = flight.handle(at(second * 1000 + 20), Event::Repeats(vec![counted]));
            opened += opens(&actions);
            if actions.iter().any(|action| matches!(action, Action::Close(_))) {
                incidents.push(closed(actions));
            }
        }
        assert_eq!((opened, incidents.len()), (0, 1));
        assert_eq!(incidents[0].to.since(incidents[0].from), config().before + config().longest);
        assert!(storms(&flight.handle(at(1_000_500), Event::Tick)).is_empty());
        let end = flight.handle(at(1_002_000), Event::Tick);
        assert_eq!(storms(&end).len(), 1);
        assert!(storms(&end)[0].contains("duplicate storm over, egress"), "{end:?}");
        assert_eq!(storms(&flight.handle(at(1_010_000), Event::Tick)), Vec::<String>::new());
    }

    #[test]
    fn an_incident_lists_what_was_repeated_the_most_copied_first_with_the_peak() {
        let mut flight = started(config());
        flight.handle(at(60_001), Event::Repeat(Box::new(seen(60_001, 60_000, 10, 7, 256))));
        flight.handle(at(60_002), Event::Repeat(Box::new(seen(60_002, 60_001, 10, 8, 256))));
        for (second, copies) in [(61u64, 370_000u64), (62, 740_000), (63, 750_000)] {
            let both = vec![
                counted(second * 1000, 60_000, 10, 7, copies),
                counted(second * 1000, 60_001, 10, 8, copies / 3),
                counted(second * 1000, 60_001, 4, 5, (second - 60) * 50),
            ];
            flight.handle(at(second * 1000), Event::Repeats(both));
        }
        flight.handle(at(66_000), Event::Tick);
        let stopped = flight.handle(at(70_000), Event::Stop);
        let incident = &closed(stopped);
        assert_eq!(kinds(incident), ["storm", "storm-end"]);
        let rows: Vec<_> = incident.repeats.iter().map(|total| (total.last.copies, total.storm, total.peak_per_second)).collect();
        assert_eq!(rows, [(750_000, true, 370_000), (250_000, true, 123_333), (150, false, 50)]);
        assert!(incident.repeats[0].what.starts_with("ARP who-has"), "{:?}", incident.repeats[0]);
        assert_eq!(incident.repeats[2].what, "a frame of 60 bytes, class arp");
    }

    #[test]
    fn repeats_below_the_rate_and_those_of_other_links_are_no_storm() {
        let mut flight = started(config());
        for second in 60..80u64 {
            let slow = counted(second * 1000, 60_000, 10, 7, (second - 60) * 500 + 1);
            let foreign = counted(second * 1000, 60_000, 99, 7, (second - 59) * 500_000);
            assert_eq!(storms(&flight.handle(at(second * 1000), Event::Repeats(vec![slow, foreign]))), Vec::<String>::new());
        }
    }

    #[test]
    fn a_storm_that_no_cpu_sees_alone_is_found_by_the_sum() {
        let mut flight = started(config());
        flight.handle(at(61_000), Event::Repeats(vec![counted(61_000, 60_000, 10, 7, 900)]));
        let actions = flight.handle(at(62_000), Event::Repeats(vec![counted(62_000, 60_000, 10, 7, 9000)]));
        assert_eq!(storms(&actions).len(), 1, "{actions:?}");
    }

    #[test]
    fn a_storm_that_moves_to_another_cpu_is_counted_once() {
        let mut flight = started(config());
        for copies in [256, 512, 1024] {
            flight.handle(at(60_001), Event::Repeat(Box::new(seen(60_001, 60_000, 10, 7, copies))));
        }
        flight.handle(at(60_500), Event::Repeat(Box::new(seen(60_500, 60_499, 10, 7, 256))));
        flight.handle(at(61_000), Event::Repeats(vec![counted(61_000, 60_000, 10, 7, 9000)]));
        let incident = closed(flight.handle(at(70_000), Event::Stop));
        assert_eq!(incident.repeats[0].last.copies, 9000);
    }

    #[test]
    fn a_storm_of_long_before_is_none_of_a_later_incident() {
        let mut flight = started(config());
        flight.handle(at(60_001), Event::Repeat(Box::new(seen(60_001, 60_000, 10, 7, 256))));
        // it goes on at an ordinary rate for an hour, and another frame comes back after one
        for second in 61..3660u64 {
            flight
                .handle(at(second * 1000), Event::Repeats(vec![counted(second * 1000, 60_000, 10, 7, 256 + (second - 60) * 20)]));
        }
        flight.handle(at(3_660_000), Event::Repeats(vec![counted(3_660_000, 3_659_900, 10, 8, 40)]));
        flight.handle(at(3_660_001), Event::Manual { reason: "look".to_owned() });
        let incident = closed(flight.handle(at(3_680_000), Event::Stop));
        let rows: Vec<_> = incident.repeats.iter().map(|total| (total.last.hash, total.storm)).collect();
        assert_eq!(rows, [(7, false), (8, false)]);
        let again = flight.handle(at(9_000_001), Event::Repeat(Box::new(seen(9_000_001, 9_000_000, 10, 8, 256))));
        assert!(storms(&again)[0].contains(": 256 copies"), "{again:?}");
    }

    #[test]
    fn after_a_pause_copies_go_on_adding_up_and_the_storm_is_another() {
        let mut flight = started(config());
        flight.handle(at(60_001), Event::Repeat(Box::new(seen(60_001, 60_000, 10, 7, 256))));
        assert_eq!(storms(&flight.handle(at(63_000), Event::Tick)).len(), 1);
        let again = flight.handle(at(70_001), Event::Repeat(Box::new(seen(70_001, 70_000, 10, 7, 256))));
        assert!(storms(&again)[0].contains("512 copies"), "{again:?}");
    }
}
