//! Copies a frame's bytes into a block. A helper call costs more than all else here, so what lies in one piece is copied by the program.

use core::arch::asm;

use probe_common::recorder::{BLOCK_SIZE, Block, COPY_CHUNK, MAX_SNAPLEN};

use crate::{
    frame::{Frame, Tag},
    hide::{forget, hide, mask},
};

/// Where the frame's two MAC addresses end and a tag belongs.
const TAG_AT: u32 = 12;
/// The shortest frame that can take a tag.
const MIN_TAGGED: u32 = TAG_AT + 4 + 2;
/// Bytes that are copied between two looks at the frame's end.
const GROUP: u32 = 32;
/// Longest piece that is copied without a helper, in groups.
const MAX_GROUPS: u32 = 8;

/// Copies `captured` bytes of the frame to `at`, the tag put back. False when they cannot be read. `snaplen` bounds `captured`.
#[inline(always)]
pub fn copy<F: Frame>(frame: &F, tag: Tag, block: *mut Block, at: u32, captured: u32, snaplen: u32) -> bool {
    if !tag.is_some() {
        return copy_from(frame, 0, block, at, captured, snaplen);
    }
    if captured < MIN_TAGGED {
        return false;
    }
    // SAFETY: `place` keeps both within the block and its slack.
    unsafe {
        if !frame.load(0, place(block, at), TAG_AT) {
            return false;
        }
        place(block, at + TAG_AT).cast::<[u8; 4]>().write(tag.bytes());
    }
    copy_from(frame, TAG_AT, block, at + TAG_AT + 4, captured - TAG_AT - 4, snaplen)
}

#[inline(always)]
fn copy_from<F: Frame>(frame: &F, from: u32, block: *mut Block, at: u32, length: u32, snaplen: u32) -> bool {
    // What the verifier learns of the length on each way through the copying is of no use behind it, and would multiply the ways.
    let length = forget(u64::from(length)) as u32;
    copy_direct(frame, from, block, at, length) || copy_by_helper(frame, from, block, at, length, snaplen)
}

/// Copies by the program itself. False, with anything written, when the frame is not in one piece, too short or too long for that.
#[inline(always)]
fn copy_direct<F: Frame>(frame: &F, from: u32, block: *mut Block, at: u32, length: u32) -> bool {
    let (data, end) = (frame.data(), frame.data_end());
    if !(GROUP..=GROUP * MAX_GROUPS).contains(&length) {
        return false;
    }
    let start = data + from as usize;
    // A whole number of groups, and the last bytes once more with whatever precedes them.
    for group in 0..MAX_GROUPS {
        let offset = group * GROUP;
        if offset + GROUP > length {
            break;
        }
        let source = start + offset as usize;
        if source + GROUP as usize > end {
            return false;
        }
        // SAFETY: the group is within the packet, as just compared, and `place` keeps it within the block.
        unsafe { copy_group(source, place(block, at + offset)) };
    }
    if length.is_multiple_of(GROUP) {
        return true;
    }
    let last = mask(u64::from(length - GROUP), u64::from(GROUP * MAX_GROUPS)) as u32;
    let source = hide((start + last as usize) as u64) as usize;
    if source + GROUP as usize > end {
        return false;
    }
    // SAFETY: as above.
    unsafe { copy_group(source, place(block, at + last)) };
    true
}

/// Copies 32 bytes. In assembly, because packets and what is put into blocks from them are not aligned.
///
/// # Safety
/// Both have 32 bytes.
#[inline(always)]
unsafe fn copy_group(from: usize, to: *mut u8) {
    // SAFETY: the caller's promise.
    unsafe {
        asm!(
            "{word} = *(u64 *)({from} + 0)",
            "*(u64 *)({to} + 0) = {word}",
            "{word} = *(u64 *)({from} + 8)",
            "*(u64 *)({to} + 8) = {word}",
            "{word} = *(u64 *)({from} + 16)",
            "*(u64 *)({to} + 16) = {word}",
            "{word} = *(u64 *)({from} + 24)",
            "*(u64 *)({to} + 24) = {word}",
            word = out(reg) _,
            from = in(reg) from,
            to = in(reg) to,
            options(nostack),
        );
    }
}

#[inline(always)]
fn copy_by_helper<F: Frame>(frame: &F, from: u32, block: *mut Block, at: u32, length: u32, snaplen: u32) -> bool {
    const CHUNK: u32 = COPY_CHUNK as u32;
    for piece in 0..(MAX_SNAPLEN / COPY_CHUNK) as u32 {
        let done = piece * CHUNK;
        let left = length - done;
        // The first test makes this all there is for the verifier when one chunk holds a whole record.
        if snaplen <= CHUNK || left <= CHUNK {
            // A helper takes a length only within known bounds: 1 to one chunk, as the verifier sees it last.
            let left = mask(u64::from(left.wrapping_sub(1)), u64::from(CHUNK)) as u32 + 1;
            // SAFETY: `place` leaves at least one chunk behind it.
            return unsafe { frame.load(from + done, place(block, at + done), left) };
        }
        // SAFETY: as above.
        if !unsafe { frame.load(from + done, place(block, at + done), CHUNK) } {
            return false;
        }
    }
    false
}

/// The byte at `offset` of the block; a chunk fits behind it.
#[inline(always)]
pub fn place(block: *mut Block, offset: u32) -> *mut u8 {
    let offset = mask(u64::from(offset), BLOCK_SIZE as u64);
    hide(block as u64 + offset) as *mut u8
}
