//! Two clocks: the one that all records are stamped with, and the one that people read.

use serde::Serialize;

/// `CLOCK_MONOTONIC` in nanoseconds: what the kernel programs stamp records with (`bpf_ktime_get_ns`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Mono(pub u64);

impl Mono {
    /// Nanoseconds from `earlier` to here; 0 when `earlier` is later.
    pub fn since(self, earlier: Mono) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// This instant less `ns` nanoseconds, not before 0.
    #[must_use]
    pub fn minus(self, ns: u64) -> Mono {
        Mono(self.0.saturating_sub(ns))
    }

    /// This instant plus `ns` nanoseconds.
    #[must_use]
    pub fn plus(self, ns: u64) -> Mono {
        Mono(self.0.saturating_add(ns))
    }
}

/// `CLOCK_REALTIME` − `CLOCK_MONOTONIC` in nanoseconds, at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct WallOffset(pub i64);

impl WallOffset {
    /// Nanoseconds since 1970 (UTC) at `at`, never below 0.
    pub fn wall_ns(self, at: Mono) -> u64 {
        u64::try_from(i128::from(at.0) + i128::from(self.0)).unwrap_or(0)
    }
}

/// Nanoseconds of a second.
pub const SECOND: u64 = 1_000_000_000;

/// Nanoseconds as seconds, for people: to the millisecond.
pub fn seconds(ns: u64) -> f64 {
    // Milliseconds of 285,000 years fit into a float without loss.
    #[expect(clippy::cast_precision_loss, reason = "see above")]
    let ms = (ns / 1_000_000) as f64;
    ms / 1000.0
}
