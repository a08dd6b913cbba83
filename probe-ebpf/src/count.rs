//! Counting per tap and class. The counters are this CPU's own: no atomics.

use probe_common::{
    class::CLASSES,
    counters::{ClassCount, TapCounters, TapLosses},
};

use crate::{hide::mask, tap::Seen};

/// Counts the frame.
#[inline(always)]
pub fn count(counters: *mut TapCounters, seen: &Seen) {
    let index = mask(u64::from(seen.class), CLASSES as u64) as usize;
    // SAFETY: the map value is this CPU's, alive as long as the program runs, and the index is below the table's length.
    unsafe {
        let class = (&raw mut (*counters).classes).cast::<ClassCount>().add(index);
        (*class).packets += 1;
        (*class).bytes += u64::from(seen.length);
        (*class).segments += u64::from(seen.segments);
    }
}

/// Adds one to a loss counter.
#[inline(always)]
pub fn loss(counters: *mut TapCounters, which: impl FnOnce(&mut TapLosses) -> &mut u64) {
    // SAFETY: the map value is this CPU's, and alive as long as the program runs.
    unsafe { *which(&mut (*counters).losses) += 1 };
}
