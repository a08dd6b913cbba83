//! Which tap a frame is at, and the way from there.

use aya_ebpf::helpers::generated::bpf_ktime_get_ns;
use probe_common::{
    class::{self, CLASSES},
    stage,
    tap::{NO_TAP, TAP_SLOTS},
};

use crate::{
    count,
    diag::{Message, say},
    frame::{Frame, Tag},
    hide::{forget, mask},
    maps, params, parse, record, sample,
};

/// Which way frames go; known by the program.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Into the machine.
    Ingress,
    /// Out of it.
    Egress,
}

/// What the stages know about the frame in hand.
#[derive(Clone, Copy)]
pub struct Seen {
    /// `CLOCK_MONOTONIC`, nanoseconds; 0 when no stage needs it.
    pub at_ns: u64,
    /// Length in bytes with the tag put back.
    pub length: u32,
    /// Tap id.
    pub tap: u16,
    /// `gso_segs`, or 1.
    pub segments: u16,
    /// Which way it goes.
    pub direction: Direction,
    /// Class.
    pub class: u8,
    /// A tag that has to be put back.
    pub tag: Tag,
    /// One packet in so many is sampled; 0 for none.
    pub sample_rate: u32,
}

/// Takes the frame through the stages. `None` when this interface has no tap in this direction.
#[inline(always)]
pub fn try_tap<F: Frame>(frame: &F, direction: Direction) -> Option<()> {
    let (tap, sample_rate) = tap_of(frame.ifindex(), direction)?;
    let counters = maps::COUNTERS.get_ptr_mut(u32::from(tap))?;
    let tag = frame.tag();
    let length = forget(u64::from(frame.length() + if tag.is_some() { 4 } else { 0 })) as u32;
    let segments = frame.segments();
    let mut seen = Seen { at_ns: 0, length, tap, segments, direction, class: class::id::OTHER, tag, sample_rate };
    if params::on(stage::RECORD | stage::SAMPLE) {
        // SAFETY: the helper takes nothing and cannot fail.
        seen.at_ns = unsafe { bpf_ktime_get_ns() };
    }
    if params::on(stage::CLASSIFY) {
        let parsed = parse::classify(frame);
        // One way through the stages for all classes, not one for each.
        seen.class = mask(forget(u64::from(parsed.class)), CLASSES as u64) as u8;
        if parsed.gave_up {
            count::loss(counters, |losses| &mut losses.parse_limit);
            say(Message::ParserGaveUp, tap);
        }
    }
    if params::on(stage::COUNT) {
        count::count(counters, &seen);
    }
    if params::on(stage::RECORD) {
        record::record(frame, &seen, counters);
    }
    // Behind the recording, whose ways all come together again: before it, the verifier would go through the recording once for each
    // end of this.
    if params::on(stage::SAMPLE) {
        sample::sample(frame, &seen, counters);
    }
    Some(())
}

/// The tap, and the interface's sampling rate.
#[inline(always)]
fn tap_of(ifindex: u32, direction: Direction) -> Option<(u16, u32)> {
    let slot = maps::TAPS.get(ifindex & (TAP_SLOTS as u32 - 1))?;
    let tap = match direction {
        Direction::Ingress => slot.ingress,
        Direction::Egress => slot.egress,
    };
    if slot.ifindex == ifindex && tap != NO_TAP {
        return Some((tap, slot.sample_rate));
    }
    if let Some(losses) = maps::LOSSES.get_ptr_mut(0) {
        // SAFETY: a map value of this CPU, alive as long as the program runs.
        unsafe { (*losses).unwatched += 1 };
    }
    None
}
