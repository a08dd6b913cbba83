//! The reference incident as a table: the storm of 5 December 2017, with its packets as bytes and its times as they were published.

use super::FindingKind::*;
use super::{Evidence, FindingKind, Severity, judge};
use crate::direction::Direction::{self, Egress, Ingress};
use crate::facts::{Observer, Seen, Wanted, frames};
use crate::incident::{Incident, Trigger};
use crate::lacp::{Lacpdu, PortInfo, PortState};
use crate::link::{BondState, LinkState};
use crate::repeat::{RepeatSeen, RepeatTotal};
use crate::samples::{bond, slave};
use crate::time::{Mono, SECOND};
use crate::timeline::{Entry, LinkName, Source, What};

/// 14:12:00 on the monotonic clock of this table.
const NOON: u64 = 1_000_000;
const BOND: &str = "dp0bond0";
const SLAVE: &str = "dp0s0";
const TCP: &str = "TCP 172.20.18.40:61730 → 10.100.200.143:1434 [ACK] len 0, VLAN 956";
const ARP: &str = "ARP who-has 10.100.100.65";
const NEXT_HOP: [u8; 4] = [10, 100, 100, 65];
const OWN: [u8; 4] = [10, 100, 100, 67];

/// `12:51.447649`: minutes and seconds after 14 o'clock.
fn clock(text: &str) -> Mono {
    let (minutes, seconds) = text.split_once(':').expect("minutes:seconds");
    let (seconds, micros) = seconds.split_once('.').expect("microseconds");
    let number = |text: &str| text.parse::<u64>().expect("a number");
    let s = (NOON + (number(minutes) - 12) * 60 + number(seconds)) * SECOND;
    Mono(s + number(micros) * 1000)
}

fn named(name: &str) -> LinkName {
    LinkName { ifindex: if name == BOND { 10 } else { 1 }, name: name.to_owned() }
}

/// Slow rate: activity, aggregation, synchronization, collecting, distributing.
const SYNCED: u8 = 0b0011_1101;

fn ours() -> PortInfo {
    PortInfo { system_priority: 65535, system: [2, 0, 0, 0, 0, 1], key: 9, port_priority: 255, port: 1, state: PortState(SYNCED) }
}

fn theirs(state: u8) -> PortInfo {
    let system = [0, 0x1b, 0x21, 0x3c, 0x4d, 0x5e];
    PortInfo { system_priority: 32768, system, key: 17, port_priority: 32768, port: 257, state: PortState(state) }
}

fn our_lacpdu() -> Vec<u8> {
    frames::lacp(&Lacpdu { actor: ours(), partner: theirs(SYNCED) })
}

fn their_lacpdu(state: u8, partner: PortInfo) -> Vec<u8> {
    frames::lacp(&Lacpdu { actor: theirs(state), partner })
}

/// Time, link, direction, bytes: what the capture has beside the exemplars' many copies.
fn packets() -> Vec<(&'static str, &'static str, Direction, Vec<u8>)> {
    let ask = || frames::arp(1, OWN, NEXT_HOP, None);
    let storm = || frames::tcp(([172, 20, 18, 40], 61730), ([10, 100, 200, 143], 1434), Some(956));
    vec![
        ("12:17.763001", SLAVE, Egress, our_lacpdu()),
        ("12:19.999100", SLAVE, Ingress, their_lacpdu(SYNCED, ours())),
        ("12:47.763827", SLAVE, Egress, our_lacpdu()),
        ("12:49.999237", SLAVE, Ingress, their_lacpdu(SYNCED, ours())),
        ("12:51.443683", BOND, Egress, frames::echo(8, OWN, [10, 0, 80, 11])),
        ("12:51.443821", BOND, Ingress, frames::echo(0, [10, 0, 80, 11], OWN)),
        ("12:51.447649", BOND, Egress, storm()),
        ("12:51.447650", BOND, Egress, storm()),
        ("12:53.955594", BOND, Egress, ask()),
        ("12:54.955594", BOND, Egress, ask()),
        ("12:55.955594", BOND, Egress, ask()),
        ("13:17.763339", BOND, Egress, ask()),
        ("13:17.763746", SLAVE, Egress, our_lacpdu()),
        ("13:20.010000", SLAVE, Ingress, their_lacpdu(SYNCED, ours())),
        ("13:32.885370", BOND, Ingress, frames::hsrp([10, 100, 100, 66])),
        ("13:47.790000", SLAVE, Egress, our_lacpdu()),
        ("13:50.010000", SLAVE, Ingress, their_lacpdu(SYNCED, ours())),
        ("14:17.810749", SLAVE, Ingress, their_lacpdu(SYNCED & !0b0011_0000 | 0x80, ours())),
        ("14:17.810803", SLAVE, Egress, our_lacpdu()),
        ("14:20.811089", SLAVE, Ingress, their_lacpdu(0b0100_0101, PortInfo::default())),
    ]
}

fn repeat(first: &str, last: &str, what: &str, copies: u64, bytes: Vec<u8>) -> RepeatTotal {
    let last = RepeatSeen {
        at: clock(last),
        first_at: clock(first),
        link: named(BOND),
        direction: Egress,
        hash: copies,
        copies,
        length: bytes.len() as u32,
        class: "tcp4",
        bytes,
    };
    RepeatTotal { last, what: what.to_owned(), peak_per_second: 370_000, storm: true }
}

fn links() -> Vec<LinkState> {
    let state = BondState { mode: "802.3ad".to_owned(), ..BondState::default() };
    vec![slave(1, SLAVE, 10), slave(2, "dp0s2", 10), LinkState { bond: Some(state), ..bond(10, BOND) }]
}

fn incident() -> Incident {
    let storm = repeat("12:51.447649", "14:20.800000", TCP, 5_200_000, packets()[6].3.clone());
    let onset = What::Storm { begins: true, repeat: storm.last.clone(), what: TCP.to_owned(), rate: 370_000 };
    let ghosts = What::Ghosts { bond: 7_040_000, slaves: 7_040_000, wire: 212, within_ns: 89 * SECOND };
    let fell = What::Carrier { up: false, unseen_ups: 0, unseen_downs: 0 };
    let entry = |at: &str, what| Entry { at: clock(at), link: Some(named(BOND)), source: Source::Kernel, what };
    Incident {
        id: "20171205T051251.447649Z".to_owned(),
        from: clock("12:01.447649"),
        to: clock("14:50.000000"),
        triggers: vec![Trigger { at: clock("12:51.540000"), kind: "storm", link: Some(named(BOND)), ..Trigger::default() }],
        timeline: vec![entry("12:51.540000", onset), entry("12:53.000000", ghosts), entry("14:20.811200", fell)],
        links_before: links(),
        links_after: links(),
        repeats: vec![storm, repeat("12:53.955594", "14:20.800000", ARP, 1_840_000, packets()[8].3.clone())],
        ..Incident::default()
    }
}

#[test]
fn the_reference_incident_is_judged_as_its_operator_did_after_days() {
    let incident = incident();
    let mut observer = Observer::new(incident.repeats.iter().map(Wanted::from).collect());
    for (number, (at, link, direction, bytes)) in (1..).zip(packets()) {
        observer.take(&Seen { number, at: clock(at), link, direction, length: bytes.len() as u32, bytes: &bytes });
    }
    let verdict = judge(&incident, &observer.finish());
    let kinds: Vec<FindingKind> = verdict.chain.iter().map(|finding| finding.kind).collect();
    assert_eq!(kinds, [DuplicateStorm, GhostPackets, TxBlackout, LacpdusNotArriving, BondDown], "{verdict:#?}");
    assert_eq!(
        verdict.headline,
        "dp0bond0: TX duplication storm → TX blackout after 2.5 s → dp0s0: our LACPDUs do not reach the partner after 86.4 s → \
         down after 89.4 s"
    );
    assert_eq!((verdict.severity, verdict.confidence), (Severity::Critical, super::Confidence::High));
    let times: Vec<Mono> = verdict.chain.iter().map(|finding| finding.at).collect();
    let told = ["12:51.447649", "12:53.000000", "12:53.955594", "14:17.810749", "14:20.811200"].map(clock);
    assert_eq!(times, told);
    let packets_of = |place: usize| -> Vec<u64> {
        let evidence = &verdict.chain[place].evidence;
        evidence.iter().filter_map(|e| if let Evidence::Packet { number, .. } = e { Some(*number) } else { None }).collect()
    };
    assert_eq!(packets_of(0), [7, 8, 9, 12], "the first and last copies of both frames");
    assert_eq!(packets_of(2), [9, 15], "the question without an answer; the HSRP hello: RX still works");
    assert_eq!(packets_of(3), [13, 16, 18, 20], "ours, handed over; then Expired, then Defaulted");
    assert!(verdict.chain[1].text.contains("7040000 counted at the bond, 7040000 at its slaves, 212 on the wire"));
    for (place, part) in [(0, TCP), (0, "5200000 copies"), (2, "ARP and LACPDUs stay unanswered"), (2, "receiving works")] {
        assert!(verdict.chain[place].text.contains(part), "{part:?} in {:?}", verdict.chain[place].text);
    }
    let excluded: Vec<&str> = verdict.excluded.iter().map(|text| text.split(':').next().unwrap_or(text)).collect();
    assert_eq!(excluded, ["no carrier loss", "not set down", "no RX loss"]);
    assert!(verdict.action.starts_with("Something inside this host makes the copies"), "{}", verdict.action);
    assert!(verdict.missing.iter().any(|text| text.starts_with("probes")), "{:?}", verdict.missing);
}
