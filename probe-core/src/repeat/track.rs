//! Follows the frames that repeat themselves: how often, how fast, and whether it is a storm.

use std::collections::BTreeMap;

use super::{RepeatSeen, RepeatTotal};
use crate::direction::Direction;
use crate::frame::describe;
use crate::time::{Mono, SECOND};

/// Frames that are followed at most.
const MOST: usize = 1024;
/// Totals that an incident lists at most.
const MOST_TOTALS: usize = 256;
/// Time without a copy, or at less than [`CALM`], after which a storm is over, nanoseconds.
const QUIET: u64 = 2 * SECOND;
/// A storm goes on at this part of its rate: one that wavers is one.
const CALM: u64 = 4;
/// What a CPU tells at once begins another series only after so long without copies: counts are read once a second, or a little later.
const OTHER_CPU: u64 = 3 * SECOND;
/// Shortest time that a rate is taken over, nanoseconds.
const LEAST: u64 = SECOND / 2;

/// Which frame: interface, direction, hash.
pub type Key = (u32, Direction, u64);

/// Every frame that repeats itself, or did of late.
#[derive(Clone, Debug)]
pub struct Tracks {
    tracks: BTreeMap<Key, Track>,
    storm_rate: u64,
    /// How long a frame that has stopped is remembered, nanoseconds.
    keep: u64,
    lost: u64,
}

/// One frame.
#[derive(Clone, Debug)]
pub struct Track {
    /// Its last copy; `copies` are all since `first_at`.
    pub last: RepeatSeen,
    /// In words.
    pub what: String,
    /// Copies per second, lately.
    pub rate: u64,
    /// It is a storm now.
    pub storm: bool,
    peak: u64,
    /// Its last copy at a storm's rate.
    pub storm_at: Option<Mono>,
    /// Copies of before a pause.
    before: u64,
    checked: (Mono, u64),
}

impl Tracks {
    /// `storm_rate`: copies per second that make a storm.
    pub fn new(storm_rate: u64, keep: u64) -> Self {
        Self { tracks: BTreeMap::new(), storm_rate, keep, lost: 0 }
    }

    /// From now on a frame that has stopped is remembered for so many nanoseconds.
    pub fn set_keep(&mut self, keep: u64) {
        self.keep = keep;
    }

    /// A copy was seen, or counts were read, at `now`. `told`: the kernel programs found that it is a storm. True when it is one now and was
    /// none before.
    pub fn observe(&mut self, now: Mono, seen: RepeatSeen, told: bool) -> bool {
        let key = (seen.link.ifindex, seen.direction, seen.hash);
        if !self.tracks.contains_key(&key) && !self.make_room(now) {
            self.lost += 1;
            return false;
        }
        let (storm_rate, keep) = (self.storm_rate, self.keep);
        let track = self.tracks.entry(key).or_insert_with(|| Track::new(&seen));
        if !track.storm && seen.first_at.since(track.last.at) > keep {
            // It had stopped for longer than any incident reaches back: that is another story.
            *track = Track::new(&seen);
        }
        let measured = track.add(now, seen, told);
        let storm = told || measured && track.rate >= storm_rate;
        let begins = storm && !track.storm;
        if begins && track.storm_at.is_some_and(|at| track.last.at.since(at) > keep) {
            // The peak of an earlier storm is none of this one.
            track.peak = 0;
        }
        track.storm |= storm;
        let goes_on = track.storm && (!measured || track.rate >= storm_rate / CALM);
        if storm || goes_on {
            track.storm_at = track.storm_at.max(Some(track.last.at));
        }
        begins
    }

    /// The storms that have had no copy for a while: they are over.
    pub fn over(&mut self, now: Mono) -> Vec<Key> {
        let quiet = self.tracks.iter_mut().filter(|(_, track)| track.over_at().is_some_and(|at| now >= at));
        quiet
            .map(|(key, track)| {
                track.storm = false;
                *key
            })
            .collect()
    }

    /// One frame.
    pub fn get(&self, key: &Key) -> Option<&Track> {
        self.tracks.get(key)
    }

    /// The storms that go on.
    pub fn storms(&self) -> impl Iterator<Item = &Track> {
        self.tracks.values().filter(|track| track.storm)
    }

    /// What repeated itself from `from` to `to`, the most copied first, and how many more frames did.
    pub fn totals(&self, from: Mono, to: Mono) -> (Vec<RepeatTotal>, u64) {
        let within = |track: &&Track| track.last.at >= from && track.last.first_at <= to;
        let mut found: Vec<RepeatTotal> = self.tracks.values().filter(within).map(|track| track.total(from)).collect();
        found.sort_by_key(|total| std::cmp::Reverse(total.last.copies));
        let more = found.len().saturating_sub(MOST_TOTALS);
        found.truncate(MOST_TOTALS);
        (found, more as u64)
    }

    /// Frames that were not followed for want of room.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Forgets what has long stopped; when that is not enough, the frame with the fewest copies that is no storm.
    fn make_room(&mut self, now: Mono) -> bool {
        if self.tracks.len() < MOST {
            return true;
        }
        let oldest = now.minus(self.keep);
        self.tracks.retain(|_, track| track.storm || track.last.at >= oldest);
        if self.tracks.len() < MOST {
            return true;
        }
        let ordinary = self.tracks.iter().filter(|(_, track)| track.storm_at.is_none_or(|at| at < oldest));
        let Some(key) = ordinary.min_by_key(|(_, track)| track.last.copies).map(|(key, _)| *key) else { return false };
        self.tracks.remove(&key);
        self.lost += 1;
        true
    }
}

impl Track {
    fn new(seen: &RepeatSeen) -> Self {
        let last = RepeatSeen { copies: 0, ..seen.clone() };
        let checked = (seen.first_at, 0);
        Self { last, what: String::new(), rate: 0, storm: false, peak: 0, storm_at: None, before: 0, checked }
    }

    /// When it is over, if it is a storm and nothing more comes.
    pub fn over_at(&self) -> Option<Mono> {
        self.storm_at.filter(|_| self.storm).map(|at| at.plus(QUIET))
    }

    /// True when its rate was taken over long enough to say something.
    fn add(&mut self, now: Mono, seen: RepeatSeen, told: bool) -> bool {
        // After a pause the kernel programs may have begun to count anew. What is told at once is of one CPU: one that joins in
        // begins to count, and the others go on.
        let pause = if told { OTHER_CPU } else { 0 };
        let paused = seen.first_at > self.last.at.plus(pause);
        if paused {
            self.before = self.last.copies;
        }
        // What one CPU tells at once is at most what all of them have counted.
        let copies = self.last.copies.max(self.before + seen.copies);
        let grew = copies > self.last.copies;
        let first_at = self.last.first_at.min(seen.first_at);
        if self.what.is_empty() || self.last.bytes.is_empty() && !seen.bytes.is_empty() {
            self.what = words(&seen);
        }
        let bytes = if seen.bytes.is_empty() { std::mem::take(&mut self.last.bytes) } else { seen.bytes };
        let at = if grew { seen.at.max(self.last.at) } else { self.last.at };
        self.last = RepeatSeen { at, first_at, copies, bytes, ..seen };
        let (since, counted) = self.checked;
        let elapsed = now.since(since);
        let more = copies.saturating_sub(counted);
        if elapsed >= LEAST {
            self.rate = per_second(more, elapsed);
            self.checked = (now, copies);
            self.peak = self.peak.max(if elapsed < SECOND { more } else { self.rate });
        } else if self.rate == 0 {
            // Its first moments: as many copies a second as there would be if it went on.
            self.rate = per_second(more, elapsed.max(1));
            self.peak = self.peak.max(more);
        } else {
            self.peak = self.peak.max(more);
        }
        elapsed >= LEAST
    }

    /// For an incident that begins at `from`: a storm of before that is none of its own.
    fn total(&self, from: Mono) -> RepeatTotal {
        let storm = self.storm_at.is_some_and(|at| at >= from);
        RepeatTotal { last: self.last.clone(), what: self.what.clone(), peak_per_second: self.peak, storm }
    }
}

fn per_second(copies: u64, ns: u64) -> u64 {
    u64::try_from(u128::from(copies) * u128::from(SECOND) / u128::from(ns.max(1))).unwrap_or(u64::MAX)
}

/// What the frame is; of one whose bytes are not known, its class.
fn words(seen: &RepeatSeen) -> String {
    if seen.bytes.is_empty() {
        return format!("a frame of {} bytes, class {}", seen.length, seen.class);
    }
    describe(&seen.bytes, seen.length)
}
