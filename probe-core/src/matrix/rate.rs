//! A packet rate that is far from that of the minutes before.

use std::collections::VecDeque;

use super::{Count, Second};
use crate::direction::Direction;
use crate::time::{Mono, SECOND};
use crate::timeline::What;

/// Seconds that are remembered.
const REMEMBERED: usize = 180;
/// Fewest of them that say what is usual.
const FEWEST: usize = 60;
/// Newest seconds that must all be odd.
const NEWEST: usize = 3;
/// So many times the usual is high, and high is at least so many packets per second.
const HIGH: (u64, u64) = (8, 10_000);
/// So much less than the usual is low, and the usual is then at least so many packets per second.
const LOW: (u64, u64) = (20, 1000);
/// Within so many times the usual, all is well again.
const NORMAL: u64 = 4;

/// One link and direction.
#[derive(Clone, Debug, Default)]
pub struct Rate {
    /// Packets per second, oldest first.
    past: VecDeque<u64>,
    told: bool,
}

impl Rate {
    /// Takes a second; returns when the rate changed, and to what.
    pub fn second(&mut self, second: &Second, direction: Direction, count: Option<Count>) -> Option<(Mono, What)> {
        let packets = u128::from(count?.packets) * u128::from(SECOND) / u128::from(second.ns.max(1));
        self.past.push_back(u64::try_from(packets).unwrap_or(u64::MAX));
        if self.past.len() > REMEMBERED {
            self.past.pop_front();
        }
        let before = self.past.len().checked_sub(NEWEST).filter(|before| *before >= FEWEST)?;
        let newest = || self.past.iter().skip(before).copied();
        let (least, most) = (newest().min()?, newest().max()?);
        // Most links are quiet most of the time: no median is needed to see that nothing is odd.
        if !self.told && least <= HIGH.1 && most >= self.past.iter().max().copied()? / LOW.0 {
            return None;
        }
        let usual = median(self.past.iter().take(before).copied().collect())?;
        if self.told {
            self.told = least < usual / NORMAL || most > usual.saturating_mul(NORMAL).max(HIGH.1);
            return None;
        }
        let high = least > HIGH.1 && least > usual.saturating_mul(HIGH.0);
        let low = usual > LOW.1 && most < usual / LOW.0;
        self.told = high || low;
        let now = newest().sum::<u64>() / NEWEST as u64;
        let began = second.at.minus(second.ns.saturating_mul(NEWEST as u64));
        self.told.then_some((began, What::Rate { direction, now, usual }))
    }
}

fn median(mut rates: Vec<u64>) -> Option<u64> {
    let middle = rates.len() / 2;
    (middle < rates.len()).then(|| *rates.select_nth_unstable(middle).1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::testing::{count, second};

    /// Second, rate and usual rate of what is told.
    fn told(rates: impl IntoIterator<Item = u64>) -> Vec<(u64, u64, u64)> {
        let mut rate = Rate::default();
        let mut told = Vec::new();
        for (number, packets) in (1..).zip(rates) {
            match rate.second(&second(number, Vec::new()), Direction::Egress, Some(count(packets))) {
                Some((_, What::Rate { now, usual, .. })) => told.push((number, now, usual)),
                other => assert_eq!(other, None),
            }
        }
        told
    }

    #[test]
    fn a_storm_is_told_once_and_becomes_the_usual_when_it_stays() {
        let rates = (0..600).map(|s| if s < 200 { 500 + s % 7 } else { 300_000 });
        let told = told(rates);
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].0, told[0].1), (203, 300_000));
        assert!((500..507).contains(&told[0].2));
    }

    #[test]
    fn traffic_that_collapses_is_told() {
        let told = told((0..300).map(|s| if s < 200 { 40_000 } else { 12 }));
        assert_eq!(told, [(203, 12, 40_000)]);
    }

    #[test]
    fn ordinary_changes_and_short_peaks_are_not_told() {
        let day = (0..3600u64).map(|s| 2000 + 1500 * ((s / 300) % 4) + s % 100);
        assert_eq!(told(day), []);
        let peaks = (0..600).map(|s| if s % 60 < 2 { 200_000 } else { 1000 });
        assert_eq!(told(peaks), []);
        let small = (0..600).map(|s| if s < 300 { 3 } else { 9000 });
        assert_eq!(told(small), []);
        assert_eq!(told((0..50).map(|s| if s < 40 { 1 } else { 1_000_000 })), [], "too early to know what is usual");
    }
}
