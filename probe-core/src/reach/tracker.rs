//! Whether targets answer: k of the last n, so that one lost packet is no outage.

use std::collections::VecDeque;

use serde::Serialize;

use super::{Answer, Method, ProbeSample, Target};
use crate::time::Mono;
use crate::timeline::LinkName;

/// When a target counts as lost: `lost` of its last `of` probes are; and as answering again when as many are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// k, from 1 to `of`.
    pub lost: u32,
    /// n.
    pub of: u32,
}

impl Default for Loss {
    fn default() -> Self {
        Self { lost: 3, of: 5 }
    }
}

/// What is known of a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetState {
    /// Too few probes yet.
    #[default]
    Unknown,
    /// It answers.
    Up,
    /// It answered once, and does no longer.
    Down,
    /// It has not answered since the start.
    Never,
}

impl TargetState {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            TargetState::Unknown => "unknown",
            TargetState::Up => "up",
            TargetState::Down => "down",
            TargetState::Never => "never",
        }
    }
}

/// A target's change of state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// When the first of the probes was sent that show it.
    pub at: Mono,
    /// It answers.
    pub up: bool,
    /// It has answered before: an outage, or the end of one.
    pub known: bool,
    /// The interface that it is asked on, when it is asked on a certain one.
    pub link: Option<LinkName>,
    /// Its name.
    pub target: String,
    /// How it is asked.
    pub method: Method,
    /// Lost probes among the last ones.
    pub lost: u32,
    /// Number of those last ones.
    pub of: u32,
    /// Of the last answer, nanoseconds.
    pub rtt_ns: Option<u64>,
    /// Why the last probe could not be sent.
    pub send_error: Option<String>,
}

/// A target, for `linkprobe status`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TargetRow {
    /// Name.
    pub name: String,
    /// icmp, arp or nd.
    pub method: &'static str,
    /// The interface that it is asked on.
    pub link: Option<String>,
    /// It was found in the routing table.
    pub next_hop: bool,
    /// Whether it answers.
    pub state: TargetState,
    /// Whether the last probe was answered; `None` before the first.
    pub answered: Option<bool>,
    /// Lost among the last n.
    pub lost: u32,
    /// Number of those.
    pub of: u32,
    /// Probes since the target is known.
    pub probes: u64,
    /// Lost, of all.
    pub lost_of_all: u64,
    /// Of the last answer, nanoseconds.
    pub rtt_ns: Option<u64>,
    /// Why the last probe could not be sent.
    pub send_error: Option<String>,
}

/// All targets.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    loss: Loss,
    tracks: Vec<Track>,
}

#[derive(Clone, Debug)]
struct Track {
    target: Target,
    state: TargetState,
    /// The last n probes, oldest first: when sent, and whether lost.
    last: VecDeque<(Mono, bool)>,
    /// How many of them are of this state. What made it is not held against the next.
    fresh: usize,
    probes: u64,
    lost: u64,
    rtt_ns: Option<u64>,
    send_error: Option<String>,
}

impl Reach {
    /// Without targets.
    pub fn new(loss: Loss) -> Self {
        Self { loss: sane(loss), tracks: Vec::new() }
    }

    /// From now on another k of n.
    pub fn set_loss(&mut self, loss: Loss) {
        self.loss = sane(loss);
    }

    /// These are the targets from now on. What is known of those that stay is kept, in the new order.
    pub fn set_targets(&mut self, targets: Vec<Target>) {
        let mut before = std::mem::take(&mut self.tracks);
        self.tracks = targets
            .into_iter()
            .map(|target| match before.iter().position(|track| track.target.name == target.name) {
                Some(place) => Track { target, ..before.swap_remove(place) },
                None => Track::new(target),
            })
            .collect();
    }

    /// Takes the outcome of a probe. One of a target that is no longer asked says nothing.
    pub fn observe(&mut self, sample: &ProbeSample) -> Option<Change> {
        let loss = self.loss;
        self.tracks.iter_mut().find(|track| track.target.name == sample.target)?.observe(sample, loss)
    }

    /// The targets' names and states, in their order.
    pub fn states(&self) -> impl Iterator<Item = (&str, TargetState)> {
        self.tracks.iter().map(|track| (track.target.name.as_str(), track.state))
    }

    /// The targets, in their order.
    pub fn rows(&self) -> Vec<TargetRow> {
        self.tracks.iter().map(Track::row).collect()
    }
}

impl Track {
    fn new(target: Target) -> Self {
        Self {
            target,
            state: TargetState::Unknown,
            last: VecDeque::new(),
            fresh: 0,
            probes: 0,
            lost: 0,
            rtt_ns: None,
            send_error: None,
        }
    }

    fn observe(&mut self, sample: &ProbeSample, loss: Loss) -> Option<Change> {
        let lost = !matches!(sample.answer, Answer::Rtt(_));
        self.probes += 1;
        self.lost += u64::from(lost);
        self.send_error = None;
        match &sample.answer {
            Answer::Rtt(rtt) => self.rtt_ns = Some(*rtt),
            Answer::Lost => {}
            Answer::SendError(error) => self.send_error = Some(error.clone()),
        }
        self.last.push_back((sample.at, lost));
        self.fresh += 1;
        while self.last.len() > loss.of as usize {
            self.last.pop_front();
        }
        self.fresh = self.fresh.min(self.last.len());
        let (next, of_which) = match self.state {
            // The first answer is enough to know that it can answer.
            TargetState::Unknown if !lost => (TargetState::Up, false),
            TargetState::Unknown if self.enough(true, loss) => (TargetState::Never, true),
            TargetState::Up if self.enough(true, loss) => (TargetState::Down, true),
            TargetState::Down | TargetState::Never if self.enough(false, loss) => (TargetState::Up, false),
            _ => return None,
        };
        let change = self.change(next, of_which);
        let silent = self.state == TargetState::Unknown && next == TargetState::Up;
        self.state = next;
        self.fresh = 0;
        (!silent).then_some(change)
    }

    /// The probes of this state.
    fn fresh(&self) -> impl Iterator<Item = &(Mono, bool)> {
        self.last.iter().skip(self.last.len().saturating_sub(self.fresh))
    }

    fn enough(&self, lost: bool, loss: Loss) -> bool {
        self.fresh().filter(|(_, was)| *was == lost).count() >= loss.lost as usize
    }

    fn change(&self, next: TargetState, of_which: bool) -> Change {
        let first = self.fresh().find(|(_, was)| *was == of_which);
        Change {
            at: first.map_or(Mono(0), |(at, _)| *at),
            up: next == TargetState::Up,
            known: matches!(self.state, TargetState::Up | TargetState::Down),
            link: self.target.link.clone(),
            target: self.target.name.clone(),
            method: self.target.method,
            lost: count(self.fresh().filter(|(_, lost)| *lost)),
            of: count(self.fresh()),
            rtt_ns: self.rtt_ns,
            send_error: self.send_error.clone(),
        }
    }

    fn row(&self) -> TargetRow {
        TargetRow {
            name: self.target.name.clone(),
            method: self.target.method.name(),
            link: self.target.link.as_ref().map(|link| link.name.clone()),
            next_hop: self.target.next_hop,
            state: self.state,
            answered: self.last.back().map(|(_, lost)| !lost),
            lost: count(self.last.iter().filter(|(_, lost)| *lost)),
            of: count(self.last.iter()),
            probes: self.probes,
            lost_of_all: self.lost,
            rtt_ns: self.rtt_ns,
            send_error: self.send_error.clone(),
        }
    }
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}

/// At least one of one.
fn sane(loss: Loss) -> Loss {
    Loss { lost: loss.lost.max(1), of: loss.of.max(loss.lost).max(1) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::at;

    fn target(name: &str) -> Target {
        Target { name: name.to_owned(), method: Method::Icmp, link: None, next_hop: false }
    }

    fn tracker(lost: u32, of: u32) -> Reach {
        let mut reach = Reach::new(Loss { lost, of });
        reach.set_targets(vec![target("a")]);
        reach
    }

    /// One probe per second: `+` answered, `-` lost, `!` not sent. Returns the changes: second, up or down, k of n.
    fn run(reach: &mut Reach, outcomes: &str) -> Vec<String> {
        let mut said = Vec::new();
        for (second, outcome) in (0..).zip(outcomes.chars()) {
            let answer = match outcome {
                '+' => Answer::Rtt(1_000_000),
                '-' => Answer::Lost,
                _ => Answer::SendError("Network is down".to_owned()),
            };
            let sample = ProbeSample { at: at(second * 1000), target: "a".to_owned(), method: Method::Icmp, answer };
            if let Some(v) = reach.observe(&sample) {
                let known = if v.known { "" } else { " at last" };
                let error = v.send_error.map_or_else(String::new, |error| format!(" {error}"));
                let way = if v.up { "up" } else { "down" };
                said.push(format!("{second}: {way} since {}, {}/{}{known}{error}", v.at.0 / 1_000_000_000, v.lost, v.of));
            }
        }
        said
    }

    #[test]
    fn k_lost_of_the_last_n_are_an_outage_and_k_answered_its_end() {
        for (outcomes, expected) in [
            ("+++++---", vec!["7: down since 5, 3/5"]),
            ("++--+++--++", vec![]),
            ("++-+-+-+", vec!["6: down since 2, 3/5"]),
            ("+----+++", vec!["3: down since 1, 3/3", "7: up since 5, 1/4"]),
            ("+----+-+-+", vec!["3: down since 1, 3/3", "9: up since 5, 2/5"]),
            ("+---++-+++", vec!["3: down since 1, 3/3", "7: up since 4, 1/4"]),
        ] {
            let mut reach = tracker(3, 5);
            assert_eq!(run(&mut reach, outcomes), expected, "{outcomes}");
        }
    }

    #[test]
    fn a_small_k_does_not_go_up_and_down_on_the_same_probes() {
        let mut reach = tracker(2, 5);
        assert_eq!(run(&mut reach, "+--++++"), ["2: down since 1, 2/2", "4: up since 3, 0/2"]);
    }

    #[test]
    fn a_target_that_never_answered_is_told_once_and_is_no_outage() {
        let mut reach = tracker(3, 5);
        assert_eq!(run(&mut reach, "----------"), ["2: down since 0, 3/3 at last"]);
        assert_eq!(reach.rows()[0].state, TargetState::Never);
        assert_eq!(run(&mut reach, "+++"), ["2: up since 0, 2/5 at last"]);
        assert_eq!(run(&mut reach, "---"), ["2: down since 0, 3/3"]);
    }

    #[test]
    fn probes_that_cannot_be_sent_count_as_lost_and_say_why() {
        let mut reach = tracker(3, 5);
        assert_eq!(run(&mut reach, "++!!!"), ["4: down since 2, 3/4 Network is down"]);
        assert_eq!(reach.rows()[0].send_error.as_deref(), Some("Network is down"));
        run(&mut reach, "-");
        assert_eq!(reach.rows()[0].send_error, None);
    }

    #[test]
    fn the_row_shows_the_last_probes_and_all_of_them() {
        let mut reach = tracker(3, 5);
        run(&mut reach, "+++--+-");
        let row = &reach.rows()[0];
        assert_eq!((row.state, row.answered, row.lost, row.of), (TargetState::Down, Some(false), 3, 5));
        assert_eq!((row.probes, row.lost_of_all, row.rtt_ns), (7, 3, Some(1_000_000)));
    }

    #[test]
    fn targets_that_stay_are_remembered_and_others_forgotten() {
        let mut reach = tracker(3, 5);
        run(&mut reach, "+---");
        reach.set_targets(vec![target("b"), target("a")]);
        let rows = reach.rows();
        assert_eq!((rows[0].state, rows[1].state), (TargetState::Unknown, TargetState::Down));
        reach.set_targets(vec![target("b")]);
        assert_eq!(run(&mut reach, "+++"), Vec::<String>::new());
        reach.set_targets(vec![target("a")]);
        assert_eq!(reach.rows()[0].probes, 0);
    }
}
