//! The engine's part in the history: it is told of each second, and of what links and targets are like after each event that changed any.

use std::collections::BTreeSet;

use super::{Action, Flight};
use crate::direction::Direction;
use crate::lacp::Phase;
use crate::past::{Before, Condition, Extent, LacpCondition, LinkCondition, Past, Subject, View};
use crate::table::{Link, Role};
use crate::time::Mono;
use crate::timeline::{Entry, LinkName, What};

impl Flight {
    /// A part of the history: see [`Past::view`].
    pub fn past(&self, from: Mono, to: Mono) -> View {
        self.past.view(from, to)
    }

    /// What is needed to say what was normal before a window: see [`Past::before`].
    pub fn before(&self, from: Mono, to: Mono) -> Before {
        self.past.before(from, to)
    }

    /// How much history there is.
    pub fn past_extent(&self) -> Extent {
        self.past.extent()
    }

    /// Notes what links and targets are like, when an event is over. `second`: the event was a second; otherwise only where it reported
    /// anything.
    pub(super) fn note_past(&mut self, now: Mono, second: bool, actions: &[Action]) {
        let entries = || actions.iter().filter_map(|action| if let Action::Report(entry) = action { Some(entry) } else { None });
        if !self.past.is_kept() || !(second || entries().next().is_some()) {
            return;
        }
        for entry in entries() {
            match (&entry.what, &entry.link) {
                (What::Renamed { from }, Some(link)) => self.past.renamed(from, link),
                (What::Vanished, Some(link)) => self.past.left(entry.at, link.ifindex, true),
                _ => {}
            }
        }
        let mut watched = BTreeSet::new();
        for (link, role) in self.table.watched() {
            let ifindex = link.state.ifindex;
            watched.insert(ifindex);
            let about = |entry: &&Entry| tells_condition(entry) && entry.link.as_ref().is_some_and(|of| of.ifindex == ifindex);
            let at = entries().rfind(about).map_or(now, |entry| entry.at);
            let condition = LinkCondition::of(&link.state, is_up(link, role), self.lacp_condition(link));
            self.past.link(at, &LinkName { ifindex, name: link.state.name.clone() }, condition);
        }
        let mut asked = BTreeSet::new();
        for (name, state) in self.probes.states() {
            asked.insert(name);
            let about = |entry: &&Entry| matches!(&entry.what, What::Reach { target, .. } if target == name);
            let at = entries().rfind(about).map_or(now, |entry| entry.at);
            self.past.target(at, name, Condition::Target(state));
        }
        self.past.leave(now, |subject| match subject {
            Subject::Link(link) => watched.contains(&link.ifindex),
            Subject::Target(name) => asked.contains(name.as_str()),
        });
    }

    /// LACP of a link that speaks it.
    fn lacp_condition(&self, link: &Link) -> Option<LacpCondition> {
        let slave = self.lacp.slave(link.state.ifindex)?;
        let heard = [Direction::Egress, Direction::Ingress].iter().any(|way| slave.follow.side(*way).seen() > 0);
        let phase: Phase = slave.follow.phase();
        heard.then(|| LacpCondition::of(phase)).flatten()
    }
}

fn is_up(link: &Link, role: Role) -> bool {
    match role {
        Role::Slave { .. } => link.is_up_as_slave(),
        Role::Bond | Role::Plain => link.is_up(),
    }
}

/// Whether an entry is about what the history keeps of a link, so that its time is that of the change.
fn tells_condition(entry: &Entry) -> bool {
    matches!(
        entry.what,
        What::Appeared { .. }
            | What::Admin { .. }
            | What::Carrier { .. }
            | What::Flaps { .. }
            | What::Oper { .. }
            | What::Master { .. }
            | What::SlaveMii { .. }
            | What::SlaveActive { .. }
            | What::Lacp { .. }
            | What::LacpSilence { .. }
    )
}

/// The history of an engine.
pub(super) fn past(config: &super::FlightConfig) -> Past {
    Past::new(config.history, config.history_memory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flight::tests::{closed, config};
    use crate::flight::{Event, FlightConfig};
    use crate::matrix::testing::{cell, second};
    use crate::netlink::LinkMessage;
    use crate::samples::{at, down, links, slave};
    use crate::time::SECOND;
    use crate::timeline::Source;

    fn started() -> Flight {
        let config = FlightConfig { history: 3600 * SECOND, history_memory: 1 << 20, ..config() };
        let mut flight = Flight::new(config);
        flight.handle(at(0), Event::Start { links: links() });
        flight
    }

    fn traffic(flight: &mut Flight, from: u64, to: u64, packets: u64) {
        for number in from..=to {
            let link = |ifindex, name: &str, master| {
                let mut cell = cell(ifindex, master, packets, 2 * packets);
                cell.link.name = name.to_owned();
                cell
            };
            let cells = vec![link(10, "bond0", 0), link(1, "eth1", 10), link(2, "eth2", 10)];
            flight.handle(Mono(number * SECOND), Event::Second(second(number, cells)));
        }
    }

    fn told(flight: &Flight) -> Vec<(u64, String)> {
        let view = flight.past(Mono(0), Mono(u64::MAX));
        let name = |id| view.seen().find(|(of, _)| *of == id).map(|(_, seen)| seen.subject.name().to_owned());
        let changes = view.changes().into_iter();
        changes.map(|told| (told.at.0 / 1_000_000, format!("{}: {}", name(told.track).unwrap_or_default(), told.text))).collect()
    }

    #[test]
    fn a_change_is_in_the_history_with_the_time_of_its_cause_and_a_lost_slave_is_not_watched_any_more() {
        let mut flight = started();
        traffic(&mut flight, 1, 5, 10);
        flight.handle(at(5020), Event::Edge { at: at(5010), ifindex: 1, up: false });
        let lost = down(slave(1, "eth1", 10));
        let event = |state| Event::Link { source: Source::Netlink, message: LinkMessage::New(Box::new(state)) };
        flight.handle(at(5100), event(lost.clone()));
        traffic(&mut flight, 6, 8, 10);
        flight.handle(at(8500), event(crate::link::LinkState { master: None, slave: None, ..lost }));
        let told = told(&flight);
        let told: Vec<(u64, &str)> = told.iter().map(|(at, text)| (*at, text.as_str())).collect();
        assert_eq!(told, [(5010, "eth1: down: carrier lost"), (5100, "eth1: MII down"), (8500, "eth1: is not watched any more")]);
        assert_eq!(flight.past_extent().from, Some(Mono(0)));
    }

    #[test]
    fn what_was_normal_before_an_incident_is_known_at_its_end() {
        let mut flight = started();
        traffic(&mut flight, 1, 60, 100);
        traffic(&mut flight, 61, 70, 9000);
        flight.handle(at(70_500), Event::Manual { reason: "look".to_owned() });
        let incident = closed(flight.handle(at(99_000), Event::Tick));
        let normal = flight.before(incident.from, incident.to).normal().expect("a time before");
        assert_eq!((normal.from, normal.to), (Mono(0), incident.from));
        let names: Vec<&str> = normal.links.iter().map(|link| link.link.name.as_str()).collect();
        assert_eq!(names, ["bond0", "eth1", "eth2", "mgmt"], "mgmt has no tap here, and was up");
        let out = normal.links[1].egress.clone().expect("out");
        assert_eq!(out.before.map(|rates| rates.packets.median), Some(200));
        assert_eq!((out.window.map(|rates| rates.packets.max), out.odd), (Some(18_000), Some(crate::past::Odd::More)));
        let mut without = Flight::new(config());
        without.handle(at(0), Event::Start { links: links() });
        traffic(&mut without, 1, 60, 100);
        without.handle(at(60_000), Event::Manual { reason: "look".to_owned() });
        let incident = closed(without.handle(at(99_000), Event::Tick));
        assert_eq!(without.before(incident.from, incident.to).normal(), None);
    }
}
