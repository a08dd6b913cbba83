//! The recorder's writing side: see `probe_common::recorder` for the layout and what a reader may rely on.

use aya_ebpf::helpers::generated::bpf_get_smp_processor_id;
use probe_common::{
    class::{CONTROL_LANE, id},
    counters::TapCounters,
    recorder::{BLOCK_SIZE, BlockHeader, FOLLOWED_PARTS, Filled, LaneState, RecordHeader, flags, lane},
    stage,
};

use crate::{
    copy::{copy, place},
    count::loss,
    diag::{Message, say},
    frame::Frame,
    frame_event,
    hide::{forget, mask},
    maps,
    params::{BLOCKS_BULK, BLOCKS_CONTROL, CONTROL_SNAPLEN, SNAPLEN, on},
    publish,
    repeat::{self, Verdict},
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
    // One way through the writing for both lanes, not one for each.
    let lane = if CONTROL_LANE >> (seen.class & 31) & 1 != 0 { lane::CONTROL } else { lane::BULK };
    let lane = mask(forget(lane as u64), lane::COUNT as u64) as usize;
    // SAFETY: as above; the lane is one of two.
    let state = unsafe { &mut *(&raw mut (*lanes).lanes).cast::<LaneState>().add(lane) };
    let verdict = write(frame, seen, counters, state, lane);
    let verdict = verdict.forget();
    let lacpdu = seen.class == id::LACP && verdict.record() && frame_event::may_send(seen, counters);
    if verdict.tell() || lacpdu {
        frame_event::send(frame, seen, verdict.tell(), counters);
    }
    // SAFETY: as above.
    unsafe { busy.write_volatile(0) };
}

/// Copies first: what repeats itself is told by the bytes that would be recorded. Until they are committed nobody reads them.
#[inline(always)]
fn write<F: Frame>(frame: &F, seen: &Seen, counters: *mut TapCounters, state: &mut LaneState, lane: usize) -> Verdict {
    let snaplen = if lane == lane::CONTROL { CONTROL_SNAPLEN.load() } else { SNAPLEN.load() };
    let captured = forget(u64::from(seen.length.min(snaplen))) as u32;
    let most = SNAPLEN.load().max(CONTROL_SNAPLEN.load());
    let size = size_of::<RecordHeader>() as u32 + ((captured + 7) & !7);
    if state.seq == 0 || state.offset + size > BLOCK_SIZE as u32 {
        recycle(state, lane, seen.at_ns);
        say(Message::Block(state.block), seen.tap);
    }
    let Some(block) = maps::RECORDER.get_ptr_mut(state.block) else {
        loss(counters, |losses| &mut losses.record_unreadable);
        return Verdict::LOST;
    };
    let at = state.offset + size_of::<RecordHeader>() as u32;
    if on(stage::REPEAT) {
        repeat::prepare(block, at, captured);
    }
    if !copy(frame, seen.tag, block, at, captured, most) {
        loss(counters, |losses| &mut losses.record_unreadable);
        say(Message::Unreadable, seen.tap);
        return Verdict::LOST;
    }
    let mut verdict = Verdict::RECORD;
    if on(stage::REPEAT) {
        verdict = repeat::check(frame, seen, state.block, at, captured).forget();
        if !verdict.record() {
            // SAFETY: a map value of this CPU, alive as long as the program runs.
            unsafe { (*counters).repeats += 1 };
            return verdict;
        }
    }
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
        copies_log2: verdict.copies_log2(),
        reserved: 0,
    };
    // SAFETY: `place` keeps a header within the block and its slack.
    unsafe { place(block, state.offset).cast::<RecordHeader>().write(head) };
    state.offset += size;
    // SAFETY: the block begins with its header, whose `committed` is an aligned u64.
    unsafe { publish::store(&raw mut (*block.cast::<BlockHeader>()).committed, u64::from(state.offset)) };
    // SAFETY: a map value of this CPU, alive as long as the program runs; there are two lanes.
    unsafe {
        *(&raw mut (*counters).recorded).cast::<u64>().add(lane) += 1;
        *(&raw mut (*counters).recorded_bytes).cast::<u64>().add(lane) += u64::from(captured);
    }
    if captured < seen.length {
        loss(counters, |losses| &mut losses.truncated);
    }
    verdict
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
    if seq.is_multiple_of(u64::from((count / FOLLOWED_PARTS).max(1))) {
        // Nobody waits for it unless an incident is open; where there is no room whoever reads looks at all lanes.
        let _ = maps::FILLED.output::<Filled>(&Filled { cpu, lane: lane as u32 }, 0);
    }
}
