//! Repeats: one frame that passes a tap again and again, byte for byte the same. The rules, for the kernel programs and for whoever reads
//! captures; and what the programs keep.
//!
//! A copy is one of the same hash and length at the same tap, within a second of the copy before. While no more than [`KEEP`] copies come
//! in a second, each is recorded like any other frame: ARP, LACPDUs and hellos repeat by nature. Beyond that copies are counted, and
//! those are recorded whose number is a power of two.

/// Nanoseconds after which a frame that comes again is a new one; also the time over which a rate is taken.
pub const WINDOW_NS: u64 = 1_000_000_000;
/// Nanoseconds after which what was counted of a frame is forgotten. Until then a pause only ends a series: a flow that goes from CPU to CPU
/// pauses on each of them.
pub const FORGET_NS: u64 = 60 * WINDOW_NS;
/// Copies within a second that are recorded one by one.
pub const KEEP: u32 = 16;
/// Fewest copies within a second that make a storm.
pub const STORM_COPIES: u32 = 256;
/// Copies per second from which on a repeat is a storm. Sensors and heartbeats that send the same bytes hundreds of times a second exist.
pub const STORM_RATE: u32 = 1000;
/// A storm is over for the programs when fewer copies than this came within a second.
pub const STORM_END: u32 = 64;

/// A repeated frame at one tap, as one CPU sees it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repeat {
    /// Hash of what is compared; 0 when this place is free.
    pub hash: u64,
    /// `CLOCK_MONOTONIC` of the first copy of this series, nanoseconds.
    pub first_ns: u64,
    /// Of the last one.
    pub last_ns: u64,
    /// Copies of this series, the first one included. A series ends with a pause of a second.
    pub copies: u64,
    /// Copies of the series before.
    pub earlier: u64,
    /// When the first of all copies passed.
    pub born_ns: u64,
    /// Start of the second that [`Self::window`] counts in.
    pub window_ns: u64,
    /// Copies in that second so far.
    pub window: u32,
    /// Copies in the second before.
    pub before: u32,
    /// Most copies in one second.
    pub peak: u32,
    /// Length of the frame in bytes, VLAN tags included, without FCS.
    pub length: u32,
    /// Tap id.
    pub tap: u16,
    /// One of [`crate::class::id`].
    pub class: u8,
    /// Exponent of the last power of two that [`Self::copies`] reached.
    pub log2: u8,
    /// 1 in a storm.
    pub storm: u32,
}
const _: () = assert!(size_of::<Repeat>() == 80);

/// What becomes of one copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// It is recorded.
    pub record: bool,
    /// It is recorded as the 2^n-th copy, where this is n; 0: as any other frame.
    pub copies_log2: u8,
    /// Userspace must know at once: a storm begins, or has doubled.
    pub tell: bool,
}

impl Repeat {
    /// The first copy.
    #[inline(always)]
    pub const fn first(at_ns: u64, hash: u64, length: u32, tap: u16, class: u8) -> Self {
        Self {
            hash,
            first_ns: at_ns,
            last_ns: at_ns,
            copies: 1,
            earlier: 0,
            born_ns: at_ns,
            window_ns: at_ns,
            window: 1,
            before: 0,
            peak: 1,
            length,
            tap,
            class,
            log2: 0,
            storm: 0,
        }
    }

    /// Takes one more copy at `at_ns`. `storm_ns`: nanoseconds from copy to copy at [`STORM_RATE`], or what was configured instead.
    #[inline(always)]
    pub fn step(&mut self, at_ns: u64, storm_ns: u64) -> Step {
        let kept = Step { record: true, copies_log2: 0, tell: false };
        let pause = at_ns.saturating_sub(self.last_ns);
        if pause >= WINDOW_NS {
            let (mut earlier, born_ns) = (self.earlier, self.born_ns);
            if self.copies > u64::from(KEEP) {
                earlier += self.copies;
            }
            *self = Self::first(at_ns, self.hash, self.length, self.tap, self.class);
            if pause < FORGET_NS && earlier > 0 {
                self.earlier = earlier;
                self.born_ns = born_ns;
            }
            return kept;
        }
        if at_ns.saturating_sub(self.window_ns) >= WINDOW_NS {
            if self.window < STORM_END {
                self.storm = 0;
            }
            self.before = self.window;
            self.window = 0;
            self.window_ns = at_ns;
        }
        self.last_ns = at_ns;
        self.copies += 1;
        self.window += 1;
        if self.window > self.peak {
            self.peak = self.window;
        }
        let power = self.copies & (self.copies - 1) == 0;
        if power {
            self.log2 += 1;
        }
        let elapsed = at_ns.saturating_sub(self.window_ns);
        let onset = self.storm == 0 && self.window >= STORM_COPIES && elapsed <= u64::from(self.window) * storm_ns;
        if onset {
            self.storm = 1;
        }
        if self.window <= KEEP && self.before <= KEEP {
            return kept;
        }
        Step { record: power, copies_log2: if power { self.log2 } else { 0 }, tell: onset || power && self.storm != 0 }
    }

    /// Copies of this series and of those before.
    #[inline(always)]
    pub const fn total(&self) -> u64 {
        self.earlier + self.copies
    }

    /// True when this place may be given to another frame at `at_ns`: it is free, or what it counts has stopped or is rare.
    #[inline(always)]
    pub const fn may_go(&self, at_ns: u64) -> bool {
        self.copies <= KEEP as u64 || at_ns.saturating_sub(self.last_ns) >= WINDOW_NS
    }
}

/// Frames that each CPU remembers after one copy. A power of two.
pub const SEEN: usize = 4096;
/// Repeats that each CPU counts, in sets of two. A power of two.
pub const REPEATS: usize = 512;

/// A frame that came once.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Hash of what was recorded of it, and its tap.
    pub key: u64,
    /// `CLOCK_MONOTONIC` of the last copy, nanoseconds; its highest bit: copies of it are not recorded now, and it keeps this place.
    pub at_ns: u64,
}
const _: () = assert!(size_of::<Seen>() == 16);

/// The frame in hand, between the two parts of finding it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Current {
    /// Its key.
    pub key: u64,
    /// When it came last, nanoseconds.
    pub first_ns: u64,
    /// Its place among those that came once.
    pub index: u64,
}
const _: () = assert!(size_of::<Current>() == 24);

/// Value of the REPEATS map: one per CPU, so that no CPU waits for another. What several CPUs count of one frame has the same hash and tap,
/// and adds up.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RepeatTable {
    /// Frames that came once, by the lower bits of their key.
    pub seen: [Seen; SEEN],
    /// Repeats, by the upper half of their hash.
    pub repeats: [Repeat; REPEATS],
    /// Copies that were recorded because there was no place to count them.
    pub untracked: u64,
    /// State of the programs.
    pub current: Current,
}
const _: () = assert!(size_of::<RepeatTable>() == 16 * SEEN + 80 * REPEATS + 32);
