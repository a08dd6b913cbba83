//! Records of the recorder, out of the bytes that a reader copied.
//!
//! A copy is the records of one block from some record's start on, as [`probe_common::recorder`] lays them out.

use probe_common::recorder::{RecordHeader, record_size};

const HEADER: usize = size_of::<RecordHeader>();

/// One recorded frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// What is known of the frame.
    pub header: RecordHeader,
    /// Its first `header.captured` bytes, from the destination MAC on, VLAN tags in place.
    pub bytes: &'a [u8],
}

/// Bytes that are no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The bytes end within a header.
    #[error("record at byte {at}: {left} bytes left, a header has {HEADER}")]
    Header {
        /// Where the record begins.
        at: usize,
        /// Bytes from there on.
        left: usize,
    },
    /// The bytes end within a frame.
    #[error("record at byte {at}: {captured} bytes captured, {left} left")]
    Frame {
        /// Where the record begins.
        at: usize,
        /// What its header says.
        captured: u16,
        /// Bytes behind its header.
        left: usize,
    },
    /// More was captured than there was.
    #[error("record at byte {at}: {captured} bytes captured of a frame of {length}")]
    Length {
        /// Where the record begins.
        at: usize,
        /// What its header says.
        captured: u16,
        /// What its header says.
        length: u32,
    },
}

/// The records in `bytes`, in the order in which they were written. Ends after the first error.
pub fn records(bytes: &[u8]) -> Records<'_> {
    Records { bytes, at: 0 }
}

/// See [`records`].
#[derive(Clone, Debug)]
pub struct Records<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.bytes.get(self.at..).filter(|rest| !rest.is_empty())?;
        let record = decode(rest, self.at);
        self.at = match &record {
            Ok(record) => self.at + record_size(record.bytes.len()),
            Err(_) => self.bytes.len(),
        };
        Some(record)
    }
}

fn decode(rest: &[u8], at: usize) -> Result<Record<'_>, RecordError> {
    let Some((head, behind)) = rest.split_first_chunk::<HEADER>() else {
        return Err(RecordError::Header { at, left: rest.len() });
    };
    let header = header(head);
    let Some(bytes) = behind.get(..usize::from(header.captured)) else {
        return Err(RecordError::Frame { at, captured: header.captured, left: behind.len() });
    };
    if u32::from(header.captured) > header.length {
        return Err(RecordError::Length { at, captured: header.captured, length: header.length });
    }
    Ok(Record { header, bytes })
}

/// The header's integers, each from its place; they are in the order of this machine.
fn header(b: &[u8; HEADER]) -> RecordHeader {
    let u16_at = |i: usize| u16::from_ne_bytes([b[i], b[i + 1]]);
    RecordHeader {
        at_ns: u64::from_ne_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]),
        length: u32::from_ne_bytes([b[8], b[9], b[10], b[11]]),
        captured: u16_at(12),
        tap: u16_at(14),
        queue: u16_at(16),
        segments: u16_at(18),
        class: b[20],
        flags: b[21],
        copies_log2: b[22],
        reserved: b[23],
    }
}

/// The bytes of a record, as the kernel programs lay them out: for tests, and for captures made by hand.
pub fn encode(header: &RecordHeader, frame: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&header.at_ns.to_ne_bytes());
    out.extend_from_slice(&header.length.to_ne_bytes());
    for value in [header.captured, header.tap, header.queue, header.segments] {
        out.extend_from_slice(&value.to_ne_bytes());
    }
    out.extend_from_slice(&[header.class, header.flags, header.copies_log2, header.reserved]);
    out.extend_from_slice(frame);
    out.resize(start + record_size(frame.len()), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(captured: u16, length: u32) -> RecordHeader {
        RecordHeader {
            at_ns: 0x0102_0304_0506_0708,
            length,
            captured,
            tap: 7,
            queue: 3,
            segments: 2,
            class: 10,
            flags: 1,
            copies_log2: 0,
            reserved: 0,
        }
    }

    #[test]
    fn records_come_back_as_they_were_written_with_padding_skipped() {
        let mut bytes = Vec::new();
        for n in [0u16, 1, 7, 8, 9, 60] {
            encode(&sample(n, 100), &vec![n as u8; usize::from(n)], &mut bytes);
        }
        let back: Vec<_> = records(&bytes).collect::<Result<_, _>>().unwrap();
        assert_eq!(back.len(), 6);
        for (record, n) in back.iter().zip([0u16, 1, 7, 8, 9, 60]) {
            assert_eq!((record.header, record.bytes), (sample(n, 100), &vec![n as u8; usize::from(n)][..]));
        }
    }

    #[test]
    fn bytes_that_end_within_a_header_are_an_error_that_names_the_place() {
        let mut bytes = Vec::new();
        encode(&sample(8, 8), &[1; 8], &mut bytes);
        bytes.extend_from_slice(&[0; 5]);
        let back: Vec<_> = records(&bytes).collect();
        assert_eq!(back[1], Err(RecordError::Header { at: 32, left: 5 }));
        assert_eq!(back.len(), 2);
    }

    #[test]
    fn bytes_that_end_within_a_frame_are_an_error() {
        let mut bytes = Vec::new();
        encode(&sample(9, 9), &[1; 8], &mut bytes);
        assert_eq!(records(&bytes).next(), Some(Err(RecordError::Frame { at: 0, captured: 9, left: 8 })));
    }

    #[test]
    fn a_frame_longer_captured_than_it_was_is_an_error() {
        let mut bytes = Vec::new();
        encode(&sample(8, 7), &[1; 8], &mut bytes);
        assert_eq!(records(&bytes).next(), Some(Err(RecordError::Length { at: 0, captured: 8, length: 7 })));
    }

    #[test]
    fn no_bytes_are_no_records_and_no_error() {
        assert_eq!(records(&[]).next(), None);
    }

    #[test]
    fn every_cut_and_every_changed_byte_ends_in_records_or_one_error() {
        let mut bytes = Vec::new();
        for n in 0..20u16 {
            encode(&sample(n, 100), &vec![0xff; usize::from(n)], &mut bytes);
        }
        for cut in 0..bytes.len() {
            let errors = records(&bytes[..cut]).filter(Result::is_err).count();
            assert!(errors <= 1);
        }
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x80;
            assert!(records(&changed).filter(Result::is_err).count() <= 1);
        }
    }
}
