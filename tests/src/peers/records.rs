//! The records of a capture file, counted one by one: what a tool says of itself is held against this.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};
use probe_core::dump::{Head, Step, Walker};

use crate::live::frames;

/// Bytes read at one go, at least.
const BUFFER: usize = 1 << 20;

/// What a file holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// Records in all.
    pub all: u64,
    /// Records of frames with the mark.
    pub marked: u64,
    /// Of those, the lowest number and the highest.
    pub numbers: Option<(u64, u64)>,
    /// Bytes of the file.
    pub bytes: u64,
    /// Bytes behind the last whole record: the file was not written to its end.
    pub torn: u64,
    /// Packets that the file says were lost (interface statistics of pcapng).
    pub dropped: u64,
}

impl Records {
    /// Numbers that should be there between the lowest and the highest, and are not.
    pub fn holes(&self) -> u64 {
        self.numbers.map_or(0, |(low, high)| (high - low + 1).saturating_sub(self.marked))
    }

    /// Both files together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let numbers = match (self.numbers, other.numbers) {
            (Some((low, high)), Some((lower, higher))) => Some((low.min(lower), high.max(higher))),
            (one, none) => one.or(none),
        };
        Self {
            all: self.all + other.all,
            marked: self.marked + other.marked,
            numbers,
            bytes: self.bytes + other.bytes,
            torn: self.torn + other.torn,
            dropped: self.dropped + other.dropped,
        }
    }
}

/// Counts the records of a file; of those with a time before `from_ns` (since 1970) nothing but their number.
///
/// # Errors
/// A file that cannot be read or is no capture: with its name.
pub fn count(path: &Path, mark: u64, from_ns: u64) -> Result<Records> {
    let file = File::open(path).with_context(|| path.display().to_string())?;
    walk(file, mark, from_ns).with_context(|| path.display().to_string())
}

fn walk(mut file: impl Read, mark: u64, from_ns: u64) -> Result<Records> {
    let (mut walker, mut records) = (Walker::default(), Records::default());
    let (mut buffer, mut start, mut end) = (vec![0; BUFFER], 0, 0);
    let mut skip = 0u64;
    loop {
        let now = usize::try_from(skip).unwrap_or(usize::MAX).min(end - start);
        start += now;
        skip -= now as u64;
        let step = if skip > 0 { Step::More(1) } else { walker.step(&buffer[start..end])? };
        match step {
            Step::Packet(head) => {
                let bytes = buffer.get(start + head.start..).and_then(|bytes| bytes.get(..head.captured)).unwrap_or(&[]);
                records.take(&head, bytes, mark, from_ns);
                start += head.used;
            }
            Step::Skip(bytes) => skip = bytes,
            Step::More(wanted) => {
                buffer.copy_within(start..end, 0);
                (start, end) = (0, end - start);
                if buffer.len() < wanted.max(BUFFER) {
                    buffer.resize(wanted, 0);
                }
                let mut got = 0;
                while end < wanted || got == 0 {
                    let read = file.read(&mut buffer[end..])?;
                    if read == 0 {
                        records.bytes = walker.offset() - skip + (end - start) as u64;
                        records.torn = if skip > 0 { 1 } else { (end - start) as u64 };
                        records.dropped = walker.interfaces().iter().map(|interface| interface.dropped).sum();
                        return Ok(records);
                    }
                    got += read;
                    end += read;
                }
            }
        }
    }
}

impl Records {
    fn take(&mut self, head: &Head, bytes: &[u8], mark: u64, from_ns: u64) {
        self.all += 1;
        let early = head.at_ns.is_some_and(|at| at < from_ns);
        let Some(number) = frames::number(bytes, mark).filter(|_| !early) else { return };
        self.marked += 1;
        let (low, high) = self.numbers.unwrap_or((number, number));
        self.numbers = Some((low.min(number), high.max(number)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pcap of frames with these numbers, microseconds as their time.
    fn pcap(numbers: &[u64], mark: u64) -> Vec<u8> {
        let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];
        for number in numbers {
            let mut frame = frames::numbered(60, mark);
            frame[frames::NUMBER..frames::MARK].copy_from_slice(&number.to_ne_bytes());
            for word in [0, *number as u32, 60, 60] {
                file.extend(word.to_le_bytes());
            }
            file.extend(frame);
        }
        file
    }

    #[test]
    fn every_record_is_counted_and_a_hole_is_seen() {
        let records = walk(&pcap(&[3, 4, 6, 7], 9)[..], 9, 0).unwrap();
        assert_eq!((records.all, records.marked, records.numbers, records.holes(), records.torn), (4, 4, Some((3, 7)), 1, 0));
        assert_eq!(records.bytes, 24 + 4 * 76);
    }

    #[test]
    fn frames_of_another_run_and_earlier_ones_are_only_counted() {
        let records = walk(&pcap(&[3, 4, 6, 7], 8)[..], 9, 0).unwrap();
        assert_eq!((records.all, records.marked, records.holes()), (4, 0, 0));
        let records = walk(&pcap(&[3, 4, 6, 7], 9)[..], 9, 6_000).unwrap();
        assert_eq!((records.all, records.marked, records.numbers), (4, 2, Some((6, 7))));
    }

    #[test]
    fn a_file_that_is_larger_than_the_buffer_is_walked_to_its_end() {
        let numbers: Vec<u64> = (0..40_000).collect();
        let records = walk(&pcap(&numbers, 9)[..], 9, 0).unwrap();
        assert_eq!((records.marked, records.holes()), (40_000, 0));
    }

    #[test]
    fn a_record_that_was_not_written_whole_is_told() {
        let mut file = pcap(&[1, 2], 9);
        file.truncate(file.len() - 10);
        let records = walk(&file[..], 9, 0).unwrap();
        assert_eq!((records.all, records.torn), (1, 66));
    }
}
