//! Random samples, one frame in N. Instead of drawing for each frame, how many frames to skip is drawn after each sample.

use aya_ebpf::{bindings::BPF_RB_NO_WAKEUP, helpers::generated::bpf_get_prandom_u32};
use probe_common::{
    counters::TapCounters,
    event::{SAMPLE_BYTES, Sample},
    recorder::flags,
};

use crate::{
    count::loss,
    frame::{Frame, fill},
    maps,
    params::SAMPLE_RATE,
    tap::Seen,
};

/// Takes the frame as a sample when its turn has come.
#[inline(always)]
pub fn sample<F: Frame>(frame: &F, seen: &Seen, counters: *mut TapCounters) {
    // SAFETY: the map value is this CPU's, alive as long as the program runs.
    let skip = unsafe { &mut (*counters).sample_skip };
    if *skip == 0 {
        *skip = draw();
    }
    *skip -= 1;
    if *skip != 0 {
        return;
    }
    if !take(frame, seen) {
        loss(counters, |losses| &mut losses.samples_lost);
        return;
    }
    // SAFETY: as above.
    unsafe { (*counters).samples += 1 };
}

/// Uniform in `1..=2N - 1`: N in the mean.
#[inline(always)]
fn draw() -> u64 {
    let rate = u64::from(SAMPLE_RATE.load());
    // SAFETY: the helper takes nothing and cannot fail.
    let random = u64::from(unsafe { bpf_get_prandom_u32() });
    // A product instead of a remainder: no division, and no bias that matters below 2^20.
    1 + ((random * (2 * rate - 1)) >> 32)
}

#[inline(always)]
fn take<F: Frame>(frame: &F, seen: &Seen) -> bool {
    let captured = seen.length.min(SAMPLE_BYTES as u32);
    // On the stack, and copied from there: between a reserve and its submit old verifiers take no two ways for the same.
    let mut sample = Sample {
        at_ns: seen.at_ns,
        length: seen.length,
        rate: SAMPLE_RATE.load(),
        tap: seen.tap,
        captured: captured as u16,
        segments: seen.segments,
        class: seen.class,
        flags: if seen.tag.is_some() { flags::VLAN_RESTORED } else { 0 },
        bytes: [0; SAMPLE_BYTES],
    };
    // SAFETY: the bytes take `SAMPLE_BYTES`.
    let read = unsafe { fill::<F, SAMPLE_BYTES>(frame, seen.tag, (&raw mut sample.bytes).cast(), captured) };
    read && maps::SAMPLES.output::<Sample>(&sample, u64::from(BPF_RB_NO_WAKEUP)).is_ok()
}
