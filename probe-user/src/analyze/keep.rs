//! The packets that get into the compacted capture, in bounded memory.
//!
//! The newest ones wait in a queue until it is known whether a trigger is near them; what leaves it goes into the [`Store`], which prefers
//! control frames and what is near a trigger, as for the incidents of a running agent.

use std::collections::VecDeque;

use probe_common::class;
use probe_common::recorder::{MAX_SNAPLEN, NO_QUEUE, RecordHeader, lane};
use probe_core::dump::Frame;
use probe_core::filter::Filter;
use probe_core::record::{Record, encode};
use probe_core::replay::Kept;
use probe_core::time::Mono;

use crate::incident::Captured;
use crate::incident::filtered::wants;
use crate::incident::source::{Chunk, Missed};
use crate::incident::store::Store;

/// Bytes of records that are handled as one.
const CHUNK: usize = 32 * 1024;

/// Keeps packets.
#[derive(Debug)]
pub struct Keeper {
    /// By lane: the chunk that is being filled.
    open: [Vec<u8>; lane::COUNT],
    seq: u64,
    recent: VecDeque<Chunk>,
    recent_bytes: usize,
    /// Most bytes of `recent`.
    room: usize,
    store: Store,
    filter: Option<Filter>,
    /// Frames that were cut.
    pub truncated: u64,
    /// Frames that the filter did not take.
    pub filtered: u64,
}

impl Keeper {
    /// Holds at most `limit` bytes; the first packet passed at `from`.
    pub fn new(limit: u64, from: Mono, filter: Option<Filter>) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Self {
            open: Default::default(),
            seq: 0,
            recent: VecDeque::new(),
            recent_bytes: 0,
            room: limit / 4,
            store: Store::new(limit - limit / 4, Mono(0), from),
            filter,
            truncated: 0,
            filtered: 0,
        }
    }

    /// Takes a packet.
    pub fn keep(&mut self, at_ns: u64, kept: Kept, frame: &Frame<'_>) {
        let bytes = frame.bytes.get(..MAX_SNAPLEN).unwrap_or(frame.bytes);
        self.truncated += u64::from(bytes.len() < frame.bytes.len());
        let header = RecordHeader {
            at_ns,
            length: frame.length,
            captured: bytes.len() as u16,
            tap: kept.tap,
            queue: NO_QUEUE,
            segments: 1,
            class: kept.class,
            flags: 0,
            copies_log2: kept.copies_log2,
            reserved: 0,
        };
        let lane = if class::is_control(kept.class) { lane::CONTROL } else { lane::BULK };
        if lane == lane::BULK && self.filter.as_ref().is_some_and(|filter| !wants(filter, &Record { header, bytes })) {
            self.filtered += 1;
            return;
        }
        encode(&header, bytes, &mut self.open[lane]);
        if self.open[lane].len() >= CHUNK {
            self.close(lane);
        }
    }

    /// A trigger fired: packets near it are wanted most.
    pub fn trigger(&mut self, at: Mono) {
        self.store.add_trigger(at);
    }

    /// What was kept.
    pub fn finish(mut self) -> Captured {
        (0..lane::COUNT).for_each(|lane| self.close(lane));
        while let Some(chunk) = self.recent.pop_front() {
            self.store.append(chunk);
        }
        let limited = self.store.evicted();
        let (chunks, lost) = self.store.into_parts();
        Captured { chunks, lost, missed: Missed::default(), limited, complete_from: [None; lane::COUNT], looked: true }
    }

    fn close(&mut self, lane: usize) {
        let bytes = std::mem::take(&mut self.open[lane]);
        if bytes.is_empty() {
            return;
        }
        self.seq += 1;
        self.recent_bytes += bytes.len();
        self.recent.push_back(Chunk { cpu: 0, lane, seq: self.seq, bytes, began: None });
        while self.recent_bytes > self.room {
            let Some(chunk) = self.recent.pop_front() else { return };
            self.recent_bytes -= chunk.bytes.len();
            self.store.append(chunk);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use probe_core::record::records;

    fn kept(class: u8) -> Kept {
        Kept { tap: 1, class, copies_log2: 0 }
    }

    /// Keeps a frame of 1000 bytes each second, with a trigger at each of `triggers`; returns the seconds that are left.
    fn seconds(limit: u64, count: u64, triggers: &[u64]) -> (Vec<u64>, Captured) {
        let mut keeper = Keeper::new(limit, Mono(0), None);
        for second in 0..count {
            if triggers.contains(&second) {
                keeper.trigger(Mono(second));
            }
            let frame = Frame { bytes: &[7; 1000], length: 1500, direction: None, ifindex: 0 };
            keeper.keep(second, kept(class::id::TCP4), &frame);
        }
        let captured = keeper.finish();
        let records = captured.chunks.iter().flat_map(|chunk| records(&chunk.bytes)).map(|record| record.expect("whole"));
        (records.map(|record| record.header.at_ns).collect(), captured)
    }

    #[test]
    fn what_fits_is_all_there() {
        let (seconds, captured) = seconds(1 << 20, 100, &[]);
        assert_eq!(seconds, (0..100).collect::<Vec<u64>>());
        assert!(!captured.limited);
    }

    #[test]
    fn what_was_before_a_trigger_is_there_however_much_came_before_that() {
        let (seconds, captured) = seconds(1 << 20, 20_000, &[10_000]);
        assert!(captured.limited);
        assert!(captured.bytes() <= 1 << 20);
        assert!(seconds.contains(&0), "the beginning");
        assert!((9_900..=10_100).all(|second| seconds.contains(&second)), "around the trigger");
        let lost: u64 = captured.lost.total();
        assert_eq!(lost + seconds.len() as u64, 20_000, "the rest is counted");
    }
}
