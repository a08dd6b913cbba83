//! The agent itself: what it records, what it told, what it lost.

use std::collections::BTreeMap;

use probe_core::direction::Direction;
use probe_core::metrics::{Family, Labels};
use probe_core::trigger::Kind;

use super::super::{Process, Reading};
use super::places::{Places, toward};

/// Which agent it is, and what it takes of the machine.
pub fn general(reading: &Reading, process: Process) -> Vec<Family> {
    let build = Labels::none().and("version", env!("CARGO_PKG_VERSION")).and("instance", &reading.instance);
    vec![
        Family::info("linkprobe_build", "Version of linkprobe, and name of the agent.").with(build, 1u64),
        Family::gauge("linkprobe_uptime_seconds", "Time since the agent started.").with(Labels::none(), reading.uptime_s),
        Family::gauge("linkprobe_counters_age_seconds", "Time since the counters of taps and drivers were read.")
            .with_some(Labels::none(), reading.totals_age_s),
        Family::gauge("linkprobe_waiting_interfaces", "Names to watch that no link has.")
            .with(Labels::none(), reading.flight.waiting.len() as u64),
        Family::counter("process_cpu_seconds", "CPU time of the agent, user and system.").with(Labels::none(), process.cpu_s),
        Family::gauge("process_resident_memory_bytes", "Memory of the agent.").with_some(Labels::none(), process.resident_bytes),
    ]
}

/// The recorder and what became of incidents.
pub fn recording(reading: &Reading) -> Vec<Family> {
    let (recorder, incidents) = (&reading.recorder, &reading.incidents);
    let mut depth =
        Family::gauge("linkprobe_recorder_depth_seconds", "Time since the oldest frame that a lane of the recorder holds.");
    for lane in &recorder.lanes {
        depth.add(Labels::none().and("lane", &lane.lane), lane.depth_s);
    }
    let mut which = Family::info("linkprobe_incident", "Id of the incident that is open, and of the last one that was written.");
    for (state, id) in [("open", &incidents.open), ("last", &incidents.last)] {
        if let Some(id) = id {
            which.add(Labels::none().and("incident", id).and("state", state), 1u64);
        }
    }
    let one = |family: Family, value: u64| family.with(Labels::none(), value);
    vec![
        one(Family::gauge("linkprobe_recorder_memory_bytes", "Memory of the recorder."), recorder.memory_bytes),
        depth,
        one(Family::counter("linkprobe_incidents_opened", "Incidents that were opened."), incidents.opened),
        one(Family::counter("linkprobe_incidents_written", "Incidents that were written."), incidents.written),
        one(Family::counter("linkprobe_incidents_lost", "Incidents that could not be written."), incidents.lost),
        one(Family::gauge("linkprobe_incidents_open", "Whether an incident is open."), incidents.open.is_some().into()),
        one(
            Family::gauge("linkprobe_incidents_waiting", "Incidents that wait to be written, or to be tried again."),
            incidents.waiting,
        ),
        one(
            Family::gauge("linkprobe_incident_write_alarm", "Whether incidents cannot be written now."),
            incidents.alarm.is_some().into(),
        ),
        which,
    ]
}

/// What happened since the start.
pub fn happened(reading: &Reading, places: &Places) -> Vec<Family> {
    let flight = &reading.flight;
    let mut events =
        Family::counter("linkprobe_events", "Entries of the timeline, by what they mean to those who wait for the network.");
    let tones = reading.tones;
    for (tone, count) in [("failure", tones.failures), ("recovery", tones.recoveries), ("note", tones.notes)] {
        events.add(Labels::none().and("tone", tone), count);
    }
    let mut fired = Family::counter("linkprobe_triggers", "Times that a trigger fired.");
    let mut held = Family::counter("linkprobe_triggers_held_back", "Times that a trigger would have fired within its cooldown.");
    for kind in Kind::ALL {
        let labels = Labels::none().and("trigger", kind.name());
        let counts = flight.triggers.get(kind.name()).copied().unwrap_or_default();
        fired.add(labels.clone(), counts.fired);
        held.add(labels, counts.held_back);
    }
    let mut storms = Family::gauge("linkprobe_storms", "Storms of copies of one frame that go on.");
    for link in &flight.links {
        let Some(labels) = places.of(link.ifindex) else { continue };
        for direction in [Direction::Ingress, Direction::Egress] {
            let here = flight.storms.iter().filter(|storm| storm.link.ifindex == link.ifindex && storm.direction == direction);
            storms.add(toward(labels, direction), here.count() as u64);
        }
    }
    // The places in the kernel are many, and in `linkprobe status`.
    let mut dropped: BTreeMap<(u32, &str, &str), u64> = BTreeMap::new();
    for drop in &flight.drops {
        *dropped.entry((drop.link.ifindex, &drop.link.name, &drop.reason)).or_default() += drop.packets;
    }
    let mut drops =
        Family::counter("linkprobe_kernel_drops", "Packets that the kernel dropped of a watched link, by its reason.");
    for ((ifindex, name, reason), packets) in dropped {
        drops.add(places.of_any(ifindex, name).and("reason", reason), packets);
    }
    let mut losses = Family::counter("linkprobe_losses", "What the agent itself lost or could not do, by name.");
    for (name, count) in &reading.losses {
        losses.add(Labels::none().and("loss", name), *count);
    }
    vec![events, fired, held, storms, drops, losses]
}
