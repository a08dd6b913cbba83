//! Linkprobe's kernel programs: they see every frame of a tap, and pass every one of them on.
//!
//! The way of a frame: `hooks` → `tap` (which tap is this?) → `parse` (which class?) → `count` → `sample` → `record` (unless it is
//! one of many copies: `repeat`).
//! What userspace must see at once goes through `frame_event`. `carrier` watches the kernel turn carriers on and off,
//! `drops` what it drops.
#![no_std]
#![no_main]
// The barriers of `hide.rs` and `publish.rs`.
#![feature(asm_experimental_arch)]

mod carrier;
mod copy;
mod count;
mod diag;
mod drops;
mod frame;
mod frame_event;
mod hide;
mod hooks;
mod ip;
mod maps;
mod params;
mod parse;
mod publish;
mod record;
mod repeat;
mod sample;
mod tap;

/// The helpers that we call are for GPL-compatible programs only.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
