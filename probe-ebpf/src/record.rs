//! The recorder's writing side: see `probe_common::recorder` for the layout and what a reader may rely on.

use aya_ebpf::helpers::generated::bpf_get_smp_processor_id;
use probe_common::{
    class::CONTROL_LANE,
    counters::TapCounters,
    recorder::{BLOCK_SIZE, Block, BlockHeader, COPY_CHUNK, LaneState, MAX_SNAPLEN, RecordHeader, flags, lane},
};

use crate::{
    count::loss,
    frame::Frame,
    hide::{hide, mask},
    maps,
    params::{BLOCKS_BULK, BLOCKS_CONTROL, CONTROL_SNAPLEN, SNAPLEN},
    publish,
    tap::Seen,
};

/// Where the frame's two MAC addresses end and a tag belongs.
const TAG_AT: u32 = 12;
/// The shortest frame that can take a tag.
const MIN_TAGGED: u32 = TAG_AT + 4 + 2;

/// Writes the frame into its lane.
#[inline(always)]
pub fn record<F: Frame>(frame: &F, seen: &Seen, counters: *mut TapCounters) {
    let Some(lanes) = maps::LANES.get_ptr_mut(0) else { return };
    // SAFETY: a map value of this CPU, alive as long as the program runs; `busy` is an aligned u64 in it.
    let busy = unsafe { &raw mut (*lanes).busy };
    // SAFETY: as above.
    if !unsafe { publish::try_claim(busy) } {
        loss(counters, |losses| &mut losses.record_busy);
        return;
    }
    if CONTROL_LANE >> (seen.class & 31) & 1 != 0 {
        // SAFETY: as above.
        write(frame, seen, counters, unsafe { &mut (*lanes).lanes[lane::CONTROL] }, lane::CONTROL);
    } else {
        // SAFETY: as above.
        write(frame, seen, counters, unsafe { &mut (*lanes).lanes[lane::BULK] }, lane::BULK);
    }
    // SAFETY: as above.
    unsafe { busy.write_volatile(0) };
}

#[inline(always)]
fn write<F: Frame>(frame: &F, seen: &Seen, counters: *mut TapCounters, state: &mut LaneState, lane: usize) {
    let snaplen = if lane == lane::CONTROL { CONTROL_SNAPLEN.load() } else { SNAPLEN.load() };
    let captured = seen.length.min(snaplen);
    let size = size_of::<RecordHeader>() as u32 + ((captured + 7) & !7);
    if state.seq == 0 || state.offset + size > BLOCK_SIZE as u32 {
        recycle(state, lane, seen.at_ns);
    }
    let Some(block) = maps::RECORDER.get_ptr_mut(state.block) else {
        loss(counters, |losses| &mut losses.record_unreadable);
        return;
    };
    let flags = if seen.tag.is_some() { flags::VLAN_RESTORED } else { 0 };
    let head = RecordHeader {
        at_ns: seen.at_ns,
        length: seen.length,
        captured: captured as u16,
        tap: seen.tap,
        queue: seen.queue,
        segments: seen.segments,
        class: seen.class,
        flags,
        reserved: 0,
    };
    // SAFETY: `place` keeps a header within the block and its slack.
    unsafe { place(block, state.offset).cast::<RecordHeader>().write(head) };
    if !copy(frame, seen.tag, block, state.offset + size_of::<RecordHeader>() as u32, captured, snaplen) {
        loss(counters, |losses| &mut losses.record_unreadable);
        return;
    }
    state.offset += size;
    // SAFETY: the block begins with its header, whose `committed` is an aligned u64.
    unsafe { publish::store(&raw mut (*block.cast::<BlockHeader>()).committed, u64::from(state.offset)) };
    // SAFETY: a map value of this CPU, alive as long as the program runs.
    unsafe {
        (*counters).recorded[lane] += 1;
        (*counters).recorded_bytes[lane] += u64::from(captured);
    }
    if captured < seen.length {
        loss(counters, |losses| &mut losses.truncated);
    }
}

/// Takes the lane's next block into use.
#[inline(always)]
fn recycle(state: &mut LaneState, lane: usize, at_ns: u64) {
    let (control, bulk) = (BLOCKS_CONTROL.load(), BLOCKS_BULK.load());
    let (first, count) = if lane == lane::CONTROL { (0, control) } else { (control, bulk) };
    // SAFETY: the helper takes nothing and cannot fail.
    let cpu = unsafe { bpf_get_smp_processor_id() };
    let seq = state.seq + 1;
    state.block = cpu * (control + bulk) + first + (seq % u64::from(count.max(1))) as u32;
    let Some(block) = maps::RECORDER.get_ptr_mut(state.block) else { return };
    let header = block.cast::<BlockHeader>();
    // SAFETY: the block begins with its header. A reader takes the block for recycled before any byte of it changes,
    // and for new after its header is whole.
    unsafe {
        publish::begin(&raw mut (*header).seq);
        (&raw mut (*header).committed).write_volatile(size_of::<BlockHeader>() as u64);
        (&raw mut (*header).first_ns).write_volatile(at_ns);
        (&raw mut (*header).cpu).write_volatile(cpu);
        (&raw mut (*header).lane).write_volatile(lane as u32);
        publish::store(&raw mut (*header).seq, seq);
    }
    state.seq = seq;
    state.offset = size_of::<BlockHeader>() as u32;
}

/// Copies `captured` bytes of the frame to `at`, the tag put back. False when they cannot be read.
#[inline(always)]
fn copy<F: Frame>(frame: &F, tag: Option<[u8; 4]>, block: *mut Block, at: u32, captured: u32, snaplen: u32) -> bool {
    let Some(tag) = tag else {
        return copy_plain(frame, 0, block, at, captured, snaplen);
    };
    if captured < MIN_TAGGED {
        return false;
    }
    // SAFETY: `place` keeps both within the block and its slack.
    unsafe {
        if !frame.load(0, place(block, at), TAG_AT) {
            return false;
        }
        place(block, at + TAG_AT).cast::<[u8; 4]>().write(tag);
    }
    copy_plain(frame, TAG_AT, block, at + TAG_AT + 4, captured - TAG_AT - 4, snaplen)
}

#[inline(always)]
fn copy_plain<F: Frame>(frame: &F, from: u32, block: *mut Block, at: u32, length: u32, snaplen: u32) -> bool {
    let chunk = COPY_CHUNK as u32;
    let mut done = 0;
    for _ in 0..MAX_SNAPLEN / COPY_CHUNK {
        let piece = (length - done).min(chunk);
        // A helper takes a length only within known bounds: 1 to one chunk, as the verifier sees it last.
        let piece = mask(u64::from(piece.wrapping_sub(1)), u64::from(chunk)) as u32 + 1;
        // SAFETY: `place` leaves at least one chunk behind it.
        if !unsafe { frame.load(from + done, place(block, at + done), piece) } {
            return false;
        }
        done += piece;
        // The first test ends the loop for the verifier when one chunk holds a whole record.
        if snaplen <= chunk || done >= length {
            break;
        }
    }
    true
}

/// The byte at `offset` of the block; a chunk fits behind it.
#[inline(always)]
fn place(block: *mut Block, offset: u32) -> *mut u8 {
    let offset = mask(u64::from(offset), BLOCK_SIZE as u64);
    hide(block as u64 + offset) as *mut u8
}
