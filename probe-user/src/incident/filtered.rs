//! A recorder of which some packets are wanted more than others (`--filter`).
//!
//! What the filter does not take is set aside, not thrown away: the verdict looks at it as far as there is room, and first copies of a
//! repeat, which nobody can tell from other frames when they pass, get into the file after all ([`super::order`]).

use std::os::fd::BorrowedFd;

use probe_common::recorder::lane;
use probe_core::filter::Filter;
use probe_core::record::{Record, encode, records};
use probe_core::time::Mono;

use super::source::{ASIDE, Chunk, Lanes, Missed, Source};

/// Hands over what the filter takes and what it does not as chunks of their own.
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
        self.source.snapshot(since, &mut |chunk| sift(chunk, filter, sink))
    }

    fn follow(&mut self, lanes: &Lanes, bulk: bool, sink: &mut dyn FnMut(Chunk)) -> Missed {
        let filter = &self.filter;
        self.source.follow(lanes, bulk, &mut |chunk| sift(chunk, filter, sink))
    }

    fn bell(&self) -> BorrowedFd<'_> {
        self.source.bell()
    }

    fn quiet(&self) -> Lanes {
        self.source.quiet()
    }
}

/// Whether a record of the bulk lane is wanted, as far as that can be said without the direction of its tap.
pub fn wants(filter: &Filter, record: &Record<'_>) -> bool {
    record.header.copies_log2 > 0 || filter.may_take(record.bytes, record.header.length)
}

/// Hands over a chunk in two: what is set aside, and what is wanted, which remembers when the whole began.
fn sift(chunk: Chunk, filter: &Filter, sink: &mut dyn FnMut(Chunk)) {
    if chunk.lane == lane::CONTROL {
        return sink(chunk);
    }
    let (mut wanted, mut aside) = (Vec::new(), Vec::new());
    let mut began = None;
    for record in records(&chunk.bytes) {
        // A copy that is damaged is handed on as it is, to be counted.
        let Ok(record) = record else { return sink(chunk) };
        let at = Mono(record.header.at_ns);
        began = Some(began.map_or(at, |first: Mono| first.min(at)));
        let bytes = if wants(filter, &record) { &mut wanted } else { &mut aside };
        encode(&record.header, record.bytes, bytes);
    }
    if !aside.is_empty() {
        sink(Chunk { cpu: chunk.cpu, lane: ASIDE, seq: chunk.seq, bytes: aside, began: None });
    }
    sink(Chunk { bytes: wanted, began, ..chunk });
}

#[cfg(test)]
mod tests {
    use super::*;
    use probe_common::recorder::RecordHeader;

    #[test]
    fn what_the_filter_does_not_take_is_set_aside_and_the_rest_knows_when_the_whole_began() {
        let header =
            |at_ns, length, copies_log2| RecordHeader { at_ns, length, captured: 4, copies_log2, ..RecordHeader::default() };
        let mut bytes = Vec::new();
        for header in [header(5, 100, 0), header(6, 1500, 0), header(7, 100, 5)] {
            encode(&header, b"abcd", &mut bytes);
        }
        let filter: Filter = "greater 1000".parse().expect("a filter");
        let sifted = |lane| {
            let mut chunks = Vec::new();
            let chunk = Chunk { cpu: 0, lane, seq: 1, bytes: bytes.clone(), began: None };
            sift(chunk, &filter, &mut |chunk| chunks.push(chunk));
            let times = |chunk: &Chunk| records(&chunk.bytes).map(|r| r.expect("whole").header.at_ns).collect::<Vec<_>>();
            chunks.iter().map(|chunk| (chunk.lane, times(chunk), chunk.began)).collect::<Vec<_>>()
        };
        assert_eq!(sifted(lane::CONTROL), [(lane::CONTROL, vec![5, 6, 7], None)]);
        assert_eq!(sifted(lane::BULK), [(ASIDE, vec![5], None), (lane::BULK, vec![6, 7], Some(Mono(5)))]);
    }
}
