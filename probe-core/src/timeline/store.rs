//! Keeps the timeline: bounded, so that no link's flood pushes out what happened to the others.

use std::collections::{BTreeMap, VecDeque};

use super::{Entry, Source, What};
use crate::time::{Mono, SECOND};

/// Seconds for which the number of entries that were pushed out is known.
const LOSS_SECONDS: usize = 3600;

/// The newest entries, by link. A link has at most a sixteenth of the room; when there is no more room at all, the link with
/// the most entries gives way.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// By name, so that a link that is made again and again has one queue. Entries without a link are under "".
    queues: BTreeMap<String, VecDeque<Numbered>>,
    room: usize,
    length: usize,
    number: u64,
    lost: u64,
    /// Entries pushed out, by the second that they are of.
    lost_by_second: BTreeMap<u64, u64>,
}

/// An entry, and a number that orders those of equal time.
#[derive(Clone, Debug)]
struct Numbered {
    number: u64,
    entry: Entry,
}

impl Timeline {
    /// With room for so many entries.
    pub fn new(room: usize) -> Self {
        let room = room.max(16);
        Self { queues: BTreeMap::new(), room, length: 0, number: 0, lost: 0, lost_by_second: BTreeMap::new() }
    }

    /// Adds an entry. Its time may be before that of others: an edge's often is.
    pub fn push(&mut self, entry: Entry) {
        let name = entry.link.as_ref().map_or_else(String::new, |link| link.name.clone());
        let numbered = Numbered { number: self.number, entry };
        self.number += 1;
        self.length += 1;
        let queue = self.queues.entry(name.clone()).or_default();
        queue.push_back(numbered);
        if queue.len() > self.room / 16 {
            self.push_out(&name);
        }
        if self.length > self.room {
            let longest = self.queues.iter().max_by_key(|(_, queue)| queue.len());
            if let Some(name) = longest.map(|(name, _)| name.clone()) {
                self.push_out(&name);
            }
        }
    }

    /// The entries from `from` to `to`, both included, in order of time.
    pub fn window(&self, from: Mono, to: Mono) -> Vec<Entry> {
        let within = |numbered: &&Numbered| (from..=to).contains(&numbered.entry.at);
        let mut found: Vec<_> = self.queues.values().flatten().filter(within).collect();
        found.sort_by_key(|numbered| (numbered.entry.at, numbered.number));
        found.into_iter().map(|numbered| numbered.entry.clone()).collect()
    }

    /// Entries from `from` to `to` that were pushed out, to the second; of the last hour that had any.
    pub fn lost_within(&self, from: Mono, to: Mono) -> u64 {
        self.lost_by_second.range(from.0 / SECOND..=to.0 / SECOND).map(|(_, lost)| lost).sum()
    }

    /// Gives the newest carrier entry of a link that came by netlink its exact time. False when there is none that tells of
    /// this flip alone.
    pub fn set_exact(&mut self, name: &str, up: bool, at: Mono) -> bool {
        let alone = What::Carrier { up, unseen_ups: 0, unseen_downs: 0 };
        let mut entries = self.queues.get_mut(name).into_iter().flatten().rev().map(|numbered| &mut numbered.entry);
        let Some(entry) = entries.find(|entry| matches!(entry.what, What::Carrier { .. })) else { return false };
        let fits = entry.what == alone && entry.source == Source::Netlink && at <= entry.at;
        if fits {
            entry.at = at;
            entry.source = Source::Kernel;
        }
        fits
    }

    /// Entries that are there.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether nothing has happened.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Entries that were pushed out since the start.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    fn push_out(&mut self, name: &str) {
        let Some(queue) = self.queues.get_mut(name) else { return };
        let Some(old) = queue.pop_front() else { return };
        if queue.is_empty() {
            self.queues.remove(name);
        }
        self.length -= 1;
        self.lost += 1;
        *self.lost_by_second.entry(old.entry.at.0 / SECOND).or_default() += 1;
        if self.lost_by_second.len() > LOSS_SECONDS {
            self.lost_by_second.pop_first();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::LinkName;

    fn entry(at: u64, name: &str, up: bool) -> Entry {
        let what = What::Carrier { up, unseen_ups: 0, unseen_downs: 0 };
        let link = Some(LinkName { ifindex: 1, name: name.to_owned() });
        Entry { at: Mono(at), link, source: Source::Netlink, what }
    }

    fn times(entries: &[Entry]) -> Vec<u64> {
        entries.iter().map(|entry| entry.at.0).collect()
    }

    #[test]
    fn a_window_is_in_order_of_time_whatever_the_order_of_arrival() {
        let mut timeline = Timeline::new(100);
        for (at, name) in [(5, "a"), (3, "b"), (9, "a"), (5, "b"), (1, "a")] {
            timeline.push(entry(at, name, true));
        }
        let window = timeline.window(Mono(3), Mono(5));
        assert_eq!(times(&window), [3, 5, 5]);
        assert_eq!(window[1].link.as_ref().map(|link| link.name.as_str()), Some("a"));
    }

    #[test]
    fn a_flapping_link_does_not_push_out_what_happened_to_another() {
        let mut timeline = Timeline::new(1600);
        timeline.push(entry(1, "bond0", false));
        for at in 0..100_000 {
            timeline.push(entry(2 * SECOND + at, "eth1", at % 2 == 0));
        }
        assert_eq!(timeline.len(), 101);
        assert_eq!(timeline.lost(), 99_900);
        assert_eq!(timeline.window(Mono(0), Mono(1)).len(), 1);
    }

    #[test]
    fn entries_that_were_pushed_out_are_counted_in_the_window_that_they_are_of() {
        let mut timeline = Timeline::new(160);
        for second in 0..20 {
            timeline.push(entry(second * SECOND, "eth1", true));
        }
        assert_eq!(timeline.lost_within(Mono(0), Mono(100 * SECOND)), 10);
        assert_eq!(timeline.lost_within(Mono(8 * SECOND), Mono(100 * SECOND)), 2);
        assert_eq!(timeline.lost_within(Mono(10 * SECOND), Mono(100 * SECOND)), 0);
    }

    #[test]
    fn when_all_room_is_used_the_longest_queue_gives_way() {
        let mut timeline = Timeline::new(160);
        for link in 0..40u64 {
            for at in 0..=(link % 10) {
                timeline.push(entry(at, &format!("eth{link}"), true));
            }
        }
        assert_eq!(timeline.len(), 160);
        assert_eq!(timeline.lost(), 60);
        assert_eq!(
            timeline.window(Mono(0), Mono(99)).iter().filter(|e| e.link.as_ref().is_some_and(|l| l.name == "eth10")).count(),
            1
        );
    }

    #[test]
    fn an_exact_time_replaces_that_of_a_message_once() {
        let mut timeline = Timeline::new(100);
        timeline.push(entry(900, "eth1", false));
        assert!(timeline.set_exact("eth1", false, Mono(700)));
        assert!(!timeline.set_exact("eth1", false, Mono(600)));
        let window = timeline.window(Mono(0), Mono(999));
        assert_eq!((window[0].at, window[0].source), (Mono(700), Source::Kernel));
    }
}
