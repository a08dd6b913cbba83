//! The records of one incident in memory: at most so many bytes, and the ones that matter most.
//!
//! The control lane goes before the bulk lane, up to three quarters of the memory: a flood of pings must not push everything else out.
//! Within a lane, what is nearest in time to a trigger stays. What was set [`ASIDE`] goes before all else. What has to go is counted by tap and by time, so that the file can say
//! where packets are missing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use probe_common::recorder::{RecordHeader, lane};
use probe_core::record::records;
use probe_core::time::Mono;

use super::lost::Lost;
use super::pcapng::PACKET_OVERHEAD;
use super::source::{ASIDE, Chunk};

/// Most evicted blocks that are remembered one by one; more are remembered by time only, and cannot come back.
const MAX_EVICTED: usize = 16_384;
/// Most triggers that packets are kept near to; an incident with more is one long disturbance.
const MAX_TRIGGERS: usize = 1024;

/// A block: CPU, lane, sequence number.
type Key = (u32, usize, u64);

/// Records, bounded.
#[derive(Debug)]
pub struct Store {
    limit: usize,
    from: Mono,
    triggers: BTreeSet<Mono>,
    blocks: HashMap<Key, Held>,
    /// Every block of `blocks`, the dearest first.
    ranks: BTreeSet<Rank>,
    /// By lane.
    bytes: [usize; ASIDE + 1],
    evicted: BTreeMap<Key, Evicted>,
    /// Highest sequence number by CPU and lane whose evicted records were folded into `lost`.
    folded: HashMap<(u32, usize), u64>,
    lost: Lost,
    passed_over: Lost,
    any_evicted: bool,
    /// Oldest block that was seen, by CPU and lane: its sequence number and the time of its first record.
    oldest: HashMap<(u32, usize), (u64, Mono)>,
}

/// Bulk after control, what was set aside after that; then by distance from the nearest trigger in nanoseconds.
type Rank = (usize, u64, Key);

#[derive(Debug)]
struct Held {
    bytes: Vec<u8>,
    /// Bytes in the file.
    weight: usize,
    first: Mono,
    last: Mono,
    distance: u64,
}

#[derive(Debug, Default)]
struct Evicted {
    last: Mono,
    taps: Vec<(u16, u64)>,
}

impl Store {
    /// Holds records that take at most `limit` bytes in the file, none of them from before `from`, and prefers those near to `trigger`.
    pub fn new(limit: usize, from: Mono, trigger: Mono) -> Self {
        Self {
            limit,
            from,
            triggers: BTreeSet::from([trigger]),
            blocks: HashMap::new(),
            ranks: BTreeSet::new(),
            bytes: [0; ASIDE + 1],
            evicted: BTreeMap::new(),
            folded: HashMap::new(),
            lost: Lost::default(),
            passed_over: Lost::default(),
            any_evicted: false,
            oldest: HashMap::new(),
        }
    }

    /// Another trigger joined the incident.
    pub fn add_trigger(&mut self, at: Mono) {
        if self.triggers.len() < MAX_TRIGGERS && self.triggers.insert(at) {
            self.ranks.clear();
            for (key, held) in &mut self.blocks {
                held.distance = distance(&self.triggers, held.first, held.last);
                self.ranks.insert((key.1, held.distance, *key));
            }
        }
    }

    /// Takes all that is in a block so far, in place of what was taken of it before.
    pub fn put_whole(&mut self, chunk: Chunk) {
        self.see(&chunk);
        let key = (chunk.cpu, chunk.lane, chunk.seq);
        if self.folded.get(&(chunk.cpu, chunk.lane)).is_some_and(|&seq| chunk.seq <= seq) {
            return;
        }
        self.evicted.remove(&key);
        self.take(key);
        self.put(key, chunk.bytes);
    }

    /// Takes what came into a block since the last time. False when it had to go again at once: nothing near it is wanted.
    pub fn append(&mut self, chunk: Chunk) -> bool {
        self.see(&chunk);
        let key = (chunk.cpu, chunk.lane, chunk.seq);
        let bytes = match self.take(key) {
            Some(mut held) => {
                held.bytes.reserve_exact(chunk.bytes.len());
                held.bytes.extend_from_slice(&chunk.bytes);
                held.bytes
            }
            None => chunk.bytes,
        };
        self.put(key, bytes)
    }

    /// Bytes that what is held takes in the file.
    pub fn bytes(&self) -> usize {
        self.bytes.iter().sum()
    }

    /// True once something had to go that was not set aside, even if it came back.
    pub fn evicted(&self) -> bool {
        self.any_evicted
    }

    /// By lane, from when on every CPU's history was there; `None` where it reached back over the whole window.
    ///
    /// A lane whose first block was seen has lost nothing yet, however late that begins.
    pub fn complete_from(&self) -> [Option<Mono>; lane::COUNT] {
        let overwritten = self.oldest.iter().filter(|(_, (seq, first))| *seq > 1 && *first > self.from);
        let mut from = [None; lane::COUNT];
        for ((_, lane), (_, first)) in overwritten {
            // What was set aside begins where the filter first left something out.
            let Some(from) = from.get_mut(*lane) else { continue };
            *from = (*from).max(Some(*first));
        }
        from
    }

    /// What is held, in the order of CPU, lane and sequence number; what had to go; what had to go of what was set aside.
    pub fn into_parts(mut self) -> (Vec<Chunk>, Lost, Lost) {
        while let Some((key, evicted)) = self.evicted.pop_first() {
            self.fold(key, &evicted);
        }
        let mut chunks: Vec<Chunk> = self
            .blocks
            .into_iter()
            .map(|((cpu, lane, seq), held)| Chunk { cpu, lane, seq, bytes: held.bytes, began: None })
            .collect();
        chunks.sort_by_key(|chunk| (chunk.cpu, chunk.lane, chunk.seq));
        (chunks, self.lost, self.passed_over)
    }

    /// Remembers when a block began of which not all is here.
    fn see(&mut self, chunk: &Chunk) {
        if let Some(began) = chunk.began {
            let oldest = self.oldest.entry((chunk.cpu, chunk.lane)).or_insert((chunk.seq, began));
            *oldest = (*oldest).min((chunk.seq, began));
        }
    }

    fn put(&mut self, key: Key, bytes: Vec<u8>) -> bool {
        let times = || records(&bytes).map_while(Result::ok).map(|record| Mono(record.header.at_ns));
        let (Some(first), Some(last)) = (times().min(), times().max()) else {
            return true;
        };
        let oldest = self.oldest.entry((key.0, key.1)).or_insert((key.2, first));
        // Of a block that is known, a piece may come: it begins later.
        *oldest = (*oldest).min((key.2, first));
        if last < self.from {
            return true;
        }
        let distance = distance(&self.triggers, first, last);
        let weight = weight(&bytes);
        self.bytes[key.1] += weight;
        self.ranks.insert((key.1, distance, key));
        self.blocks.insert(key, Held { bytes, weight, first, last, distance });
        let mut kept = true;
        while self.bytes() > self.limit {
            let Some(worst) = self.worst() else { break };
            kept &= worst != key;
            self.evict(worst);
        }
        kept
    }

    /// What goes next: the farthest of what was set aside, of the bulk lane, or of the control lane where that has more than its share.
    fn worst(&self) -> Option<Key> {
        let share = self.limit / 4 * 3;
        let of_control = || self.ranks.range(..(lane::BULK, 0, (0, 0, 0))).next_back();
        let crowded = self.bytes[lane::CONTROL] > share && self.bytes[ASIDE] == 0;
        let rank = if crowded { of_control() } else { self.ranks.last() };
        rank.map(|(_, _, key)| *key)
    }

    fn take(&mut self, key: Key) -> Option<Held> {
        let held = self.blocks.remove(&key)?;
        self.ranks.remove(&(key.1, held.distance, key));
        self.bytes[key.1] -= held.weight;
        Some(held)
    }

    fn evict(&mut self, key: Key) {
        let Some(held) = self.take(key) else { return };
        self.any_evicted |= key.1 != ASIDE;
        let entry = self.evicted.entry(key).or_default();
        for record in records(&held.bytes).map_while(Result::ok) {
            if record.header.at_ns < self.from.0 {
                continue;
            }
            match entry.taps.iter_mut().find(|(tap, _)| *tap == record.header.tap) {
                Some((_, packets)) => *packets += 1,
                None => entry.taps.push((record.header.tap, 1)),
            }
        }
        entry.last = entry.last.max(held.last);
        if self.evicted.len() > MAX_EVICTED
            && let Some((key, evicted)) = self.evicted.pop_first()
        {
            self.fold(key, &evicted);
        }
    }

    fn fold(&mut self, (cpu, lane, seq): Key, evicted: &Evicted) {
        let highest = self.folded.entry((cpu, lane)).or_default();
        *highest = (*highest).max(seq);
        let lost = if lane == ASIDE { &mut self.passed_over } else { &mut self.lost };
        for (tap, packets) in &evicted.taps {
            lost.add(evicted.last, *tap, *packets);
        }
    }
}

/// Bytes that records take in the file: there, each has more around it than in memory.
fn weight(bytes: &[u8]) -> usize {
    bytes.len() + records(bytes).map_while(Result::ok).count() * (PACKET_OVERHEAD - size_of::<RecordHeader>())
}

/// Nanoseconds from a span of time to the nearest trigger; 0 when one lies within.
fn distance(triggers: &BTreeSet<Mono>, first: Mono, last: Mono) -> u64 {
    let after = triggers.range(first..).next().map_or(u64::MAX, |next| next.since(last));
    let before = triggers.range(..first).next_back().map_or(u64::MAX, |previous| first.since(*previous));
    after.min(before)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{chunk, file_bytes};
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn times(chunks: &[Chunk]) -> Vec<u64> {
        chunks.iter().flat_map(|c| records(&c.bytes)).map(|r| r.expect("whole").header.at_ns / SECOND).collect()
    }

    /// A block of one frame per second, one for each of `seconds`.
    fn block(lane: usize, seq: u64, seconds: &[u64]) -> Chunk {
        let stamps: Vec<(u64, u16)> = seconds.iter().map(|s| (s * SECOND, 1)).collect();
        chunk(0, lane, seq, &stamps)
    }

    #[test]
    fn what_is_nearest_to_the_trigger_stays() {
        let one = file_bytes();
        let mut store = Store::new(3 * one, Mono(0), Mono(50 * SECOND));
        for second in 1..=49 {
            store.put_whole(block(lane::BULK, second, &[second]));
        }
        assert!(store.append(block(lane::BULK, 51, &[51])));
        assert!(!store.append(block(lane::BULK, 53, &[53])), "farther away than all that is held");
        let (chunks, lost, _) = store.into_parts();
        assert_eq!(times(&chunks), [48, 49, 51]);
        assert_eq!(lost.total(), 48);
    }

    #[test]
    fn the_control_lane_goes_before_the_bulk_lane() {
        let one = file_bytes();
        let mut store = Store::new(4 * one, Mono(0), Mono(50 * SECOND));
        (46..=50).for_each(|second| store.put_whole(block(lane::BULK, second, &[second])));
        (1..=3).for_each(|second| store.put_whole(block(lane::CONTROL, second, &[second])));
        assert_eq!(times(&store.into_parts().0), [1, 2, 3, 50]);
    }

    #[test]
    fn what_was_set_aside_goes_first_and_is_no_loss_of_what_is_wanted() {
        let one = file_bytes();
        let mut store = Store::new(4 * one, Mono(SECOND), Mono(50 * SECOND));
        (49..=51).for_each(|second| store.put_whole(block(ASIDE, second, &[second])));
        (1..=2).for_each(|second| store.put_whole(block(lane::BULK, second, &[second])));
        assert!(!store.evicted());
        (2..=4).for_each(|second| store.put_whole(block(lane::CONTROL, second, &[second])));
        assert_eq!(store.complete_from(), [Some(Mono(2 * SECOND)), None]);
        let (chunks, lost, passed_over) = store.into_parts();
        assert_eq!(times(&chunks), [2, 3, 4, 2]);
        assert_eq!((lost.total(), passed_over.total()), (1, 3));
    }

    #[test]
    fn a_flood_in_the_control_lane_leaves_a_quarter_to_the_bulk_lane() {
        let one = file_bytes();
        let mut store = Store::new(8 * one, Mono(0), Mono(50 * SECOND));
        (41..=49).for_each(|second| store.put_whole(block(lane::BULK, second, &[second])));
        (51..=90).for_each(|second| store.put_whole(block(lane::CONTROL, second, &[second])));
        assert_eq!(times(&store.into_parts().0), [51, 52, 53, 54, 55, 56, 48, 49]);
    }

    #[test]
    fn what_went_comes_back_when_a_later_trigger_is_near_it_and_is_no_loss_then() {
        let one = file_bytes();
        let mut store = Store::new(2 * one, Mono(0), Mono(10 * SECOND));
        for second in [9, 10, 19] {
            store.put_whole(block(lane::BULK, second, &[second]));
        }
        assert_eq!(store.bytes(), 2 * one);
        store.add_trigger(Mono(19 * SECOND));
        store.put_whole(block(lane::BULK, 19, &[19]));
        let (chunks, lost, _) = store.into_parts();
        assert_eq!(times(&chunks), [10, 19]);
        let lost: Vec<_> = lost.within(Mono(0), Mono(20 * SECOND), 1).collect();
        assert_eq!(lost, [(Mono(9 * SECOND + SECOND / 100), 1)]);
    }

    #[test]
    fn pieces_of_one_block_become_one_and_a_second_look_doubles_nothing() {
        let mut store = Store::new(1 << 20, Mono(0), Mono(5 * SECOND));
        store.put_whole(block(lane::BULK, 1, &[1, 2]));
        store.append(block(lane::BULK, 1, &[3]));
        store.put_whole(block(lane::BULK, 1, &[1, 2, 3, 4]));
        store.append(block(lane::BULK, 1, &[5]));
        assert_eq!(times(&store.into_parts().0), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn a_history_that_was_overwritten_says_from_when_on_it_is_whole() {
        let store_of = |blocks: &[Chunk]| {
            let mut store = Store::new(1 << 20, Mono(3 * SECOND), Mono(9 * SECOND));
            blocks.iter().for_each(|block| store.put_whole(block.clone()));
            store
        };
        let from = |blocks: &[Chunk]| store_of(blocks).complete_from()[lane::BULK].map(|at| at.0 / SECOND);
        assert_eq!(from(&[block(lane::BULK, 8, &[8]), block(lane::BULK, 7, &[5, 6])]), Some(5));
        assert_eq!(from(&[block(lane::BULK, 8, &[8]), block(lane::BULK, 7, &[2, 6])]), None, "it reaches back far enough");
        assert_eq!(from(&[block(lane::BULK, 8, &[8]), block(lane::BULK, 7, &[1, 2])]), None, "and farther than that");
        assert_eq!(from(&[block(lane::BULK, 1, &[8])]), None, "nothing was overwritten");
    }

    #[test]
    fn what_is_older_than_the_window_is_not_held() {
        let mut store = Store::new(1 << 20, Mono(3 * SECOND), Mono(5 * SECOND));
        store.put_whole(block(lane::BULK, 1, &[1, 2]));
        assert_eq!(store.bytes(), 0);
    }
}
