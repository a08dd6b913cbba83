//! What is counted per tap, per CPU.

use crate::class::CLASSES;

/// Packets of one class.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassCount {
    /// Frames as the hook saw them: a GSO or GRO packet is one.
    pub packets: u64,
    /// Bytes of those frames, from the destination MAC on, VLAN tags included, without FCS.
    pub bytes: u64,
    /// Packets that they are on the wire: `gso_segs` where there is one, else 1.
    pub segments: u64,
}
const _: () = assert!(size_of::<ClassCount>() == 24);

/// Losses of one tap: each is counted where it happens.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TapLosses {
    /// Frames that were not recorded because the program was re-entered on its CPU.
    pub record_busy: u64,
    /// Frames that were not recorded because their bytes could not be read.
    pub record_unreadable: u64,
    /// Frames that were recorded shorter than they are (the snap length).
    pub truncated: u64,
    /// Samples that found the SAMPLES ring buffer full.
    pub samples_lost: u64,
    /// Events that found the EVENTS ring buffer full.
    pub events_lost: u64,
    /// Frames that the parser gave up on (too many extension headers or tags): counted as `other`.
    pub parse_limit: u64,
}
const _: () = assert!(size_of::<TapLosses>() == 48);

/// Value of the COUNTERS map: one per tap and CPU.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TapCounters {
    /// By class: see [`crate::class::id`].
    pub classes: [ClassCount; CLASSES],
    /// Losses.
    pub losses: TapLosses,
    /// Samples that reached the SAMPLES ring buffer.
    pub samples: u64,
    /// Frames left until the next sample on this CPU; 0 before the first draw.
    pub sample_skip: u64,
    /// Records written to the recorder, by lane.
    pub recorded: [u64; 2],
    /// Bytes captured in those records, headers not included, by lane.
    pub recorded_bytes: [u64; 2],
}
const _: () = assert!(size_of::<TapCounters>() == 24 * CLASSES + 48 + 48);
