//! Incidents for tests, told event by event: a bond of two slaves, a minute long.

use std::ops::Range;

use super::case::Case;
use super::rules::Rule;
use super::{Finding, Verdict};
use crate::direction::Direction;
use crate::drops::DropTotal;
use crate::facts::{Facts, Observer, Seen, Wanted, frames};
use crate::incident::{Incident, TapCounts, Trigger};
use crate::lacp::{Lacpdu, PortInfo, PortState};
use crate::link::{BondState, LinkState};
use crate::reach::{Answer, Method, ProbeSample};
use crate::repeat::{RepeatSeen, RepeatTotal};
use crate::samples::{at, bond, slave};
use crate::timeline::{Entry, LinkName, Source, What};

/// A port's state: everything works, fast rate.
pub const WORKING: u8 = 0x3f;
/// Expired, as Linux shows it.
pub const EXPIRED: u8 = 143;
/// Defaulted, as Linux shows it.
pub const DEFAULTED: u8 = 71;

/// An incident in the making.
#[derive(Clone, Debug)]
pub struct Scene {
    pub incident: Incident,
    /// Time in milliseconds, link, direction, bytes.
    packets: Vec<(u64, String, Direction, Vec<u8>)>,
    system: u8,
    key: u16,
}

impl Scene {
    /// 802.3ad: bond0 over eth1 and eth2.
    pub fn lacp() -> Self {
        Self::new("802.3ad")
    }

    /// The same slaves in active-backup mode.
    pub fn active_backup() -> Self {
        Self::new("active-backup")
    }

    fn new(mode: &str) -> Self {
        let state = BondState { mode: mode.to_owned(), ..BondState::default() };
        let links = vec![slave(1, "eth1", 10), slave(2, "eth2", 10), LinkState { bond: Some(state), ..bond(10, "bond0") }];
        let tap = |name: &str, direction| TapCounts { link: name_of(name), direction, ..TapCounts::default() };
        let taps = ["eth1", "eth2"].into_iter().flat_map(|name| [tap(name, "ingress"), tap(name, "egress")]);
        let incident = Incident {
            id: "test".to_owned(),
            from: at(0),
            to: at(60_000),
            links_before: links.clone(),
            links_after: links,
            taps: taps.chain([tap("bond0", "egress")]).collect(),
            ..Incident::default()
        };
        Self { incident, packets: Vec::new(), system: 0x99, key: 17 }
    }

    /// Anything on the timeline.
    pub fn what(mut self, ms: u64, link: &str, what: What) -> Self {
        let link = (!link.is_empty()).then(|| name_of(link));
        self.incident.timeline.push(Entry { at: at(ms), link, source: Source::Kernel, what });
        self.incident.timeline.sort_by_key(|entry| entry.at);
        self
    }

    /// A trigger.
    pub fn trigger(mut self, ms: u64, link: &str, kind: &'static str) -> Self {
        let text = format!("{link}: {kind}");
        self.incident.triggers.push(Trigger { at: at(ms), kind, link: Some(name_of(link)), text, repeats: 0 });
        self
    }

    pub fn carrier(mut self, ms: u64, link: &str, up: bool) -> Self {
        self.after(link, |state| {
            state.carrier = up;
            state.carrier_down_count += u32::from(!up);
        });
        self.what(ms, link, What::Carrier { up, unseen_ups: 0, unseen_downs: 0 })
    }

    pub fn admin(mut self, ms: u64, link: &str, up: bool) -> Self {
        self.after(link, |state| state.admin_up = up);
        self.what(ms, link, What::Admin { up })
    }

    pub fn master(mut self, ms: u64, link: &str, from: Option<&str>, to: Option<&str>) -> Self {
        self.after(link, |state| state.master = to.map(|_| 10));
        let owned = |name: Option<&str>| name.map(str::to_owned);
        self.what(ms, link, What::Master { from: owned(from), to: owned(to) })
    }

    /// The partner has this system from now on.
    pub fn system(mut self, system: u8) -> Self {
        self.system = system;
        self
    }

    /// The partner has this key from now on.
    pub fn key(mut self, key: u16) -> Self {
        self.key = key;
        self
    }

    /// A LACPDU of ours.
    pub fn ours(self, ms: u64, slave: &str, state: u8) -> Self {
        let pdu = Lacpdu { actor: us(slave, state), partner: self.partner(slave, WORKING) };
        self.packet(ms, slave, Direction::Egress, frames::lacp(&pdu))
    }

    /// A LACPDU of the partner.
    pub fn theirs(self, ms: u64, slave: &str, state: u8) -> Self {
        let actor = self.partner(slave, state);
        let partner = if actor.state.defaulted() { PortInfo::default() } else { us(slave, WORKING) };
        self.packet(ms, slave, Direction::Ingress, frames::lacp(&Lacpdu { actor, partner }))
    }

    /// LACPDUs of both, every second.
    pub fn talk(self, ms: Range<u64>, slave: &str, state: u8) -> Self {
        self.talk_ours(ms.clone(), slave, state).talk_theirs(ms, slave, state)
    }

    pub fn talk_ours(self, ms: Range<u64>, slave: &str, state: u8) -> Self {
        ms.step_by(1000).fold(self, |scene, ms| scene.ours(ms, slave, state))
    }

    pub fn talk_theirs(self, ms: Range<u64>, slave: &str, state: u8) -> Self {
        ms.step_by(1000).fold(self, |scene, ms| scene.theirs(ms, slave, state))
    }

    /// HSRP hellos received, every second.
    pub fn hellos(self, ms: Range<u64>, link: &str) -> Self {
        let times = (ms.start + 300..ms.end).step_by(1000);
        times.fold(self, |scene, ms| scene.packet(ms, link, Direction::Ingress, frames::hsrp([10, 100, 100, 66])))
    }

    /// ARP requests, every second.
    pub fn asks(self, ms: Range<u64>, link: &str, target: [u8; 4]) -> Self {
        ms.step_by(1000)
            .fold(self, |scene, ms| scene.packet(ms, link, Direction::Egress, frames::arp(1, [10, 0, 0, 99], target, None)))
    }

    /// ARP requests that are answered.
    pub fn answered(self, ms: Range<u64>, link: &str, target: [u8; 4]) -> Self {
        let scene = self.asks(ms.clone(), link, target);
        let times = ms.step_by(1000).map(|ms| ms + 1);
        times.fold(scene, |scene, ms| scene.packet(ms, link, Direction::Ingress, frames::arp(2, target, [10, 0, 0, 99], None)))
    }

    pub fn packet(mut self, ms: u64, link: &str, direction: Direction, bytes: Vec<u8>) -> Self {
        self.packets.push((ms, link.to_owned(), direction, bytes));
        self
    }

    /// Probes of a target, every second; those from `lost_from` on are lost.
    pub fn probes(mut self, ms: Range<u64>, target: &str, lost_from: u64) -> Self {
        for ms in ms.step_by(1000) {
            let answer = if ms < lost_from { Answer::Rtt(140_000) } else { Answer::Lost };
            self.incident.probes.push(ProbeSample { at: at(ms), target: target.to_owned(), method: Method::Icmp, answer });
        }
        self.incident.probes.sort_by_key(|probe| probe.at);
        self
    }

    /// A target no longer answers, or answers again.
    pub fn reach(self, ms: u64, target: &str, up: bool) -> Self {
        let (lost, of) = if up { (0, 5) } else { (3, 5) };
        let target = target.to_owned();
        self.what(ms, "", What::Reach { target, method: Method::Icmp, up, lost, of, rtt_ns: None, send_error: None })
    }

    /// A storm that is transmitted.
    pub fn storm(self, ms: u64, link: &str, what: &str, copies: u64) -> Self {
        let seen = seen(ms, link, what, copies);
        let onset = What::Storm { begins: true, repeat: seen, what: what.to_owned(), rate: copies };
        self.repeat(ms, link, what, copies, true).what(ms + 40, link, onset)
    }

    /// A repeated frame.
    pub fn repeat(mut self, ms: u64, link: &str, what: &str, copies: u64, storm: bool) -> Self {
        let last = seen(ms, link, what, copies);
        let bytes = last.bytes.clone();
        self.incident.repeats.push(RepeatTotal { last, what: what.to_owned(), peak_per_second: copies, storm });
        self.packet(ms, link, Direction::Egress, bytes)
    }

    pub fn dropped(mut self, link: &str, reason: &str, packets: u64) -> Self {
        self.incident.drops.push(DropTotal { link: name_of(link), reason: reason.to_owned(), packets, ..DropTotal::default() });
        self
    }

    /// What the packets say, numbered from 1 in order of time.
    pub fn facts(&self) -> Facts {
        let mut packets: Vec<_> = self.packets.iter().collect();
        packets.sort_by_key(|(ms, ..)| *ms);
        let mut observer = Observer::new(self.incident.repeats.iter().map(Wanted::from).collect());
        for (number, (ms, link, direction, bytes)) in (1..).zip(packets) {
            observer.take(&Seen { number, at: at(*ms), link, direction: *direction, length: bytes.len() as u32, bytes });
        }
        observer.finish()
    }

    /// What one rule finds.
    pub fn run(&self, rule: Rule) -> Vec<Finding> {
        let facts = self.facts();
        rule(&Case::new(&self.incident, &facts))
    }

    /// The verdict.
    pub fn judge(&self) -> Verdict {
        super::judge(&self.incident, &self.facts())
    }

    fn partner(&self, slave: &str, state: u8) -> PortInfo {
        let system = [2, 0, 0, 0, 0, self.system];
        PortInfo { system_priority: 32768, system, key: self.key, port_priority: 255, port: port(slave), state: PortState(state) }
    }

    fn after(&mut self, link: &str, change: impl FnOnce(&mut LinkState)) {
        if let Some(state) = self.incident.links_after.iter_mut().find(|state| state.name == link) {
            change(state);
        }
    }
}

fn us(slave: &str, state: u8) -> PortInfo {
    let system = [2, 0, 0, 0, 0, 1];
    PortInfo { system_priority: 65535, system, key: 9, port_priority: 255, port: port(slave), state: PortState(state) }
}

fn port(slave: &str) -> u16 {
    slave.bytes().last().map_or(0, |digit| u16::from(digit - b'0'))
}

fn name_of(name: &str) -> LinkName {
    let ifindex = match name {
        "bond0" => 10,
        name => u32::from(port(name)),
    };
    LinkName { ifindex, name: name.to_owned() }
}

fn seen(ms: u64, link: &str, what: &str, copies: u64) -> RepeatSeen {
    let mut bytes = frames::tcp(([172, 20, 18, 40], 61730), ([10, 100, 200, 143], what.len() as u16), Some(956));
    bytes.resize(66, 0);
    RepeatSeen {
        at: at(ms + 20_000),
        first_at: at(ms),
        link: name_of(link),
        direction: Direction::Egress,
        hash: what.len() as u64,
        copies,
        length: 66,
        class: "tcp4",
        bytes,
    }
}
