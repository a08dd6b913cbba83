//! All maps. Sizes that depend on the machine or the configuration are set by the loader.

use aya_ebpf::{
    bindings::BPF_F_MMAPABLE,
    macros::map,
    maps::{Array, PerCpuArray, PerCpuHashMap, RingBuf},
};
use probe_common::{
    counters::{Losses, TapCounters},
    drops::{DropKey, MAX_DROPS},
    event::{FrameEvent, SAMPLES_SIZE},
    recorder::{Block, FILLED_SIZE, Lanes, Layout},
    repeat::RepeatTable,
    tap::{MAX_TAPS, TAP_SLOTS, TapInfo, TapSlot},
};

/// From ifindex to taps.
#[map]
pub static TAPS: Array<TapSlot> = Array::with_max_entries(TAP_SLOTS as u32, 0);

/// What each tap is, for readers of the recorder; the programs do not use it.
#[map]
pub static TAP_INFO: Array<TapInfo> = Array::with_max_entries(MAX_TAPS as u32, 0);

/// How the maps were made, for an agent that finds them pinned; the programs do not use it.
#[map]
pub static LAYOUT: Array<Layout> = Array::with_max_entries(1, 0);

/// Counts and losses per tap.
#[map]
pub static COUNTERS: PerCpuArray<TapCounters> = PerCpuArray::with_max_entries(MAX_TAPS as u32, 0);

/// Losses of no tap.
#[map]
pub static LOSSES: PerCpuArray<Losses> = PerCpuArray::with_max_entries(1, 0);

/// Where each CPU writes next.
#[map]
pub static LANES: PerCpuArray<Lanes> = PerCpuArray::with_max_entries(1, 0);

/// The recorder. `max_entries` is set by the loader.
#[map]
pub static RECORDER: Array<Block> = Array::with_max_entries(1, BPF_F_MMAPABLE);

/// What repeats itself. `max_entries` is set by the loader: one per CPU.
#[map]
pub static REPEATS: Array<RepeatTable> = Array::with_max_entries(1, BPF_F_MMAPABLE);

/// Samples, read when the agent ticks, or when it is half full.
#[map]
pub static SAMPLES: RingBuf = RingBuf::with_byte_size(SAMPLES_SIZE, 0);

/// Carrier edges, LACPDUs and onsets of storms, read at once. Room for 800 frames, or for thousands of edges.
#[map]
pub static EVENTS: RingBuf = RingBuf::with_byte_size(256 * 1024, 0);

/// A quarter of a lane was written. Read while an incident is open; full, and no more written to, at all other times.
#[map]
pub static FILLED: RingBuf = RingBuf::with_byte_size(FILLED_SIZE, 0);

/// Where a frame's event is put together: too large for the stack.
#[map]
pub static EVENT: PerCpuArray<FrameEvent> = PerCpuArray::with_max_entries(1, 0);

/// What the kernel drops of the watched interfaces.
#[map]
pub static DROPS: PerCpuHashMap<DropKey, u64> = PerCpuHashMap::with_max_entries(MAX_DROPS, 0);
