use super::tests::{closed, config, kinds, told};
use super::*;
use crate::direction::Direction::{self, Egress, Ingress};
use crate::lacp::{LacpCounters, PortInfo};
use crate::link::{Aggregator, BondState, SlaveState};
use crate::samples::{at, bond, down, lacpdu, link, port, slave, up};
use crate::time::SECOND;

/// Both ends collect and distribute, at the slow and at the fast rate.
const SLOW: u8 = 0x3d;
const FAST: u8 = 0x3f;

fn lacp_slave(ifindex: u32, name: &str, state: u8) -> LinkState {
    let lacp = SlaveState {
        aggregator_id: Some(1),
        actor_state: Some(state),
        partner_state: Some(u16::from(state)),
        ..SlaveState::default()
    };
    LinkState { slave: Some(lacp), ..slave(ifindex, name, 10) }
}

fn lacp_bond() -> LinkState {
    let aggregator = Aggregator { id: 1, ports: 2, ..Aggregator::default() };
    let state = BondState { mode: "802.3ad".to_owned(), aggregator: Some(aggregator), ..BondState::default() };
    LinkState { bond: Some(state), ..bond(10, "bond0") }
}

/// An engine, and everything that came of what it was told.
struct Bench {
    flight: Flight,
    actions: Vec<Action>,
}

impl Bench {
    /// bond0 with eth1 and eth2, whose ports have this state according to the kernel.
    fn new(state: u8) -> Self {
        let mut flight = Flight::new(FlightConfig { before: 120 * SECOND, cooldown: 0, ..config() });
        let links = vec![lacp_bond(), lacp_slave(1, "eth1", state), lacp_slave(2, "eth2", state), link(4, "mgmt")];
        let actions = flight.handle(at(0), Event::Start { links });
        Self { flight, actions }
    }

    fn handle(&mut self, ms: u64, event: Event) {
        let actions = self.flight.handle(at(ms), event);
        self.actions.extend(actions);
    }

    /// Time passes until `ms`; the engine is told whenever it wants to be.
    fn until(&mut self, ms: u64) {
        while let Some(due) = self.flight.next_deadline().filter(|due| *due <= at(ms)) {
            let actions = self.flight.handle(due, Event::Tick);
            self.actions.extend(actions);
            assert!(self.flight.next_deadline().is_none_or(|next| next > due), "a deadline that does not pass");
        }
    }

    /// A LACPDU of eth1.
    fn pdu(&mut self, ms: u64, direction: Direction, actor: PortInfo, partner: PortInfo) {
        self.until(ms);
        let frame = lacpdu(actor, partner);
        self.handle(ms, Event::Lacpdu { at: at(ms), ifindex: 1, direction, frame });
    }

    /// Both ends say that all is well.
    fn good(&mut self, ms: u64, state: u8) {
        self.pdu(ms, Egress, port(1, 1, state), port(2, 1, state));
        self.pdu(ms + 10, Ingress, port(2, 1, state), port(1, 1, state));
    }

    /// LACP works on eth1 from second 1 on, for so many seconds.
    fn working(&mut self, state: u8, seconds: u64) {
        let step = if state == FAST { 1000 } else { 30_000 };
        (1000..=seconds * 1000).step_by(step).for_each(|ms| self.good(ms, state));
    }

    /// Times and texts of the triggers so far.
    fn fired(&self) -> Vec<(u64, &str)> {
        let trigger = |action: &'_ Action| match action {
            Action::Report(Entry { at, what: What::Trigger { .. }, .. }) => Some(at.0 / 1_000_000),
            _ => None,
        };
        let text = |action| match action {
            &Action::Report(Entry { what: What::Trigger { ref text, .. }, .. }) => Some(text.as_str()),
            _ => None,
        };
        self.actions.iter().filter_map(|action| Some((trigger(action)?, text(action)?))).collect()
    }

    /// What the timeline says of LACP, with the milliseconds.
    fn lines(&self) -> Vec<String> {
        let line = |action: &Action| match action {
            Action::Report(entry)
                if matches!(entry.what, What::Lacp { .. } | What::LacpSilence { .. } | What::LacpCounters(_)) =>
            {
                Some(format!("{} {entry}", entry.at.0 / 1_000_000))
            }
            _ => None,
        };
        self.actions.iter().filter_map(line).collect()
    }

    fn asked(&self) -> usize {
        self.actions.iter().filter(|action| matches!(action, Action::AskLink { ifindex: 1 })).count()
    }
}

#[test]
fn the_reference_incident_is_one_lacp_down_when_the_partner_expires_and_tells_the_rest() {
    let mut bench = Bench::new(SLOW);
    bench.working(SLOW, 61);
    // Nothing of ours reaches the partner from 61 s on; its own go on arriving.
    for ms in [91_000, 121_000] {
        bench.good(ms, SLOW);
    }
    bench.pdu(147_000, Ingress, port(2, 1, 0x85), port(1, 1, SLOW));
    bench.pdu(150_000, Ingress, port(2, 1, 0x45), PortInfo { state: crate::lacp::PortState(2), ..PortInfo::default() });
    bench.pdu(151_000, Egress, port(1, 1, 0x0d), port(2, 1, 0x45));
    bench.until(155_000);
    assert_eq!(
        bench.fired(),
        [(
            147_000,
            "eth1: LACP no longer works: the partner is expired: it got none of our LACPDUs for too long \
             (activity, aggregation, expired)"
        )]
    );
    assert_eq!(
        bench.lines()[2..],
        [
            "147000 eth1: the partner's LACPDU now says expired, no longer synchronization, collecting, distributing \
             (activity, aggregation, expired)",
            "150000 eth1: the partner's LACPDU now says defaulted, no longer expired (activity, aggregation, defaulted); \
             it knows no partner any more",
            "151000 eth1: our LACPDU no longer says collecting, distributing (activity, aggregation, synchronization); \
             says of the partner's end: now defaulted, no longer synchronization, collecting, distributing",
        ]
    );
    let incident = closed(bench.flight.handle(at(200_000), Event::Tick));
    assert_eq!(kinds(&incident), ["lacp-down"]);
    let times: Vec<u64> = incident.lacpdus.iter().map(|seen| seen.at.0 / SECOND).collect();
    assert_eq!(times, [1, 1, 31, 31, 61, 61, 91, 91, 121, 121, 147, 150, 151], "those of the window, and the last ones before");
}

#[test]
fn lacp_that_works_again_is_told_once() {
    let mut bench = Bench::new(FAST);
    bench.working(FAST, 10);
    bench.pdu(10_500, Ingress, port(2, 1, 0x87), port(1, 1, FAST));
    bench.pdu(11_000, Egress, port(1, 1, 0x07), port(2, 1, 0x87));
    bench.pdu(12_000, Ingress, port(2, 1, 0x0f), port(1, 1, 0x07));
    bench.pdu(12_100, Egress, port(1, 1, FAST), port(2, 1, 0x0f));
    assert_eq!(bench.fired().len(), 1, "one end alone is not enough");
    bench.pdu(12_200, Ingress, port(2, 1, FAST), port(1, 1, FAST));
    bench.good(13_000, FAST);
    let fired = bench.fired();
    assert_eq!(fired.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [10_500, 12_200]);
    assert_eq!(fired[1].1, "eth1: LACP works again: both ends collect and distribute");
}

#[test]
fn an_end_that_takes_back_what_it_said_before_the_other_was_heard_leaves_no_deadline_behind() {
    let mut bench = Bench::new(FAST);
    bench.pdu(1000, Egress, port(1, 1, 0x07), port(2, 1, FAST));
    bench.pdu(1200, Egress, port(1, 1, FAST), port(2, 1, FAST));
    bench.until(2900);
    assert_eq!(bench.fired(), []);
    assert_eq!(bench.flight.next_deadline(), Some(at(4000)), "the partner's silence, since we were heard");
}

#[test]
fn a_partner_that_falls_silent_is_found_after_three_periods_of_the_rate_that_it_owes_us() {
    for (state, until, silent) in [(FAST, 20, 23_010), (SLOW, 31, 121_010)] {
        let mut bench = Bench::new(state);
        bench.working(state, until);
        let step = if state == FAST { 1000 } else { 30_000 };
        for ms in (until * 1000 + step..=silent).step_by(usize::try_from(step).expect("small")) {
            bench.pdu(ms, Egress, port(1, 1, state), port(2, 1, state));
        }
        bench.until(silent - 1);
        assert_eq!(bench.fired(), []);
        bench.until(silent);
        let seconds = if state == FAST { "3.0" } else { "90.0" };
        assert_eq!(
            bench.fired(),
            [(silent, format!("eth1: LACP no longer works: the partner sent no LACPDU for {seconds} s").as_str())]
        );
        assert_eq!(bench.lines().last(), Some(&format!("{silent} eth1: no LACPDU of the partner for {seconds} s")));
    }
}

#[test]
fn we_who_send_no_more_are_told_apart_from_the_partner() {
    let mut bench = Bench::new(FAST);
    bench.working(FAST, 10);
    for ms in [11_010, 12_010, 13_010] {
        bench.pdu(ms, Ingress, port(2, 1, FAST), port(1, 1, FAST));
    }
    bench.until(13_100);
    assert_eq!(bench.fired(), [(13_000, "eth1: LACP no longer works: we sent no LACPDU for 3.0 s")]);
    bench.pdu(14_000, Egress, port(1, 1, FAST), port(2, 1, FAST));
    assert_eq!(bench.fired().last().map(|(at, _)| *at), Some(14_000), "it works again");
    assert!(bench.lines().contains(&"14000 eth1: a LACPDU of ours again, after 4.0 s".to_owned()), "{:?}", bench.lines());
}

#[test]
fn lacpdus_that_wait_while_the_agent_is_busy_are_no_silence() {
    let mut bench = Bench::new(FAST);
    bench.working(FAST, 10);
    for ms in [11_000, 12_000, 13_000, 14_000] {
        for (direction, (actor, partner)) in [(Egress, (1, 2)), (Ingress, (2, 1))] {
            let frame = lacpdu(port(actor, 1, FAST), port(partner, 1, FAST));
            bench.handle(14_500, Event::Lacpdu { at: at(ms), ifindex: 1, direction, frame });
        }
    }
    bench.until(14_900);
    assert_eq!((bench.fired(), bench.lines().len()), (vec![], 2));
}

#[test]
fn a_carrier_that_goes_is_no_story_of_lacp_and_neither_is_the_way_back() {
    let mut bench = Bench::new(FAST);
    bench.working(FAST, 10);
    // The partner has seen the loss a moment before us.
    bench.pdu(10_500, Ingress, port(2, 1, 0x07), port(1, 1, FAST));
    bench.until(10_600);
    bench.handle(10_600, Event::Edge { at: at(10_600), ifindex: 1, up: false });
    let lost = down(lacp_slave(1, "eth1", FAST));
    bench.handle(10_610, told(lost.clone()));
    bench.until(20_000);
    bench.handle(20_000, told(up(lost)));
    for (ms, ours, theirs) in [(20_100, 0x87, 0x87), (21_000, 0x07, 0x07), (22_000, 0x0f, 0x0f), (23_000, FAST, FAST)] {
        bench.pdu(ms, Egress, port(1, 1, ours), port(2, 1, theirs));
        bench.pdu(ms + 10, Ingress, port(2, 1, theirs), port(1, 1, ours));
    }
    bench.until(25_000);
    let fired = bench.fired();
    assert!(fired.iter().all(|(_, text)| !text.contains("LACP")), "{fired:?}");
    assert_eq!(bench.flight.status(at(25_000)).lacp[0].phase, "working");
}

#[test]
fn lacpdus_may_come_before_the_message_that_the_link_is_up() {
    let mut bench = Bench::new(SLOW);
    bench.working(SLOW, 1);
    let lost = down(lacp_slave(1, "eth1", SLOW));
    bench.handle(10_000, told(lost.clone()));
    bench.good(20_000, SLOW);
    bench.handle(20_500, told(up(lost)));
    bench.until(20_500);
    assert_eq!(bench.flight.status(at(20_500)).lacp[0].phase, "working");
}

#[test]
fn a_link_that_comes_back_without_lacp_is_told_after_a_while() {
    let mut bench = Bench::new(FAST);
    bench.working(FAST, 10);
    let lost = down(lacp_slave(1, "eth1", FAST));
    bench.handle(10_600, told(lost.clone()));
    bench.handle(20_000, told(up(lost)));
    for ms in (20_100..40_000).step_by(1000) {
        bench.pdu(ms, Egress, port(1, 1, 0x47), port(0, 0, 0));
    }
    let text = "eth1: LACP does not work since the link came back: the partner sent no LACPDU for 15.0 s; \
                our end is defaulted: it knows no partner (activity, timeout, aggregation, defaulted)";
    assert!(bench.fired().contains(&(35_000, text)), "{:?}", bench.fired());
}

#[test]
fn a_start_that_converges_and_one_that_never_does_fire_nothing() {
    let mut bench = Bench::new(0x47);
    for ms in (1000..30_000).step_by(1000) {
        bench.pdu(ms, Egress, port(1, 1, 0x47), port(0, 0, 0));
    }
    for (ms, ours, theirs) in [(30_100, 0x07, 0x07), (31_000, 0x0f, 0x0f), (32_000, FAST, FAST)] {
        bench.pdu(ms, Egress, port(1, 1, ours), port(2, 1, theirs));
        bench.pdu(ms + 10, Ingress, port(2, 1, theirs), port(1, 1, ours));
    }
    bench.until(34_000);
    assert_eq!(bench.fired(), []);
    assert_eq!(bench.flight.status(at(34_000)).lacp[0].phase, "working");
}

#[test]
fn a_partner_with_another_system_is_named_and_one_that_changes_its_mind_is_not() {
    let mut bench = Bench::new(FAST);
    bench.working(FAST, 10);
    bench.pdu(10_300, Ingress, PortInfo { key: 0, ..port(2, 1, FAST) }, port(1, 1, FAST));
    bench.good(10_400, FAST);
    bench.until(13_000);
    assert_eq!(bench.fired(), []);
    let mut bench = Bench::new(FAST);
    bench.working(FAST, 10);
    bench.pdu(10_500, Ingress, port(7, 1, 0x47), port(0, 0, 0));
    bench.pdu(11_000, Egress, port(1, 1, 0x07), port(7, 1, 0x47));
    bench.pdu(12_000, Ingress, port(7, 1, FAST), port(1, 1, 0x07));
    bench.pdu(12_100, Egress, port(1, 1, FAST), port(7, 1, FAST));
    bench.until(14_000);
    let other = "eth1: another partner answers: system 02:00:00:00:00:07, was 02:00:00:00:00:02";
    assert!(bench.fired().contains(&(10_500, other)), "{:?}", bench.fired());
    bench.good(16_000, FAST);
    bench.until(18_100);
    assert_eq!(bench.fired().iter().filter(|(_, text)| text.contains("another partner")).count(), 2, "there and back");
}

#[test]
fn a_slave_that_is_taken_out_or_a_bond_that_is_set_down_is_no_failure_of_lacp() {
    let mut bench = Bench::new(FAST);
    bench.working(FAST, 10);
    bench.pdu(10_500, Egress, port(1, 1, 0x03), port(2, 1, FAST));
    bench.handle(10_600, told(link(1, "eth1")));
    bench.until(20_000);
    let mut other = Bench::new(FAST);
    other.working(FAST, 10);
    other.handle(10_100, told(LinkState { admin_up: false, ..lacp_bond() }));
    other.until(20_000);
    for bench in [bench, other] {
        assert!(bench.fired().iter().all(|(_, text)| !text.contains("LACP")), "{:?}", bench.fired());
    }
}

#[test]
fn frames_that_are_broken_are_counted_and_markers_are_not() {
    let mut bench = Bench::new(FAST);
    let good = lacpdu(port(2, 1, FAST), port(1, 1, FAST));
    let mut marker = good.clone();
    marker[14] = 2;
    for frame in [good[..40].to_vec(), marker, Vec::new()] {
        bench.handle(1000, Event::Lacpdu { at: at(1000), ifindex: 1, direction: Ingress, frame });
    }
    bench.handle(1000, Event::Lacpdu { at: at(1000), ifindex: 99, direction: Ingress, frame: good });
    let status = bench.flight.status(at(1000));
    assert_eq!((status.lacpdus_malformed, status.lacp[0].partner.malformed, status.lacp[0].partner.seen), (1, 1, 0));
    assert_eq!(bench.lines(), Vec::<String>::new());
}

#[test]
fn the_kernel_is_asked_after_a_change_and_what_it_counted_is_told_while_lacp_fails() {
    let mut bench = Bench::new(FAST);
    let counted = |sent, received| LacpCounters { sent, received, ..LacpCounters::default() };
    bench.until(100);
    assert_eq!(bench.asked(), 1, "where it begins");
    assert!(bench.actions.contains(&Action::AskLink { ifindex: 10 }), "and the bond: its aggregator is told by nobody");
    bench.handle(100, Event::LacpCounters { ifindex: 1, counters: counted(100, 100) });
    bench.working(FAST, 2);
    for ms in (3000..=10_000).step_by(1000) {
        assert_eq!(bench.asked(), if ms <= 6000 { 1 } else { 2 }, "the first LACPDUs are no change, silence is one");
        bench.pdu(ms, Egress, port(1, 1, FAST), port(2, 1, FAST));
    }
    bench.until(10_100);
    assert_eq!(bench.asked(), 3, "what came of it");
    bench.handle(10_100, Event::LacpCounters { ifindex: 1, counters: counted(110, 102) });
    let line = "10100 eth1: LACPDUs in 10.0 s: the bond sent 10, 10 passed the slave's egress tap; 2 came in at its ingress tap, \
                the bond received 2";
    assert_eq!(bench.lines().last().map(String::as_str), Some(line));
    let row = &bench.flight.status(at(10_100)).lacp[0];
    assert_eq!(row.counters, Some(counted(110, 102)));
    assert_eq!((row.selected, row.ours.rate, row.partner.rate), (Some(true), Some("fast"), Some("fast")));
}

#[test]
fn an_end_that_was_never_heard_is_missed_from_the_time_on_when_the_other_one_was() {
    let mut bench = Bench::new(FAST);
    bench.until(600_000);
    bench.pdu(600_000, Ingress, port(2, 1, FAST), port(1, 1, FAST));
    bench.pdu(601_000, Ingress, port(2, 1, FAST), port(1, 1, FAST));
    assert_eq!(bench.fired(), []);
    bench.pdu(602_000, Ingress, port(2, 1, FAST), port(1, 1, FAST));
    bench.pdu(603_000, Ingress, port(2, 1, FAST), port(1, 1, FAST));
    bench.until(603_500);
    assert_eq!(bench.fired().iter().map(|(ms, _)| *ms).collect::<Vec<_>>(), [603_000]);
}
