//! The records of an incident in the order of time, whatever CPU and lane they come from.

use probe_core::record::{Record, records};
use probe_core::time::Mono;

use super::capture::Captured;
use super::source::Chunk;

/// Where a record is: its stamp, its chunk, and its byte there. 16 bytes for each of the records, which have 32 or more.
///
/// Sorted as a whole rather than merged by CPU: a CPU's stamps are in order only as far as no interrupt came between a stamp and
/// the record that it belongs to, and a stamp that goes backwards must not get into a file.
type Place = (u64, u32, u32);

/// The records of a window, in order.
#[derive(Debug)]
pub struct Packets<'a> {
    chunks: &'a [Chunk],
    places: Vec<Place>,
    /// Ids of the taps that saw them, in no order.
    pub taps: Vec<u16>,
    /// Chunks that ended with bytes that are no record.
    pub damaged: u64,
}

impl<'a> Packets<'a> {
    /// The records from `from` to `to`, both included.
    pub fn in_order(captured: &'a Captured, from: Mono, to: Mono) -> Self {
        let chunks = captured.chunks.as_slice();
        let mut places = Vec::new();
        let mut taps: Vec<u16> = Vec::new();
        let mut damaged = 0;
        for (number, chunk) in (0..=u32::MAX).zip(chunks) {
            for record in records(&chunk.bytes) {
                let Ok(record) = record else {
                    damaged += 1;
                    continue;
                };
                if (from.0..=to.0).contains(&record.header.at_ns) {
                    places.push((record.header.at_ns, number, offset(chunk, &record)));
                    if !taps.contains(&record.header.tap) {
                        taps.push(record.header.tap);
                    }
                }
            }
        }
        // Each CPU's lanes are nearly in order: the stable sort finds such runs and merges them.
        places.sort();
        Self { chunks, places, taps, damaged }
    }

    /// Each record.
    pub fn iter(&self) -> impl Iterator<Item = Record<'a>> {
        self.places.iter().filter_map(|&(_, chunk, at)| {
            let bytes = self.chunks.get(chunk as usize)?.bytes.get(at as usize..)?;
            records(bytes).next()?.ok()
        })
    }
}

/// Where a record begins in its chunk: its header stands before its bytes.
fn offset(chunk: &Chunk, record: &Record<'_>) -> u32 {
    let header = size_of::<probe_common::recorder::RecordHeader>();
    let frame = record.bytes.as_ptr().addr() - chunk.bytes.as_ptr().addr();
    // A chunk is a part of a block, which has 64 KiB.
    (frame - header) as u32
}
