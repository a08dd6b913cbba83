//! The ring buffers: carrier edges and frames that cannot wait, read at once; samples, read when the agent ticks; and the one that says
//! when a recorder that is followed should be looked into.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::{Mutex, PoisonError};

use aya::maps::{MapData, RingBuf};
use probe_common::event::{CarrierEdge, FRAME_BYTES, FrameEvent, SAMPLE_BYTES, Sample, kind};
use probe_common::recorder::FILLED_SIZE;

use crate::netlink::request::{u16_at, u32_at, u64_at};

/// The EVENTS ring buffer. Its descriptor becomes readable when something came in (`AsyncFd`).
pub struct Events {
    ring: RingBuf<MapData>,
    malformed: u64,
}

/// An entry of the EVENTS ring buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KernelEvent {
    /// A carrier came or went.
    Edge(CarrierEdge),
    /// A LACPDU passed.
    Lacpdu(Box<FrameEvent>),
    /// A frame repeats itself like a storm.
    Repeat(Box<FrameEvent>),
}

/// So many entries of FILLED, each with its head, that others may have found no room. It is half of them, for some may have come meanwhile.
const MOST_FILLED: usize = FILLED_SIZE as usize / 16 / 2;

/// The SAMPLES ring buffer. Drain it now and then; its descriptor becomes readable when it is half full before that (`AsyncFd`).
pub struct Samples {
    ring: RingBuf<MapData>,
    malformed: u64,
}

/// The FILLED ring buffer. Its descriptor becomes readable when a quarter of a lane was written since [`Self::take`].
///
/// It may be full of old entries: the kernel wakes nobody then, until they are taken.
pub struct Filled {
    ring: Mutex<RingBuf<MapData>>,
    descriptor: OwnedFd,
}

impl Filled {
    pub(super) fn new(ring: RingBuf<MapData>) -> io::Result<Self> {
        Ok(Self { descriptor: ring.as_fd().try_clone_to_owned()?, ring: Mutex::new(ring) })
    }

    /// The lanes of which a quarter was written since the last call, each once: CPU, then one of [`probe_common::recorder::lane`]. None when
    /// there were so many that some may have found no room.
    pub fn take(&self) -> Option<Vec<(u32, usize)>> {
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut lanes, mut entries) = (Vec::new(), 0);
        while let Some(entry) = ring.next() {
            entries += 1;
            if let Some(lane) = u32_at(&entry, 0).zip(u32_at(&entry, 4)).map(|(cpu, lane)| (cpu, lane as usize))
                && !lanes.contains(&lane)
            {
                lanes.push(lane);
            }
        }
        (entries < MOST_FILLED).then_some(lanes)
    }
}

impl std::fmt::Debug for Filled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Filled").finish_non_exhaustive()
    }
}

impl AsFd for Filled {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

impl Events {
    pub(super) const fn new(ring: RingBuf<MapData>) -> Self {
        Self { ring, malformed: 0 }
    }

    /// The next event; `None` when there is none now.
    pub fn next_event(&mut self) -> Option<KernelEvent> {
        loop {
            match event(&self.ring.next()?) {
                Some(event) => return Some(event),
                None => self.malformed += 1,
            }
        }
    }

    /// Entries that were no events.
    pub const fn malformed(&self) -> u64 {
        self.malformed
    }
}

impl AsFd for Events {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.ring.as_fd()
    }
}

impl AsRawFd for Events {
    fn as_raw_fd(&self) -> RawFd {
        self.ring.as_raw_fd()
    }
}

impl Samples {
    pub(super) const fn new(ring: RingBuf<MapData>) -> Self {
        Self { ring, malformed: 0 }
    }

    /// Hands over every sample that is there.
    pub fn drain(&mut self, mut take: impl FnMut(&Sample)) {
        while let Some(item) = self.ring.next() {
            match sample(&item) {
                Some(sample) => take(&sample),
                None => self.malformed += 1,
            }
        }
    }

    /// Entries that were no samples.
    pub const fn malformed(&self) -> u64 {
        self.malformed
    }
}

impl AsFd for Samples {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.ring.as_fd()
    }
}

impl AsRawFd for Samples {
    fn as_raw_fd(&self) -> RawFd {
        self.ring.as_raw_fd()
    }
}

fn event(bytes: &[u8]) -> Option<KernelEvent> {
    let edge = CarrierEdge { at_ns: u64_at(bytes, 0)?, kind: u32_at(bytes, 8)?, ifindex: u32_at(bytes, 12)? };
    match edge.kind {
        kind::CARRIER_ON | kind::CARRIER_OFF => Some(KernelEvent::Edge(edge)),
        kind::LACPDU => Some(KernelEvent::Lacpdu(frame(bytes, edge)?)),
        kind::REPEAT => Some(KernelEvent::Repeat(frame(bytes, edge)?)),
        _ => None,
    }
}

/// A frame's event begins like an edge.
fn frame(bytes: &[u8], CarrierEdge { at_ns, kind, ifindex }: CarrierEdge) -> Option<Box<FrameEvent>> {
    let frame = FrameEvent {
        at_ns,
        kind,
        ifindex,
        first_ns: u64_at(bytes, 16)?,
        hash: u64_at(bytes, 24)?,
        copies: u64_at(bytes, 32)?,
        length: u32_at(bytes, 40)?,
        tap: u16_at(bytes, 44)?,
        captured: u16_at(bytes, 46)?,
        class: *bytes.get(48)?,
        flags: *bytes.get(49)?,
        egress: *bytes.get(50)?,
        reserved: [0; 5],
        bytes: bytes.get(56..56 + FRAME_BYTES)?.try_into().ok()?,
    };
    (usize::from(frame.captured) <= FRAME_BYTES && u32::from(frame.captured) <= frame.length).then(|| Box::new(frame))
}

fn sample(bytes: &[u8]) -> Option<Sample> {
    let sample = Sample {
        at_ns: u64_at(bytes, 0)?,
        length: u32_at(bytes, 8)?,
        rate: u32_at(bytes, 12)?,
        passed: u32_at(bytes, 16)?,
        lost: u32_at(bytes, 20)?,
        tap: u16_at(bytes, 24)?,
        captured: u16_at(bytes, 26)?,
        segments: u16_at(bytes, 28)?,
        hits: u16_at(bytes, 30)?,
        class: *bytes.get(32)?,
        flags: *bytes.get(33)?,
        reserved: [0; 6],
        bytes: bytes.get(40..40 + SAMPLE_BYTES)?.try_into().ok()?,
    };
    (usize::from(sample.captured) <= SAMPLE_BYTES && u32::from(sample.captured) <= sample.length).then_some(sample)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(kind: u32, captured: u16) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&7u64.to_ne_bytes());
        bytes.extend_from_slice(&kind.to_ne_bytes());
        bytes.extend_from_slice(&3u32.to_ne_bytes());
        for value in [5u64, 0xabcd, 256] {
            bytes.extend_from_slice(&value.to_ne_bytes());
        }
        bytes.extend_from_slice(&124u32.to_ne_bytes());
        for value in [9u16, captured] {
            bytes.extend_from_slice(&value.to_ne_bytes());
        }
        bytes.extend_from_slice(&[2, 1, 1, 0, 0, 0, 0, 0]);
        bytes.resize(size_of::<FrameEvent>(), 0x55);
        bytes
    }

    #[test]
    fn an_entry_is_told_by_its_kind_and_comes_back_whole() {
        let Some(KernelEvent::Repeat(frame)) = event(&encoded(kind::REPEAT, 124)) else { panic!("a repeat") };
        assert_eq!((frame.at_ns, frame.ifindex, frame.first_ns, frame.hash, frame.copies), (7, 3, 5, 0xabcd, 256));
        assert_eq!((frame.length, frame.tap, frame.captured, frame.class, frame.flags, frame.egress), (124, 9, 124, 2, 1, 1));
        assert_eq!(frame.bytes, [0x55; FRAME_BYTES]);
        assert!(matches!(event(&encoded(kind::LACPDU, 124)), Some(KernelEvent::Lacpdu(_))));
        let edge = CarrierEdge { at_ns: 7, kind: kind::CARRIER_ON, ifindex: 3 };
        assert_eq!(event(&encoded(kind::CARRIER_ON, 0)[..16]), Some(KernelEvent::Edge(edge)));
    }

    #[test]
    fn what_is_cut_or_contradicts_itself_is_no_event() {
        let whole = encoded(kind::LACPDU, 124);
        assert!((0..whole.len()).all(|cut| event(&whole[..cut]).is_none()));
        assert_eq!(event(&encoded(kind::LACPDU, 125)), None, "more bytes than the frame has");
        assert_eq!(event(&encoded(99, 0)), None);
    }
}
