//! Log lines in the engine: they are put on the timeline, and those that tell of what nothing else tells fire.

use std::collections::BTreeMap;

use super::{Action, Flight};
use crate::table::LinkTable;
use crate::time::{Mono, SECOND};
use crate::timeline::{Entry, LinkName, Source, What};
use crate::trigger::{Fired, Kind};

/// Lines of one pattern that are kept within [`SPAN`].
const MOST_LINES: u32 = 20;
/// Nanoseconds.
const SPAN: u64 = 10 * SECOND;

/// How many lines of each pattern came lately: a flood of one must not fill the timeline.
#[derive(Clone, Debug, Default)]
pub(super) struct Logs {
    spans: BTreeMap<(bool, String), (Mono, u32)>,
    held_back: u64,
}

impl Logs {
    /// Whether a line of this pattern is kept.
    fn passes(&mut self, at: Mono, failure: bool, pattern: &str) -> bool {
        let (since, count) = self.spans.entry((failure, pattern.to_owned())).or_insert((at, 0));
        if at.since(*since) >= SPAN {
            (*since, *count) = (at, 0);
        }
        *count = count.saturating_add(1);
        let passes = *count <= MOST_LINES;
        self.held_back += u64::from(!passes);
        passes
    }

    /// Matching lines that were not kept.
    pub(super) fn held_back(&self) -> u64 {
        self.held_back
    }
}

/// A line that matched a pattern.
pub(super) struct Line {
    pub(super) at: Mono,
    pub(super) file: String,
    pub(super) failure: bool,
    pub(super) fires: bool,
    pub(super) pattern: String,
    pub(super) line: String,
}

impl Flight {
    pub(super) fn log(&mut self, now: Mono, line: Line, actions: &mut Vec<Action>) {
        if !self.logs.passes(now, line.failure, &line.pattern) {
            return;
        }
        let about = about(&line.line, &self.table);
        let Line { at, file, failure, fires, pattern, line } = line;
        let link = match &about {
            About::Ours(link) => Some(link.clone()),
            About::Others | About::Nothing => None,
        };
        let entry = Entry { at, link: link.clone(), source: Source::Agent, what: What::Log { file, failure, pattern, line } };
        let text = entry.describe();
        self.report(vec![entry], actions);
        if fires && about != About::Others {
            let kind = if failure { Kind::LogFailure } else { Kind::LogRecovery };
            self.fire(&Fired { at, kind, link, text }, actions);
        }
    }
}

/// Which link a line names.
#[derive(Clone, Debug, PartialEq, Eq)]
enum About {
    /// A watched one, or one that lies on it.
    Ours(LinkName),
    /// Another one, and none of ours.
    Others,
    /// None that there is.
    Nothing,
}

fn about(line: &str, table: &LinkTable) -> About {
    let words: Vec<&str> = line
        .split(|c: char| c.is_whitespace() || ",;()[]<>'\"=/%".contains(c))
        .map(|word| word.trim_matches([':', '.', '!']))
        .filter(|word| !word.is_empty())
        .collect();
    let mut others = false;
    for link in table.links() {
        let name = &link.state.name;
        // `eth1:10.0.0.2`, as FRR writes an interface with its address.
        let named = |word: &str| word == name || word.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with(':'));
        if !words.iter().any(|word| named(word)) {
            continue;
        }
        let ours = |ifindex: u32| table.role(ifindex).is_some();
        if ours(link.state.ifindex) || link.state.lower.is_some_and(ours) {
            return About::Ours(LinkName { ifindex: link.state.ifindex, name: name.clone() });
        }
        others = true;
    }
    if others { About::Others } else { About::Nothing }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flight::{Event, FlightConfig};
    use crate::link::LinkState;
    use crate::samples::{at, link, links, watched};

    fn started() -> Flight {
        let mut flight = Flight::new(FlightConfig { watched: watched(), ..FlightConfig::default() });
        let mut all = links();
        all.push(LinkState { lower: Some(10), kind: Some("vlan".to_owned()), ..link(11, "bond0.956") });
        flight.handle(at(0), Event::Start { links: all });
        flight
    }

    /// What a line makes: the link of its entry, and the trigger that opens an incident.
    fn tell(flight: &mut Flight, ms: u64, failure: bool, fires: bool, line: &str) -> (Vec<Option<String>>, Vec<&'static str>) {
        let event = Event::Log {
            at: at(ms),
            file: "/var/log/messages".to_owned(),
            failure,
            fires,
            pattern: "some".to_owned(),
            line: line.to_owned(),
        };
        let actions = flight.handle(at(ms), event);
        let entries = actions.iter().filter_map(|action| match action {
            Action::Report(Entry { link, what: What::Log { .. }, .. }) => Some(link.as_ref().map(|link| link.name.clone())),
            _ => None,
        });
        let opens = actions.iter().filter_map(|action| match action {
            Action::Open(opened) => Some(opened.kind),
            _ => None,
        });
        (entries.collect(), opens.collect())
    }

    fn named(name: &str) -> Vec<Option<String>> {
        vec![Some(name.to_owned())]
    }

    #[test]
    fn a_failure_opens_an_incident_and_what_netlink_tells_anyhow_does_not() {
        let line = "keepalived: (VI_1) Entering FAULT STATE";
        assert_eq!(tell(&mut started(), 50_000, true, true, line), (vec![None], vec!["log-failure"]));
        let line = "bond0: (slave eth1): link status definitely down, disabling slave";
        assert_eq!(tell(&mut started(), 50_000, true, false, line), (named("eth1"), vec![]));
        assert_eq!(tell(&mut started(), 50_000, false, true, "keepalived: Entering MASTER STATE"), (vec![None], vec![]));
    }

    #[test]
    fn a_line_about_a_link_that_is_not_watched_opens_nothing() {
        let tell = |line| tell(&mut started(), 50_000, true, true, line);
        assert_eq!(tell("ospf6d: interface lone0 DOWN"), (vec![None], vec![]));
        assert_eq!(tell("ospf6d: interface bond0 DOWN"), (named("bond0"), vec!["log-failure"]));
        assert_eq!(tell("ospf6d: interface bond0.956 DOWN"), (named("bond0.956"), vec!["log-failure"]));
        assert_eq!(tell("AdjChg: Nbr 10.0.0.1(default) on mgmt:10.0.0.2: Full -> Down"), (named("mgmt"), vec!["log-failure"]));
        assert_eq!(tell("ospf6d: interface gone7 DOWN"), (vec![None], vec!["log-failure"]));
    }

    #[test]
    fn a_flood_of_lines_is_bounded_and_counted() {
        let mut flight = started();
        let entries = (0..1000).map(|n| tell(&mut flight, 50_000 + n, true, false, "x").0.len()).sum::<usize>();
        assert_eq!((entries, flight.status(at(60_000)).log_lines_lost), (20, 980));
        assert_eq!(tell(&mut flight, 60_000, true, false, "x").0.len(), 1);
    }
}
