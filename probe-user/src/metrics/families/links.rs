//! What links are like.

use probe_core::flight::LinkRow;
use probe_core::link::{MiiStatus, OperState};
use probe_core::metrics::{Family, Labels, Number};

use super::super::Reading;
use super::places::Places;

const STATES: [OperState; 7] = [
    OperState::Unknown,
    OperState::NotPresent,
    OperState::Down,
    OperState::LowerLayerDown,
    OperState::Testing,
    OperState::Dormant,
    OperState::Up,
];

/// States and their changes.
pub fn families(reading: &Reading, places: &Places) -> Vec<Family> {
    let links: Vec<(&Labels, &LinkRow)> =
        reading.flight.links.iter().filter_map(|link| Some((places.of(link.ifindex)?, link))).collect();
    let each = |family: Family, value: &dyn Fn(&LinkRow) -> Option<Number>| {
        links.iter().fold(family, |family, (labels, link)| family.with_some((*labels).clone(), value(link)))
    };
    let mut info = Family::info("linkprobe_link", "A link that is watched, with its interface index.");
    let mut operstate =
        Family::gauge("linkprobe_link_operstate", "1 for the operational state that the link is in (RFC 2863), 0 for others.");
    for (labels, link) in &links {
        info.add(labels.and("ifindex", &link.ifindex.to_string()), 1u64);
        for state in STATES {
            operstate.add(labels.and("state", state.name()), link.operstate == state);
        }
    }
    let mut speed = Family::gauge(
        "linkprobe_link_speed_bytes",
        "Speed in bytes per second, as the driver says; a bond's is that of its active slaves. Absent where no driver tells.",
    );
    for total in reading.totals.present() {
        if let (Some(labels), Some(bits)) = (places.of(total.link.ifindex), total.speed_bps) {
            speed.add(labels.clone(), bits / 8);
        }
    }
    vec![
        info,
        each(
            Family::gauge("linkprobe_link_up", "Whether the link can pass packets; of a slave, whether it carries its bond's."),
            &|link| Some(link.up.into()),
        ),
        each(Family::gauge("linkprobe_link_admin_up", "Whether the administrator has set the link up."), &|link| {
            Some(link.admin_up.into())
        }),
        each(Family::gauge("linkprobe_link_carrier", "Whether the link has a carrier."), &|link| Some(link.carrier.into())),
        operstate,
        speed,
        each(
            Family::counter("linkprobe_link_changes", "Times that the carrier came or went since the kernel made the link."),
            &|link| Some(link.changes.into()),
        ),
        each(
            Family::gauge(
                "linkprobe_link_state_age_seconds",
                "Time since carrier or operational state changed. Absent while they have not since the agent's start.",
            ),
            &|link| link.age_s.map(Into::into),
        ),
        each(Family::gauge("linkprobe_slave_active", "Whether the bond uses the slave."), &|link| link.active.map(Into::into)),
        each(Family::gauge("linkprobe_slave_mii_up", "Whether the bond's link monitor calls the slave up."), &|link| {
            link.mii.map(|mii| (mii == MiiStatus::Up).into())
        }),
    ]
}
