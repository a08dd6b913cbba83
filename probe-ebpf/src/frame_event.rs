//! Frames that userspace must see at once: LACPDUs, and what repeats itself like a storm.

use probe_common::{
    counters::TapCounters,
    event::{FRAME_BYTES, FrameEvent, MOST_LACPDUS, kind},
    recorder::flags,
};

use crate::{
    count::loss,
    frame::{Frame, fill},
    maps,
    tap::{Direction, Seen},
};

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;

/// Whether one more LACPDU of this tap may be sent in this second. One that may not is counted.
#[inline(always)]
pub fn may_send(seen: &Seen, counters: *mut TapCounters) -> bool {
    // SAFETY: the map value is this CPU's, alive as long as the program runs.
    let counted = unsafe { &mut *counters };
    if seen.at_ns.wrapping_sub(counted.lacpdus_from_ns) >= SECOND {
        counted.lacpdus_from_ns = seen.at_ns;
        counted.lacpdus = 0;
    }
    counted.lacpdus += 1;
    if counted.lacpdus > MOST_LACPDUS {
        counted.losses.events_limited += 1;
        return false;
    }
    true
}

/// Sends the frame: a repeat, of which `repeat` has put into the event what it knows, or else a LACPDU. To be called by whoever has claimed
/// this CPU's recorder: no other program puts an event together then.
#[inline(always)]
pub fn send<F: Frame>(frame: &F, seen: &Seen, repeat: bool, counters: *mut TapCounters) {
    let Some(event) = maps::EVENT.get_ptr_mut(0) else { return };
    let captured = seen.length.min(FRAME_BYTES as u32);
    // SAFETY: a map value of this CPU, alive as long as the program runs, and nobody else's now.
    let event = unsafe { &mut *event };
    event.at_ns = seen.at_ns;
    event.ifindex = frame.ifindex();
    if !repeat {
        event.kind = kind::LACPDU;
        event.first_ns = seen.at_ns;
        event.hash = 0;
        event.copies = 1;
    }
    event.length = seen.length;
    event.tap = seen.tap;
    event.captured = captured as u16;
    event.class = seen.class;
    event.flags = if seen.tag.is_some() { flags::VLAN_RESTORED } else { 0 };
    event.egress = u8::from(seen.direction == Direction::Egress);
    // SAFETY: the bytes take `FRAME_BYTES`.
    if !unsafe { fill::<F, FRAME_BYTES>(frame, seen.tag, (&raw mut event.bytes).cast(), captured) } {
        loss(counters, |losses| &mut losses.record_unreadable);
        return;
    }
    if maps::EVENTS.output::<FrameEvent>(&*event, 0).is_err()
        && let Some(losses) = maps::LOSSES.get_ptr_mut(0)
    {
        // SAFETY: a map value of this CPU, alive as long as the program runs.
        unsafe { (*losses).events_lost += 1 };
    }
}
