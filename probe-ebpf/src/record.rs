//! The recorder's writing side: see `probe_common::recorder` for the layout and what a reader may rely on.

use aya_ebpf::helpers::generated::bpf_get_smp_processor_id;
use probe_common::{
    class::CONTROL_LANE,
    counters::TapCounters,
    recorder::{BLOCK_SIZE, BlockHeader, LaneState, RecordHeader, flags, lane},
};

use crate::{
    copy::{copy, place},
    count::loss,
    diag::{Message, say},
    frame::Frame,
    maps,
    params::{BLOCKS_BULK, BLOCKS_CONTROL, CONTROL_SNAPLEN, SNAPLEN},
    publish,
    tap::{Direction, Seen},
};

/// Writes the frame into its lane.
#[inline(always)]
pub fn record<F: Frame>(frame: &F, seen: &Seen, counters: *mut TapCounters) {
    let Some(lanes) = maps::LANES.get_ptr_mut(0) else { return };
    // SAFETY: a map value of this CPU, alive as long as the program runs; `busy` is an aligned u64 in it.
    let busy = unsafe { &raw mut (*lanes).busy };
    // SAFETY: as above.
    if !unsafe { publish::try_claim(busy) } {
        loss(counters, |losses| &mut losses.record_busy);
        say(Message::Busy, seen.tap);
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
        say(Message::Block(state.block), seen.tap);
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
        queue: frame.queue(seen.direction == Direction::Ingress),
        segments: seen.segments,
        class: seen.class,
        flags,
        reserved: 0,
    };
    // SAFETY: `place` keeps a header within the block and its slack.
    unsafe { place(block, state.offset).cast::<RecordHeader>().write(head) };
    if !copy(frame, seen.tag, block, state.offset + size_of::<RecordHeader>() as u32, captured, snaplen) {
        loss(counters, |losses| &mut losses.record_unreadable);
        say(Message::Unreadable, seen.tap);
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
