//! A recorder of which only some packets are wanted (`--filter`).
//!
//! Control frames and the exemplars of repeats are always wanted: the verdict rests on them.

use probe_common::recorder::lane;
use probe_core::filter::Filter;
use probe_core::record::{Record, encode, records};
use probe_core::time::Mono;

use super::source::{Chunk, Missed, Source};

/// Hands over the packets that the filter takes, before they cost memory.
pub struct Filtered {
    source: Box<dyn Source>,
    filter: Filter,
}

impl Filtered {
    /// Of this recorder.
    pub fn new(source: Box<dyn Source>, filter: Filter) -> Self {
        Self { source, filter }
    }
}

impl Source for Filtered {
    fn snapshot(&mut self, since: Mono, sink: &mut dyn FnMut(Chunk)) -> Missed {
        let filter = &self.filter;
        self.source.snapshot(since, &mut |chunk| sink(sift(chunk, filter)))
    }

    fn follow(&mut self, bulk: bool, sink: &mut dyn FnMut(Chunk)) -> Missed {
        let filter = &self.filter;
        self.source.follow(bulk, &mut |chunk| sink(sift(chunk, filter)))
    }
}

/// Whether a record of the bulk lane is wanted.
pub fn wants(filter: &Filter, record: &Record<'_>) -> bool {
    record.header.copies_log2 > 0 || filter.may_take(record.bytes, record.header.length)
}

/// The chunk without what is not wanted; it remembers when it began.
fn sift(chunk: Chunk, filter: &Filter) -> Chunk {
    if chunk.lane == lane::CONTROL {
        return chunk;
    }
    let mut bytes = Vec::new();
    let mut began = None;
    for record in records(&chunk.bytes) {
        // A copy that is damaged is handed on as it is, to be counted.
        let Ok(record) = record else { return chunk };
        let at = Mono(record.header.at_ns);
        began = Some(began.map_or(at, |first: Mono| first.min(at)));
        if wants(filter, &record) {
            encode(&record.header, record.bytes, &mut bytes);
        }
    }
    Chunk { bytes, began, ..chunk }
}

#[cfg(test)]
mod tests {
    use super::*;
    use probe_common::recorder::RecordHeader;

    #[test]
    fn control_frames_and_exemplars_stay_and_the_chunk_knows_when_it_began() {
        let header =
            |at_ns, length, copies_log2| RecordHeader { at_ns, length, captured: 4, copies_log2, ..RecordHeader::default() };
        let mut bytes = Vec::new();
        for header in [header(5, 100, 0), header(6, 1500, 0), header(7, 100, 5)] {
            encode(&header, b"abcd", &mut bytes);
        }
        let filter: Filter = "greater 1000".parse().expect("a filter");
        let sifted = |lane| sift(Chunk { cpu: 0, lane, seq: 1, bytes: bytes.clone(), began: None }, &filter);
        let times = |chunk: &Chunk| records(&chunk.bytes).map(|r| r.expect("whole").header.at_ns).collect::<Vec<_>>();
        assert_eq!(times(&sifted(lane::CONTROL)), [5, 6, 7]);
        let bulk = sifted(lane::BULK);
        assert_eq!((times(&bulk), bulk.began), (vec![6, 7], Some(Mono(5))));
    }
}
