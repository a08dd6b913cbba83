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
    /// Frames that the parser gave up on (too many extension headers or tags): counted as `other`.
    pub parse_limit: u64,
    /// Frames that userspace should have seen at once, beyond [`crate::event::MOST_LACPDUS`].
    pub events_limited: u64,
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
    /// Packets on the wire until the next sample on this CPU, the sampled one included.
    pub sample_skip: u64,
    /// The rate that [`Self::sample_skip`] was drawn for; 0 before the first draw.
    pub sample_rate: u64,
    /// Packets on the wire that had passed on this CPU when the sample before was taken.
    pub sampled_at: u64,
    /// Samples of this CPU that were lost before that.
    pub lost_before: u64,
    /// Records written to the recorder, by lane.
    pub recorded: [u64; 2],
    /// Bytes captured in those records, headers not included, by lane.
    pub recorded_bytes: [u64; 2],
    /// Frames that were not recorded because they repeat others byte for byte: counted instead, by design.
    pub repeats: u64,
    /// When the second began in which [`Self::lacpdus`] were sent to userspace, nanoseconds.
    pub lacpdus_from_ns: u64,
    /// LACPDUs sent to userspace in that second, by this CPU.
    pub lacpdus: u64,
}
const _: () = assert!(size_of::<TapCounters>() == 24 * CLASSES + 48 + 96);

/// Value of the LOSSES map, one per CPU: what no tap can be blamed for.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// Events that found the EVENTS ring buffer full.
    pub events_lost: u64,
    /// Frames seen by a program on an interface that no tap is set up for.
    pub unwatched: u64,
    /// Drops that found the DROPS map full.
    pub drops_uncounted: u64,
}
const _: () = assert!(size_of::<Losses>() == 24);

impl TapCounters {
    /// Nothing counted.
    pub const ZERO: Self = Self {
        classes: [ClassCount { packets: 0, bytes: 0, segments: 0 }; CLASSES],
        losses: TapLosses {
            record_busy: 0,
            record_unreadable: 0,
            truncated: 0,
            samples_lost: 0,
            parse_limit: 0,
            events_limited: 0,
        },
        samples: 0,
        sample_skip: 0,
        sample_rate: 0,
        sampled_at: 0,
        lost_before: 0,
        recorded: [0; 2],
        recorded_bytes: [0; 2],
        repeats: 0,
        lacpdus_from_ns: 0,
        lacpdus: 0,
    };

    /// Adds what another CPU counted. What is state of one CPU, as `sample_skip` and `lacpdus` are, stays.
    pub fn add(&mut self, other: &Self) {
        for (class, more) in self.classes.iter_mut().zip(&other.classes) {
            class.packets += more.packets;
            class.bytes += more.bytes;
            class.segments += more.segments;
        }
        self.losses.record_busy += other.losses.record_busy;
        self.losses.record_unreadable += other.losses.record_unreadable;
        self.losses.truncated += other.losses.truncated;
        self.losses.samples_lost += other.losses.samples_lost;
        self.losses.parse_limit += other.losses.parse_limit;
        self.losses.events_limited += other.losses.events_limited;
        self.samples += other.samples;
        self.repeats += other.repeats;
        for lane in 0..2 {
            self.recorded[lane] += other.recorded[lane];
            self.recorded_bytes[lane] += other.recorded_bytes[lane];
        }
    }

    /// All classes together.
    pub fn total(&self) -> ClassCount {
        self.classes.iter().fold(ClassCount::default(), |sum, class| ClassCount {
            packets: sum.packets + class.packets,
            bytes: sum.bytes + class.bytes,
            segments: sum.segments + class.segments,
        })
    }
}

impl Default for TapCounters {
    fn default() -> Self {
        Self::ZERO
    }
}
