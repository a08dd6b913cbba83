//! What a part of the history comes to: rates as a distribution of its seconds, and how long a link was up.

use serde::{Deserialize, Serialize};

use super::axis::Span;
use super::column::Flow;
use super::condition::Condition;
use super::series::Series;
use super::view::View;
use crate::direction::Direction;
use crate::time::{Mono, SECOND};
use crate::tone::Tone;

/// How a quantity is distributed over the seconds, each per second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spread {
    /// The least.
    pub min: u64,
    /// One second in twenty has less.
    pub p5: u64,
    /// Half of the seconds have less.
    pub median: u64,
    /// One second in twenty has more.
    pub p95: u64,
    /// The most.
    pub max: u64,
    /// All of it, by the time that it took.
    pub mean: u64,
}

/// What passed a link in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rates {
    /// Time of which it is known, nanoseconds.
    pub known_ns: u64,
    /// Packets per second.
    pub packets: Spread,
    /// Bits per second.
    pub bits: Spread,
    /// Packets in all.
    pub total_packets: u64,
    /// Bytes in all.
    pub total_bytes: u64,
    /// Lost by the driver; `None` where it did not tell.
    pub lost: Option<u64>,
}

/// How a link or target was.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct States {
    /// At the end.
    pub last: Option<Condition>,
    /// Since when it is so; `None` where it has been so for as long as the history reaches back.
    pub since: Option<Mono>,
    /// From when on its condition is known.
    pub known_from: Option<Mono>,
    /// Time of which it is known whether it was up, nanoseconds.
    pub known_ns: u64,
    /// Time in which it was up, nanoseconds.
    pub up_ns: u64,
    /// Changes.
    pub changes: u64,
    /// Those with which it went down.
    pub downs: u64,
}

/// A change, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// When.
    pub at: Mono,
    /// Of which link or target.
    pub track: u16,
    /// What.
    pub text: String,
    /// Good or bad news.
    pub tone: Tone,
    /// Changes that it stands for: more than 1 where they came faster than they are kept.
    pub count: u16,
}

impl View {
    /// What passed a link, in and out; `None` where nobody counted.
    pub fn rates(&self, id: u16) -> [Option<Rates>; 2] {
        let [ingress, egress] = self.read(id, 0);
        [ingress.map(|(rates, _)| rates), egress.map(|(rates, _)| rates)]
    }

    /// The same, with a series of so many buckets over the view's whole length.
    pub fn read(&self, id: u16, buckets: usize) -> [Option<(Rates, Series)>; 2] {
        let mut ways = [Direction::Ingress, Direction::Egress].map(|_| Gather::new(Series::new(self.from(), self.to(), buckets)));
        self.rows(id, |span, row| {
            for (side, (way, flow)) in ways.iter_mut().zip([row.ingress, row.egress]).enumerate() {
                if let Some(flow) = flow {
                    way.add(span, flow);
                }
                if let Some(lost) = row.lost.and_then(|lost| lost.get(side).copied()) {
                    way.lost = Some(way.lost.unwrap_or(0).saturating_add(lost));
                }
            }
        });
        ways.map(Gather::finish)
    }

    /// How a link or target was.
    pub fn states(&self, id: u16) -> States {
        let (from, to) = (self.from(), self.to());
        let steps = self.steps(id);
        let mut states = States { known_from: steps.first().map(|step| step.at), ..States::default() };
        for (place, step) in steps.iter().enumerate() {
            let until = steps.get(place + 1).map_or(to, |next| next.at);
            let ns = until.since(step.at.max(from));
            let up = step.condition.up();
            states.known_ns += if up.is_some() { ns } else { 0 };
            states.up_ns += if up == Some(true) { ns } else { 0 };
            states.last = Some(step.condition);
            if step.count > 0 {
                states.since = Some(step.at);
                if step.at > from {
                    states.changes += u64::from(step.count);
                    let was_up = place.checked_sub(1).and_then(|before| steps.get(before)?.condition.up());
                    states.downs += u64::from(was_up != Some(false) && up == Some(false));
                }
            }
        }
        states
    }

    /// All changes, in order of time.
    pub fn changes(&self) -> Vec<Told> {
        let mut all = Vec::new();
        for (track, _) in self.seen() {
            let steps = self.steps(track);
            for pair in steps.windows(2) {
                let [before, step] = pair else { continue };
                if step.at <= self.from() {
                    continue;
                }
                let (text, tone) = (step.condition.change(before.condition), step.condition.tone(before.condition));
                all.push(Told { at: step.at, track, text, tone, count: step.count });
            }
        }
        all.sort_by_key(|told| told.at);
        all
    }
}

/// One direction, while it is added up.
struct Gather {
    packets: Vec<u64>,
    bits: Vec<u64>,
    known_ns: u64,
    total: Flow,
    lost: Option<u64>,
    series: Series,
}

impl Gather {
    fn new(series: Series) -> Self {
        Self { packets: Vec::new(), bits: Vec::new(), known_ns: 0, total: Flow::default(), lost: None, series }
    }

    fn add(&mut self, span: Span, flow: Flow) {
        let ns = span.ns().max(1);
        let (packets, bits) = (per_second(flow.packets, ns), per_second(flow.bytes.saturating_mul(8), ns));
        // A second that took longer counts as so many.
        for _ in 0..((ns + SECOND / 2) / SECOND).clamp(1, 30) {
            self.packets.push(packets);
            self.bits.push(bits);
        }
        self.known_ns += ns;
        self.total.packets = self.total.packets.saturating_add(flow.packets);
        self.total.bytes = self.total.bytes.saturating_add(flow.bytes);
        self.series.add(span, packets, bits);
    }

    fn finish(mut self) -> Option<(Rates, Series)> {
        let mean = |total| per_second(total, self.known_ns);
        let (packets, bits) = (mean(self.total.packets), mean(self.total.bytes.saturating_mul(8)));
        let rates = Rates {
            known_ns: self.known_ns,
            packets: spread(&mut self.packets, packets)?,
            bits: spread(&mut self.bits, bits)?,
            total_packets: self.total.packets,
            total_bytes: self.total.bytes,
            lost: self.lost,
        };
        Some((rates, self.series))
    }
}

/// How these are distributed; `None` when there are none.
pub(super) fn spread(values: &mut [u64], mean: u64) -> Option<Spread> {
    let last = values.len().checked_sub(1)?;
    // Each is looked for among those that are not less than the one before.
    let mut from = 0;
    let mut rank = |percent: usize| {
        let place = (last * percent + 50) / 100;
        let (_, value, _) = values.get_mut(from..)?.select_nth_unstable(place - from);
        let value = *value;
        from = place;
        Some(value)
    };
    let (min, p5, median, p95, max) = (rank(0)?, rank(5)?, rank(50)?, rank(95)?, rank(100)?);
    Some(Spread { min, p5, median, p95, max, mean })
}

pub(super) fn per_second(count: u64, ns: u64) -> u64 {
    if ns == 0 {
        return 0;
    }
    (count as f64 * (SECOND as f64 / ns as f64)).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_that_of_the_sorted_numbers() {
        let mut values: Vec<u64> = (0..=1000).map(|n| (n * 617) % 1001).collect();
        let found = spread(&mut values, 7);
        assert_eq!(found, Some(Spread { min: 0, p5: 50, median: 500, p95: 950, max: 1000, mean: 7 }));
        assert_eq!(spread(&mut [3], 3), Some(Spread { min: 3, p5: 3, median: 3, p95: 3, max: 3, mean: 3 }));
        assert_eq!(spread(&mut [5, 1], 3).map(|of| (of.min, of.median, of.max)), Some((1, 5, 5)));
        assert_eq!(spread(&mut [], 0), None);
    }
}
