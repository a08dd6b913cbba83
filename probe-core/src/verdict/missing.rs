//! Evidence that is missing, and what it would have decided.

use super::Finding;
use super::case::Case;
use super::excluded::inexact_carriers;
use super::rules::has_probes;
use crate::time::seconds;
use crate::timeline::What;

/// One sentence for each.
pub fn missing(case: &Case<'_>, chain: &[Finding]) -> Vec<String> {
    let incident = case.incident;
    let mut missing = Vec::new();
    if inexact_carriers(case) {
        missing.push(
            "exact times of carrier changes (the kernel refuses tracing): those told here may be up to a second late".to_owned(),
        );
    }
    if incident.is_from_captures() {
        missing.push(
            "carriers, the kernel's own view of the links, its drops and the drivers' counters (captures do not hold them): \
             whether a link was down or set down, and what reached the wire"
                .to_owned(),
        );
    } else if !has_probes(case) {
        missing.push("probes (targets in the configuration): whether the next hop and what lies behind it answered".to_owned());
    }
    let [control, bulk] = case.facts.complete_from;
    for (lane, from) in [("control", control), ("bulk", bulk)] {
        let Some(from) = from.filter(|from| chain.first().is_none_or(|cause| *from > cause.at.minus(crate::time::SECOND))) else {
            continue;
        };
        let late = seconds(from.since(incident.from));
        missing.push(format!("{lane} packets of the first {late} s of the window: the recorder did not reach back (memory)"));
    }
    if case.facts.packets == 0 {
        missing.push("packets: none are in the capture, and nothing that follows from them is known".to_owned());
    }
    let gaps = incident.timeline.iter().filter(|entry| matches!(entry.what, What::Gap { .. })).count();
    if gaps > 0 {
        missing.push(format!(
            "link events: messages were lost {gaps} times, and what happened in between is known from the next dump only"
        ));
    }
    if incident.timeline_lost > 0 {
        missing.push(format!("{} entries of the timeline that were no longer held", incident.timeline_lost));
    }
    if !incident.is_from_captures() {
        missing.extend(no_drivers(case));
    }
    for bond in case.bonds.iter().filter(|bond| bond.has_lacp()) {
        missing.extend(no_lacpdus(case, &bond.link.name, &bond.slaves));
    }
    // What whoever made the incident knows.
    missing.extend(incident.verdict.missing.iter().cloned());
    missing
}

/// The drivers' own counters tell what reached the wire.
fn no_drivers(case: &Case<'_>) -> Option<String> {
    let cells = || case.incident.seconds.iter().flat_map(|second| &second.cells);
    if case.incident.seconds.is_empty() {
        return Some("counts per second of taps and drivers: whether packets reached the wire".to_owned());
    }
    let silent = |cell: &&crate::matrix::Cell| cell.driver.is_none();
    let without = cells().filter(silent).map(|cell| cell.link.name.as_str()).find(|name| case.is_slave(name));
    without.map(|name| format!("the driver's counters of {name} for a part of the window: whether packets reached the wire"))
}

fn no_lacpdus(case: &Case<'_>, bond: &str, slaves: &[String]) -> Option<String> {
    let untapped: Vec<&str> = slaves
        .iter()
        .filter(|slave| {
            ["ingress", "egress"]
                .iter()
                .any(|way| !case.incident.taps.iter().any(|tap| tap.link.name == **slave && tap.direction == *way))
        })
        .map(String::as_str)
        .collect();
    if !untapped.is_empty() {
        return Some(format!("LACPDUs of {}: there was no tap for each direction", untapped.join(" and ")));
    }
    let seen = slaves.iter().any(|slave| case.talk(slave).is_some_and(|talk| !talk.ours.is_empty() || !talk.theirs.is_empty()));
    (!seen && !slaves.is_empty()).then(|| format!("LACPDUs of {bond}: none was seen in the window"))
}
