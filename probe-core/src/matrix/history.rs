//! The seconds of the recent past, and of the open incident's window: bounded by making the older ones longer.

use std::collections::{BTreeMap, VecDeque};

use super::{Cell, Count, Driver, Second};
use crate::time::Mono;

/// Cells that are kept: beyond that, two neighbouring seconds become one of double length. Nothing that was counted is lost.
const MOST_CELLS: usize = 20_000;

/// Seconds, oldest first.
#[derive(Clone, Debug)]
pub struct Seconds {
    reach: u64,
    seconds: VecDeque<Second>,
    cells: usize,
}

impl Seconds {
    /// That reaches back so many nanoseconds.
    pub fn new(reach: u64) -> Self {
        Self { reach, seconds: VecDeque::new(), cells: 0 }
    }

    /// From now on it reaches back so many nanoseconds.
    pub fn set_reach(&mut self, reach: u64) {
        self.reach = reach;
    }

    /// Adds the newest. What ended before the reach goes, unless it ended after `keep`, where an open window begins.
    pub fn push(&mut self, second: Second, keep: Option<Mono>) {
        let oldest = second.at.minus(self.reach);
        let oldest = keep.map_or(oldest, |keep| keep.min(oldest));
        self.cells += second.cells.len();
        self.seconds.push_back(second);
        while self.seconds.front().is_some_and(|first| first.at <= oldest) {
            self.cells -= self.seconds.pop_front().map_or(0, |first| first.cells.len());
        }
        if self.cells > MOST_CELLS {
            self.halve();
        }
    }

    /// The seconds that have a part in `from` to `to`.
    pub fn window(&self, from: Mono, to: Mono) -> Vec<Second> {
        let within = |second: &&Second| second.at > from && second.at.minus(second.ns) < to;
        self.seconds.iter().filter(within).cloned().collect()
    }

    /// The newest one.
    pub fn last(&self) -> Option<&Second> {
        self.seconds.back()
    }

    /// Makes one of each two.
    fn halve(&mut self) {
        let mut halved = VecDeque::with_capacity(self.seconds.len() / 2 + 1);
        while let Some(first) = self.seconds.pop_front() {
            halved.push_back(match self.seconds.pop_front() {
                Some(second) => join(first, second),
                None => first,
            });
        }
        self.cells = halved.iter().map(|second| second.cells.len()).sum();
        self.seconds = halved;
    }
}

fn join(first: Second, second: Second) -> Second {
    let mut cells: BTreeMap<u32, Cell> = first.cells.into_iter().map(|cell| (cell.link.ifindex, cell)).collect();
    for cell in second.cells {
        let joined = match cells.remove(&cell.link.ifindex) {
            Some(before) => Cell {
                ingress: sum(before.ingress, cell.ingress, counts),
                egress: sum(before.egress, cell.egress, counts),
                hellos: before.hellos + cell.hellos,
                driver: sum(before.driver, cell.driver, drivers),
                ..cell
            },
            None => cell,
        };
        cells.insert(joined.link.ifindex, joined);
    }
    // What lies between the two, when a reading failed, belongs to neither.
    let ns = first.ns.saturating_add(second.ns);
    Second { at: second.at, ns, cells: cells.into_values().collect() }
}

fn sum<T>(a: Option<T>, b: Option<T>, add: impl Fn(T, T) -> T) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(add(a, b)),
        (a, b) => a.or(b),
    }
}

fn counts(a: Count, b: Count) -> Count {
    Count { packets: a.packets + b.packets, frames: a.frames + b.frames, bytes: a.bytes + b.bytes }
}

fn drivers(a: Driver, b: Driver) -> Driver {
    let (rx_lost, tx_lost) = (a.rx_lost + b.rx_lost, a.tx_lost + b.tx_lost);
    Driver { rx: counts(a.rx, b.rx), tx: counts(a.tx, b.tx), rx_lost, tx_lost }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::testing::{cell, second};
    use crate::time::SECOND;

    #[test]
    fn the_reach_is_kept_and_more_while_a_window_is_open() {
        let mut seconds = Seconds::new(30 * SECOND);
        (0..100).for_each(|s| seconds.push(second(s, vec![cell(1, 0, 5, 5)]), None));
        assert_eq!(seconds.seconds.front().map(|first| first.at.0 / SECOND), Some(70));
        (100..200).for_each(|s| seconds.push(second(s, vec![cell(1, 0, 5, 5)]), Some(Mono(80 * SECOND))));
        assert_eq!(seconds.seconds.front().map(|first| first.at.0 / SECOND), Some(81));
        let window = seconds.window(Mono(90 * SECOND + 1), Mono(95 * SECOND + 1));
        let ends: Vec<u64> = window.iter().map(|second| second.at.0 / SECOND).collect();
        assert_eq!(ends, [91, 92, 93, 94, 95, 96]);
    }

    #[test]
    fn a_window_of_a_day_needs_bounded_memory_and_loses_no_count() {
        let mut seconds = Seconds::new(30 * SECOND);
        for s in 1..=86_400 {
            seconds.push(second(s, vec![cell(1, 0, 5, 7), cell(2, 0, 1, 1)]), Some(Mono(0)));
        }
        assert!(seconds.cells <= MOST_CELLS);
        let window = seconds.window(Mono(0), Mono(90_000 * SECOND));
        let eth1 = |second: &Second| second.cells.iter().find(|cell| cell.link.ifindex == 1).and_then(|cell| cell.egress);
        let egress: u64 = window.iter().filter_map(eth1).map(|count| count.packets).sum();
        assert_eq!(egress, 7 * 86_400);
        assert_eq!(window.iter().map(|second| second.ns).sum::<u64>(), 86_400 * SECOND);
    }
}
