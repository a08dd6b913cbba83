//! Finds frames that repeat themselves byte for byte: see `probe_common::repeat` for the rules.
//!
//! What is compared are the bytes that would be recorded, by a hash of 64 bits, and the length; of a frame that is longer than that its last
//! bytes as well. A frame that came once costs the hash and one line of memory; only those that come again are looked up in the table.
//!
//! The two parts that do so are global functions: the verifier goes through each once by itself, and not on every way to it.

use aya_ebpf::helpers::generated::bpf_get_smp_processor_id;
use probe_common::{
    event::kind,
    recorder::{Block, MAX_SNAPLEN},
    repeat::{Current, REPEATS, Repeat, RepeatTable, SEEN, Seen as Once, Step, WINDOW_NS},
};

use crate::{
    copy::place,
    frame::Frame,
    hide::{forget, mask},
    maps,
    params::{CONTROL_SNAPLEN, REPEAT_WINDOW_NS, SNAPLEN, STORM_NS},
    tap::Seen,
};

/// See `probe-core/src/repeat/hash.rs`: the same hash.
const FACTORS: [u64; 4] = [0x9e37_79b9_7f4a_7c15, 0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb, 0xd6e8_feb8_6659_fd93];
/// Bytes that are hashed in one turn.
const GROUP: u32 = 32;
/// Groups that are reached from where the record begins; beyond, each place is computed.
const NEAR_GROUPS: u32 = 8;
/// Bit of [`Once::at_ns`]: this frame's copies are not recorded.
const HELD: u64 = 1 << 63;

/// What becomes of a frame. One integer, so that all ways through the table look the same to the verifier.
#[derive(Clone, Copy)]
pub struct Verdict(u64);

impl Verdict {
    /// It is recorded, and nobody is told.
    pub const RECORD: Self = Self(1);
    /// It could not be read.
    pub const LOST: Self = Self(0);

    #[inline(always)]
    fn of(step: Step) -> u64 {
        u64::from(step.record) | u64::from(step.tell) << 1 | u64::from(step.copies_log2) << 8
    }

    /// The same, of which the verifier knows nothing.
    #[inline(always)]
    pub fn forget(self) -> Self {
        Self(forget(self.0))
    }

    /// It is recorded.
    #[inline(always)]
    pub fn record(self) -> bool {
        self.0 & 1 != 0
    }

    /// Userspace must know.
    #[inline(always)]
    pub fn tell(self) -> bool {
        self.0 & 2 != 0
    }

    /// See [`probe_common::recorder::RecordHeader::copies_log2`].
    #[inline(always)]
    pub fn copies_log2(self) -> u8 {
        (self.0 >> 8) as u8
    }
}

/// To be called before the frame is copied to `at`: what the last group of bytes has behind the frame's end is zero then.
#[inline(always)]
pub fn prepare(block: *mut Block, at: u32, captured: u32) {
    let last = captured.max(1).wrapping_sub(1) & !(GROUP - 1);
    // SAFETY: `place` leaves room for a group; it begins before the frame's end, and so before the block's.
    unsafe { place(block, at + last).cast::<[u64; 4]>().write([0; 4]) };
}

/// What becomes of a frame whose first bytes stand at `at` of a block. To be called by whoever has claimed this CPU's recorder.
#[inline(always)]
pub fn check<F: Frame>(frame: &F, seen: &Seen, block: u32, at: u32, captured: u32) -> Verdict {
    let what = u64::from(seen.length) | u64::from(seen.tap) << 32 | u64::from(seen.class) << 48;
    if lp_came_before(block, at, captured, what, seen.at_ns) == 0 {
        return Verdict::RECORD;
    }
    let mut end = 0;
    if captured < seen.length {
        match end_of(frame) {
            Some(hash) => end = hash,
            None => return Verdict::RECORD,
        }
    }
    Verdict(lp_count_copy(end, what, seen.at_ns))
}

/// Not 0 when a frame with the same bytes in the recorder came less than a second ago.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn lp_came_before(block: u32, at: u32, captured: u32, what: u64, now: u64) -> u32 {
    let (Some(table), Some(block)) = (table(), maps::RECORDER.get_ptr_mut(block)) else { return 0 };
    let tap = what >> 32 & 0xffff;
    let key = hash(block, at, captured, what as u32) ^ tap << 48;
    // A frame that passes several taps, one after the other, has a place for each. The lowest bit is for storms.
    let mut index = key ^ tap << 1;
    let window = u64::from(REPEAT_WINDOW_NS.load());
    // SAFETY: a map value of this CPU, alive as long as the program runs.
    let there = unsafe { *once(table, index) };
    if there.key != key && there.at_ns & HELD != 0 && now.wrapping_sub(there.at_ns & !HELD) < window {
        // A storm's: it keeps its place.
        index ^= 1;
    }
    let once = once(table, index);
    // SAFETY: as above.
    let (there, current) = unsafe { (&mut *once, &mut (*table).current) };
    if there.key == key && now.wrapping_sub(there.at_ns & !HELD) < window {
        *current = Current { key, first_ns: there.at_ns & !HELD, index };
        return 1;
    }
    *there = Once { key, at_ns: now };
    0
}

/// Counts a copy of the frame that [`lp_came_before`] has just found; returns the verdict. What userspace has to know is put into the event.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn lp_count_copy(end: u64, what: u64, now: u64) -> u64 {
    let Some(table) = table() else { return Verdict::RECORD.0 };
    // SAFETY: as all blocks here: map values of this CPU, alive as long as the program runs; all indexes are masked.
    let current = unsafe { (*table).current };
    let hash = if end == 0 { current.key } else { mix(current.key, end) };
    let (length, tap, class) = (what as u32, (what >> 32) as u16, (what >> 48) as u8);
    let mut verdict = Verdict::RECORD.0;
    let first = Repeat::first(current.first_ns, hash, length, tap, class);
    if let Some(index) = find(table, &first, now) {
        // SAFETY: see above.
        let repeat = unsafe { &mut *entry(table, index) };
        if current.first_ns.saturating_sub(repeat.last_ns) >= WINDOW_NS {
            // The copy before this one came after a pause, and was taken for a frame's first.
            repeat.step(current.first_ns, u64::from(STORM_NS.load()));
        }
        let step = repeat.step(now, u64::from(STORM_NS.load()));
        if step.tell
            && let Some(event) = maps::EVENT.get_ptr_mut(0)
        {
            // SAFETY: see above.
            let event = unsafe { &mut *event };
            event.kind = kind::REPEAT;
            event.first_ns = repeat.born_ns;
            event.hash = repeat.hash;
            event.copies = repeat.total();
        }
        verdict = Verdict::of(step);
    }
    let held = if verdict & 1 != 0 { 0 } else { HELD };
    // SAFETY: see above.
    unsafe { (*once(table, current.index)).at_ns = now | held };
    verdict
}

#[inline(always)]
fn table() -> Option<*mut RepeatTable> {
    // SAFETY: the helper takes nothing and cannot fail.
    maps::REPEATS.get_ptr_mut(unsafe { bpf_get_smp_processor_id() })
}

#[inline(always)]
fn entry(table: *mut RepeatTable, index: u64) -> *mut Repeat {
    let index = mask(forget(index), REPEATS as u64) as usize;
    // SAFETY: the index is below the array's length.
    unsafe { (&raw mut (*table).repeats).cast::<Repeat>().add(index) }
}

#[inline(always)]
fn once(table: *mut RepeatTable, key: u64) -> *mut Once {
    let index = mask(forget(key), SEEN as u64) as usize;
    // SAFETY: the index is below the array's length.
    unsafe { (&raw mut (*table).seen).cast::<Once>().add(index) }
}

/// Index of the frame's entry, that of `first` when there was none; `None` when all places are taken by repeats that go on.
#[inline(always)]
fn find(table: *mut RepeatTable, first: &Repeat, now: u64) -> Option<u64> {
    // The upper bits hold the tap.
    let set = (first.hash >> 32 ^ first.hash >> 47) & (REPEATS as u64 - 2);
    // SAFETY: as all blocks here: a map value of this CPU, alive as long as the program runs; the indexes are masked.
    let (one, two) = unsafe { (&*entry(table, set), &*entry(table, set + 1)) };
    if one.hash == first.hash {
        return Some(set);
    }
    if two.hash == first.hash {
        return Some(set + 1);
    }
    let (one_may, two_may) = (one.may_go(now), two.may_go(now));
    let index = if one_may && (!two_may || one.last_ns <= two.last_ns) {
        set
    } else if two_may {
        set + 1
    } else {
        // SAFETY: see above.
        unsafe { (*table).untracked += 1 };
        return None;
    };
    // SAFETY: see above.
    unsafe { *entry(table, index) = *first };
    Some(index)
}

/// Hash of what was copied to `at`, and of the frame's length.
#[inline(always)]
fn hash(block: *mut Block, at: u32, captured: u32, length: u32) -> u64 {
    let mut lanes = FACTORS.map(|factor| factor ^ u64::from(length));
    let near = place(block, at);
    for group in 0..NEAR_GROUPS {
        if group * GROUP >= captured {
            return finish(lanes);
        }
        // SAFETY: the slack behind the block is longer than these groups; records are aligned to eight bytes.
        turn(&mut lanes, unsafe { near.add((group * GROUP) as usize).cast::<[u64; 4]>().read() });
    }
    // The first test makes this nothing for the verifier when a record has no more.
    if SNAPLEN.load() > NEAR_GROUPS * GROUP || CONTROL_SNAPLEN.load() > NEAR_GROUPS * GROUP {
        for group in NEAR_GROUPS..MAX_SNAPLEN as u32 / GROUP {
            if group * GROUP >= captured {
                break;
            }
            // SAFETY: `place` leaves room for a group.
            turn(&mut lanes, unsafe { place(block, at + group * GROUP).cast::<[u64; 4]>().read() });
        }
    }
    finish(lanes)
}

#[inline(always)]
fn turn(lanes: &mut [u64; 4], words: [u64; 4]) {
    for lane in 0..4 {
        lanes[lane] = (lanes[lane] ^ words[lane]).wrapping_mul(FACTORS[lane]);
        lanes[lane] ^= lanes[lane] >> 32;
    }
}

#[inline(always)]
fn finish(lanes: [u64; 4]) -> u64 {
    let mut sum = 0;
    for lane in lanes {
        sum = mix(sum, lane);
    }
    sum | u64::from(sum == 0)
}

#[inline(always)]
fn mix(sum: u64, word: u64) -> u64 {
    let sum = (sum ^ word).wrapping_mul(FACTORS[0]);
    sum ^ (sum >> 32)
}

/// Hash of the frame's last bytes.
#[inline(always)]
fn end_of<F: Frame>(frame: &F) -> Option<u64> {
    let mut words = [0u64; 4];
    let from = frame.length().checked_sub(GROUP)?;
    // SAFETY: `words` takes a group.
    if !unsafe { frame.load(from, words.as_mut_ptr().cast(), GROUP) } {
        return None;
    }
    let mut lanes = FACTORS;
    turn(&mut lanes, words);
    Some(finish(lanes))
}
