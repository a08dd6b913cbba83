use super::*;
use crate::samples::{at, bond, down, link, links, slave, up, watched};
use crate::time::SECOND;

pub(super) fn config() -> FlightConfig {
    FlightConfig { watched: watched(), ..FlightConfig::default() }
}

pub(super) fn started(config: FlightConfig) -> Flight {
    let mut flight = Flight::new(config);
    flight.handle(at(0), Event::Start { links: links() });
    flight
}

pub(super) fn told(state: LinkState) -> Event {
    Event::Link { source: Source::Netlink, message: LinkMessage::New(Box::new(state)) }
}

pub(super) fn gone(ifindex: u32) -> Event {
    Event::Link { source: Source::Netlink, message: LinkMessage::Del { ifindex } }
}

/// What is to be done apart from reports, in a word each.
pub(super) fn doings(actions: &[Action]) -> Vec<String> {
    let doing = |action: &Action| match action {
        Action::Attach { link, role } => Some(format!("attach {} {role:?}", link.name)),
        Action::Detach { link, gone } => Some(format!("detach {}{}", link.name, if *gone { " gone" } else { "" })),
        Action::Open(opened) => Some(format!("open {} {}", opened.number, opened.kind)),
        Action::Extend { until } => Some(format!("until {}", until.0 / 1_000_000)),
        Action::Close(incident) => Some(format!("close {:?} {}", incident.closed, incident.to.0 / 1_000_000)),
        Action::Report(_) | Action::AskLink { .. } | Action::AskReason { .. } => None,
    };
    actions.iter().filter_map(doing).collect()
}

pub(super) fn closed(actions: Vec<Action>) -> Incident {
    let found = actions.into_iter().find_map(|action| match action {
        Action::Close(incident) => Some(*incident),
        _ => None,
    });
    found.expect("an incident that ends")
}

pub(super) fn kinds(incident: &Incident) -> Vec<&'static str> {
    incident.triggers.iter().map(|trigger| trigger.kind).collect()
}

#[test]
fn the_start_attaches_taps_to_what_is_watched_and_opens_nothing() {
    let mut flight = Flight::new(config());
    let actions = flight.handle(at(0), Event::Start { links: links() });
    assert_eq!(
        doings(&actions),
        ["attach bond0 Bond", "attach eth1 Slave { master: 10 }", "attach eth2 Slave { master: 10 }", "attach mgmt Plain"]
    );
    assert_eq!(flight.next_deadline(), None);
}

#[test]
fn a_bond_that_breaks_is_one_incident_from_before_its_first_trigger_to_after_its_last() {
    let mut flight = started(config());
    let cut = flight.handle(at(60_000), told(down(slave(1, "eth1", 10))));
    assert_eq!(doings(&cut), ["open 1 slave-down"]);
    assert_eq!(doings(&flight.handle(at(60_100), told(down(slave(2, "eth2", 10))))), ["until 70100"]);
    assert_eq!(doings(&flight.handle(at(60_200), told(down(bond(10, "bond0"))))), ["until 70200"]);
    assert_eq!(flight.next_deadline(), Some(at(70_200)));
    assert_eq!(doings(&flight.handle(at(70_199), Event::Tick)), Vec::<String>::new());
    let incident = closed(flight.handle(at(70_200), Event::Tick));
    assert_eq!((incident.from, incident.to, incident.closed), (at(30_000), at(70_200), Closed::Quiet));
    assert_eq!(kinds(&incident), ["slave-down", "slave-down", "min-slaves", "bond-down"]);
    assert_eq!(incident.triggers[3].text, "bond0: carrier lost");
    assert!(incident.links_before.iter().all(|link| link.carrier) && incident.links_before.len() == 4);
    let after: Vec<_> = incident.links_after.iter().map(|link| (link.name.as_str(), link.carrier)).collect();
    assert_eq!(after, [("bond0", false), ("eth1", false), ("eth2", false), ("mgmt", true)]);
    assert!(incident.timeline.is_sorted_by_key(|entry| entry.at));
    assert_eq!((incident.timeline.first().map(|entry| entry.at), incident.timeline_lost), (Some(at(60_000)), 0));
    assert_eq!(flight.next_deadline(), None);
}

#[test]
fn the_trigger_of_an_incident_stands_behind_its_cause_on_the_timeline() {
    let mut flight = started(config());
    flight.handle(at(60_000), told(down(link(4, "mgmt"))));
    let incident = closed(flight.handle(at(70_000), Event::Tick));
    let lines: Vec<_> = incident.timeline.iter().map(Entry::describe).collect();
    assert_eq!(lines, ["mgmt: carrier lost", "mgmt: operstate up → down", "trigger interface-down: mgmt: carrier lost"]);
}

#[test]
fn twenty_flaps_in_a_second_are_one_incident_with_every_repeat_counted() {
    let mut flight = started(config());
    let mut opened = 0;
    let mut state = slave(1, "eth1", 10);
    for flap in 0..20u64 {
        state = down(state);
        opened +=
            doings(&flight.handle(at(60_000 + flap * 50), told(state.clone()))).iter().filter(|d| d.starts_with("open")).count();
        state = up(state);
        flight.handle(at(60_025 + flap * 50), told(state.clone()));
    }
    assert_eq!(opened, 1);
    assert_eq!(flight.next_deadline(), Some(at(60_975 + 10_000)));
    let incident = closed(flight.handle(at(80_000), Event::Tick));
    let counted: Vec<_> = incident.triggers.iter().map(|trigger| (trigger.kind, trigger.repeats)).collect();
    assert_eq!(counted, [("slave-down", 19), ("slave-up", 19)]);
    let flips = incident.timeline.iter().filter(|entry| matches!(entry.what, What::Carrier { .. })).count();
    assert_eq!(flips, 40);
    let status = flight.status(at(80_000));
    assert_eq!(status.triggers["slave-down"].held_back, 19);
    let eth1 = status.links.iter().find(|row| row.name == "eth1").expect("eth1");
    assert_eq!((eth1.ups, eth1.downs, eth1.changes, eth1.up), (20, 20, 42, true));
}

#[test]
fn a_trigger_within_a_cooldown_longer_than_the_window_opens_no_incident_and_is_told_once() {
    let mut flight = started(FlightConfig { cooldown: 60 * SECOND, ..config() });
    let mut state = link(4, "mgmt");
    let mut held_back = Vec::new();
    for round in 0..4u64 {
        state = down(state);
        let actions = flight.handle(at(60_000 + round * 20_000), told(state.clone()));
        held_back.extend(actions.iter().filter_map(|action| match action {
            Action::Report(entry) => Some(entry.describe()).filter(|line| line.contains("cooldown")),
            _ => None,
        }));
        state = up(state);
        flight.handle(at(61_000 + round * 20_000), told(state.clone()));
    }
    let line = "trigger interface-down: mgmt: carrier lost (within its cooldown: no incident of its own)";
    assert_eq!(held_back, [line]);
    assert_eq!(flight.status(at(200_000)).incidents, 2);
}

#[test]
fn a_recovery_joins_the_incident_and_alone_opens_none() {
    let mut flight = started(config());
    flight.handle(at(60_000), told(down(bond(10, "bond0"))));
    let again = up(down(bond(10, "bond0")));
    assert_eq!(doings(&flight.handle(at(65_000), told(again.clone()))), ["until 75000"]);
    assert_eq!(kinds(&closed(flight.handle(at(75_000), Event::Tick))), ["bond-down", "bond-up"]);
    let mut flight = Flight::new(config());
    flight.handle(at(0), Event::Start { links: vec![down(bond(10, "bond0"))] });
    assert_eq!(doings(&flight.handle(at(1000), told(again))), Vec::<String>::new());
}

#[test]
fn the_configuration_decides_what_opens_an_incident() {
    let mut flight = started(FlightConfig { opens: [Kind::BondUp].into(), ..config() });
    assert_eq!(doings(&flight.handle(at(1000), told(down(bond(10, "bond0"))))), Vec::<String>::new());
    assert_eq!(doings(&flight.handle(at(2000), told(up(down(bond(10, "bond0")))))), ["open 1 bond-up"]);
}

#[test]
fn somebody_who_asks_opens_an_incident_or_joins_it() {
    let mut flight = started(config());
    let asked = |reason: &str| Event::Manual { reason: reason.to_owned() };
    assert_eq!(doings(&flight.handle(at(60_000), asked("phone call"))), ["open 1 manual"]);
    assert_eq!(doings(&flight.handle(at(61_000), asked("another"))), ["until 71000"]);
    let incident = closed(flight.handle(at(71_000), Event::Tick));
    assert_eq!((incident.triggers[0].text.as_str(), incident.triggers[1].text.as_str()), ("phone call", "another"));
}

#[test]
fn a_link_that_never_stops_flapping_gets_an_incident_of_bounded_length_and_then_the_next() {
    let mut flight = started(FlightConfig { longest: 30 * SECOND, ..config() });
    let mut state = slave(1, "eth1", 10);
    let mut done = Vec::new();
    for flap in 0..20u64 {
        state = down(state);
        done.extend(doings(&flight.handle(at(60_000 + flap * 4000), told(state.clone()))));
        state = up(state);
        done.extend(doings(&flight.handle(at(62_000 + flap * 4000), told(state.clone()))));
    }
    done.retain(|doing| !doing.starts_with("until"));
    assert_eq!(done, ["open 1 slave-down", "close Limit 90000", "open 2 slave-down", "close Limit 122000", "open 3 slave-down"]);
}

#[test]
fn an_incident_that_is_open_when_the_agent_stops_ends_there() {
    let mut flight = started(config());
    flight.handle(at(60_000), told(down(bond(10, "bond0"))));
    let incident = closed(flight.handle(at(61_000), Event::Stop));
    assert_eq!((incident.to, incident.closed), (at(61_000), Closed::Stop));
    assert_eq!(doings(&flight.handle(at(62_000), Event::Stop)), Vec::<String>::new());
}

#[test]
fn taps_follow_the_slaves() {
    let mut flight = started(config());
    let actions = flight.handle(at(1000), told(slave(3, "lone0", 10)));
    assert_eq!(doings(&actions), ["attach lone0 Slave { master: 10 }"]);
    let actions = flight.handle(at(2000), told(LinkState { name: "eth9".to_owned(), ..slave(3, "lone0", 10) }));
    assert_eq!(doings(&actions), Vec::<String>::new());
    let actions = flight.handle(at(3000), told(link(3, "eth9")));
    assert_eq!(doings(&actions), ["detach eth9", "open 1 slave-removed"]);
    let actions = flight.handle(at(4000), gone(2));
    assert_eq!(doings(&actions)[0], "detach eth2 gone");
}

#[test]
fn a_bond_that_is_deleted_and_made_again_gets_its_taps_again() {
    let mut flight = started(config());
    let actions = flight.handle(at(60_000), gone(10));
    let done = doings(&actions);
    assert_eq!(done[..4], ["detach eth1", "detach eth2", "detach bond0 gone", "open 1 slave-removed"]);
    let actions = flight.handle(at(60_500), told(down(bond(20, "bond0"))));
    assert_eq!(doings(&actions), ["attach bond0 Bond"]);
    let actions = flight.handle(at(60_600), told(slave(1, "eth1", 20)));
    assert_eq!(doings(&actions)[0], "attach eth1 Slave { master: 20 }");
    let incident = closed(flight.handle(at(80_000), Event::Tick));
    assert!(kinds(&incident).contains(&"bond-down"));
    let before: Vec<_> = incident.links_before.iter().map(|link| link.ifindex).collect();
    assert_eq!(before, [1, 2, 4, 10]);
}

#[test]
fn another_link_under_a_known_index_gets_taps_of_its_own() {
    let mut flight = started(config());
    flight.handle(at(1000), told(down(link(4, "mgmt"))));
    let actions = flight.handle(at(60_000), Event::Resync { reason: "ENOBUFS".to_owned(), links: links() });
    assert_eq!(doings(&actions)[1..3], ["detach mgmt gone", "attach mgmt Plain"]);
}

#[test]
fn links_that_are_not_watched_ask_for_nothing() {
    let mut flight = started(config());
    assert_eq!(flight.handle(at(1000), told(link(77, "veth77"))), []);
    assert_eq!(flight.handle(at(1001), told(down(link(77, "veth77")))), []);
    assert_eq!(flight.handle(at(1002), Event::Edge { at: at(1002), ifindex: 77, up: true }), []);
    assert_eq!(flight.handle(at(1003), gone(77)), []);
}

#[test]
fn a_slave_that_was_taken_out_is_still_shown_at_the_end() {
    let mut flight = started(config());
    flight.handle(at(60_000), told(link(1, "eth1")));
    let incident = closed(flight.handle(at(70_000), Event::Tick));
    let eth1 = incident.links_after.iter().find(|link| link.name == "eth1").expect("eth1");
    assert_eq!(eth1.master, None);
    assert_eq!(incident.links_before.iter().find(|link| link.name == "eth1").and_then(|link| link.master), Some(10));
}

#[test]
fn edges_open_the_incident_at_their_own_time_and_the_message_adds_the_rest() {
    let mut flight = started(config());
    let actions = flight.handle(at(60_001), Event::Edge { at: at(60_000), ifindex: 1, up: false });
    assert!(actions.iter().any(|action| matches!(action, Action::Open(opened) if opened.at == at(60_000))));
    flight.handle(at(60_900), told(down(slave(1, "eth1", 10))));
    let incident = closed(flight.handle(at(80_000), Event::Tick));
    let carriers: Vec<_> = incident.timeline.iter().filter(|entry| matches!(entry.what, What::Carrier { .. })).collect();
    assert_eq!(carriers.len(), 1);
    assert_eq!((carriers[0].at, carriers[0].source), (at(60_000), Source::Kernel));
}

#[test]
fn an_edge_that_comes_behind_its_message_corrects_the_time_of_the_entry() {
    let mut flight = started(config());
    flight.handle(at(60_900), told(down(slave(1, "eth1", 10))));
    assert_eq!(flight.handle(at(60_901), Event::Edge { at: at(60_000), ifindex: 1, up: false }), []);
    let incident = closed(flight.handle(at(80_000), Event::Tick));
    assert_eq!((incident.timeline[0].at, incident.timeline[0].source), (at(60_000), Source::Kernel));
}

#[test]
fn an_edge_from_within_the_window_belongs_to_it_even_if_it_arrives_after_its_end() {
    let mut flight = started(config());
    flight.handle(at(60_000), told(down(slave(1, "eth1", 10))));
    let actions = flight.handle(at(70_001), Event::Edge { at: at(69_999), ifindex: 2, up: false });
    assert_eq!(doings(&actions)[0], "until 79999");
}

#[test]
fn what_a_dump_finds_after_an_overrun_fires_like_a_message() {
    let mut flight = started(config());
    let dump = vec![down(bond(10, "bond0")), slave(1, "eth1", 10), slave(2, "eth2", 10), link(4, "mgmt")];
    let actions = flight.handle(at(60_000), Event::Resync { reason: "ENOBUFS".to_owned(), links: dump });
    assert_eq!(doings(&actions), ["open 1 bond-down"]);
    let incident = closed(flight.handle(at(70_000), Event::Tick));
    assert_eq!(incident.timeline[0].what, What::Gap { reason: "ENOBUFS".to_owned() });
}

#[test]
fn entries_that_were_pushed_out_of_the_window_are_counted() {
    let mut flight = started(FlightConfig { timeline_room: 160, ..config() });
    for flap in 0..100u64 {
        flight.handle(at(60_000 + flap), Event::Edge { at: at(60_000 + flap), ifindex: 1, up: flap % 2 == 1 });
    }
    let incident = closed(flight.handle(at(90_000), Event::Tick));
    assert_eq!(incident.timeline_lost + u64::try_from(incident.timeline.len()).expect("few"), 102, "100 edges, 2 triggers");
    assert!(incident.timeline_lost > 0);
}

#[test]
fn alarms_clock_steps_and_taps_are_on_the_timeline() {
    let mut flight = started(config());
    flight.handle(at(60_000), Event::Manual { reason: "test".to_owned() });
    flight.handle(at(61_000), Event::ClockStep { step_ns: 5 });
    flight.handle(at(62_000), Event::Alarm { text: "disk full".to_owned() });
    flight.handle(at(63_000), Event::TapAttached { ifindex: 10, tap: "tcx egress".to_owned() });
    let incident = closed(flight.handle(at(90_000), Event::Tick));
    let lines: Vec<_> = incident.timeline.iter().map(Entry::describe).collect();
    assert_eq!(
        lines,
        ["trigger manual: test", "wall clock set forward by 0.000000 s", "alarm: disk full", "bond0: tap attached: tcx egress"]
    );
}

#[test]
fn status_tells_of_the_open_incident_and_of_names_that_wait() {
    let mut flight = started(config());
    flight.handle(at(60_000), gone(4));
    let status = flight.status(at(61_000));
    assert_eq!(status.open.as_ref().map(|open| (open.number, open.triggers)), Some((1, 1)));
    assert_eq!(status.waiting.iter().map(|waiting| waiting.name.as_str()).collect::<Vec<_>>(), ["mgmt"]);
    let json = serde_json::to_value(&status).expect("a status");
    assert_eq!(json["links"][0]["name"], "bond0");
    assert_eq!(json["links"][1]["master"], "bond0");
    assert_eq!(json["triggers"]["interface-down"]["fired"], 1);
}
