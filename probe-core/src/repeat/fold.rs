//! The rules of the kernel programs over frames from anywhere: captures are folded as the recorder folds what it sees.

use probe_common::repeat::{KEEP, Repeat, STORM_RATE};

use crate::time::{Mono, SECOND};

/// Frames that are remembered after one copy, and repeats that are counted: powers of two.
const SEEN: usize = 1 << 16;
const SETS: usize = 1 << 12;

/// Folds repeats. Its memory is bounded, some 2 MB, and a frame costs it two reads of memory at most.
///
/// [`Fold::counts`] has to be asked at least once in each second of the frames' time, before the next frame is fed: what repeats no more
/// for a second may give its place to another.
#[derive(Clone, Debug)]
pub struct Fold {
    seen: Vec<Seen>,
    sets: Vec<[Repeat; 2]>,
    storm_ns: u64,
    untracked: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    key: u64,
    at: u64,
}

/// What becomes of one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is kept, like any frame.
    Keep,
    /// It is kept, as the 2^n-th copy of a frame.
    Exemplar {
        /// That n.
        copies_log2: u8,
    },
    /// It is counted.
    Suppress,
}

/// What is said of one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fed {
    /// What becomes of it.
    pub fate: Fate,
    /// A storm begins here, or has doubled: hand it to the engine ([`crate::flight::Event::Repeat`]).
    pub tell: bool,
    /// Copies so far, this one included.
    pub copies: u64,
    /// When the first one passed.
    pub first_at: Mono,
}

impl Default for Fold {
    fn default() -> Self {
        Self::new(STORM_RATE)
    }
}

impl Fold {
    /// With a storm from so many copies per second on.
    pub fn new(storm_rate: u32) -> Self {
        let storm_ns = SECOND / u64::from(storm_rate.max(1));
        Self { seen: vec![Seen::default(); SEEN], sets: vec![[Repeat::default(); 2]; SETS], storm_ns, untracked: 0 }
    }

    /// A frame passes a tap. `hash`: see [`super::hash`].
    pub fn feed(&mut self, tap: u16, at: Mono, length: u32, hash: u64, class: u8) -> Fed {
        let key = (hash ^ (u64::from(tap) << 48)).max(1);
        let kept = Fed { fate: Fate::Keep, tell: false, copies: 1, first_at: at };
        // The upper bits hold the tap: a frame that passes several, one after the other, has a place for each.
        let set = &mut self.sets[place(key >> 32 ^ key >> 48, SETS)];
        let mine = |repeat: &&mut Repeat| repeat.hash == key && repeat.tap == tap && repeat.length == length;
        if let Some(repeat) = set.iter_mut().find(mine) {
            return step(repeat, at, self.storm_ns);
        }
        let seen = &mut self.seen[place(key ^ u64::from(tap) << 1, SEEN)];
        let first = *seen;
        *seen = Seen { key, at: at.0 };
        if first.key != key || at.0.saturating_sub(first.at) >= SECOND {
            return kept;
        }
        // A second copy: from here on it is counted.
        let Some(free) = set.iter_mut().filter(|repeat| repeat.may_go(at.0)).min_by_key(|repeat| repeat.last_ns) else {
            self.untracked += 1;
            return kept;
        };
        *free = Repeat::first(first.at, key, length, tap, class);
        step(free, at, self.storm_ns)
    }

    /// The frames that came more often than is ordinary, with what was counted so far.
    pub fn counts(&self) -> impl Iterator<Item = &Repeat> {
        self.sets.iter().flatten().filter(|repeat| repeat.copies > u64::from(KEEP))
    }

    /// Copies that were kept because there was no place to count them.
    pub fn untracked(&self) -> u64 {
        self.untracked
    }
}

fn step(repeat: &mut Repeat, at: Mono, storm_ns: u64) -> Fed {
    let step = repeat.step(at.0, storm_ns);
    let fate = match (step.record, step.copies_log2) {
        (false, _) => Fate::Suppress,
        (true, 0) => Fate::Keep,
        (true, copies_log2) => Fate::Exemplar { copies_log2 },
    };
    Fed { fate, tell: step.tell, copies: repeat.copies, first_at: Mono(repeat.first_ns) }
}

/// One of `places`, a power of two, by the lower bits of a hash.
fn place(hash: u64, places: usize) -> usize {
    usize::try_from(hash & (places as u64 - 1)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Random;

    const MS: u64 = 1_000_000;

    /// Feeds `count` copies, `gap` nanoseconds apart, from `from` on.
    fn copies(fold: &mut Fold, hash: u64, from: u64, gap: u64, count: u64) -> Vec<Fed> {
        (0..count).map(|n| fold.feed(3, Mono(from + n * gap), 70, hash, 7)).collect()
    }

    fn kept(fed: &[Fed]) -> usize {
        fed.iter().filter(|fed| fed.fate != Fate::Suppress).count()
    }

    #[test]
    fn of_a_storm_the_first_copies_are_kept_and_then_every_power_of_two() {
        let mut fold = Fold::default();
        let fed = copies(&mut fold, 99, SECOND, 2700, 934_000);
        assert!(fed[..16].iter().all(|fed| fed.fate == Fate::Keep));
        let exemplars: Vec<u8> = fed[16..]
            .iter()
            .filter_map(|fed| if let Fate::Exemplar { copies_log2 } = fed.fate { Some(copies_log2) } else { None })
            .collect();
        assert_eq!(exemplars, (5..=19).collect::<Vec<u8>>());
        assert_eq!(kept(&fed), 16 + 15);
        let told: Vec<u64> = fed.iter().filter(|fed| fed.tell).map(|fed| fed.copies).collect();
        assert_eq!(told[..3], [256, 512, 1024]);
        assert_eq!(fold.counts().map(|repeat| repeat.copies).collect::<Vec<_>>(), [934_000]);
    }

    #[test]
    fn what_repeats_by_nature_stays_recorded_however_long_it_goes_on() {
        for (gap, count) in [(SECOND, 1000), (300 * MS, 10_000), (100 * MS, 10_000), (70 * MS, 10_000)] {
            let fed = copies(&mut Fold::default(), 5, SECOND, gap, count);
            assert!(fed.iter().all(|fed| fed.fate == Fate::Keep && !fed.tell), "every {gap} ns");
        }
    }

    #[test]
    fn a_storm_that_passes_one_tap_after_the_other_is_told_of_at_each() {
        let mut fold = Fold::default();
        let mut told = [0; 4];
        for n in 0..2000u64 {
            for tap in 0..4u16 {
                let fed = fold.feed(tap, Mono(n * MS / 10 + u64::from(tap)), 70, 0x1234_5678_9abc_def0, 7);
                told[usize::from(tap)] += u32::from(fed.tell);
            }
        }
        assert!(told.iter().all(|told| *told > 0), "{told:?}");
    }

    #[test]
    fn a_hundred_copies_a_second_are_folded_and_are_no_storm() {
        let fed = copies(&mut Fold::default(), 5, SECOND, 10 * MS, 10_000);
        assert!(fed.iter().all(|fed| !fed.tell));
        assert!(kept(&fed) < 16 + 14, "{}", kept(&fed));
    }

    #[test]
    fn a_storm_is_told_of_within_a_tenth_of_a_second_also_when_the_frame_was_an_ordinary_one_before() {
        let mut fold = Fold::default();
        copies(&mut fold, 5, SECOND, SECOND / 2, 20);
        let fed = copies(&mut fold, 5, 11 * SECOND, 20_000, 20_000);
        let told = fed.iter().position(|fed| fed.tell).expect("told");
        assert!(told as u64 * 20_000 < 100 * MS, "after {told} copies");
    }

    #[test]
    fn a_frame_that_comes_again_after_a_second_is_a_new_one() {
        let mut fold = Fold::default();
        copies(&mut fold, 5, SECOND, 1000, 5000);
        let again = fold.feed(3, Mono(3 * SECOND), 70, 5, 7);
        assert_eq!((again.fate, again.copies, again.first_at), (Fate::Keep, 1, Mono(3 * SECOND)));
    }

    #[test]
    fn other_taps_lengths_and_bytes_are_other_frames() {
        let mut fold = Fold::default();
        for n in 0..10_000u64 {
            let (tap, length) = ((n % 50) as u16, 60 + (n / 50 % 40) as u32);
            assert_eq!(fold.feed(tap, Mono(n * 1000), length, super::super::hash(&[], length), 7).fate, Fate::Keep);
        }
    }

    #[test]
    fn ordinary_traffic_among_its_copies_does_not_hide_a_storm() {
        let mut fold = Fold::default();
        let mut random = Random(7);
        let (mut suppressed, mut ordinary) = (0, 0);
        for n in 0..400_000u64 {
            let at = Mono(SECOND + n * 1000);
            if n % 4 == 0 {
                suppressed += u64::from(fold.feed(1, at, 70, 77, 7).fate == Fate::Suppress);
            } else {
                ordinary += u64::from(fold.feed(1, at, 1500, random.next(), 7).fate == Fate::Keep);
            }
        }
        assert_eq!((suppressed, ordinary), (100_000 - 16 - 12, 300_000));
        assert_eq!(fold.untracked(), 0);
    }

    #[test]
    fn clocks_that_go_back_do_no_harm() {
        let mut fold = Fold::default();
        for n in 0..1000u64 {
            fold.feed(1, Mono((1000 - n) * MS), 70, 77, 7);
        }
        assert_eq!(fold.counts().count(), 1);
    }
}
