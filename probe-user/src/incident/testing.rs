//! What the tests of this module share.

use probe_common::recorder::{RecordHeader, record_size};
use probe_core::record::encode;

use super::pcapng::PACKET_OVERHEAD;
use super::source::Chunk;

/// Captured bytes of every frame here.
pub const FRAME: usize = 64;

/// Bytes of the records of one frame.
pub fn record_bytes() -> usize {
    record_size(FRAME)
}

/// Bytes of such a record's packet in the file.
pub fn file_bytes() -> usize {
    record_bytes() + PACKET_OVERHEAD - size_of::<RecordHeader>()
}

/// A frame from one station to another that holds `number`.
pub fn frame(number: u64) -> [u8; FRAME] {
    let mut frame = [0; FRAME];
    frame[..12].copy_from_slice(&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1]);
    // An experimental EtherType: nothing dissects what follows.
    frame[12..14].copy_from_slice(&[0x88, 0xb5]);
    frame[14..22].copy_from_slice(&number.to_be_bytes());
    frame
}

/// The head of the record of such a frame.
pub fn header(at_ns: u64, tap: u16) -> RecordHeader {
    RecordHeader {
        at_ns,
        length: 100,
        captured: FRAME as u16,
        tap,
        queue: 1,
        segments: 1,
        class: 0,
        flags: 0,
        copies_log2: 0,
        reserved: 0,
    }
}

/// A chunk of frames: stamp in nanoseconds and tap of each; the frame holds its stamp.
pub fn chunk(cpu: u32, lane: usize, seq: u64, frames: &[(u64, u16)]) -> Chunk {
    let mut bytes = Vec::new();
    for &(at_ns, tap) in frames {
        encode(&header(at_ns, tap), &frame(at_ns), &mut bytes);
    }
    Chunk { cpu, lane, seq, bytes, began: None }
}
