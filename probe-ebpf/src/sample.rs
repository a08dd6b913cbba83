//! Random samples, one packet in N. Instead of drawing for each packet, how many to pass over is drawn after each sample.
//!
//! The packets are those of the wire: a frame that the stack cuts into S packets later, or put together from S, counts as S, so each of
//! them has the chance of 1 in N, and a sample stands for N packets of its size, whatever frames they came in. With a draw for
//! each frame, a sample would stand for N × S packets, and who multiplies by the packets between two samples, as collectors do,
//! would take large transfers for less than they are.

use aya_ebpf::{
    bindings::{BPF_RB_AVAIL_DATA, BPF_RB_FORCE_WAKEUP, BPF_RB_NO_WAKEUP},
    helpers::generated::bpf_get_prandom_u32,
};
use probe_common::{
    counters::TapCounters,
    event::{SAMPLE_BYTES, SAMPLES_WAKE, Sample},
    recorder::flags,
};

use crate::{
    frame::{Frame, fill},
    maps,
    tap::Seen,
};

/// Takes the frame as a sample when the turn of one of its packets has come.
#[inline(always)]
pub fn sample<F: Frame>(frame: &F, seen: &Seen, counters: *mut TapCounters) {
    let rate = u64::from(seen.sample_rate);
    let segments = u64::from(seen.segments);
    // SAFETY: the map value is this CPU's, alive as long as the program runs.
    let state = unsafe { &mut *counters };
    if rate == 0 {
        state.sample_rate = 0;
        return;
    }
    let anew = state.sample_rate != rate;
    if !anew && state.sample_skip > segments {
        state.sample_skip -= segments;
        return;
    }
    let passed = passed(state);
    if anew {
        state.sample_rate = rate;
        state.sampled_at = passed - segments;
        state.sample_skip = draw(rate);
        if state.sample_skip > segments {
            state.sample_skip -= segments;
            return;
        }
    }
    // What of the frame is behind the packet that was drawn is drawn from at once: one of each N, and one of the rest by its chance. So the
    // next one is drawn from the next frame on.
    let behind = segments - state.sample_skip;
    let more = random(rate) < behind % rate;
    let hits = 1 + behind / rate + u64::from(more);
    state.sample_skip = draw(rate);
    let lost = state.losses.samples_lost - state.lost_before;
    if !take(frame, seen, (passed - state.sampled_at) as u32, lost as u32, hits as u16) {
        state.losses.samples_lost += 1;
        return;
    }
    state.sampled_at = passed;
    state.lost_before = state.losses.samples_lost;
    state.samples += 1;
}

/// Packets that have passed the tap on this CPU.
#[inline(always)]
fn passed(counters: &TapCounters) -> u64 {
    counters.classes.iter().map(|class| class.segments).sum()
}

/// Uniform in `1..=2N - 1`: N in the mean.
#[inline(always)]
fn draw(rate: u64) -> u64 {
    1 + random(2 * rate - 1)
}

/// Uniform below `limit`.
#[inline(always)]
fn random(limit: u64) -> u64 {
    // SAFETY: the helper takes nothing and cannot fail.
    let random = u64::from(unsafe { bpf_get_prandom_u32() });
    // A product instead of a remainder: no division, and no bias that matters below 2^20.
    (random * limit) >> 32
}

#[inline(always)]
fn take<F: Frame>(frame: &F, seen: &Seen, passed: u32, lost: u32, hits: u16) -> bool {
    let captured = seen.length.min(SAMPLE_BYTES as u32);
    // On the stack, and copied from there: between a reserve and its submit old verifiers take no two ways for the same.
    let mut sample = Sample {
        at_ns: seen.at_ns,
        length: seen.length,
        rate: seen.sample_rate,
        passed,
        lost,
        tap: seen.tap,
        captured: captured as u16,
        segments: seen.segments,
        hits,
        class: seen.class,
        flags: if seen.tag.is_some() { flags::VLAN_RESTORED } else { 0 },
        reserved: [0; 6],
        bytes: [0; SAMPLE_BYTES],
    };
    // SAFETY: the bytes take `SAMPLE_BYTES`.
    let read = unsafe { fill::<F, SAMPLE_BYTES>(frame, seen.tag, (&raw mut sample.bytes).cast(), captured) };
    let full = maps::SAMPLES.query(u64::from(BPF_RB_AVAIL_DATA)) >= SAMPLES_WAKE;
    let wake = if full { BPF_RB_FORCE_WAKEUP } else { BPF_RB_NO_WAKEUP };
    read && maps::SAMPLES.output::<Sample>(&sample, u64::from(wake)).is_ok()
}
