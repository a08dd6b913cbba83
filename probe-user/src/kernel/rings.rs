//! The ring buffers: carrier edges, read at once, and samples, read when the agent ticks.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use aya::maps::{MapData, RingBuf};
use probe_common::event::{CarrierEdge, SAMPLE_BYTES, Sample};

use crate::netlink::request::{u16_at, u32_at, u64_at};

/// The EVENTS ring buffer. Its descriptor becomes readable when something came in (`AsyncFd`).
pub struct Events {
    ring: RingBuf<MapData>,
    malformed: u64,
}

/// The SAMPLES ring buffer. Nothing becomes readable: drain it now and then.
pub struct Samples {
    ring: RingBuf<MapData>,
    malformed: u64,
}

impl Events {
    pub(super) const fn new(ring: RingBuf<MapData>) -> Self {
        Self { ring, malformed: 0 }
    }

    /// The next edge; `None` when there is none now.
    pub fn next_edge(&mut self) -> Option<CarrierEdge> {
        loop {
            match edge(&self.ring.next()?) {
                Some(edge) => return Some(edge),
                None => self.malformed += 1,
            }
        }
    }

    /// Entries that were no edges.
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

fn edge(bytes: &[u8]) -> Option<CarrierEdge> {
    Some(CarrierEdge { at_ns: u64_at(bytes, 0)?, kind: u32_at(bytes, 8)?, ifindex: u32_at(bytes, 12)? })
}

fn sample(bytes: &[u8]) -> Option<Sample> {
    let sample = Sample {
        at_ns: u64_at(bytes, 0)?,
        length: u32_at(bytes, 8)?,
        rate: u32_at(bytes, 12)?,
        tap: u16_at(bytes, 16)?,
        captured: u16_at(bytes, 18)?,
        segments: u16_at(bytes, 20)?,
        class: *bytes.get(22)?,
        flags: *bytes.get(23)?,
        bytes: bytes.get(24..24 + SAMPLE_BYTES)?.try_into().ok()?,
    };
    (usize::from(sample.captured) <= SAMPLE_BYTES).then_some(sample)
}
