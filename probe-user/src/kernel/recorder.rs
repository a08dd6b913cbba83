//! The recorder's reading side: the map's memory, mapped read-only, and copies out of it that are never torn.
//!
//! Everything is read as relaxed 64-bit atomics, because the kernel programs write at the same time; a block's `seq` read before and
//! after, with fences, says whether what lies between was copied whole. See [`probe_common::recorder`] for the writer's promises.

use std::{
    io,
    os::fd::AsFd,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering, fence},
    },
};

use memmap2::{MmapOptions, MmapRaw};
use probe_common::recorder::{BLOCK_SIZE, BLOCK_STRIDE, BlockHeader, lane};

use super::{config::Division, follow::Follower, rings::Filled};

const WORD: usize = size_of::<u64>();
const STRIDE_WORDS: usize = BLOCK_STRIDE / WORD;
const HEADER_BYTES: u64 = size_of::<BlockHeader>() as u64;

/// Whole records of one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawBlock {
    /// CPU that wrote them.
    pub cpu: u32,
    /// One of [`probe_common::recorder::lane`].
    pub lane: usize,
    /// Sequence number of the block within its CPU and lane.
    pub seq: u64,
    /// Records, for `probe_core::record::records`.
    pub bytes: Vec<u8>,
}

/// What was in the recorder at one moment.
#[derive(Debug)]
pub struct Snapshot {
    /// Copies, for each CPU and lane newest first; the control lane's before the bulk lane's.
    pub blocks: Vec<RawBlock>,
    /// Blocks, by lane, that were overwritten before they could be copied.
    pub overrun: [u64; lane::COUNT],
    /// Goes on where the copies end.
    pub follower: Follower,
}

/// How far back a lane reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// `CLOCK_MONOTONIC` of the oldest record that any CPU holds, in nanoseconds; `None` when the lane is empty.
    pub oldest_ns: Option<u64>,
    /// From when on nothing is missing: the oldest record of that CPU which has overwritten most; `None` while no CPU has overwritten any.
    pub complete_from_ns: Option<u64>,
}

impl Depth {
    /// Seconds from the time from which on nothing is missing (or the oldest record) to `now_ns`.
    pub fn seconds(&self, now_ns: u64) -> f64 {
        let from = self.complete_from_ns.or(self.oldest_ns).unwrap_or(now_ns);
        now_ns.saturating_sub(from) as f64 / 1e9
    }
}

/// A handle to the recorder's memory. Cheap to clone, and for any thread.
#[derive(Clone, Debug)]
pub struct Recorder {
    memory: Arc<Memory>,
}

#[derive(Debug)]
struct Memory {
    map: MmapRaw,
    division: Division,
    filled: Filled,
}

/// What a block's header says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) seq: u64,
    pub(super) committed: u64,
    pub(super) first_ns: u64,
}

impl Recorder {
    /// Maps the RECORDER map behind `fd`.
    pub(super) fn map(fd: impl AsFd, division: Division, filled: Filled) -> io::Result<Self> {
        let length = division.total() as usize * BLOCK_STRIDE;
        let fd = fd.as_fd().try_clone_to_owned()?;
        let map = MmapOptions::new().len(length).map_raw_read_only(&fd)?;
        Ok(Self { memory: Arc::new(Memory { map, division, filled }) })
    }

    /// How the memory is divided.
    pub fn division(&self) -> Division {
        self.memory.division
    }

    /// Says when whoever follows should look again.
    pub fn filled(&self) -> &Filled {
        &self.memory.filled
    }

    /// Copies what was recorded since `since_ns` (`CLOCK_MONOTONIC`): whole blocks, so what is a little older comes along.
    pub fn snapshot(&self, since_ns: u64) -> Snapshot {
        let mut blocks = Vec::new();
        let snapshot = self.snapshot_each(since_ns, &mut |block| blocks.push(block));
        Snapshot { blocks, ..snapshot }
    }

    /// Like [`Self::snapshot`], but hands each copy to `sink` instead of keeping it: a second recorder's worth of memory is not needed.
    pub fn snapshot_each(&self, since_ns: u64, sink: &mut dyn FnMut(RawBlock)) -> Snapshot {
        let mut snapshot = Snapshot { blocks: Vec::new(), overrun: [0; lane::COUNT], follower: Follower::new(self.clone()) };
        for lane in [lane::CONTROL, lane::BULK] {
            for cpu in 0..self.division().cpus {
                self.snapshot_lane(cpu, lane, since_ns, &mut snapshot, sink);
            }
        }
        snapshot
    }

    fn snapshot_lane(&self, cpu: u32, lane: usize, since_ns: u64, snapshot: &mut Snapshot, sink: &mut dyn FnMut(RawBlock)) {
        let newest = self.newest(cpu, lane);
        if newest > 0 {
            snapshot.follower.start(cpu, lane, newest, HEADER_BYTES);
        }
        let oldest = newest.saturating_sub(u64::from(self.division().blocks[lane])) + 1;
        for seq in (oldest..=newest).rev() {
            let Some(head) = self.head(cpu, lane, seq) else {
                // The writer has come round. It has the older ones too.
                snapshot.overrun[lane] += seq - oldest + 1;
                break;
            };
            let mut bytes = Vec::new();
            if !self.copy(cpu, lane, seq, HEADER_BYTES, head.committed, &mut bytes) {
                snapshot.overrun[lane] += seq - oldest + 1;
                break;
            }
            if seq == newest {
                snapshot.follower.start(cpu, lane, seq, head.committed);
            }
            sink(RawBlock { cpu, lane, seq, bytes });
            if head.first_ns < since_ns {
                break;
            }
        }
    }

    /// How far back each lane reaches.
    pub fn depth(&self) -> [Depth; lane::COUNT] {
        [lane::CONTROL, lane::BULK].map(|lane| {
            let mut depth = Depth::default();
            for cpu in 0..self.division().cpus {
                let newest = self.newest(cpu, lane);
                let blocks = u64::from(self.division().blocks[lane]);
                // The block that is being recycled while we look is passed over.
                let oldest = (newest.saturating_sub(blocks) + 1..=newest).find_map(|seq| self.head(cpu, lane, seq));
                let Some(oldest) = oldest else { continue };
                depth.oldest_ns = Some(depth.oldest_ns.map_or(oldest.first_ns, |ns| ns.min(oldest.first_ns)));
                if oldest.seq > 1 {
                    depth.complete_from_ns = depth.complete_from_ns.max(Some(oldest.first_ns));
                }
            }
            depth
        })
    }

    /// Highest sequence number of a lane; 0 when nothing was recorded.
    pub(super) fn newest(&self, cpu: u32, lane: usize) -> u64 {
        let blocks = u64::from(self.division().blocks[lane]);
        (0..blocks).map(|n| self.word(self.division().block_of(cpu, lane, n), 0)).max().unwrap_or(0)
    }

    /// True while nothing was recorded in a lane: its first block is the first that is written. (For a moment it may also look so when that
    /// block is written anew.)
    pub(super) fn is_untouched(&self, cpu: u32, lane: usize) -> bool {
        self.word(self.division().block_of(cpu, lane, 1), 0) == 0
    }

    /// Header of a block while it has this sequence number.
    pub(super) fn head(&self, cpu: u32, lane: usize, seq: u64) -> Option<Head> {
        let block = self.division().block_of(cpu, lane, seq);
        if self.word(block, 0) != seq {
            return None;
        }
        // What follows was stored before this `seq` was.
        fence(Ordering::Acquire);
        let committed = self.word(block, 1);
        let first_ns = self.word(block, 2);
        fence(Ordering::Acquire);
        let valid = self.word(block, 0) == seq && (HEADER_BYTES..=BLOCK_SIZE as u64).contains(&committed);
        valid.then_some(Head { seq, committed, first_ns })
    }

    /// Appends bytes `from..to` of the block to `out`. False, and nothing appended, when the block was recycled meanwhile.
    pub(super) fn copy(&self, cpu: u32, lane: usize, seq: u64, from: u64, to: u64, out: &mut Vec<u8>) -> bool {
        let block = self.division().block_of(cpu, lane, seq) as usize * STRIDE_WORDS;
        let words = &self.words()[block + from as usize / WORD..block + to as usize / WORD];
        let start = out.len();
        // The bytes below `committed` were stored before it was.
        fence(Ordering::Acquire);
        out.resize(start + words.len() * WORD, 0);
        for (to, word) in out[start..].as_chunks_mut::<WORD>().0.iter_mut().zip(words) {
            *to = word.load(Ordering::Relaxed).to_ne_bytes();
        }
        // Had any of them been overwritten, then `seq` was cleared before.
        fence(Ordering::Acquire);
        let whole = self.words()[block].load(Ordering::Relaxed) == seq;
        if !whole {
            out.truncate(start);
        }
        whole
    }

    fn word(&self, block: u32, index: usize) -> u64 {
        self.words()[block as usize * STRIDE_WORDS + index].load(Ordering::Relaxed)
    }

    fn words(&self) -> &[AtomicU64] {
        let length = self.memory.division.total() as usize * STRIDE_WORDS;
        // SAFETY: the mapping has this length, begins at a page and lives as long as `self`. Others write to it, so it is only ever
        // seen as atomics; relaxed loads of 64 bits are allowed on read-only memory.
        unsafe { std::slice::from_raw_parts(self.memory.map.as_ptr().cast::<AtomicU64>(), length) }
    }
}
