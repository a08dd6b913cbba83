//! Random samples, one frame in N. Instead of drawing for each frame, how many frames to skip is drawn after each sample.

use aya_ebpf::{bindings::BPF_RB_NO_WAKEUP, helpers::generated::bpf_get_prandom_u32};
use probe_common::{
    counters::TapCounters,
    event::{SAMPLE_BYTES, Sample},
    recorder::flags,
};

use crate::{
    count::loss,
    frame::{Frame, Tag},
    hide::{hide, mask},
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
    let read = unsafe { fill(frame, seen.tag, (&raw mut sample.bytes).cast(), captured) };
    read && maps::SAMPLES.output::<Sample>(&sample, u64::from(BPF_RB_NO_WAKEUP)).is_ok()
}

/// Copies `captured` bytes of the frame, the tag put back.
///
/// # Safety
/// `to` takes `SAMPLE_BYTES`, and `captured` is no more.
#[inline(always)]
unsafe fn fill<F: Frame>(frame: &F, tag: Tag, to: *mut u8, captured: u32) -> bool {
    const TAG_AT: u32 = 12;
    const REST: u32 = SAMPLE_BYTES as u32 - TAG_AT - 4;
    // SAFETY: the caller's promise; the masks keep each copy within it.
    unsafe {
        if !tag.is_some() {
            let length = mask(u64::from(captured.wrapping_sub(1)), SAMPLE_BYTES as u64) as u32 + 1;
            return frame.load(0, to, length);
        }
        if captured <= TAG_AT + 4 || !frame.load(0, to, TAG_AT) {
            return false;
        }
        to.add(TAG_AT as usize).cast::<[u8; 4]>().write(tag.bytes());
        // The test stands last, on a value that LLVM cannot trace, and 0 is excluded by an addition: 6.1's verifier follows
        // neither another order nor a test for "not 0".
        let less = hide(u64::from(captured - TAG_AT - 4 - 1));
        if less >= u64::from(REST) {
            return false;
        }
        frame.load(TAG_AT, to.add(TAG_AT as usize + 4), less as u32 + 1)
    }
}
