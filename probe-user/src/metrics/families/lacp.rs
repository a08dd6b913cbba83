//! LACP of the slaves, both ends.

use probe_core::direction::Direction;
use probe_core::flight::{LacpRow, LacpSide};
use probe_core::lacp::PortState;
use probe_core::metrics::{Family, Labels};

use super::places::{Places, toward};

const PHASES: [&str; 5] = ["new", "working", "failed", "converging", "link-down"];

/// States, silence and counters.
pub fn families(rows: &[LacpRow], places: &Places) -> Vec<Family> {
    let mut phase = Family::gauge("linkprobe_lacp_phase", "1 for what the link aggregation of the slave is doing, 0 for others.");
    let mut selected = Family::gauge("linkprobe_lacp_selected", "Whether the slave is in the aggregator that its bond uses.");
    let mut aggregator = Family::gauge("linkprobe_lacp_aggregator", "Number of the aggregator that the slave is in.");
    let mut state =
        Family::gauge("linkprobe_lacp_state", "State bits of either end, as its newest LACPDU says, else the kernel.");
    let mut pdus = Family::counter("linkprobe_lacp_pdus", "LACPDUs at the taps since the agent's start; egress is what we sent.");
    let mut malformed = Family::counter("linkprobe_lacp_malformed", "Frames that should be LACPDUs and are not, at the taps.");
    let mut silent = Family::gauge("linkprobe_lacp_silent", "Whether three LACPDUs are missing; ingress is the partner's.");
    let mut age = Family::gauge("linkprobe_lacp_last_pdu_age_seconds", "Time since the last LACPDU.");
    let mut driver = Family::counter("linkprobe_lacp_driver_pdus", "LACPDUs as the bonding driver counts them.");
    let mut unknown = Family::counter("linkprobe_lacp_driver_unknown", "Frames of slow protocols unknown to the bonding driver.");
    let mut illegal =
        Family::counter("linkprobe_lacp_driver_illegal", "Malformed frames of slow protocols, by the bonding driver.");
    for row in rows {
        let Some(labels) = places.of(row.ifindex) else { continue };
        for name in PHASES {
            phase.add(labels.and("phase", name), row.phase == name);
        }
        selected = selected.with_some(labels.clone(), row.selected);
        aggregator = aggregator.with_some(labels.clone(), row.aggregator.map(u32::from));
        for (end, side, direction) in [("ours", &row.ours, Direction::Egress), ("partner", &row.partner, Direction::Ingress)] {
            bits(&mut state, &labels.and("end", end), side);
            let labels = toward(labels, direction);
            pdus.add(labels.clone(), side.seen);
            malformed.add(labels.clone(), side.malformed);
            silent.add(labels.clone(), side.silent);
            age = age.with_some(labels, side.age_s);
        }
        if let Some(counted) = row.counters {
            driver.add(toward(labels, Direction::Egress), counted.sent);
            driver.add(toward(labels, Direction::Ingress), counted.received);
            unknown.add(labels.clone(), counted.unknown);
            illegal.add(labels.clone(), counted.illegal);
        }
    }
    vec![phase, selected, aggregator, state, pdus, malformed, silent, age, driver, unknown, illegal]
}

fn bits(family: &mut Family, labels: &Labels, side: &LacpSide) {
    let Some(state) = side.pdu.map(|pdu| pdu.actor.state).or(side.kernel_state.map(PortState)) else { return };
    for (bit, name) in PortState(u8::MAX).names().enumerate() {
        family.add(labels.and("bit", name), state.0 & (1 << bit) != 0);
    }
}
