//! Log lines in the engine: they are put on the timeline, and those that tell of what nothing else tells fire.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Action, Flight};
use crate::table::{Link, LinkTable};
use crate::time::{Mono, SECOND};
use crate::timeline::{Entry, LinkName, Source, What};
use crate::trigger::{Fired, Kind};

/// Lines of one pattern that are kept within [`SPAN`].
const MOST_LINES: u32 = 20;
/// Nanoseconds.
const SPAN: u64 = 10 * SECOND;

/// Spans that are remembered at most: links come and go.
const MOST_SPANS: usize = 4096;
/// Names of links that have gone which are remembered at most, and for so long, nanoseconds: a log is behind netlink.
const MOST_GONE: usize = 1024;
const GONE: u64 = 60 * SECOND;

/// How many lines of each pattern came lately, about each of our links and about all else: a flood of one must neither fill the
/// timeline nor silence the others.
#[derive(Clone, Debug, Default)]
pub(super) struct Logs {
    spans: BTreeMap<(bool, String, About), (Mono, u32)>,
    held_back: u64,
    /// Links that were not watched and are gone, the newest last.
    gone: VecDeque<(Mono, String)>,
}

impl Logs {
    /// Whether a line of this pattern is kept.
    fn passes(&mut self, at: Mono, failure: bool, pattern: &str, about: &About) -> bool {
        if self.spans.len() >= MOST_SPANS {
            self.spans.retain(|_, (since, _)| at.since(*since) < SPAN);
        }
        let (since, count) = self.spans.entry((failure, pattern.to_owned(), about.clone())).or_insert((at, 0));
        if at.since(*since) >= SPAN {
            (*since, *count) = (at, 0);
        }
        *count = count.saturating_add(1);
        let passes = *count <= MOST_LINES;
        self.held_back += u64::from(!passes);
        passes
    }

    /// A link that is not watched is gone; lines about it may still come.
    pub(super) fn gone(&mut self, at: Mono, name: String) {
        if self.gone.len() >= MOST_GONE {
            self.gone.pop_front();
        }
        self.gone.push_back((at, name));
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
        let about = self.about(now, &line.line);
        if !self.logs.passes(now, line.failure, &line.pattern, &about) {
            return;
        }
        let Line { at, file, failure, fires, pattern, line } = line;
        let link = match &about {
            About::Ours(link) => Some(link.clone()),
            About::Others | About::Nothing => None,
        };
        let entry = Entry { at, link: link.clone(), source: Source::Agent, what: What::Log { file, failure, pattern, line } };
        let text = entry.describe();
        let named = entry_pattern(&entry);
        self.report(vec![entry], actions);
        if fires && about != About::Others {
            let kind = if failure { Kind::LogFailure } else { Kind::LogRecovery };
            self.fire_about(&Fired { at, kind, link, text }, &named, actions);
        }
    }

    fn about(&mut self, now: Mono, line: &str) -> About {
        let words = words(line);
        let about = about(&words, &self.table);
        if about != About::Nothing {
            return about;
        }
        self.logs.gone.retain(|(at, _)| now.since(*at) < GONE);
        if self.logs.gone.iter().any(|(_, name)| names(&words, name)) { About::Others } else { About::Nothing }
    }
}

/// Which link a line names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum About {
    /// A watched one, or one that lies on it.
    Ours(LinkName),
    /// Another one, and none of ours.
    Others,
    /// None that there is.
    Nothing,
}

fn words(line: &str) -> Vec<&str> {
    line.split(|c: char| c.is_whitespace() || ",;()[]<>'\"=/%".contains(c))
        .map(|word| word.trim_matches([':', '.', '!']))
        .filter(|word| !word.is_empty())
        .collect()
}

/// Whether one of the words names a link.
fn names(words: &[&str], name: &str) -> bool {
    // `eth1:10.0.0.2`, as FRR writes an interface with its address.
    let named = |word: &&str| *word == name || word.strip_prefix(name).is_some_and(|rest| rest.starts_with(':'));
    words.iter().any(named)
}

fn about(words: &[&str], table: &LinkTable) -> About {
    let named: Vec<&Link> = table.links().filter(|link| names(words, &link.state.name)).collect();
    if named.is_empty() {
        return About::Nothing;
    }
    let ours: BTreeSet<u32> = table.stacked().into_iter().collect();
    let found = named.iter().find(|link| table.role(link.state.ifindex).is_some() || ours.contains(&link.state.ifindex));
    found.map_or(About::Others, |link| About::Ours(LinkName { ifindex: link.state.ifindex, name: link.state.name.clone() }))
}

/// What one link can have several of.
fn entry_pattern(entry: &Entry) -> String {
    if let What::Log { pattern, .. } = &entry.what { pattern.clone() } else { String::new() }
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
    fn what_lies_on_a_watched_link_is_ours_however_deep() {
        let mut flight = started();
        for link in [
            LinkState { kind: Some("bridge".to_owned()), ..link(12, "br0") },
            LinkState { lower: Some(12), kind: Some("vlan".to_owned()), ..link(13, "br0.7") },
            LinkState { lower: Some(11), kind: Some("macvlan".to_owned()), ..link(14, "vrrp.51") },
            LinkState { master: Some(12), ..crate::samples::bond(10, "bond0") },
        ] {
            flight.handle(at(1000), super::super::tests::told(link));
        }
        for (second, name) in (60..).zip(["br0", "br0.7", "vrrp.51"]) {
            let line = format!("ospf6d: interface {name} DOWN");
            assert_eq!(tell(&mut flight.clone(), second * 1000, true, true, &line), (named(name), vec!["log-failure"]));
        }
    }

    #[test]
    fn a_line_about_a_link_that_has_just_gone_opens_nothing() {
        let mut flight = started();
        flight.handle(at(1000), super::super::tests::told(link(20, "ppp7")));
        let message = crate::netlink::LinkMessage::Del { ifindex: 20 };
        flight.handle(at(50_000), Event::Link { source: Source::Netlink, message });
        assert_eq!(tell(&mut flight, 50_200, true, true, "ospf6d: interface ppp7 DOWN"), (vec![None], vec![]));
        assert_eq!(tell(&mut flight, 120_000, true, true, "ospf6d: interface ppp7 DOWN"), (vec![None], vec!["log-failure"]));
    }

    #[test]
    fn lines_about_other_links_do_not_silence_ours() {
        let mut flight = started();
        for n in 0..100 {
            tell(&mut flight, 50_000 + n, true, true, "ospf6d: interface lone0 DOWN");
        }
        assert_eq!(tell(&mut flight, 50_200, true, true, "ospf6d: interface bond0 DOWN"), (named("bond0"), vec!["log-failure"]));
    }

    #[test]
    fn a_flood_of_lines_is_bounded_and_counted() {
        let mut flight = started();
        let entries = (0..1000).map(|n| tell(&mut flight, 50_000 + n, true, false, "x").0.len()).sum::<usize>();
        assert_eq!((entries, flight.status(at(60_000)).log_lines_lost), (20, 980));
        assert_eq!(tell(&mut flight, 60_000, true, false, "x").0.len(), 1);
    }
}
