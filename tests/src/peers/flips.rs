//! A carrier that goes down and up again: which of the flips somebody noticed, and how long after.

/// Nanoseconds of a day.
pub const DAY_NS: u64 = 86_400_000_000_000;

/// Nanoseconds since midnight of a time as JSON has it, such as `2026-01-02T03:04:05.678901234Z`.
pub fn ns_of_day(stamp: &str) -> Option<u64> {
    let time = stamp.split_once('T')?.1.strip_suffix('Z')?;
    let (whole, part) = time.split_once('.').unwrap_or((time, ""));
    let seconds = whole.split(':').try_fold(0, |sum, number| Some(sum * 60 + number.parse::<u64>().ok()?))?;
    let ns = format!("{part:0<9}").get(..9)?.parse::<u64>().ok()?;
    Some(seconds * 1_000_000_000 + ns)
}

/// One flip that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flip {
    /// `CLOCK_MONOTONIC` just before, nanoseconds.
    pub at_ns: u64,
    /// Whether the carrier came.
    pub up: bool,
}

/// One that was noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noticed {
    /// The time that it is told with, on the same clock.
    pub stamp_ns: u64,
    /// When it was told.
    pub told_ns: u64,
    /// Whether the carrier came.
    pub up: bool,
}

/// For each flip what was noticed of it: the first of its kind that was told after it, and before the carrier did the same once more.
pub fn matched(flips: &[Flip], noticed: &[Noticed]) -> Vec<Option<Noticed>> {
    let mut next = 0;
    let mut found = Vec::new();
    for (i, flip) in flips.iter().enumerate() {
        let until = flips.get(i + 2).map_or(u64::MAX, |again| again.at_ns);
        while noticed.get(next).is_some_and(|notice| notice.told_ns < flip.at_ns) {
            next += 1;
        }
        let place = noticed[next..].iter().take_while(|notice| notice.told_ns < until).position(|notice| notice.up == flip.up);
        found.push(place.map(|place| noticed[next + place]));
        next += place.map_or(0, |place| place + 1);
    }
    found
}

/// What somebody sees who looks at the carrier each `every_ns`, from `phase_ns` after the first flip on: nanoseconds from a flip to
/// the look that shows it. A flip that was undone before the next look is not seen.
pub fn polled(flips: &[Flip], every_ns: u64, phase_ns: u64) -> Vec<Option<u64>> {
    let Some(first) = flips.first() else { return Vec::new() };
    let look_after = |at: u64| {
        let since = (at - first.at_ns).saturating_sub(phase_ns);
        let looks = if at - first.at_ns <= phase_ns { 0 } else { since.div_ceil(every_ns.max(1)) };
        first.at_ns + phase_ns + looks * every_ns
    };
    let seen = |(i, flip): (usize, &Flip)| {
        let look = look_after(flip.at_ns);
        let undone = flips.get(i + 1).is_some_and(|next| next.at_ns <= look);
        (!undone).then(|| look - flip.at_ns)
    };
    flips.iter().enumerate().map(seen).collect()
}

/// Gaps between flips, nanoseconds: from 5 ms to 2 s, as many short ones as long ones on a logarithmic scale. The same for the same seed.
#[derive(Clone, Debug)]
pub struct Gaps(u64);

impl Gaps {
    /// Shortest and longest.
    pub const RANGE_NS: [f64; 2] = [5e6, 2e9];

    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed | 1)
    }
}

impl Iterator for Gaps {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        // xorshift64 (Marsaglia, 2003)
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let share = (self.0 >> 11) as f64 / (1u64 << 53) as f64;
        let [short, long] = Self::RANGE_NS;
        Some((short * (long / short).powf(share)) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flips(at: &[u64]) -> Vec<Flip> {
        at.iter().enumerate().map(|(i, at)| Flip { at_ns: *at, up: i % 2 == 1 }).collect()
    }

    fn told(at: u64, up: bool) -> Noticed {
        Noticed { stamp_ns: at, told_ns: at, up }
    }

    #[test]
    fn the_time_of_day_is_read_to_the_nanosecond() {
        assert_eq!(ns_of_day("2026-01-02T03:04:05.678901234Z"), Some((3 * 3600 + 4 * 60 + 5) * 1_000_000_000 + 678_901_234));
        assert_eq!(ns_of_day("2026-01-02T00:00:01.5Z"), Some(1_500_000_000));
        assert_eq!(ns_of_day("2026-01-02T23:59:59Z"), Some(DAY_NS - 1_000_000_000));
        assert_eq!(ns_of_day("yesterday"), None);
    }

    #[test]
    fn each_flip_gets_the_notice_that_follows_it() {
        let found = matched(&flips(&[100, 200, 300]), &[told(50, false), told(110, false), told(201, true), told(305, false)]);
        assert_eq!(found, [Some(told(110, false)), Some(told(201, true)), Some(told(305, false))]);
    }

    #[test]
    fn a_flip_that_was_not_told_takes_nobody_elses_notice() {
        // down and up at 100 and 200 were coalesced away; those at 300 and 400 were told
        let found = matched(&flips(&[100, 200, 300, 400]), &[told(301, false), told(401, true)]);
        assert_eq!(found, [None, None, Some(told(301, false)), Some(told(401, true))]);
    }

    #[test]
    fn a_notice_that_comes_late_still_counts_until_the_same_happens_again() {
        let found = matched(&flips(&[100, 200, 900]), &[told(250, false), told(260, true), told(901, false)]);
        assert_eq!(found, [Some(told(250, false)), Some(told(260, true)), Some(told(901, false))]);
    }

    #[test]
    fn who_polls_sees_only_what_is_still_so_at_the_next_look() {
        // looks at 150, 1150, 2150
        let seen = polled(&flips(&[100, 700, 1200, 2150]), 1000, 50);
        assert_eq!(seen, [Some(50), Some(450), None, Some(0)]);
    }

    #[test]
    fn gaps_lie_in_their_range_and_half_of_them_below_its_geometric_middle() {
        let gaps: Vec<u64> = Gaps::new(7).take(4000).collect();
        assert!(gaps.iter().all(|gap| (5_000_000..=2_000_000_000).contains(gap)));
        let short = gaps.iter().filter(|gap| **gap < 100_000_000).count();
        assert!((1800..2200).contains(&short), "{short}");
        assert_ne!(gaps, Gaps::new(9).take(4000).collect::<Vec<_>>());
    }
}
