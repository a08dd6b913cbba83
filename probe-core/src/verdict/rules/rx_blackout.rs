//! Nothing is received any more, with the carrier up.

use super::receiving::{Receiving, gaps, receiving};
use crate::direction::Direction;
use crate::facts::Way;
use crate::time::{Mono, SECOND};
use crate::timeline::What;
use crate::verdict::case::{Case, entry, fact, packet};
use crate::verdict::life::{SLACK, of_link};
use crate::verdict::{Confidence, Evidence, Finding, FindingKind};

/// Hellos in the half minute before, from which on their absence tells that nothing is received.
const HELLOS: usize = 3;

/// Speaks when the partner's LACPDUs and all other frames stop together, where the counters show it, and on a link without LACP when
/// regular hellos stop with all else. Stays silent while anything is received, and where the carrier went.
pub fn rx_blackout(case: &Case<'_>) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for (name, life) in case.lives().filter(|(name, _)| case.bond(name).is_none()) {
        let told = of_link(case.incident, name).filter_map(|entry| match &entry.what {
            What::Blackout { direction: Direction::Ingress, begins, .. } => Some((entry, *begins)),
            _ => None,
        });
        let mut add = |finding: Finding| {
            let same =
                found.iter_mut().find(|other| other.link_name() == name && other.until.is_none_or(|until| finding.at <= until));
            match same {
                Some(other) => {
                    other.at = other.at.min(finding.at);
                    other.evidence.extend(finding.evidence);
                }
                None => found.push(finding),
            }
        };
        for (mono, until, evidence) in silent_with_lacp(case, name).into_iter().chain(silent_hellos(case, name)) {
            add(finding(case, name, mono, until).evidence(evidence));
        }
        let told: Vec<_> = told.collect();
        for (place, (begin, begins)) in told.iter().enumerate() {
            if *begins && life.is_up(begin.at) {
                let end = told.iter().skip(place).find(|(_, begins)| !begins).map(|(entry, _)| entry.at);
                add(finding(case, name, begin.at, end).evidence([entry(begin)]));
            }
        }
    }
    for finding in &mut found {
        finding.evidence.sort_by_key(Evidence::at);
    }
    found
}

fn finding(case: &Case<'_>, name: &str, at: Mono, until: Option<Mono>) -> Finding {
    let text = format!("{name} receives nothing any more{}", case.with_the_carrier_up());
    Finding::new(FindingKind::RxBlackout, Some(case.link(name)), at, text)
        .until(until)
        .weighed(case.severity_of_loss(name, at.plus(SLACK)), Confidence::High)
        .action(format!(
            "Check {name}'s receive side: fibre of that direction, optics' RX power (ethtool -m {name}), the partner's transmit"
        ))
}

/// LACPDUs and all else stopped: since the last frame of any kind.
fn silent_with_lacp(case: &Case<'_>, name: &str) -> Vec<(Mono, Option<Mono>, Vec<Evidence>)> {
    let Some(talk) = case.talk(name) else { return Vec::new() };
    let dead = gaps(case, name, talk, Direction::Ingress).into_iter().filter(|gap| receiving(case, name, gap) == Receiving::Dead);
    dead.map(|gap| {
        let last = case.facts.way(name, Direction::Ingress).and_then(|way| last_before(way, gap.until));
        let at = last.map_or(gap.from, |mark| mark.at.max(gap.from));
        let evidence = last.map(|mark| packet(mark, format!("the last frame that {name} received")));
        (at, gap.until, evidence.into_iter().chain(gap.entry.map(entry)).collect())
    })
    .collect()
}

fn last_before(way: &Way, until: Option<Mono>) -> Option<&crate::facts::Mark> {
    match until {
        None => Some(&way.last),
        Some(until) => way.seconds.iter().rev().map(|heard| &heard.best).find(|mark| mark.at < until),
    }
}

/// Without LACP: hellos came regularly, and now nothing at all does while we send.
fn silent_hellos(case: &Case<'_>, name: &str) -> Option<(Mono, Option<Mono>, Vec<Evidence>)> {
    let way = case.facts.way(name, Direction::Ingress)?;
    let last = &way.last;
    let silence = case.incident.to.since(last.at);
    let up = case.life(name).is_none_or(|life| life.is_up(last.at) && life.is_up(case.incident.to));
    if case.talk(name).is_some() || !up {
        return None;
    }
    let start = last.at.minus(30 * SECOND);
    let hellos: Vec<u64> =
        way.seconds.iter().filter(|heard| heard.rank() == 4 && heard.best.at >= start).map(|heard| heard.second).collect();
    let longest = hellos.windows(2).filter_map(|pair| pair[1].checked_sub(pair[0])).max()?;
    let sent = case.facts.way(name, Direction::Egress)?.count_within(last.at, case.incident.to).0;
    let missing = silence > 3 * (longest + 1) * SECOND && hellos.len() >= HELLOS && sent > 0;
    missing.then(|| {
        let text = format!("the last frame that {name} received: hellos came every {longest} s at most before");
        (last.at, None, vec![packet(last, text), fact(format!("{sent} frames were sent since"))])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::at;
    use crate::verdict::testing::{Scene, WORKING};

    #[test]
    fn lacpdus_and_all_else_that_stop_together_are_a_dead_receiver() {
        let scene = Scene::lacp().talk(0..10_000, "eth1", WORKING).talk_ours(10_000..60_000, "eth1", WORKING);
        let found = scene.hellos(0..10_500, "eth1").run(rx_blackout);
        assert_eq!((found.len(), found[0].link_name(), found[0].at), (1, "eth1", at(10_300)));
    }

    #[test]
    fn without_lacp_hellos_that_stop_with_all_else_tell_it() {
        let scene = Scene::active_backup().hellos(0..10_000, "eth1").asks(0..60_000, "eth1", [10, 0, 0, 1]);
        let found = scene.run(rx_blackout);
        assert_eq!((found.len(), found[0].link_name(), found[0].at), (1, "eth1", at(9_300)));
    }

    #[test]
    fn what_the_counters_show_is_enough() {
        let begins = What::Blackout { direction: Direction::Ingress, begins: true, text: "0 packets received".to_owned() };
        assert_eq!(Scene::active_backup().what(10_000, "eth1", begins).run(rx_blackout).len(), 1);
    }

    #[test]
    fn it_is_silent_while_anything_is_received_and_when_the_carrier_went() {
        let partner = Scene::lacp().talk(0..10_000, "eth1", WORKING).hellos(0..60_000, "eth1");
        assert_eq!(partner.run(rx_blackout), []);
        let carrier = Scene::lacp().talk(0..10_000, "eth1", WORKING).hellos(0..10_000, "eth1").carrier(10_100, "eth1", false);
        assert_eq!(carrier.run(rx_blackout), []);
    }

    #[test]
    fn it_is_silent_when_only_the_next_hop_stops_answering() {
        let scene = Scene::active_backup().answered(0..10_000, "eth1", [10, 0, 0, 1]).asks(10_000..60_000, "eth1", [10, 0, 0, 1]);
        assert_eq!(scene.run(rx_blackout), []);
    }
}
