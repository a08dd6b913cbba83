//! Reads the recorder as it is written.

use probe_common::recorder::{BlockHeader, lane};

use super::recorder::{RawBlock, Recorder};

const HEADER_BYTES: u64 = size_of::<BlockHeader>() as u64;

/// What a look could not bring.
#[derive(Clone, Copy, Debug, Default)]
pub struct Passed {
    /// Blocks, by lane, that were overwritten before they could be read.
    pub overrun: [u64; lane::COUNT],
    /// Bytes of records, by lane, that were passed over because they were not wanted.
    pub skipped_bytes: [u64; lane::COUNT],
}

/// A position in each lane of each CPU.
#[derive(Debug)]
pub struct Follower {
    recorder: Recorder,
    /// By CPU and lane.
    cursors: Vec<[Cursor; lane::COUNT]>,
}

/// The block that is being read, and how far. Sequence number 0: nothing was read yet.
#[derive(Clone, Copy, Debug, Default)]
struct Cursor {
    seq: u64,
    offset: u64,
}

impl Follower {
    /// Begins with whatever comes into empty lanes: [`Recorder::snapshot`] then sets the others.
    pub(super) fn new(recorder: Recorder) -> Self {
        let cursors = vec![[Cursor::default(); lane::COUNT]; recorder.division().cpus as usize];
        Self { recorder, cursors }
    }

    pub(super) fn start(&mut self, cpu: u32, lane: usize, seq: u64, offset: u64) {
        self.cursors[cpu as usize][lane] = Cursor { seq, offset };
    }

    /// Hands a copy of what was committed since the last call to `sink`: for each CPU and lane, oldest first. Lanes that are not wanted are
    /// passed over, and nothing of them is copied.
    pub fn next(&mut self, wanted: [bool; lane::COUNT], sink: &mut dyn FnMut(RawBlock)) -> Passed {
        let cpus = 0..self.recorder.division().cpus;
        let all = [lane::CONTROL, lane::BULK].into_iter().flat_map(|lane| cpus.clone().map(move |cpu| (cpu, lane)));
        self.next_of(all, wanted, sink)
    }

    /// The same of these lanes only: CPU, then lane. What is none is passed over.
    pub fn next_of(
        &mut self,
        lanes: impl IntoIterator<Item = (u32, usize)>,
        wanted: [bool; lane::COUNT],
        sink: &mut dyn FnMut(RawBlock),
    ) -> Passed {
        let mut passed = Passed::default();
        for (cpu, lane) in lanes {
            if cpu < self.recorder.division().cpus && lane < lane::COUNT {
                self.follow_lane(cpu, lane, wanted[lane], &mut passed, sink);
            }
        }
        passed
    }

    fn follow_lane(&mut self, cpu: u32, lane: usize, wanted: bool, passed: &mut Passed, sink: &mut dyn FnMut(RawBlock)) {
        let cursor = &mut self.cursors[cpu as usize][lane];
        let blocks = u64::from(self.recorder.division().blocks[lane]);
        if cursor.seq == 0 && self.recorder.is_untouched(cpu, lane) {
            // A CPU that sees no packets: its thousand blocks are not looked at each time.
            return;
        }
        // Only as far as the newest block is now: a fast writer must not keep us here.
        let newest = if cursor.seq == 0 || self.recorder.head(cpu, lane, cursor.seq).is_none() {
            self.recorder.newest(cpu, lane)
        } else {
            let ahead = (cursor.seq..cursor.seq + blocks).take_while(|&seq| self.recorder.head(cpu, lane, seq + 1).is_some());
            cursor.seq + ahead.count() as u64
        };
        if newest == 0 {
            return;
        }
        if cursor.seq == 0 {
            *cursor = Cursor { seq: 1, offset: HEADER_BYTES };
        }
        // What the writer has come round over since is gone for certain.
        let oldest = newest.saturating_sub(blocks) + 1;
        if cursor.seq < oldest {
            passed.overrun[lane] += oldest - cursor.seq;
            *cursor = Cursor { seq: oldest, offset: HEADER_BYTES };
        }
        while cursor.seq <= newest {
            // A later block exists before this one is read: then nothing more comes into this one.
            let head = self.recorder.head(cpu, lane, cursor.seq);
            let read = head.filter(|head| {
                if !wanted {
                    passed.skipped_bytes[lane] += head.committed.saturating_sub(cursor.offset);
                    return true;
                }
                let mut bytes = Vec::new();
                let whole = head.committed <= cursor.offset
                    || self.recorder.copy(cpu, lane, cursor.seq, cursor.offset, head.committed, &mut bytes);
                if !bytes.is_empty() {
                    sink(RawBlock { cpu, lane, seq: cursor.seq, bytes });
                }
                whole
            });
            match read {
                Some(head) if cursor.seq == newest => {
                    cursor.offset = head.committed;
                    break;
                }
                Some(_) => *cursor = Cursor { seq: cursor.seq + 1, offset: HEADER_BYTES },
                None => {
                    passed.overrun[lane] += 1;
                    *cursor = Cursor { seq: cursor.seq + 1, offset: HEADER_BYTES };
                }
            }
        }
    }
}
