//! The engine's part in ignoring short outages.

use super::{Action, Flight};
use crate::time::{Mono, SECOND};
use crate::timeline::What;
use crate::trigger::{Fired, Taken};

impl Flight {
    /// A trigger fired: it opens or joins an incident, unless it waits until the outage has lasted. `about` tells apart what one
    /// link can have several of.
    pub(super) fn fire_about(&mut self, fired: &Fired, about: &str, actions: &mut Vec<Action>) {
        match self.hold.take(fired, about) {
            Taken::Fires => self.fire_now(fired, about, actions),
            Taken::Waits => {}
            Taken::Ends(outage) => self.ignored(&outage, fired.at, actions),
        }
    }

    /// What lasted until `now` fires.
    pub(super) fn outages_that_last(&mut self, now: Mono, actions: &mut Vec<Action>) {
        for (fired, about) in self.hold.lasted(now) {
            self.fire_now(&fired, &about, actions);
        }
    }

    /// The table has changed: what waits and is over by it is ignored.
    pub(super) fn outages_that_ended(&mut self, now: Mono, actions: &mut Vec<Action>) {
        let triggers = &self.triggers;
        for outage in self.hold.over(|fired| triggers.is_over(fired)) {
            self.ignored(&outage, now, actions);
        }
    }

    fn ignored(&mut self, outage: &Fired, until: Mono, actions: &mut Vec<Action>) {
        let seconds = until.since(outage.at) as f64 / SECOND as f64;
        let text = format!("{} (ignored: it lasted {seconds:.3} s)", outage.text);
        self.note(until, outage.link.clone(), What::Trigger { kind: outage.kind.name(), text }, actions);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{closed, config, doings, told};
    use super::*;
    use crate::flight::{Event, FlightConfig};
    use crate::samples::{at, bond, down, link, links, slave, up};

    fn patient() -> Flight {
        let mut flight = Flight::new(FlightConfig { ignore_shorter: 3 * SECOND, min_slaves: 2, ..config() });
        flight.handle(at(0), Event::Start { links: links() });
        flight
    }

    fn lines(actions: &[Action]) -> Vec<String> {
        let line = |action: &Action| match action {
            Action::Report(entry) if matches!(entry.what, What::Trigger { .. }) => Some(entry.describe()),
            _ => None,
        };
        actions.iter().filter_map(line).collect()
    }

    #[test]
    fn a_short_outage_is_on_the_timeline_with_its_length_and_opens_nothing() {
        let mut flight = patient();
        let lost = down(slave(1, "eth1", 10));
        assert_eq!(doings(&flight.handle(at(60_000), told(lost.clone()))), Vec::<String>::new());
        assert_eq!(flight.next_deadline(), Some(at(63_000)));
        let actions = flight.handle(at(60_250), told(up(lost)));
        assert_eq!(doings(&actions), Vec::<String>::new());
        let expected = [
            "trigger slave-down: eth1: carrier lost (ignored: it lasted 0.250 s)",
            "trigger min-slaves: bond0: 1 of 2 slaves up, the minimum is 2 (ignored: it lasted 0.250 s)",
        ];
        assert_eq!(lines(&actions), expected);
        assert_eq!(doings(&flight.handle(at(63_000), Event::Tick)), Vec::<String>::new());
    }

    #[test]
    fn an_outage_that_lasts_opens_an_incident_around_its_beginning() {
        let mut flight = patient();
        flight.handle(at(60_000), told(down(slave(1, "eth1", 10))));
        flight.handle(at(60_100), told(down(bond(10, "bond0"))));
        let actions = flight.handle(at(63_000), Event::Tick);
        assert_eq!(doings(&actions)[0], "open 1 slave-down");
        assert!(actions.iter().any(|action| matches!(action, Action::Open(opened) if opened.at == at(60_000))));
        assert_eq!(doings(&flight.handle(at(63_100), Event::Tick)), ["until 70100"]);
        let incident = closed(flight.handle(at(80_000), Event::Tick));
        assert_eq!((incident.from, incident.triggers.len()), (at(30_000), 3));
    }

    #[test]
    fn a_flip_that_only_the_counters_tell_was_short() {
        let mut flight = patient();
        let flapped = crate::link::LinkState { carrier_up_count: 2, carrier_down_count: 2, ..link(4, "mgmt") };
        let actions = flight.handle(at(60_000), told(flapped));
        assert!(lines(&actions)[0].contains("ignored"), "{:?}", lines(&actions));
        assert_eq!(flight.next_deadline(), None);
    }

    #[test]
    fn an_edge_of_just_before_the_limit_ends_the_outage_though_it_is_told_after_it() {
        let mut flight = patient();
        flight.handle(at(60_000), Event::Edge { at: at(60_000), ifindex: 4, up: false });
        let actions = flight.handle(at(63_001), Event::Edge { at: at(62_999), ifindex: 4, up: true });
        assert!(lines(&actions)[0].contains("it lasted 2.999 s"), "{:?}", lines(&actions));
    }
}
