//! Barriers for the optimiser: without them LLVM folds a check into arithmetic that the verifier can no longer follow.

use core::arch::asm;

/// The same value, about which the optimiser knows nothing. The verifier knows as much as before.
#[inline(always)]
pub fn hide(mut value: u64) -> u64 {
    // A move onto itself: with no instruction at all the kernel refuses the line information.
    // SAFETY: the register keeps its value.
    unsafe { asm!("{0} = {0}", inout(reg) value, options(nomem, nostack, preserves_flags)) };
    value
}

/// The same value, which the verifier no longer takes for the same: what it learns of one, it does not learn of the other.
#[inline(always)]
pub fn forget(mut value: u64) -> u64 {
    // SAFETY: the register keeps its value.
    unsafe { asm!("{0} += 0", inout(reg) value, options(nomem, nostack, preserves_flags)) };
    value
}

/// `value` reduced below `limit`, a power of two, in a way that the verifier sees after the last arithmetic.
#[inline(always)]
pub fn mask(value: u64, limit: u64) -> u64 {
    hide(value) & (limit - 1)
}
