//! Probes in the engine: outcomes are kept for the window, and a target that stops answering fires.

use std::collections::VecDeque;

use super::{Action, Flight};
use crate::reach::{Change, Loss, ProbeSample, Reach, Target, TargetRow, TargetState};
use crate::time::{Mono, SECOND};
use crate::timeline::{Entry, Source, What};
use crate::trigger::{Fired, Kind};

/// Outcomes that are kept at most.
const MOST_SAMPLES: usize = 32_768;

/// The targets, and their outcomes of the recent past.
#[derive(Clone, Debug)]
pub(super) struct Probes {
    reach: Reach,
    samples: VecDeque<ProbeSample>,
    /// How long outcomes are kept, nanoseconds.
    keep: u64,
    lost: u64,
}

impl Probes {
    /// `window`: nanoseconds that an incident's window can be long.
    pub(super) fn new(loss: Loss, window: u64) -> Self {
        Self { reach: Reach::new(loss), samples: VecDeque::new(), keep: window.saturating_add(60 * SECOND), lost: 0 }
    }

    /// From now on another k of n, and another window.
    pub(super) fn set(&mut self, loss: Loss, window: u64) {
        self.reach.set_loss(loss);
        self.keep = window.saturating_add(60 * SECOND);
    }

    fn take(&mut self, now: Mono, sample: ProbeSample) -> Option<Change> {
        let change = self.reach.observe(&sample);
        let oldest = now.minus(self.keep);
        while self.samples.front().is_some_and(|sample| sample.at < oldest) {
            self.samples.pop_front();
        }
        if self.samples.len() >= MOST_SAMPLES {
            self.samples.pop_front();
            self.lost += 1;
        }
        self.samples.push_back(sample);
        change
    }

    /// The outcomes of probes that were sent from `from` to `to`, in order.
    pub(super) fn window(&self, from: Mono, to: Mono) -> Vec<ProbeSample> {
        let within = |sample: &&ProbeSample| (from..=to).contains(&sample.at);
        let mut found: Vec<ProbeSample> = self.samples.iter().filter(within).cloned().collect();
        found.sort_by_key(|sample| sample.at);
        found
    }

    /// The targets, for `linkprobe status`.
    pub(super) fn rows(&self) -> Vec<TargetRow> {
        self.reach.rows()
    }

    /// What each target is like.
    pub(super) fn states(&self) -> impl Iterator<Item = (&str, TargetState)> {
        self.reach.states()
    }

    /// Outcomes that were pushed out before their time.
    pub(super) fn lost(&self) -> u64 {
        self.lost
    }
}

impl Flight {
    pub(super) fn targets(&mut self, targets: Vec<Target>) {
        self.probes.reach.set_targets(targets);
    }

    pub(super) fn probe(&mut self, now: Mono, sample: ProbeSample, actions: &mut Vec<Action>) {
        let Some(change) = self.probes.take(now, sample) else { return };
        let (up, known, link, about) = (change.up, change.known, change.link.clone(), change.target.clone());
        let entry = Entry {
            at: change.at,
            link: link.clone(),
            source: Source::Agent,
            what: What::Reach {
                target: change.target,
                method: change.method,
                up,
                lost: change.lost,
                of: change.of,
                rtt_ns: change.rtt_ns,
                send_error: change.send_error,
            },
        };
        let text = entry.describe();
        self.report(vec![entry], actions);
        // What never answered may never have been there: that is told, and is no outage.
        if known || up {
            let kind = if up { Kind::ProbeUp } else { Kind::ProbeDown };
            // Now, not when the first probe was lost: the window goes on from what is known now.
            self.fire_about(&Fired { at: now, kind, link, text }, &about, actions);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flight::{Event, FlightConfig};
    use crate::incident::Incident;
    use crate::reach::{Answer, Method};
    use crate::samples::{at, links, watched};

    fn started() -> Flight {
        let mut flight = Flight::new(FlightConfig { watched: watched(), ..FlightConfig::default() });
        flight.handle(at(0), Event::Start { links: links() });
        flight.handle(at(0), Event::Targets(vec![target("10.0.80.11"), target("10.0.80.12")]));
        flight
    }

    fn target(name: &str) -> Target {
        Target { name: name.to_owned(), method: Method::Icmp, link: None, next_hop: false }
    }

    /// A probe that was sent at `ms`; its outcome is known a second later.
    fn probe(flight: &mut Flight, ms: u64, name: &str, answer: Answer) -> Vec<Action> {
        let sample = ProbeSample { at: at(ms), target: name.to_owned(), method: Method::Icmp, answer };
        flight.handle(at(ms + 1000), Event::Probe(sample))
    }

    fn run(flight: &mut Flight, from_s: u64, outcomes: &str) -> Vec<Action> {
        let outcomes = (from_s..).zip(outcomes.chars());
        let answer = |outcome| if outcome == '+' { Answer::Rtt(138_000) } else { Answer::Lost };
        outcomes.flat_map(|(s, outcome)| probe(flight, s * 1000, "10.0.80.11", answer(outcome))).collect()
    }

    fn opened(actions: &[Action]) -> Vec<(&'static str, Mono, String)> {
        let open = |action: &Action| match action {
            Action::Open(opened) => Some((opened.kind, opened.at, opened.text.clone())),
            _ => None,
        };
        actions.iter().filter_map(open).collect()
    }

    fn reported(actions: &[Action]) -> Vec<String> {
        let entry = |action: &Action| match action {
            Action::Report(entry) if matches!(entry.what, What::Reach { .. }) => {
                Some(format!("{} {}", entry.at.0 / SECOND, entry.describe()))
            }
            _ => None,
        };
        actions.iter().filter_map(entry).collect()
    }

    fn stop(flight: &mut Flight, ms: u64) -> Incident {
        let closed = flight.handle(at(ms), Event::Stop).into_iter().find_map(|action| match action {
            Action::Close(incident) => Some(*incident),
            _ => None,
        });
        closed.expect("an open incident")
    }

    #[test]
    fn a_target_that_stops_answering_opens_an_incident_that_knows_when_it_stopped() {
        let mut flight = started();
        assert_eq!(opened(&run(&mut flight, 40, "++++++++++")), []);
        let actions = run(&mut flight, 50, "---");
        assert_eq!(opened(&actions), [("probe-down", at(53_000), "10.0.80.11 does not answer: 3 of 5 probes lost".to_owned())]);
        assert_eq!(reported(&actions), ["50 10.0.80.11 does not answer: 3 of 5 probes lost"]);
        let back = run(&mut flight, 53, "-+++");
        assert_eq!(reported(&back), ["54 10.0.80.11 answers again, after 0.138 ms"]);
        let incident = stop(&mut flight, 58_000);
        let kinds: Vec<_> = incident.triggers.iter().map(|trigger| trigger.kind).collect();
        assert_eq!(kinds, ["probe-down", "probe-up"]);
        // From 30 s before the trigger on: all of them.
        assert_eq!(incident.probes.len(), 17);
        assert_eq!(incident.probes[10].answer, Answer::Lost);
    }

    #[test]
    fn a_target_that_never_answered_is_on_the_timeline_and_opens_nothing() {
        let mut flight = started();
        let actions = run(&mut flight, 0, "----------");
        assert_eq!(opened(&actions), []);
        assert_eq!(reported(&actions), ["0 10.0.80.11 does not answer: 3 of 3 probes lost"]);
        // When it answers at last there is no incident to join.
        assert_eq!(reported(&run(&mut flight, 10, "+++")).len(), 1);
        assert_eq!(opened(&run(&mut flight, 13, "---")).len(), 1);
    }

    #[test]
    fn probes_are_kept_for_a_window_and_no_longer() {
        let mut flight = started();
        for ms in 0..100_000 {
            probe(&mut flight, ms * 10, "10.0.80.11", Answer::Rtt(1));
        }
        assert_eq!(flight.probes.samples.len(), MOST_SAMPLES);
        assert!(flight.status(at(0)).probes_lost > 0);
        probe(&mut flight, 9_000_000, "10.0.80.11", Answer::Rtt(1));
        assert_eq!(flight.probes.samples.len(), 1);
    }

    #[test]
    fn outcomes_that_come_in_another_order_are_in_order_in_the_incident() {
        let mut flight = started();
        flight.handle(at(9000), Event::Manual { reason: "now".to_owned() });
        probe(&mut flight, 2000, "10.0.80.12", Answer::Rtt(1));
        probe(&mut flight, 1000, "10.0.80.11", Answer::Lost);
        let incident = stop(&mut flight, 12_000);
        let times: Vec<_> = incident.probes.iter().map(|sample| sample.at).collect();
        assert_eq!(times, [at(1000), at(2000)]);
    }
}
