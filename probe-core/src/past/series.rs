//! A part of the history as a row of buckets: what a sparkline and `--json` show.

use super::axis::Span;
use crate::time::Mono;

/// What is known of a part of the time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bucket {
    /// Time of it that is known, nanoseconds; 0: nothing is, and the rest means nothing.
    pub known_ns: u64,
    /// Packets per second: the least and the most of its seconds.
    pub packets: (u64, u64),
    /// Bits per second: the least and the most of its seconds.
    pub bits: (u64, u64),
    /// Packets and bits per second times nanoseconds, added up.
    sums: (f64, f64),
}

impl Bucket {
    /// Packets and bits per second in the mean.
    pub fn means(&self) -> (u64, u64) {
        let mean = |sum: f64| if self.known_ns == 0 { 0 } else { (sum / self.known_ns as f64).round() as u64 };
        (mean(self.sums.0), mean(self.sums.1))
    }
}

/// Buckets of the same length, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    from: Mono,
    /// Length of each, nanoseconds.
    pub step: u64,
    /// All of them.
    pub buckets: Vec<Bucket>,
}

impl Series {
    /// So many from `from` to `to`.
    pub fn new(from: Mono, to: Mono, buckets: usize) -> Self {
        let step = to.since(from).div_ceil(buckets.max(1) as u64).max(1);
        Self { from, step, buckets: vec![Bucket::default(); buckets] }
    }

    /// Takes a second. One that lies across a border has its part in both.
    pub fn add(&mut self, span: Span, packets: u64, bits: u64) {
        if self.buckets.is_empty() {
            return;
        }
        let place = |at: Mono| usize::try_from(at.since(self.from) / self.step).unwrap_or(usize::MAX);
        let (first, last) = (place(span.from), place(span.at.minus(1)));
        for (number, bucket) in self.buckets.iter_mut().enumerate().skip(first).take(last.saturating_sub(first).saturating_add(1))
        {
            let start = self.from.plus(self.step.saturating_mul(number as u64));
            let ns = span.at.min(start.plus(self.step)).since(span.from.max(start));
            let wider = |(least, most): (u64, u64), value: u64| match bucket.known_ns {
                0 => (value, value),
                _ => (least.min(value), most.max(value)),
            };
            (bucket.packets, bucket.bits) = (wider(bucket.packets, packets), wider(bucket.bits, bits));
            bucket.known_ns += ns;
            bucket.sums.0 += packets as f64 * ns as f64;
            bucket.sums.1 += bits as f64 * ns as f64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::SECOND;

    fn span(from_ms: u64, to_ms: u64) -> Span {
        Span { from: Mono(from_ms * 1_000_000), at: Mono(to_ms * 1_000_000) }
    }

    #[test]
    fn a_second_across_a_border_has_its_part_in_both_buckets() {
        let mut series = Series::new(Mono(10 * SECOND), Mono(20 * SECOND), 5);
        series.add(span(10_000, 11_000), 100, 8000);
        series.add(span(11_500, 12_500), 300, 9000);
        let known: Vec<u64> = series.buckets.iter().map(|bucket| bucket.known_ns / 1_000_000).collect();
        assert_eq!((series.step, known), (2 * SECOND, vec![1500, 500, 0, 0, 0]));
        assert_eq!((series.buckets[0].packets, series.buckets[0].bits), ((100, 300), (8000, 9000)));
        assert_eq!(series.buckets[0].means(), (167, 8333));
        assert_eq!((series.buckets[1].packets, series.buckets[1].means()), ((300, 300), (300, 9000)));
    }

    #[test]
    fn what_lies_outside_and_no_buckets_at_all_are_no_trouble() {
        let mut series = Series::new(Mono(10 * SECOND), Mono(20 * SECOND), 2);
        series.add(span(5000, 11_000), 1, 1);
        series.add(span(19_000, 40_000), 2, 2);
        series.add(span(50_000, 51_000), 3, 3);
        let known: Vec<u64> = series.buckets.iter().map(|bucket| bucket.known_ns / SECOND).collect();
        assert_eq!(known, [1, 1]);
        Series::new(Mono(0), Mono(0), 0).add(span(0, 1000), 1, 1);
    }
}
