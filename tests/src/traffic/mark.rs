//! What every frame of the generator carries, so that a reader can tell whether it got the frame as it was sent.
//!
//! A *mark* of [`MARK`] bytes stands behind the headers; the *body* behind it, to the end of the frame, is a pattern that follows from
//! the mark. So any prefix of a frame can be checked, whatever the snap length. A GSO packet carries one mark per segment.
//!
//! | bytes | field |
//! |--|--|
//! | 8 | magic |
//! | 4 | stream: which run of the generator |
//! | 1 | kind |
//! | 1 | flags: 1 = the headers have a checksum here |
//! | 2 | offset of the mark from the end of the tags |
//! | 8 | sequence number within stream and kind, from 0 |
//! | 4 | length of mark and body |
//! | 4 | FNV-1a of the headers from the last ethertype to the mark, the transport checksum taken as zero |
//! | 2 | offset of that transport checksum from the end of the tags, or 0 |
//! | 2 | zero |
//! | 4 | FNV-1a of the mark so far |
//!
//! All integers are big-endian.

use super::checksum::{FNV_START, fnv};
use super::kind::Kind;

/// Bytes of a mark.
pub const MARK: usize = 40;
/// The first three bytes of the source MAC of every frame of the generator.
pub const MAC_PREFIX: [u8; 3] = [0x02, 0x4c, 0x50];

const MAGIC: [u8; 8] = *b"LNKPRB\xa5\x01";
const HEADERS: u8 = 1;

/// What a frame says that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The generator's run.
    pub stream: u32,
    /// The kind of frame.
    pub kind: Kind,
    /// Sequence number (of the first mark) within stream and kind.
    pub seq: u64,
    /// Marks in the frame: 1, or the segments of a GSO packet.
    pub marks: u32,
}

/// What came of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every byte is as it was sent.
    Whole(Seen),
    /// It was cut off, and every byte that is there is as it was sent.
    Cut(Seen),
    /// Cut off before the mark: nothing can be said.
    Short,
    /// Not of the generator.
    Foreign,
    /// Of the generator, and not as it was sent.
    Torn(String),
}

/// What [`stamp`] needs to know beside the sequence number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stamp {
    pub stream: u32,
    pub kind: Kind,
    /// Offset of the end of the tags (where the network header begins).
    pub l3: usize,
    /// Offset of the transport checksum in the frame, if there is one.
    pub checksum_at: Option<usize>,
}

/// Writes mark and body into `frame[at..end]`; `headers` when the bytes before are final but for the transport checksum.
pub(super) fn stamp(frame: &mut [u8], at: usize, end: usize, what: Stamp, seq: u64, headers: bool) {
    let sum = if headers { header_sum(frame, what.l3, at, what.checksum_at) } else { 0 };
    let low = |n: usize| u16::try_from(n).unwrap_or(0).to_be_bytes();
    let checksum_at = what.checksum_at.filter(|_| headers).map_or(0, |offset| offset - what.l3);
    let chunk = &mut frame[at..end];
    let length = u32::try_from(chunk.len()).unwrap_or(0);
    chunk[..8].copy_from_slice(&MAGIC);
    chunk[8..12].copy_from_slice(&what.stream.to_be_bytes());
    chunk[12] = what.kind as u8;
    chunk[13] = if headers { HEADERS } else { 0 };
    chunk[14..16].copy_from_slice(&low(at - what.l3));
    chunk[16..24].copy_from_slice(&seq.to_be_bytes());
    chunk[24..28].copy_from_slice(&length.to_be_bytes());
    chunk[28..32].copy_from_slice(&sum.to_be_bytes());
    chunk[32..34].copy_from_slice(&low(checksum_at));
    chunk[34..36].copy_from_slice(&[0, 0]);
    let own = fnv(&chunk[..36], FNV_START);
    chunk[36..40].copy_from_slice(&own.to_be_bytes());
    let (_, body) = chunk.split_at_mut(MARK);
    for (i, piece) in body.chunks_mut(8).enumerate() {
        piece.copy_from_slice(&pattern(what.stream, seq, i)[..piece.len()]);
    }
}

/// Checks the captured bytes of a frame, from its destination MAC on.
pub fn verify(frame: &[u8]) -> Verdict {
    let ours = frame.get(6..9).is_some_and(|mac| mac == MAC_PREFIX);
    let Some(l3) = after_tags(frame) else {
        return if ours { Verdict::Short } else { Verdict::Foreign };
    };
    let Some(first) = find(frame, l3) else {
        return match ours {
            true if frame.len() >= expected(frame, l3) + MARK => Verdict::Torn("no mark where one must be".into()),
            true => Verdict::Short,
            false => Verdict::Foreign,
        };
    };
    let mut seen: Option<Seen> = None;
    let mut at = first;
    loop {
        let mark = match Mark::read(frame, at) {
            Read::Mark(mark) => mark,
            Read::Cut => return seen.map_or(Verdict::Short, Verdict::Cut),
            Read::Bad(why) => return Verdict::Torn(format!("mark at {at}: {why}")),
        };
        if let Err(why) = mark.check(frame, at, l3, seen.as_ref()) {
            return Verdict::Torn(format!("{} {} at {at}: {why}", mark.kind.name(), mark.seq));
        }
        let seen = seen.get_or_insert(Seen { stream: mark.stream, kind: mark.kind, seq: mark.seq, marks: 0 });
        seen.marks += 1;
        at += mark.length;
        if at > frame.len() {
            return Verdict::Cut(*seen);
        }
        if frame[at..].iter().all(|byte| *byte == 0) {
            return Verdict::Whole(*seen);
        }
    }
}

struct Mark {
    stream: u32,
    kind: Kind,
    headers: bool,
    offset: usize,
    seq: u64,
    length: usize,
    header_sum: u32,
    checksum_at: usize,
}

enum Read {
    Mark(Mark),
    Cut,
    Bad(&'static str),
}

impl Mark {
    fn read(frame: &[u8], at: usize) -> Read {
        let Some(raw) = frame.get(at..at + MARK) else {
            return Read::Cut;
        };
        let u16_at = |i: usize| usize::from(u16::from_be_bytes([raw[i], raw[i + 1]]));
        let u32_at = |i: usize| u32::from_be_bytes([raw[i], raw[i + 1], raw[i + 2], raw[i + 3]]);
        if raw[..8] != MAGIC {
            return Read::Bad("no magic");
        }
        if fnv(&raw[..36], FNV_START) != u32_at(36) {
            return Read::Bad("its checksum is wrong");
        }
        let Some(kind) = Kind::from_number(raw[12]) else {
            return Read::Bad("unknown kind");
        };
        let length = usize::try_from(u32_at(24)).unwrap_or(0);
        if length < MARK {
            return Read::Bad("too short a length");
        }
        Read::Mark(Mark {
            stream: u32_at(8),
            kind,
            headers: raw[13] & HEADERS != 0,
            offset: u16_at(14),
            seq: u64::from(u32_at(16)) << 32 | u64::from(u32_at(20)),
            length,
            header_sum: u32_at(28),
            checksum_at: u16_at(32),
        })
    }

    /// Headers, place, order and body.
    fn check(&self, frame: &[u8], at: usize, l3: usize, before: Option<&Seen>) -> Result<(), String> {
        if let Some(before) = before {
            let expected = before.seq + u64::from(before.marks);
            if (before.stream, before.kind, expected) != (self.stream, self.kind, self.seq) {
                return Err(format!("follows {} {} of stream {}", before.kind.name(), before.seq, before.stream));
            }
        }
        if self.headers {
            if at - l3 != self.offset {
                return Err(format!("stands {} bytes behind the tags, was sent at {}", at - l3, self.offset));
            }
            let checksum_at = (self.checksum_at != 0).then_some(l3 + self.checksum_at);
            if header_sum(frame, l3, at, checksum_at) != self.header_sum {
                return Err("its headers are not the ones that were sent".into());
            }
        }
        let end = frame.len().min(at + self.length);
        for (i, piece) in frame[at + MARK..end].chunks(8).enumerate() {
            if *piece != pattern(self.stream, self.seq, i)[..piece.len()] {
                return Err(format!("its body differs in the word at {}", at + MARK + i * 8));
            }
        }
        Ok(())
    }
}

/// Offset of the network header: behind the MACs, all tags and the ethertype.
fn after_tags(frame: &[u8]) -> Option<usize> {
    let mut at = 12;
    while matches!(frame.get(at..at + 2)?, [0x81, 0x00] | [0x88, 0xa8]) {
        at += 4;
    }
    Some(at + 2)
}

/// Where the mark of a frame of ours has to stand, by its headers.
fn expected(frame: &[u8], l3: usize) -> usize {
    let byte = |at: usize| frame.get(l3 + at).copied().map_or(0, usize::from);
    let headers = match frame[l3 - 2..l3] {
        [0x08, 0x06] => 28,
        [0x88, 0x09] => 60,
        [0x08, 0x00] => {
            let later_fragment = byte(6) & 0x1f != 0 || byte(7) != 0;
            let transport = if later_fragment {
                0
            } else if byte(9) == 6 {
                20
            } else {
                8
            };
            (byte(0) & 15) * 4 + transport
        }
        _ => 64,
    };
    l3 + headers
}

fn find(frame: &[u8], from: usize) -> Option<usize> {
    frame.get(from..)?.windows(MAGIC.len()).position(|window| window == MAGIC).map(|at| at + from)
}

fn header_sum(frame: &[u8], l3: usize, mark: usize, checksum_at: Option<usize>) -> u32 {
    let start = l3 - 2;
    match checksum_at {
        Some(at) if at >= start && at + 2 <= mark => fnv(&frame[at + 2..mark], fnv(&[0, 0], fnv(&frame[start..at], FNV_START))),
        _ => fnv(&frame[start..mark], FNV_START),
    }
}

/// Eight bytes of the body (splitmix64 of stream, sequence number and place).
fn pattern(stream: u32, seq: u64, word: usize) -> [u8; 8] {
    let mut z = (u64::from(stream) << 32 ^ seq)
        .wrapping_add(0x9e37_79b9_7f4a_7c15)
        .wrapping_mul(0xbf58_476d_1ce4_e5b9)
        .wrapping_add(u64::try_from(word).unwrap_or(0).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ z >> 31).to_be_bytes()
}
