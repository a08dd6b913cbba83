//! The recorder: an overwriting ring of blocks per CPU and lane, in an mmap-able array map.
//!
//! The map's value is one [`BLOCK_STRIDE`]-byte block, its `max_entries` is CPUs × (control + bulk blocks); a CPU's blocks
//! stand together, control blocks first. A block begins with a [`BlockHeader`]; records follow, each a [`RecordHeader`], then
//! `captured` bytes, then zero to seven bytes of padding to a multiple of eight.
//!
//! A lane uses its blocks in turn: the block with sequence number `s` is at index `s % blocks of the lane`; the first is 1.
//! While a block has one `seq`, its bytes below `committed` never change. So a reader that copies `[0, committed)` and finds the
//! same `seq` before and after has whole records only. `seq` is 0 while a block is being recycled, or was never used.

/// Bytes of a block that hold header and records. A power of two.
pub const BLOCK_SIZE: usize = 65536;
/// Longest piece that a program copies at once; a block has this slack behind it, for the verifier only.
pub const COPY_CHUNK: usize = 1024;
/// Bytes from one block to the next in the map.
pub const BLOCK_STRIDE: usize = BLOCK_SIZE + COPY_CHUNK;
/// A lane is followed in so many parts: each that is full wakes whoever follows, who has the time of the others to copy it.
pub const FOLLOWED_PARTS: u32 = 4;
/// Bytes of the FILLED ring buffer, where pages are not larger. An entry takes 16, with its head.
pub const FILLED_SIZE: u32 = 4096;
/// Longest snap length in bytes.
pub const MAX_SNAPLEN: usize = 16384;

/// The lanes, as indexes.
pub mod lane {
    /// LACP, ARP, routing protocols and the like: rare frames whose history lasts hours.
    pub const CONTROL: usize = 0;
    /// Everything else.
    pub const BULK: usize = 1;
    /// How many lanes there are.
    pub const COUNT: usize = 2;
}

/// First bytes of a block.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlockHeader {
    /// Sequence number of this use of the block within its CPU and lane, from 1; 0 while it is recycled or unused.
    pub seq: u64,
    /// Bytes that are whole, this header included.
    pub committed: u64,
    /// `CLOCK_MONOTONIC` of the first record, nanoseconds.
    pub first_ns: u64,
    /// CPU that writes the block.
    pub cpu: u32,
    /// One of [`lane`].
    pub lane: u32,
}
const _: () = assert!(size_of::<BlockHeader>() == 32);

/// Head of a record.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordHeader {
    /// `CLOCK_MONOTONIC` in nanoseconds, when the hook saw the frame.
    pub at_ns: u64,
    /// Length of the frame in bytes, VLAN tags included, without FCS.
    pub length: u32,
    /// Bytes of it that follow.
    pub captured: u16,
    /// Tap id.
    pub tap: u16,
    /// Receive or transmit queue; [`NO_QUEUE`] when it is not known.
    pub queue: u16,
    /// `gso_segs`, or 1.
    pub segments: u16,
    /// One of [`crate::class::id`].
    pub class: u8,
    /// Bits of [`flags`].
    pub flags: u8,
    /// An exemplar of a repeated frame: it is the 2^n-th copy, where this is n; 0 for a frame that is none.
    pub copies_log2: u8,
    /// Zero.
    pub reserved: u8,
}
const _: () = assert!(size_of::<RecordHeader>() == 24);

/// No queue is known.
pub const NO_QUEUE: u16 = u16::MAX;

/// Bits of [`RecordHeader::flags`].
pub mod flags {
    /// A VLAN tag that the hardware or the stack had taken out stands in the frame again.
    pub const VLAN_RESTORED: u8 = 1;
}

/// State of one lane of one CPU, kept by the programs.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaneState {
    /// Sequence number of the block in use; 0 before the first record.
    pub seq: u64,
    /// Bytes used in it, its header included.
    pub offset: u32,
    /// Index of that block in the RECORDER map.
    pub block: u32,
}
const _: () = assert!(size_of::<LaneState>() == 16);

/// Value of the LANES map: one per CPU.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lanes {
    /// By [`lane`].
    pub lanes: [LaneState; lane::COUNT],
    /// Not 0 while a program writes on this CPU.
    pub busy: u64,
}
const _: () = assert!(size_of::<Lanes>() == 40);

/// Entry of the FILLED ring buffer: so much of a lane was written since the last one as [`FOLLOWED_PARTS`] says.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    /// CPU that writes the lane.
    pub cpu: u32,
    /// One of [`lane`].
    pub lane: u32,
}
const _: () = assert!(size_of::<Filled>() == 8);

/// Value of the RECORDER map.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
pub struct Block {
    /// A [`BlockHeader`], records, and the slack.
    pub bytes: [u8; BLOCK_STRIDE],
}
const _: () = assert!(size_of::<Block>() == BLOCK_STRIDE);

/// Bytes that a record with this many captured bytes takes: header and padding included.
pub const fn record_size(captured: usize) -> usize {
    size_of::<RecordHeader>() + captured.next_multiple_of(8)
}
const _: () = assert!(size_of::<BlockHeader>() + record_size(MAX_SNAPLEN) <= BLOCK_SIZE);

/// Value of the LAYOUT map: how the maps beside it were made, for an agent that finds them pinned.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// [`crate::ABI_VERSION`].
    pub abi_version: u32,
    /// CPUs that the recorder has blocks for.
    pub cpus: u32,
    /// Control blocks per CPU.
    pub blocks_control: u32,
    /// Bulk blocks per CPU.
    pub blocks_bulk: u32,
}
const _: () = assert!(size_of::<Layout>() == 16);
