//! A file's clock: what becomes of stamps that leap.
//!
//! A clock that was set back moves what follows, so that the order of the packets stays. A leap that the packets behind it undo is a stamp
//! that was damaged, and moves nothing: such a packet is taken to pass when the one before it did. Which of the two it is shows in what
//! follows, so a packet that leaps is held until that was read.

use crate::incident::wall;

/// A clock that goes back by at least so much was set. By less, packets were written in another order than they passed.
const CLOCK_SET: u64 = 1_000_000_000;
/// A leap at a file's end that nobody makes: 365 days.
const NEVER: u64 = 365 * 86_400 * 1_000_000_000;

/// A file's clock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    last: u64,
    /// Nanoseconds by which stamps are moved because the clock was set back.
    shift: u64,
    /// Times that it was set back.
    set: u64,
    /// Where that was first: bytes of what was unpacked.
    first_set: u64,
    /// Times that it went back by less.
    back: u64,
    /// By how much at most, nanoseconds.
    largest: u64,
    /// Stamps that were damaged.
    odd: u64,
    /// Where the first of them is, and nanoseconds from it to its neighbours'.
    first_odd: (u64, u64),
    /// Packets without a stamp.
    missing: u64,
}

impl Clock {
    /// Of a file that begins at this time.
    pub fn new(first_at: u64) -> Self {
        Self { last: first_at, ..Self::default() }
    }

    /// True for a stamp that is not to be taken before [`Self::odd_run`] was asked.
    #[inline]
    pub fn leaps(&self, stamp: Option<u64>) -> bool {
        stamp.is_some_and(|stamp| self.time(stamp).abs_diff(self.last) >= CLOCK_SET)
    }

    /// Of packets of which the first leaps, how many were stamped wrongly, up to where the leap is undone. `None`: it is not so far. `whole`:
    /// nothing follows them.
    pub fn odd_run(&self, stamps: impl IntoIterator<Item = Option<u64>>, whole: bool) -> Option<usize> {
        let mut times = (0..).zip(stamps).filter_map(|(place, stamp)| Some((place, self.time(stamp?))));
        let (_, first) = times.next()?;
        let leap = first.abs_diff(self.last);
        let mut before = first;
        let mut count = 1;
        for (place, at) in times {
            if at.abs_diff(self.last) < leap / 2 && at.abs_diff(before) > leap / 2 {
                return Some(place);
            }
            (before, count) = (at, count + 1);
        }
        (whole && count == 1 && leap >= NEVER).then_some(1)
    }

    /// A packet's time; one without a stamp passed when the one before it did. `offset`: where the packet is.
    #[inline]
    pub fn take(&mut self, stamp: Option<u64>, offset: impl FnOnce() -> u64) -> u64 {
        let Some(stamp) = stamp else {
            self.missing += 1;
            return self.last;
        };
        let at = self.time(stamp);
        if at >= self.last {
            self.last = at;
            return at;
        }
        let back = self.last - at;
        if back < CLOCK_SET {
            self.back += 1;
            self.largest = self.largest.max(back);
            return at;
        }
        if self.set == 0 {
            self.first_set = offset();
        }
        self.set += 1;
        self.shift = self.shift.saturating_add(back);
        self.last
    }

    /// The time of a packet whose stamp is damaged.
    pub fn take_odd(&mut self, stamp: Option<u64>, offset: u64) -> u64 {
        if self.odd == 0 {
            self.first_odd = (offset, stamp.map_or(0, |stamp| self.time(stamp).abs_diff(self.last)));
        }
        self.odd += 1;
        self.last
    }

    /// What is odd about it, one sentence each, without the file's name; `alone`: there is no other file.
    pub fn oddities(&self, alone: bool) -> Vec<String> {
        let mut told = Vec::new();
        if self.set > 0 {
            let times = if self.set == 1 { String::new() } else { format!(", and {} times more after that", self.set - 1) };
            let others = if alone { "" } else { "; the other files were left as they are, and may be apart from it by as much" };
            let (offset, shift) = (self.first_set, wall::seconds(self.shift));
            told.push(format!(
                "the clock was set back at offset {offset}{times}: what follows was moved by {shift} in all, so that the order of its packets stays{others}."
            ));
        }
        if self.back > 0 {
            let largest = wall::seconds(self.largest);
            told.push(format!(
                "stamps go back {} times, by {largest} at most: packets were written in another order.",
                self.back
            ));
        }
        if self.odd > 0 {
            let (offset, off) = (self.first_odd.0, wall::seconds(self.first_odd.1));
            told.push(format!(
                "{} stamps are damaged, the first at offset {offset} by {off}: each such packet was taken to pass when the one before it did.",
                self.odd
            ));
        }
        if self.missing > 0 {
            let missing = self.missing;
            told.push(format!("{missing} packets have no stamp; each was taken to pass when the one before it did."));
        }
        told
    }

    #[inline]
    fn time(&self, stamp: u64) -> u64 {
        stamp.saturating_add(self.shift)
    }
}

/// When a file begins, by its first stamps. A first one that lies far behind those that follow is damaged.
pub fn beginning(stamps: &[u64]) -> u64 {
    let first = stamps.first().copied().unwrap_or(0);
    let earliest = stamps.iter().min().copied().unwrap_or(0);
    if first - earliest < CLOCK_SET { first } else { earliest }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn odd(last: u64, seconds: &[u64], whole: bool) -> Option<usize> {
        Clock::new(last * SECOND).odd_run(seconds.iter().map(|second| Some(second * SECOND)), whole)
    }

    #[test]
    fn a_leap_that_is_undone_was_none() {
        assert_eq!(odd(100, &[900_000, 101], false), Some(1));
        assert_eq!(odd(1000, &[3, 1001], false), Some(1), "to the past");
        assert_eq!(odd(100, &[900_000, 5_000_000, 100, 101], false), Some(2));
        assert_eq!(odd(100, &[800_000_000], true), Some(1), "at the end of the file");
    }

    #[test]
    fn a_pause_and_a_clock_that_was_set_are_none_that_is_undone() {
        assert_eq!(odd(100, &[160, 190, 220], true), None);
        assert_eq!(
            odd(10_000, &[6400, 6460, 6520, 7200, 8600, 9999, 10_500], false),
            None,
            "an hour back, a packet now and then"
        );
        assert_eq!(odd(100, &[5000], true), None);
    }

    #[test]
    fn a_file_begins_with_its_first_stamp_unless_that_is_far_behind_the_next() {
        assert_eq!(beginning(&[5 * SECOND, 6 * SECOND, 60 * SECOND]), 5 * SECOND);
        assert_eq!(beginning(&[900 * SECOND, 6 * SECOND, 7 * SECOND]), 6 * SECOND);
        assert_eq!(beginning(&[900 * SECOND, 6 * SECOND]), 6 * SECOND);
        assert_eq!((beginning(&[4]), beginning(&[])), (4, 0));
    }
}
