//! Stores that a reader in another address space waits for.

use core::arch::asm;

use crate::params::ATOMIC;

/// Stores `value` so that every store before it is seen no later than it.
///
/// x86 does not reorder stores, so a plain volatile one will do there; elsewhere it is an exchange, which BPF defines as a full barrier.
///
/// # Safety
/// `cell` points to eight aligned bytes that may be written.
#[inline(always)]
pub unsafe fn store(cell: *mut u64, value: u64) {
    if ATOMIC.load() != 0 {
        // SAFETY: the caller's promise.
        unsafe { exchange(cell, value) };
    } else {
        // SAFETY: the caller's promise.
        unsafe { cell.write_volatile(value) };
    }
}

/// Stores 0 so that every store after it is seen no earlier than it.
///
/// # Safety
/// `cell` points to eight aligned bytes that may be written.
#[inline(always)]
pub unsafe fn begin(cell: *mut u64) {
    // SAFETY: the caller's promise. The same instruction does for both orders.
    unsafe { store(cell, 0) };
}

/// Sets `busy` from 0 to 1. False when it was 1 already.
///
/// Without PREEMPT_RT whoever interrupts a program on its CPU ends before the program goes on, so load and store need not be one instruction.
///
/// # Safety
/// `busy` points to eight aligned bytes that may be written.
#[inline(always)]
pub unsafe fn try_claim(busy: *mut u64) -> bool {
    if ATOMIC.load() != 0 {
        // SAFETY: the caller's promise.
        return unsafe { exchange(busy, 1) } == 0;
    }
    // SAFETY: the caller's promise.
    unsafe {
        if busy.read_volatile() != 0 {
            return false;
        }
        busy.write_volatile(1);
    }
    true
}

/// `core`'s atomics are not there for this target: it declares none that compare and swap.
#[inline(always)]
unsafe fn exchange(cell: *mut u64, mut value: u64) -> u64 {
    // SAFETY: the caller promises that the cell may be written.
    unsafe {
        asm!("{value} = xchg_64({cell} + 0, {value})", cell = in(reg) cell, value = inout(reg) value, options(nostack));
    }
    value
}
