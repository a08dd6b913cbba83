//! The engine's part in the tap matrix: keeps the seconds, and turns what is odd into entries and triggers.

use super::{Action, Flight};
use crate::direction::Direction;
use crate::matrix::{Detector, Odd, Second, Seconds};
use crate::time::{Mono, SECOND};
use crate::timeline::{Entry, Source, What};
use crate::trigger::{Fired, Kind};

/// The seconds, and what is odd about them.
#[derive(Clone, Debug)]
pub(super) struct Matrix {
    seconds: Seconds,
    detector: Detector,
}

impl Matrix {
    /// For incidents that begin so many nanoseconds before their trigger.
    pub fn new(before: u64) -> Self {
        Self { seconds: Seconds::new(reach(before)), detector: Detector::default() }
    }

    /// From now on it reaches back so far.
    pub fn set_reach(&mut self, before: u64) {
        self.seconds.set_reach(reach(before));
    }

    /// Adds the newest second to those that an incident may have; `window` is where an open one begins.
    pub fn keep(&mut self, second: Second, window: Option<Mono>) {
        self.seconds.push(second, window);
    }

    /// Whether a link is known to send nothing of what it is handed, or to receive nothing.
    pub fn is_blacked_out(&self, ifindex: u32, direction: Direction) -> bool {
        self.detector.is_blacked_out(ifindex, direction)
    }

    /// The seconds that have a part in a window.
    pub fn window(&self, from: Mono, to: Mono) -> Vec<Second> {
        self.seconds.window(from, to)
    }
}

/// A blackout is certain some seconds after it began: that is when the incident opens.
fn reach(before: u64) -> u64 {
    before.saturating_add(15 * SECOND)
}

impl Flight {
    /// The newest second of the matrix.
    pub fn last_second(&self) -> Option<&Second> {
        self.matrix.seconds.last()
    }

    pub(super) fn second(&mut self, second: &Second, actions: &mut Vec<Action>) {
        let table = &self.table;
        let up = |ifindex| table.get(ifindex).is_some_and(|link| link.state.admin_up && link.state.carrier);
        let odd = self.matrix.detector.second(second, up);
        for Odd { at, link, what } in odd {
            let kind = match what {
                What::Ghosts { .. } => Kind::Ghosts,
                What::Blackout { begins: false, .. } => Kind::BlackoutEnd,
                What::Blackout { .. } => Kind::Blackout,
                _ => Kind::Rate,
            };
            let entry = Entry { at, link: Some(link.clone()), source: Source::Agent, what };
            let text = entry.describe();
            self.report(vec![entry], actions);
            // Now, not when it began: the window goes on from what is known now.
            self.fire(&Fired { at: second.at, kind, link: Some(link), text }, actions);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{closed, config, doings, started};
    use super::*;
    use crate::flight::Event;
    use crate::matrix::testing::{cell, hellos, second, sent};

    /// The bond and its two slaves of the tests' links, at work; `wire` is what the drivers send.
    fn at_work(number: u64, out: u64, wire: u64) -> Event {
        let slave = |index| hellos(1, sent(wire, cell(index, 10, 20, out)));
        Event::Second(second(number, vec![slave(1), slave(2), sent(2 * wire, cell(10, 0, 40, 2 * out))]))
    }

    #[test]
    fn a_blackout_opens_an_incident_that_has_the_seconds_of_its_window() {
        let mut flight = started(config());
        let mut done = Vec::new();
        for number in 1..=62 {
            let wire = if number > 50 { 0 } else { 30 };
            done.extend(doings(&flight.handle(Mono(number * SECOND), at_work(number, 30, wire))));
        }
        assert_eq!(done, ["open 1 blackout"], "the others join it at the same time");
        let incident = closed(flight.handle(Mono(63 * SECOND), at_work(63, 30, 0)));
        assert_eq!(incident.triggers.len(), 2, "both slaves");
        assert!(
            incident.timeline.iter().any(|entry| matches!(entry.what, What::Ghosts { .. })),
            "ghosts were first, and open nothing"
        );
        let times: Vec<u64> = incident.seconds.iter().map(|second| second.at.0 / SECOND).collect();
        assert_eq!((times.first(), times.last(), times.len()), (Some(&24), Some(&63), 40));
        assert!(incident.timeline.iter().any(|entry| matches!(entry.what, What::Blackout { begins: true, .. })));
        assert_eq!(flight.last_second().map(|second| second.cells.len()), Some(3));
    }

    #[test]
    fn a_rate_alone_opens_nothing_and_is_on_the_timeline() {
        let mut flight = started(config());
        let mut done = Vec::new();
        for number in 1..=200 {
            let rate = if number > 190 { 60_000 } else { 100 };
            done.extend(doings(&flight.handle(Mono(number * SECOND), at_work(number, rate, rate))));
        }
        assert_eq!(done, Vec::<String>::new());
        flight.handle(Mono(200 * SECOND), Event::Manual { reason: "look".to_owned() });
        let incident = closed(flight.handle(Mono(210 * SECOND), Event::Tick));
        assert!(incident.timeline.iter().any(|entry| matches!(entry.what, What::Rate { .. })));
    }
}
