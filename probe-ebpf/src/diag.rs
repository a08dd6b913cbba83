//! Diagnostics, off by default. Each message is a function of its own and takes plain numbers: what a message borrows cannot live in
//! registers, and that would cost even while diagnostics are off. The functions are global and return an integer: so the verifier goes
//! through each once by itself, and not at every call.

use aya_log_ebpf::{debug, macro_support::Level, macro_support::level_enabled};

/// What there is to say.
#[derive(Clone, Copy)]
pub enum Message {
    /// More tags or extension headers than are followed.
    ParserGaveUp,
    /// The program was re-entered while it recorded.
    Busy,
    /// The frame's bytes cannot be read.
    Unreadable,
    /// A lane goes on to this block.
    Block(u32),
}

/// Says it, about a tap; costs nothing while diagnostics are off.
#[inline(always)]
pub fn say(message: Message, tap: u16) {
    if !level_enabled(Level::Debug) {
        return;
    }
    let _ = match message {
        Message::ParserGaveUp => lp_say_parser_gave_up(tap.into()),
        Message::Busy => lp_say_busy(tap.into()),
        Message::Unreadable => lp_say_unreadable(tap.into()),
        Message::Block(block) => lp_say_next_block(tap.into(), block),
    };
}

#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn lp_say_parser_gave_up(tap: u32) -> i32 {
    debug!((), "tap {}: too many tags or extension headers", tap);
    0
}

#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn lp_say_busy(tap: u32) -> i32 {
    debug!((), "tap {}: a frame came while another was being recorded", tap);
    0
}

#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn lp_say_unreadable(tap: u32) -> i32 {
    debug!((), "tap {}: a frame cannot be read", tap);
    0
}

#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn lp_say_next_block(tap: u32, block: u32) -> i32 {
    debug!((), "tap {}: its lane goes on to block {}", tap, block);
    0
}
