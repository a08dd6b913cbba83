//! Packets that were held and had to go, by tap and time: so that the file can say where packets are missing.

use std::collections::BTreeMap;

use probe_core::time::Mono;

/// Nanoseconds of a step of time at first.
const STEP_NS: u64 = 10_000_000;
/// Most counts: beyond that steps become twice as long, and nothing that was counted is lost.
const MOST: usize = 65_536;

/// Counts, bounded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    step_ns: u64,
    /// By step and tap.
    counts: BTreeMap<(u64, u16), u64>,
}

impl Default for Lost {
    fn default() -> Self {
        Self { step_ns: STEP_NS, counts: BTreeMap::new() }
    }
}

impl Lost {
    /// Packets of a tap, the last of which passed at `at`.
    pub fn add(&mut self, at: Mono, tap: u16, packets: u64) {
        *self.counts.entry((at.0 / self.step_ns, tap)).or_default() += packets;
        while self.counts.len() > MOST && self.step_ns < u64::MAX / 4 {
            self.step_ns *= 2;
            for ((step, tap), packets) in std::mem::take(&mut self.counts) {
                *self.counts.entry((step / 2, tap)).or_default() += packets;
            }
        }
    }

    /// Those of a tap between two times, in order: the end of the step in which the last of them passed, and how many.
    pub fn within(&self, from: Mono, to: Mono, tap: u16) -> impl Iterator<Item = (Mono, u64)> {
        let steps = (from.0 / self.step_ns, 0)..=(to.0 / self.step_ns, u16::MAX);
        let of_tap = self.counts.range(steps).filter(move |((_, of), _)| *of == tap);
        of_tap.map(|((step, _), packets)| (Mono((step + 1).saturating_mul(self.step_ns)), *packets))
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_counted_where_they_were() {
        let mut lost = Lost::default();
        for (ms, tap, packets) in [(1, 1, 5), (9, 1, 2), (15, 1, 1), (15, 2, 7), (900, 1, 3)] {
            lost.add(Mono(ms * 1_000_000), tap, packets);
        }
        let near: Vec<_> = lost.within(Mono(0), Mono(20_000_000), 1).collect();
        assert_eq!((near, lost.total()), (vec![(Mono(10_000_000), 7), (Mono(20_000_000), 1)], 18));
    }

    #[test]
    fn a_long_time_has_longer_steps_and_all_that_was_counted() {
        let mut lost = Lost::default();
        for second in 0..200_000 {
            lost.add(Mono(second * 1_000_000_000), (second % 2) as u16, 1);
        }
        assert!(lost.counts.len() <= MOST);
        assert_eq!(lost.total(), 200_000);
        let first_hour: u64 = lost.within(Mono(0), Mono(3600 * 1_000_000_000), 0).map(|(_, packets)| packets).sum();
        assert!((1800..1820).contains(&first_hour), "{first_hour}");
    }
}
