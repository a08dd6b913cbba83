//! Goes on with other settings, without forgetting anything.

use super::{Action, Flight, FlightConfig};
use crate::time::Mono;

impl Flight {
    /// Takes other settings at `now`. What is known stays; a longer reach back is reached with time. An incident that is open ends
    /// when it would have ended. `storm_rate` and `timeline_room` stay as they were: the kernel programs know the one, and memory
    /// is taken for the other.
    pub fn configure(&mut self, now: Mono, config: FlightConfig) -> Vec<Action> {
        let mut actions = Vec::new();
        let window = config.before.saturating_add(config.longest);
        self.cooldown.set(config.cooldown);
        self.hold.set(config.ignore_shorter);
        self.history.set_reach(config.before);
        self.matrix.set_reach(config.before);
        self.past.set_limits(config.history, config.history_memory);
        self.probes.set(config.probe_loss, window);
        self.repeats.set_window(window);
        self.drops.set_window(window);
        let rewatched = config.watched != self.config.watched;
        let kept = (self.config.storm_rate, self.config.timeline_room);
        self.config = FlightConfig { storm_rate: kept.0, timeline_room: kept.1, ..config };
        if rewatched {
            let before = self.states();
            let entries = self.table.watch(now, self.config.watched.clone());
            for state in before.into_iter().filter(|state| self.table.role(state.ifindex).is_none()) {
                self.history.change(now, Some(state), None);
            }
            for link in entries.iter().filter_map(|entry| entry.link.as_ref()) {
                self.history.start(link.ifindex);
            }
            self.lacp_links(now, &entries);
            self.report(entries, &mut actions);
            self.tap(&[], &mut actions);
            self.triggers.start(&self.table);
        }
        self.triggers.set_min_slaves(self.config.min_slaves, &self.table);
        actions
    }
}

#[cfg(test)]
mod tests {
    use crate::flight::{Action, Event, Flight, FlightConfig};
    use crate::netlink::LinkMessage;
    use crate::samples::{at, down, link, links, slave, watched};
    use crate::table::Watched;
    use crate::time::SECOND;
    use crate::timeline::Source;

    fn taps(actions: &[Action]) -> Vec<String> {
        let tap = |action: &Action| match action {
            Action::Attach { link, .. } => Some(format!("+{}", link.name)),
            Action::Detach { link, .. } => Some(format!("-{}", link.name)),
            _ => None,
        };
        actions.iter().filter_map(tap).collect()
    }

    fn flight(config: FlightConfig) -> Flight {
        let mut flight = Flight::new(FlightConfig { watched: watched(), ..config });
        flight.handle(at(0), Event::Start { links: links() });
        flight
    }

    fn opens(flight: &mut Flight, ms: u64, state: crate::link::LinkState) -> bool {
        let event = Event::Link { source: Source::Netlink, message: LinkMessage::New(Box::new(state)) };
        flight.handle(at(ms), event).iter().any(|action| matches!(action, Action::Open(_)))
    }

    #[test]
    fn links_that_are_named_anew_are_tapped_and_those_that_are_not_any_more_let_go_without_an_incident() {
        let mut flight = flight(FlightConfig::default());
        let other = Watched { bonds: vec![], interfaces: vec!["lone0".to_owned(), "mgmt".to_owned()] };
        let actions = flight.configure(at(1000), FlightConfig { watched: other, ..FlightConfig::default() });
        assert_eq!(taps(&actions), ["-eth1", "-eth2", "-bond0", "+lone0"]);
        assert!(!actions.iter().any(|action| matches!(action, Action::Open(_))));
        assert!(!opens(&mut flight, 1100, down(slave(1, "eth1", 10))), "it is not ours any more");
        assert!(opens(&mut flight, 1200, down(link(3, "lone0"))), "it is watched now");
    }

    #[test]
    fn the_same_settings_again_change_nothing() {
        let mut flight = flight(FlightConfig::default());
        let same = FlightConfig { watched: watched(), ..FlightConfig::default() };
        assert_eq!(flight.configure(at(1000), same), []);
        assert!(opens(&mut flight, 1100, down(slave(1, "eth1", 10))));
    }

    #[test]
    fn triggers_and_times_are_those_of_the_new_settings_from_then_on() {
        let mut flight = flight(FlightConfig::default());
        let deaf = FlightConfig { watched: watched(), opens: [].into(), ..FlightConfig::default() };
        flight.configure(at(1000), deaf);
        assert!(!opens(&mut flight, 1100, down(slave(1, "eth1", 10))));
        let patient = FlightConfig { watched: watched(), ignore_shorter: 2 * SECOND, ..FlightConfig::default() };
        flight.configure(at(20_000), patient);
        assert!(!opens(&mut flight, 20_100, down(link(4, "mgmt"))), "it waits");
        let later = flight.handle(at(22_200), Event::Tick);
        assert!(later.iter().any(|action| matches!(action, Action::Open(_))), "it lasted");
    }

    #[test]
    fn a_minimum_that_is_not_met_when_it_is_set_fires_only_when_it_is_missed_anew() {
        let mut flight = flight(FlightConfig { min_slaves: 0, ..FlightConfig::default() });
        let only = |min_slaves| FlightConfig {
            watched: watched(),
            min_slaves,
            opens: [crate::trigger::Kind::MinSlaves].into(),
            ..FlightConfig::default()
        };
        flight.configure(at(1000), only(2));
        assert!(opens(&mut flight, 1100, down(slave(1, "eth1", 10))), "one of two is less than two");
    }
}
