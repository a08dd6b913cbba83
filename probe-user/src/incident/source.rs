//! Where the records of an incident come from.

use std::os::fd::{AsFd as _, BorrowedFd};

use probe_common::recorder::lane;
use probe_core::time::Mono;

use crate::kernel::follow::Follower;
use crate::kernel::recorder::{RawBlock, Recorder};

/// What `--filter` does not take of the bulk lane, as a lane of its own behind those of the recorder: it goes first.
pub const ASIDE: usize = lane::COUNT;

/// Whole records of one block of the recorder, in the order in which they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// CPU that wrote them.
    pub cpu: u32,
    /// One of [`lane`], or [`ASIDE`].
    pub lane: usize,
    /// Sequence number of the block within its CPU and lane.
    pub seq: u64,
    /// The records, for [`probe_core::record::records`].
    pub bytes: Vec<u8>,
    /// When the first record passed, where it may not be among them any more; `None`: it is.
    pub began: Option<Mono>,
}

impl From<RawBlock> for Chunk {
    fn from(block: RawBlock) -> Self {
        Self { cpu: block.cpu, lane: block.lane, seq: block.seq, bytes: block.bytes, began: None }
    }
}

/// What a look into the recorder could not bring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Missed {
    /// Blocks, by lane, that were overwritten before they could be copied.
    pub overrun_blocks: [u64; lane::COUNT],
    /// Bytes of records, by lane, that were passed over because they were not wanted.
    pub skipped_bytes: [u64; lane::COUNT],
}

/// Lanes of a recorder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Lanes {
    /// Every one.
    #[default]
    All,
    /// These: CPU, then one of [`lane`].
    Some(Vec<(u32, usize)>),
}

/// A recorder as the capture thread needs it; a test has its own.
pub trait Source: Send {
    /// Hands what was recorded since `since` to `sink`: of each block all that is in it. [`Self::follow`] goes on from here.
    fn snapshot(&mut self, since: Mono, sink: &mut dyn FnMut(Chunk)) -> Missed;

    /// Hands to `sink` what was recorded since the last call of either, of these lanes; the bulk lane is passed over unless it is wanted.
    fn follow(&mut self, lanes: &Lanes, bulk: bool, sink: &mut dyn FnMut(Chunk)) -> Missed;

    /// Readable when so much was recorded that it should be followed, or it will be overwritten.
    fn bell(&self) -> BorrowedFd<'_>;

    /// Ends that, until so much was recorded again: which lanes rang. To be called before what was recorded is read.
    fn quiet(&self) -> Lanes;
}

/// The real one.
#[derive(Debug)]
pub struct RecorderSource {
    recorder: Recorder,
    follower: Option<Follower>,
}

impl RecorderSource {
    /// Reads this recorder.
    pub fn new(recorder: Recorder) -> Self {
        Self { recorder, follower: None }
    }
}

impl Source for RecorderSource {
    fn snapshot(&mut self, since: Mono, sink: &mut dyn FnMut(Chunk)) -> Missed {
        let snapshot = self.recorder.snapshot_each(since.0, &mut |block| sink(block.into()));
        self.follower = Some(snapshot.follower);
        Missed { overrun_blocks: snapshot.overrun, ..Missed::default() }
    }

    fn follow(&mut self, lanes: &Lanes, bulk: bool, sink: &mut dyn FnMut(Chunk)) -> Missed {
        let Some(follower) = &mut self.follower else {
            return Missed::default();
        };
        let mut wanted = [true; lane::COUNT];
        wanted[lane::BULK] = bulk;
        let mut sink = |block: RawBlock| sink(block.into());
        let passed = match lanes {
            Lanes::All => follower.next(wanted, &mut sink),
            Lanes::Some(lanes) => follower.next_of(lanes.iter().copied(), wanted, &mut sink),
        };
        Missed { overrun_blocks: passed.overrun, skipped_bytes: passed.skipped_bytes }
    }

    fn bell(&self) -> BorrowedFd<'_> {
        self.recorder.filled().as_fd()
    }

    fn quiet(&self) -> Lanes {
        self.recorder.filled().take().map_or(Lanes::All, Lanes::Some)
    }
}
