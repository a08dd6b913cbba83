//! One frame is repeated byte for byte, many times a second.

use crate::direction::Direction;
use crate::repeat::RepeatSeen;
use crate::time::Mono;
use crate::timeline::What;
use crate::verdict::case::{Case, counter, entry, packet};
use crate::verdict::{Confidence, Evidence, Finding, FindingKind, Severity};

/// Most repeated frames that are told one by one.
const TOLD: usize = 4;

/// One storm, at one tap.
struct Storm<'a> {
    repeat: &'a RepeatSeen,
    what: &'a str,
    since: Mono,
    peak: Option<u64>,
    /// Its place among the incident's repeats.
    place: Option<usize>,
    until: Option<Mono>,
}

/// Speaks once for all storms of one bond (or interface) and direction: the same frame passes the bond and a slave, and one storm
/// draws others with it. Stays silent about repeats that were no storm.
pub fn duplicate_storm(case: &Case<'_>) -> Vec<Finding> {
    let mut groups: Vec<((String, Direction), Vec<Storm<'_>>)> = Vec::new();
    for storm in storms(case) {
        let key = (case.scope(&storm.repeat.link.name), storm.repeat.direction);
        match groups.iter_mut().find(|(of, _)| *of == key) {
            Some((_, group)) => group.push(storm),
            None => groups.push((key, vec![storm])),
        }
    }
    let find = |((scope, direction), mut storms): ((String, Direction), Vec<Storm<'_>>)| {
        storms.sort_by_key(|storm| storm.since);
        finding(case, &scope, direction, &storms)
    };
    groups.into_iter().filter_map(find).collect()
}

fn finding(case: &Case<'_>, scope: &str, direction: Direction, storms: &[Storm<'_>]) -> Option<Finding> {
    let first = storms.first()?;
    let at = first.since;
    // The same frame at a bond and its slaves counts once: where it was seen most.
    let mut frames: Vec<&Storm<'_>> = Vec::new();
    for storm in storms {
        match frames.iter_mut().find(|other| same_frame(other, storm)) {
            Some(other) if other.repeat.copies < storm.repeat.copies => *other = storm,
            Some(_) => {}
            None => frames.push(storm),
        }
    }
    let way = if direction == Direction::Egress { "transmitted" } else { "received" };
    let copies = frames.iter().find(|frame| same_frame(frame, first)).map_or(first.repeat.copies, |frame| frame.repeat.copies);
    let others = match frames.len() {
        0 | 1 => String::new(),
        2 => "; another frame is repeated as well".to_owned(),
        n => format!("; {} other frames are repeated as well", n - 1),
    };
    let text =
        format!("one frame is {way} on {scope} again and again, byte for byte the same: {}, {copies} copies{others}", first.what);
    let mut evidence: Vec<Evidence> = Vec::new();
    for storm in frames.iter().take(TOLD) {
        evidence.extend(exemplars(case, storm));
    }
    evidence.extend(case.entries(scope).filter(|entry| matches!(entry.what, What::Storm { .. })).take(TOLD).map(entry));
    evidence.sort_by_key(Evidence::at);
    for storm in storms.iter().take(3 * TOLD) {
        let rate = storm.peak.map_or_else(String::new, |peak| format!(", at most {peak} in a second"));
        evidence.push(counter(
            format!("copies at {} {direction}: {}{rate}", storm.repeat.link.name, storm.what),
            storm.repeat.copies,
        ));
    }
    // The end is told once for a bond, not for each of its slaves: a frame's storm is over where that is known of any tap.
    let over = |frame: &&Storm<'_>| storms.iter().filter(|storm| same_frame(frame, storm)).filter_map(|storm| storm.until).max();
    let until = frames.iter().map(over).reduce(|a, b| a.zip(b).map(|(a, b)| a.max(b))).flatten();
    let action = match direction {
        Direction::Egress => format!(
            "Something inside this host makes the copies: look at what forwards {} (data plane, bridge, tunnel, mirror); re-enslaving or restarting it ends it",
            first.what
        ),
        Direction::Ingress => {
            format!("The copies come from outside: look for a loop behind {scope} (spanning tree, port mirror, two paths)")
        }
    };
    let name = if direction == Direction::Egress { "TX duplication storm" } else { "duplicate storm received" };
    Some(
        Finding::new(FindingKind::DuplicateStorm, Some(case.link(scope)), at, text)
            .titled(name)
            .until(until)
            .weighed(Severity::Warning, Confidence::High)
            .action(action)
            .evidence(evidence),
    )
}

/// Every storm that the engine told of: from its onset on the timeline, or from the totals.
fn storms<'a>(case: &Case<'a>) -> Vec<Storm<'a>> {
    let ended = |repeat: &RepeatSeen| {
        case.incident.timeline.iter().find_map(|entry| match &entry.what {
            What::Storm { begins: false, repeat: over, .. } if same(over, repeat) && entry.at >= repeat.first_at => {
                Some(entry.at)
            }
            _ => None,
        })
    };
    let totals = case.incident.repeats.iter().enumerate().filter(|(_, total)| total.storm);
    let mut storms: Vec<Storm<'a>> = totals
        .map(|(place, total)| Storm {
            repeat: &total.last,
            what: &total.what,
            since: since(case, &total.last),
            peak: Some(total.peak_per_second),
            place: Some(place),
            until: ended(&total.last),
        })
        .collect();
    for entry in &case.incident.timeline {
        let What::Storm { begins: true, repeat, what, rate } = &entry.what else { continue };
        if !storms.iter().any(|storm| same(storm.repeat, repeat)) {
            let since = since(case, repeat);
            storms.push(Storm { repeat, what, since, peak: Some(*rate), place: None, until: ended(repeat) });
        }
    }
    storms
}

/// When a storm began: with its first copy, unless that was an ordinary frame of long before.
fn since(case: &Case<'_>, repeat: &RepeatSeen) -> Mono {
    if repeat.first_at >= case.incident.from {
        return repeat.first_at;
    }
    let told = case.incident.timeline.iter().find_map(|entry| match &entry.what {
        What::Storm { begins: true, repeat: begun, .. } if same(begun, repeat) => Some(entry.at),
        _ => None,
    });
    told.unwrap_or(case.incident.from)
}

fn same(a: &RepeatSeen, b: &RepeatSeen) -> bool {
    (a.hash, a.direction, &a.link.name) == (b.hash, b.direction, &b.link.name)
}

/// The same frame, wherever it passed.
fn same_frame(a: &Storm<'_>, b: &Storm<'_>) -> bool {
    a.repeat.length == b.repeat.length && a.what == b.what
}

fn exemplars(case: &Case<'_>, storm: &Storm<'_>) -> Vec<Evidence> {
    let Some(marks) = storm.place.and_then(|place| case.facts.repeats.get(place)) else { return Vec::new() };
    let mut found: Vec<Evidence> =
        marks.first.iter().map(|mark| packet(mark, format!("the first copy in the file: {}", storm.what))).collect();
    found.extend(
        marks
            .last
            .iter()
            .filter(|last| marks.first.as_ref() != Some(last))
            .map(|mark| packet(mark, "the last exemplar in the file")),
    );
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::at;
    use crate::verdict::testing::Scene;

    #[test]
    fn a_storm_at_the_bond_and_its_slave_is_one_finding() {
        let scene = Scene::lacp().storm(10_000, "bond0", "TCP a → b", 40_000).storm(10_001, "eth1", "TCP a → b", 39_000);
        let found = scene.run(duplicate_storm);
        assert_eq!((found.len(), found[0].link_name(), found[0].at), (1, "bond0", at(10_000)));
        assert!(found[0].text.ends_with("TCP a → b, 40000 copies"), "{}", found[0].text);
        assert_eq!(found[0].title, "TX duplication storm");
    }

    #[test]
    fn further_frames_are_counted() {
        let scene = Scene::lacp().storm(10_000, "bond0", "TCP a → b", 40_000).storm(12_000, "bond0", "ARP", 9_000);
        let found = scene.run(duplicate_storm);
        assert!(found[0].text.ends_with("; another frame is repeated as well"), "{}", found[0].text);
    }

    #[test]
    fn it_is_silent_about_repeats_that_are_no_storm() {
        assert_eq!(Scene::lacp().repeat(10_000, "bond0", "VRRP", 60, false).run(duplicate_storm), []);
    }
}
