//! Incidents from records in memory to files, read back.

mod capture;
mod cleanup;
mod file;
mod filter;
mod list;
mod readback;
mod report;
mod verdict;
mod writer;

use probe_common::recorder::lane;
use probe_core::incident::{ClassTotals, Incident, TapCounts, Trigger};
use probe_core::link::{LinkState, OperState};
use probe_core::time::{Mono, SECOND, WallOffset};
use probe_core::timeline::{Entry, LinkName, Source, What};

use super::capture::Captured;
use super::directory::Job;
use super::testing::chunk;

/// Monotonic time of the first trigger in these tests.
const TRIGGER: Mono = Mono(1000 * SECOND);
/// 2017-12-05T05:12:51Z at that time.
const WALL: WallOffset = WallOffset(1_512_450_771_447_649_123 - 1_000_000_000_000);

fn link(ifindex: u32, name: &str) -> LinkName {
    LinkName { ifindex, name: name.to_owned() }
}

fn tap(tap: u16, name: &str, direction: &'static str, counted: u64) -> TapCounts {
    TapCounts {
        tap,
        link: link(u32::from(tap) + 10, name),
        mac: [2, 0, 0, 0, 0, 1],
        speed_bps: Some(10_000_000_000),
        hook: if direction == "ingress" { "xdp" } else { "tcx" },
        direction,
        classes: vec![ClassTotals { class: "other", packets: counted, bytes: counted * 100, segments: counted }],
        losses: Vec::new(),
        repeats: 0,
    }
}

fn entry(at: Mono, name: &str, what: What) -> Entry {
    Entry { at, link: Some(link(1, name)), source: Source::Kernel, what }
}

/// A slave that lost its carrier, with two taps.
fn incident() -> Incident {
    let lost = What::Carrier { up: false, unseen_ups: 0, unseen_downs: 0 };
    let state = |carrier: bool| LinkState {
        ifindex: 10,
        name: "eth1".to_owned(),
        admin_up: true,
        carrier,
        operstate: if carrier { OperState::Up } else { OperState::Down },
        carrier_down_count: u32::from(!carrier),
        ..LinkState::default()
    };
    Incident {
        id: "20171205T051251.447649Z".to_owned(),
        from: TRIGGER.minus(30 * SECOND),
        to: TRIGGER.plus(10 * SECOND),
        triggers: vec![Trigger {
            at: TRIGGER,
            kind: "slave-down",
            link: Some(link(10, "eth1")),
            text: "eth1: slave of bond0 lost its carrier".to_owned(),
            repeats: 2,
        }],
        timeline: vec![
            entry(TRIGGER.minus(12_345_678), "eth1", lost),
            entry(TRIGGER, "eth1", What::Trigger { kind: "slave-down", text: "slave of bond0 lost its carrier".to_owned() }),
            entry(TRIGGER.plus(SECOND), "eth1", What::ClockStep { step_ns: -3_600_000_000_000 }),
        ],
        links_before: vec![state(true)],
        links_after: vec![state(false)],
        taps: vec![tap(1, "eth1", "ingress", 3), tap(2, "eth1", "egress", 2)],
        host: "edge-1".to_owned(),
        kernel: "6.12.9".to_owned(),
        ..Incident::default()
    }
}

/// Five frames of two CPUs, three in and two out, around the trigger; and two outside the window.
fn captured() -> Captured {
    let at = |offset: i64| (TRIGGER.0 as i64 + offset) as u64;
    Captured {
        chunks: vec![
            chunk(0, lane::CONTROL, 1, &[(at(-31_000_000_000), 1), (at(-5_000_000_000), 1), (at(-1), 1)]),
            chunk(0, lane::BULK, 1, &[(at(2_000), 1)]),
            chunk(1, lane::BULK, 9, &[(at(-12_345_000), 2), (at(1_000), 2), (at(10_000_000_001), 2)]),
        ],
        looked: true,
        ..Captured::default()
    }
}

fn job() -> Job {
    Job { incident: incident(), captured: captured(), wall: WALL, losses: Vec::new(), snaplen: 256, filter: None }
}
