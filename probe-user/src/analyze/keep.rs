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
use crate::incident::source::{ASIDE, Chunk, Missed};
use crate::incident::store::Store;

/// Bytes of records that are handled as one.
const CHUNK: usize = 32 * 1024;

/// Keeps packets.
#[derive(Debug)]
pub struct Keeper {
    /// By lane: the chunk that is being filled.
    open: [Vec<u8>; ASIDE + 1],
    seq: u64,
    /// What is wanted, and what the filter set aside, which must not shorten the wait of the others.
    recent: [Recent; 2],
    store: Store,
    filter: Option<Filter>,
    /// Frames that were cut.
    pub truncated: u64,
}

/// Chunks that wait.
#[derive(Debug, Default)]
struct Recent {
    chunks: VecDeque<Chunk>,
    bytes: usize,
    /// Most bytes of them.
    room: usize,
}

impl Keeper {
    /// Holds at most `limit` bytes; the first packet passed at `from`.
    pub fn new(limit: u64, from: Mono, filter: Option<Filter>) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let rooms = if filter.is_some() { [limit / 8; 2] } else { [limit / 4, 0] };
        Self {
            open: Default::default(),
            seq: 0,
            recent: rooms.map(|room| Recent { room, ..Recent::default() }),
            store: Store::new(limit - limit / 4, Mono(0), from),
            filter,
            truncated: 0,
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
        let lane = match &self.filter {
            _ if class::is_control(kept.class) => lane::CONTROL,
            Some(filter) if !wants(filter, &Record { header, bytes }) => ASIDE,
            _ => lane::BULK,
        };
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
        (0..=ASIDE).for_each(|lane| self.close(lane));
        for chunk in self.recent.into_iter().flat_map(|recent| recent.chunks) {
            self.store.append(chunk);
        }
        let limited = self.store.evicted();
        let (chunks, lost, passed_over) = self.store.into_parts();
        let (missed, complete_from) = (Missed::default(), [None; lane::COUNT]);
        Captured { chunks, lost, passed_over, missed, limited, complete_from, looked: true }
    }

    fn close(&mut self, lane: usize) {
        let bytes = std::mem::take(&mut self.open[lane]);
        if bytes.is_empty() {
            return;
        }
        self.seq += 1;
        let [wanted, aside] = &mut self.recent;
        let recent = if lane == ASIDE { aside } else { wanted };
        recent.bytes += bytes.len();
        recent.chunks.push_back(Chunk { cpu: 0, lane, seq: self.seq, bytes, began: None });
        while recent.bytes > recent.room {
            let Some(chunk) = recent.chunks.pop_front() else { return };
            recent.bytes -= chunk.bytes.len();
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

    #[test]
    fn what_the_filter_does_not_take_has_the_room_that_is_left() {
        let filter: Filter = "greater 1000".parse().expect("a filter");
        let mut keeper = Keeper::new(1 << 20, Mono(0), Some(filter));
        for second in 0..20_000 {
            let length = if second % 50 == 0 { 1500 } else { 1000 - 1 };
            keeper.keep(second, kept(class::id::TCP4), &Frame { bytes: &[7; 900], length, direction: None, ifindex: 0 });
        }
        let captured = keeper.finish();
        assert!((700_000..=1 << 20).contains(&captured.bytes()), "{} bytes", captured.bytes());
        let records: Vec<_> =
            captured.chunks.iter().flat_map(|chunk| records(&chunk.bytes)).map(|record| record.expect("whole")).collect();
        assert_eq!(records.iter().filter(|record| record.header.length == 1500).count(), 400, "all that are wanted");
        let passed_over: u64 = captured.passed_over.total();
        assert_eq!((passed_over + records.len() as u64, captured.lost.total(), captured.limited), (20_000, 0, false));
    }
}
