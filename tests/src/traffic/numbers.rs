//! What a sender says that it sent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::frame::Built;
use super::kind::Kind;

/// A moment on both clocks, nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// `CLOCK_REALTIME`: since 1970, UTC.
    pub wall_ns: u64,
    /// `CLOCK_MONOTONIC`.
    pub mono_ns: u64,
}

impl Moment {
    /// Now.
    pub fn now() -> Moment {
        Moment { wall_ns: clock(libc::CLOCK_REALTIME), mono_ns: clock(libc::CLOCK_MONOTONIC) }
    }
}

/// What was sent of one kind, or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Frames that the kernel took: a GSO packet is one.
    pub packets: u64,
    /// Bytes of them without FCS, as they were handed over.
    pub bytes: u64,
    /// Packets that they are on the wire.
    pub segments: u64,
    /// Sequence numbers used: 0 to this, exclusive.
    pub sequence: u64,
    /// Just before the first frame.
    pub first: Option<Moment>,
    /// Just after the last one.
    pub last: Option<Moment>,
}

impl Sent {
    /// Counts one frame.
    pub fn add(&mut self, frame: Built) {
        self.packets += 1;
        self.bytes += frame.bytes as u64;
        self.segments += frame.segments;
        self.sequence += frame.marks;
    }

    /// Notes when frames went.
    pub fn at(&mut self, before: Moment, after: Moment) {
        self.first.get_or_insert(before);
        self.last = Some(after);
    }
}

/// All numbers of a run: one line of JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Numbers {
    /// Where.
    pub interface: String,
    /// Which run: every frame carries it.
    pub stream: u32,
    /// All kinds together.
    pub total: Sent,
    /// By kind.
    pub kinds: BTreeMap<Kind, Sent>,
    /// Times that the kernel refused a frame, by the name of the error. A refused frame is tried again and not counted as sent; but
    /// one refused with ENOBUFS was dropped behind the tc egress hook, where a program may have seen it.
    pub refused: BTreeMap<String, u64>,
    /// Frames a second from the first to the last.
    pub packets_per_second: f64,
    /// Seconds from the first to the last.
    pub seconds: f64,
}

impl Numbers {
    /// Adds up the kinds and works out the rates.
    pub fn finish(&mut self) {
        let mut total = Sent::default();
        for sent in self.kinds.values() {
            total.packets += sent.packets;
            total.bytes += sent.bytes;
            total.segments += sent.segments;
            total.sequence += sent.sequence;
            total.first = earliest(total.first, sent.first);
            total.last = latest(total.last, sent.last);
        }
        self.total = total;
        if let (Some(first), Some(last)) = (total.first, total.last) {
            self.seconds = last.mono_ns.saturating_sub(first.mono_ns) as f64 / 1e9;
            self.packets_per_second = total.packets as f64 / self.seconds.max(1e-9);
        }
    }

    /// What was sent of `kind`.
    pub fn of(&self, kind: Kind) -> Sent {
        self.kinds.get(&kind).copied().unwrap_or_default()
    }
}

fn earliest(a: Option<Moment>, b: Option<Moment>) -> Option<Moment> {
    [a, b].into_iter().flatten().min_by_key(|moment| moment.mono_ns)
}

fn latest(a: Option<Moment>, b: Option<Moment>) -> Option<Moment> {
    [a, b].into_iter().flatten().max_by_key(|moment| moment.mono_ns)
}

fn clock(id: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is writable and lives through the call. Both clocks exist on every Linux.
    unsafe { libc::clock_gettime(id, &raw mut time) };
    time.tv_sec.cast_unsigned() * 1_000_000_000 + time.tv_nsec.cast_unsigned()
}
