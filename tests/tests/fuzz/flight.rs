//! The engine with LACPDUs of both ends and of any content, links that come and go, and time that goes on.
//!
//! An input is a script: a byte of settings, then steps of [`STEP`] bytes. After each the engine is told the time whenever it wants to be,
//! as the agent does; what it must never do is to want that at once again and again: an agent would spin.

use probe_core::direction::Direction;
use probe_core::flight::{Action, Event, Flight, FlightConfig};
use probe_core::lacp::LacpCounters;
use probe_core::link::{Aggregator, BondState, LinkState, MiiStatus, OperState, SlaveState};
use probe_core::netlink::LinkMessage;
use probe_core::table::Watched;
use probe_core::time::{Mono, SECOND};
use probe_core::timeline::Source;

const STEP: usize = 8;
const MILLISECOND: u64 = SECOND / 1000;
const BOND: u32 = 10;
/// A step lasts 65 s at most, and takes fewer ticks than this: some for each thing that is waited for, of few links.
const MOST_TICKS: u32 = 1000;

/// Runs a script.
pub fn flight(input: &[u8]) {
    let Some((settings, steps)) = input.split_first() else { return };
    let mut bench = Bench::new(*settings);
    for step in steps.chunks_exact(STEP).take(400) {
        bench.step(step);
    }
    bench.handle(Event::Stop);
}

struct Bench {
    flight: Flight,
    now: Mono,
    /// The links as the kernel has them: the slaves 1 and 2, and the bond.
    links: Vec<LinkState>,
    open: bool,
}

impl Bench {
    fn new(settings: u8) -> Self {
        let seconds = |bit: u8, of: u64| if settings & bit == 0 { 0 } else { of * SECOND };
        let config = FlightConfig {
            watched: Watched { bonds: vec!["bond0".to_owned()], interfaces: Vec::new() },
            cooldown: seconds(1, 5),
            ignore_shorter: seconds(2, 3),
            history: 60_000_000_000,
            history_memory: 64 << 10,
            ..FlightConfig::default()
        };
        let state = if settings & 4 == 0 { 0x3f } else { 0x07 };
        let links = vec![slave(1, state), slave(2, state), bond()];
        let mut bench = Self { flight: Flight::new(config), now: Mono(100 * SECOND), links: links.clone(), open: false };
        bench.handle(Event::Start { links });
        bench
    }

    /// `kind link wait wait a b c d`
    fn step(&mut self, step: &[u8]) {
        let [kind, which, w0, w1, a, b, c, d] = *step else { return };
        self.until(self.now.plus(u64::from(u16::from_be_bytes([w0, w1])) * MILLISECOND));
        let ifindex = u32::from(which & 1) + 1;
        match kind % 8 {
            // most steps are LACPDUs, some of them malformed
            0..=4 => {
                let mut frame = lacpdu(&[(c >> 4, a), (c & 15, b)]);
                if kind % 8 == 4 {
                    let at = usize::from(d) % frame.len();
                    frame[at] = a;
                    frame.truncate(if b & 1 == 0 { frame.len() } else { at });
                }
                let direction = if which & 2 == 0 { Direction::Egress } else { Direction::Ingress };
                // the kernel's stamp is older than its arrival
                let at = self.now.minus(u64::from(which >> 4) * 50 * MILLISECOND);
                self.handle(Event::Lacpdu { at, ifindex, direction, frame });
            }
            5 => self.link(ifindex, a, b),
            6 if which & 2 == 0 => {
                let counters = LacpCounters {
                    received: a.into(),
                    sent: b.into(),
                    unknown: c.into(),
                    illegal: d.into(),
                    ..LacpCounters::default()
                };
                self.handle(Event::LacpCounters { ifindex, counters });
            }
            6 => self.handle(Event::Edge { at: self.now.minus(u64::from(b) * MILLISECOND), ifindex, up: a & 1 == 1 }),
            _ if a & 1 == 0 => self.handle(Event::Resync { reason: "fuzz".to_owned(), links: self.links.clone() }),
            _ => self.handle(Event::Link { source: Source::Netlink, message: LinkMessage::Del { ifindex } }),
        }
    }

    /// A link is told with its carrier, its flags and its place as these bits have them.
    fn link(&mut self, ifindex: u32, bits: u8, flips: u8) {
        let is = |bit: u8| bits & bit != 0;
        let at = if is(128) { 2 } else { ifindex as usize - 1 };
        let link = &mut self.links[at];
        (link.carrier, link.admin_up) = (is(1), is(2));
        link.operstate = if is(1) { OperState::Up } else { OperState::Down };
        link.carrier_up_count = link.carrier_up_count.wrapping_add(u32::from(flips & 15));
        link.carrier_down_count = link.carrier_down_count.wrapping_add(u32::from(flips >> 4));
        if link.ifindex != BOND {
            link.master = is(4).then_some(BOND);
            let aggregator_id = is(8).then_some(1);
            let mii = if is(16) { MiiStatus::Up } else { MiiStatus::Down };
            link.slave = is(4).then(|| SlaveState { aggregator_id, mii, ..SlaveState::default() });
        }
        let message = LinkMessage::New(Box::new(link.clone()));
        self.handle(Event::Link { source: Source::Netlink, message });
    }

    /// An event, and the tick that it makes due.
    fn handle(&mut self, event: Event) {
        self.take(event);
        if self.flight.next_deadline().is_some_and(|due| due <= self.now) {
            self.tick();
        }
    }

    /// Time passes.
    fn until(&mut self, end: Mono) {
        let mut ticks = 0;
        while let Some(due) = self.flight.next_deadline().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.tick();
            ticks += 1;
            assert!(ticks < MOST_TICKS, "the engine wants to be told the time again and again");
        }
        self.now = end;
    }

    /// An incident about what is known late may end as it opens: that takes one tick more, but never another one.
    fn tick(&mut self) {
        for _ in 0..2 {
            self.take(Event::Tick);
            if self.flight.next_deadline().is_none_or(|next| next > self.now) {
                return;
            }
        }
        panic!("a deadline that does not pass: {:?} at {:?}", self.flight.next_deadline(), self.now);
    }

    fn take(&mut self, event: Event) {
        for action in self.flight.handle(self.now, event) {
            match action {
                Action::Open(opened) => {
                    assert!(!self.open && opened.from <= opened.at && opened.at <= opened.until, "{opened:?}");
                    self.open = true;
                }
                Action::Close(incident) => {
                    assert!(self.open && incident.from <= incident.to, "{:?} {:?}", incident.from, incident.to);
                    self.open = false;
                }
                Action::Report(entry) => assert!(!entry.describe().contains('\n')),
                _ => {}
            }
        }
    }
}

fn link(ifindex: u32, name: String) -> LinkState {
    LinkState {
        ifindex,
        name,
        admin_up: true,
        carrier: true,
        operstate: OperState::Up,
        carrier_up_count: 1,
        carrier_down_count: 1,
        ..LinkState::default()
    }
}

fn slave(ifindex: u32, state: u8) -> LinkState {
    let lacp = SlaveState {
        aggregator_id: Some(1),
        actor_state: Some(state),
        partner_state: Some(state.into()),
        ..SlaveState::default()
    };
    LinkState { master: Some(BOND), slave: Some(lacp), ..link(ifindex, format!("eth{ifindex}")) }
}

fn bond() -> LinkState {
    let aggregator = Some(Aggregator { id: 1, ports: 2, ..Aggregator::default() });
    let state = BondState { mode: "802.3ad".to_owned(), aggregator, ..BondState::default() };
    LinkState { kind: Some("bond".to_owned()), bond: Some(state), ..link(BOND, "bond0".to_owned()) }
}

/// A LACPDU of two ports, each a number that makes its system, key and port, and a state. 0 is nobody.
fn lacpdu(ports: &[(u8, u8); 2]) -> Vec<u8> {
    let mut frame = vec![0x01, 0x80, 0xc2, 0, 0, 2, 2, 0, 0, 0, 0, 0x55, 0x88, 0x09, 1, 1];
    for (tlv, (who, state)) in [1, 2].into_iter().zip(ports) {
        let system = if *who == 0 { [0; 6] } else { [2, 0, 0, 0, 0, who & 3] };
        frame.extend([tlv, 20, 0xff, 0xff]);
        frame.extend(system);
        frame.extend([0, who & 4, 0, 0xff, 0, who & 9, *state, 0, 0, 0]);
    }
    frame.extend([3, 16]);
    frame.resize(124, 0);
    frame
}
