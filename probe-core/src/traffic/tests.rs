use probe_common::class::id;
use probe_common::counters::{ClassCount, TapCounters};

use super::*;
use crate::link::LinkStats;
use crate::table::Role;
use crate::time::{Mono, SECOND};
use crate::timeline::LinkName;

fn name(ifindex: u32, name: &str) -> LinkName {
    LinkName { ifindex, name: name.to_owned() }
}

fn tap(tap: u16, packets: u64) -> TapSnapshot {
    let mut counters = TapCounters::ZERO;
    counters.classes[usize::from(id::TCP4)] = ClassCount { packets, bytes: 100 * packets, segments: 2 * packets };
    counters.repeats = packets / 10;
    counters.losses.truncated = packets / 2;
    TapSnapshot { tap, counters }
}

fn driver(packets: u64) -> LinkStats {
    LinkStats { rx_packets: packets, rx_bytes: 1024 * packets, tx_packets: 3, multicast: packets / 2, ..LinkStats::default() }
}

/// A link whose ingress tap counted `packets`, and whose driver the same.
fn link(ifindex: u32, called: &str, id: u16, packets: u64) -> LinkSnapshot {
    LinkSnapshot {
        link: name(ifindex, called),
        role: Role::Plain,
        master: None,
        ingress: Some(tap(id, packets)),
        egress: None,
        driver: Some(driver(packets)),
        speed_bps: Some(1_000_000_000),
    }
}

fn at(second: u64, links: Vec<LinkSnapshot>) -> Snapshot {
    Snapshot { at: Mono(second * SECOND), links }
}

/// The totals after each snapshot.
fn totals(snapshots: &[Snapshot]) -> Vec<Totals> {
    let mut totals = Totals::default();
    let taken = snapshots.iter().map(|snapshot| {
        totals.take(snapshot);
        totals.clone()
    });
    taken.collect()
}

fn frames(counters: Option<TapCounters>) -> Option<u64> {
    counters.map(|counters| sum(&counters).frames)
}

#[test]
fn an_interval_has_what_was_counted_in_it_of_every_kind() {
    let states = totals(&[at(1, vec![link(1, "eth1", 0, 50)]), at(3, vec![link(1, "eth1", 0, 70)])]);
    let interval = Interval::between(&states[0], &states[1]);
    assert_eq!(interval.ns(), 2 * SECOND);
    let of = &interval.links[0];
    let counters = of.ingress.expect("a tap");
    assert_eq!(sum(&counters), crate::matrix::Count { packets: 40, frames: 20, bytes: 2000 });
    assert_eq!((counters.repeats, counters.losses.truncated, of.egress), (2, 10, None));
    assert_eq!(of.driver.map(|driver| (driver.ns, driver.stats.rx_packets, driver.stats.tx_packets)), Some((2 * SECOND, 20, 0)));
}

#[test]
fn totals_go_on_when_a_tap_is_made_anew_and_when_its_link_comes_back() {
    let states = totals(&[
        at(1, vec![link(1, "eth1", 0, 50)]),
        at(2, vec![link(1, "eth1", 7, 5)]),
        at(3, vec![]),
        at(4, vec![link(9, "eth1", 7, 2)]),
    ]);
    let counted: Vec<_> = states.iter().map(|totals| frames(totals.links()[0].ingress.map(|tap| tap.counters()))).collect();
    assert_eq!(counted, [Some(50), Some(55), Some(55), Some(57)]);
    let there: Vec<_> = states.iter().map(|totals| totals.present().count()).collect();
    assert_eq!(there, [1, 1, 0, 1]);
    // The link of another index has a driver of its own: what that counted is told as the kernel tells it.
    assert_eq!(states[3].links()[0].driver.map(|driver| driver.stats.rx_packets), Some(2));
    let whole = Interval::between(&states[0], &states[3]);
    assert_eq!((frames(whole.links[0].ingress), whole.links[0].driver), (Some(7), None));
}

#[test]
fn a_link_that_comes_under_watch_brings_no_burst_of_what_it_had_counted_before() {
    let states = totals(&[at(1, vec![]), at(2, vec![link(1, "eth1", 0, 4)]), at(3, vec![link(1, "eth1", 0, 6)])]);
    let first = Interval::between(&states[0], &states[1]);
    assert_eq!((frames(first.links[0].ingress), first.links[0].driver), (Some(4), None));
    assert_eq!(block(&first, &times()), "", "sar's line needs a driver that told twice");
    let second = Interval::between(&states[1], &states[2]);
    assert_eq!(second.links[0].driver.map(|driver| driver.stats.rx_packets), Some(2));
}

#[test]
fn a_link_that_vanished_is_told_once_more_and_a_renamed_one_goes_on() {
    let states = totals(&[
        at(1, vec![link(1, "eth1", 0, 50), link(2, "eth2", 1, 10)]),
        at(2, vec![link(1, "eth1", 0, 60), link(2, "wan", 1, 30)]),
        at(3, vec![link(2, "wan", 1, 31)]),
    ]);
    let interval = Interval::between(&states[0], &states[2]);
    let told: Vec<_> = interval.links.iter().map(|link| (link.link.name.as_str(), link.present, frames(link.ingress))).collect();
    assert_eq!(told, [("wan", true, Some(21)), ("eth1", false, Some(10))]);
    assert_eq!(Interval::between(&states[2], &states[2]).links, []);
}

#[test]
fn links_that_swap_their_names_keep_their_own_counts() {
    let states = totals(&[
        at(1, vec![link(1, "a", 0, 50), link(2, "b", 1, 1000)]),
        at(2, vec![link(1, "b", 0, 51), link(2, "a", 1, 1002)]),
    ]);
    let interval = Interval::between(&states[0], &states[1]);
    let told: Vec<_> = interval.links.iter().map(|link| (link.link.name.as_str(), frames(link.ingress))).collect();
    assert_eq!(told, [("b", Some(1)), ("a", Some(2))]);
}

#[test]
fn a_driver_that_goes_back_or_does_not_answer_makes_neither_negative_numbers_nor_bursts() {
    let silent = |packets| LinkSnapshot { driver: None, ..link(1, "eth1", 0, packets) };
    let states = totals(&[
        at(1, vec![link(1, "eth1", 0, 100)]),
        at(2, vec![silent(110)]),
        at(3, vec![link(1, "eth1", 0, 120)]),
        at(4, vec![LinkSnapshot { driver: Some(driver(7)), ..link(1, "eth1", 0, 130) }]),
    ]);
    let between = |from: usize, to: usize| Interval::between(&states[from], &states[to]).links[0].driver;
    assert_eq!(between(0, 1), None);
    let late = between(1, 2).expect("it told");
    assert_eq!((late.ns, late.stats.rx_packets), (2 * SECOND, 20), "the rate is that of the two seconds");
    let reset = between(2, 3).expect("it told");
    assert_eq!((reset.stats.rx_packets, reset.stats.rx_bytes, reset.stats.multicast), (0, 0, 0));
}

#[test]
fn links_that_are_gone_are_remembered_within_a_bound() {
    let mut totals = Totals::default();
    for second in 1..2000 {
        totals.take(&at(second, vec![link(second as u32, &format!("tun{second}"), second as u16, 1)]));
    }
    assert_eq!(totals.links().len(), 1024);
    assert_eq!(totals.links()[1].link.name, "tun1998");
}

fn times() -> Times {
    Times { from: "08:47:59".to_owned(), to: "08:48:00".to_owned() }
}

/// Printed by sysstat 12.6.1 with `LC_ALL=C sar -n DEV 1 1`; only the figures are others.
#[test]
fn a_block_has_sars_columns_and_a_line_for_each_link() {
    let bond = LinkSnapshot { role: Role::Bond, ..link(3, "bond0", 3, 0) };
    let states = totals(&[
        at(1, vec![bond.clone(), link(1, "eth1", 0, 0)]),
        at(
            3,
            vec![
                LinkSnapshot { driver: Some(driver(25)), ..bond },
                LinkSnapshot { link: name(1, "enp130s0f1"), driver: Some(driver(100_000)), ..link(1, "eth1", 0, 0) },
            ],
        ),
    ]);
    let block = block(&Interval::between(&states[0], &states[1]), &times());
    let expected = "
08:47:59        IFACE   rxpck/s   txpck/s    rxkB/s    txkB/s   rxcmp/s   txcmp/s  rxmcst/s   %ifutil
08:48:00        bond0     12.50      0.00     12.50      0.00      0.00      0.00      6.00      0.01
08:48:00    enp130s0f1  50000.00      0.00  50000.00      0.00      0.00      0.00  25000.00     40.96
";
    assert_eq!(block, expected);
}

#[test]
fn the_banner_is_sars() {
    let banner = banner(&Banner {
        system: "Linux".to_owned(),
        release: "6.12.0".to_owned(),
        host: "gw1".to_owned(),
        date: "11/26/26".to_owned(),
        machine: "x86_64".to_owned(),
        cpus: 2,
    });
    assert_eq!(banner, "Linux 6.12.0 (gw1) \t11/26/26 \t_x86_64_\t(2 CPU)\n");
}
