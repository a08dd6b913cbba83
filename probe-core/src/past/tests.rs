//! The history as a whole: its bound, its sums, how far it reaches.

use std::time::Instant;

use super::*;
use crate::link::LinkState;
use crate::matrix::{Count, Driver};
use crate::samples::{self, Random};
use crate::time::SECOND;

const DAY: u64 = 86_400;
const MIB: usize = 1 << 20;

fn name(ifindex: u32) -> LinkName {
    LinkName { ifindex, name: format!("eth{ifindex}") }
}

fn count(packets: u64, size: u64) -> Count {
    Count { packets, frames: packets, bytes: packets * size }
}

/// A link that received and sent so much.
fn cell(ifindex: u32, ingress: Count, egress: Count) -> Cell {
    let driver = Driver { rx: ingress, tx: egress, rx_lost: 0, tx_lost: u64::from(egress.packets.is_multiple_of(1000)) };
    Cell { link: name(ifindex), ingress: Some(ingress), egress: Some(egress), driver: Some(driver), ..Cell::default() }
}

fn second(end: u64, cells: Vec<Cell>) -> Second {
    Second { at: Mono(end * SECOND), ns: SECOND, cells }
}

fn at(second: u64) -> Mono {
    Mono(second * SECOND)
}

/// A day of seconds; `packets` gives what each of the links carries in one.
fn day(past: &mut Past, links: u32, mut flow: impl FnMut(u32) -> Count) -> Vec<[u64; 2]> {
    let mut sums = Vec::new();
    for end in 1..=DAY {
        let cells: Vec<Cell> = (1..=links).map(|link| cell(link, flow(link), flow(link))).collect();
        let first = &cells[0];
        sums.push([first.ingress.map_or(0, |of| of.packets), first.egress.map_or(0, |of| of.bytes)]);
        past.second(&second(end, cells));
        assert!(past.extent().bytes <= past.extent().limit);
    }
    sums
}

/// 90,000 to 110,000 packets of 700 to 730 bytes.
fn busy(random: &mut Random) -> Count {
    count(90_000 + random.next() % 20_000, 700 + random.next() % 30)
}

#[test]
fn a_day_of_random_traffic_stays_within_its_memory_and_every_sum_is_exact() {
    let mut random = Random(42);
    let mut past = Past::new(DAY * SECOND, 8 * MIB);
    let started = Instant::now();
    let sums = day(&mut past, 8, |_| busy(&mut random));
    let each = started.elapsed() / DAY as u32;
    let extent = past.extent();
    let from = extent.from.expect("a history").0 / SECOND;
    let kept = DAY - from;
    println!(
        "8 busy links: {kept} s in {} bytes, {} a second and link; {each:?} a second",
        extent.bytes,
        extent.bytes as u64 / kept / 8
    );
    assert!(extent.pushed_out && extent.bytes > 7 * MIB && kept > 60_000, "{kept} s");
    let took = Instant::now();
    let all = past.view(Mono(0), at(DAY));
    assert_eq!(all.from(), at(from), "what is said and what is there");
    let [ingress, _] = all.read(0, 300);
    println!("a link's summary of {kept} s: {:?}", took.elapsed());
    assert_eq!(ingress.expect("rates").0.known_ns, kept * SECOND);
    for start in (from..DAY - 3600).step_by(1777) {
        let hour = usize::try_from(start).expect("a day")..usize::try_from(start + 3600).expect("a day");
        let expected = sums[hour].iter().fold([0, 0], |sum, of| [sum[0] + of[0], sum[1] + of[1]]);
        let [ingress, egress] = past.view(at(start), at(start + 3600)).rates(0);
        let (ingress, egress) = (ingress.expect("rates"), egress.expect("rates"));
        assert_eq!([ingress.total_packets, egress.total_bytes], expected, "the hour from {start}");
        assert_eq!((ingress.known_ns, ingress.packets.mean), (3600 * SECOND, (expected[0] + 1800) / 3600));
    }
}

#[test]
fn a_day_of_little_traffic_takes_little_and_is_kept_whole() {
    let mut random = Random(42);
    for (what, most, mut flow) in [
        ("the same each second", 16 << 10, Box::new(|| count(2, 124)) as Box<dyn FnMut() -> Count>),
        ("1 to 3 packets", 700 << 10, Box::new(move || count(1 + random.next() % 3, 124))),
    ] {
        let mut past = Past::new(DAY * SECOND, 8 * MIB);
        day(&mut past, 1, |_| flow());
        let extent = past.extent();
        println!("{what}: a day of one link in {} bytes", extent.bytes);
        assert_eq!((extent.from, extent.pushed_out), (Some(Mono(0)), false));
        // The axis, which all links share, is about a byte a second.
        assert!(extent.bytes < most + 120_000, "{} bytes", extent.bytes);
    }
}

#[test]
fn what_is_older_than_the_span_goes_and_a_smaller_limit_holds_at_once() {
    let mut past = Past::new(3600 * SECOND, 8 * MIB);
    for end in 1..=20_000 {
        past.second(&second(end, vec![cell(1, count(end % 7, 100), count(1, 60))]));
    }
    let extent = past.extent();
    let reach = 20_000 - extent.from.expect("a history").0 / SECOND;
    assert!((3600..=3600 + u64::from(SECONDS)).contains(&reach), "{reach}");
    assert!(!extent.pushed_out, "nothing went before its time");
    past.set_limits(3600 * SECOND, 4096);
    assert!(past.extent().bytes <= 4096 + size_of::<Chapter>() * 2 + 4096, "{:?}", past.extent());
    past.set_limits(0, MIB);
    assert_eq!((past.extent().from, past.extent().bytes), (None, size_of::<Chapter>()));
    let mut off = Past::new(0, MIB);
    off.second(&second(1, vec![cell(1, count(1, 1), count(1, 1))]));
    assert_eq!((off.extent().from, off.view(at(0), at(9)).seen().count()), (None, 0));
}

#[test]
fn a_pause_of_the_agent_and_a_link_that_was_away_are_gaps_and_no_zeros() {
    let mut past = Past::new(DAY * SECOND, MIB);
    for end in 1..=2000 {
        if (501..=600).contains(&end) {
            continue;
        }
        let there = !(1001..=1100).contains(&end);
        let cells = [there.then(|| cell(1, count(10, 100), count(5, 100))), Some(cell(2, count(1, 60), count(1, 60)))];
        past.second(&second(end, cells.into_iter().flatten().collect()));
    }
    let view = past.view(at(400), at(1200));
    assert_eq!(view.gaps(), [(at(500), at(600))]);
    assert_eq!(view.known_ns(), 700 * SECOND);
    let [ingress, egress] = view.rates(0);
    assert_eq!(ingress.map(|rates| (rates.known_ns / SECOND, rates.packets.min, rates.total_packets)), Some((600, 10, 6000)));
    assert_eq!(egress.map(|rates| rates.lost), Some(Some(0)));
    let [read, _] = view.read(0, 80);
    let unknown: Vec<usize> =
        read.expect("a series").1.buckets.iter().enumerate().filter(|(_, of)| of.known_ns == 0).map(|(n, _)| n).collect();
    assert_eq!(unknown, (10..20).chain(60..70).collect::<Vec<_>>());
}

fn state(up: bool) -> LinkCondition {
    let link: LinkState = samples::link(1, "eth1");
    let link = if up { link } else { samples::down(link) };
    LinkCondition::of(&link, up, None)
}

#[test]
fn the_share_of_time_up_and_the_changes_of_a_span_are_told_across_chapters() {
    let mut past = Past::new(DAY * SECOND, 8 * MIB);
    for end in 1..=7200 {
        // Down from 1000 to 1500, which is across the end of a chapter, and from 6000 to 6060.
        let up = !(1000..1500).contains(&end) && !(6000..6060).contains(&end);
        past.link(at(end), &name(1), state(up));
        past.second(&second(end, vec![cell(1, count(10, 100), count(5, 100))]));
    }
    let states = past.view(at(700), at(1700)).states(0);
    assert_eq!((states.known_ns / SECOND, states.up_ns / SECOND, states.changes, states.downs), (1000, 500, 2, 1));
    assert_eq!((states.since, states.last.and_then(Condition::up)), (Some(at(1500)), Some(true)));
    let states = past.view(at(2000), at(5000)).states(0);
    assert_eq!((states.known_ns / SECOND, states.up_ns / SECOND, states.changes), (3000, 3000, 0));
    let told: Vec<(u64, String)> =
        past.view(at(0), at(7200)).changes().iter().map(|of| (of.at.0 / SECOND, of.text.clone())).collect();
    let told: Vec<(u64, &str)> = told.iter().map(|(at, text)| (*at, text.as_str())).collect();
    let (down, up) = ("down: carrier lost", "up: carrier came");
    assert_eq!(told, [(1000, down), (1500, up), (6000, down), (6060, up)]);
}

#[test]
fn a_link_goes_on_through_a_rename_and_after_it_was_made_anew() {
    let mut past = Past::new(DAY * SECOND, 8 * MIB);
    let named = |ifindex, name: &str| LinkName { ifindex, name: name.to_owned() };
    let of = |link: LinkName| Cell { link, ..cell(1, count(10, 100), count(5, 100)) };
    for end in 1..=3000u64 {
        let link = match end {
            ..1000 => named(7, "eth7"),
            1000..2000 => named(7, "wan0"),
            _ => named(9, "wan0"),
        };
        if end == 1000 {
            past.renamed("eth7", &link);
        }
        if end == 2000 {
            past.left(at(end), 7, true);
        }
        past.link(at(end), &link, state(true));
        past.second(&second(end, vec![of(link)]));
    }
    let view = past.view(at(0), at(3000));
    let seen: Vec<_> = view.seen().collect();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].1.subject, Subject::Link(named(9, "wan0")));
    assert_eq!(view.rates(seen[0].0)[0].map(|rates| rates.total_packets), Some(30_000));
    let told: Vec<String> = view.changes().into_iter().map(|told| told.text).collect();
    assert_eq!(told, ["is gone", "is there, up"]);
}

#[test]
fn what_was_normal_is_of_the_hour_before_and_what_was_not_is_marked() {
    let mut past = Past::new(DAY * SECOND, 8 * MIB);
    let mut random = Random(3);
    for end in 1..=8000u64 {
        let storm = end > 7500;
        let out = if storm { 100_000 } else { 900 + random.next() % 600 };
        let into = if storm { 0 } else { 500 };
        past.link(at(end), &name(1), state(end > 2000));
        let calm = Cell { master: 2, ..cell(1, count(into, 100), count(out, 100)) };
        past.second(&second(end, vec![calm, cell(2, count(2, 60), count(2 + end % 2, 60))]));
    }
    let normal = past.before(at(7470), at(7510)).normal().expect("a time before");
    assert_eq!((normal.from, normal.to), (at(7470 - 3600), at(7470)));
    let names: Vec<&str> = normal.links.iter().map(|link| link.link.name.as_str()).collect();
    assert_eq!(names, ["eth2", "eth1"], "the bond first");
    let slave = &normal.links[1];
    assert_eq!((slave.condition.as_str(), slave.for_ns / SECOND, slave.at_least), ("up", 7470 - 2001, false));
    assert_eq!((slave.changes_hour, slave.changes_day), (0, 1));
    let (ingress, egress) = (slave.ingress.clone().expect("in"), slave.egress.clone().expect("out"));
    assert_eq!((ingress.odd, egress.odd), (Some(Odd::Less), Some(Odd::More)));
    let before = egress.before.expect("before").packets;
    assert!((900..960).contains(&before.p5) && (1440..1500).contains(&before.p95) && before.max < 1500, "{before:?}");
    assert_eq!(egress.window.map(|rates| (rates.known_ns / SECOND, rates.packets.max)), Some((40, 100_000)));
    let bond = &normal.links[0];
    assert_eq!((bond.condition.as_str(), bond.egress.as_ref().and_then(|way| way.odd)), ("", None));
    assert_eq!(past.before(at(5), at(40)).normal(), None, "too little is known of the time before");
}
