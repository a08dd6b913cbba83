//! Targets behind the next hop do not answer.

use super::Rule;
use super::bond_carries_nothing::bond_carries_nothing;
use super::bond_down::bond_down;
use super::next_hop::{lost_probes, next_hop, scope_of, unreachable};
use super::rx_blackout::rx_blackout;
use super::tx_blackout::tx_blackout;
use crate::facts::Ask;
use crate::reach::{Answer, Method};
use crate::time::{Mono, SECOND};
use crate::timeline::What;
use crate::verdict::case::{Case, fact, packet};
use crate::verdict::{Confidence, Evidence, Finding, FindingKind, Severity};

/// Speaks when probes of targets are lost and nothing nearer is known to be broken; it is sure where the next hop answers meanwhile.
/// Stays silent when the next hop does not answer either, or the bond itself passes nothing.
pub fn path_loss(case: &Case<'_>) -> Vec<Finding> {
    let rules: [Rule; 5] = [next_hop, tx_blackout, rx_blackout, bond_down, bond_carries_nothing];
    let nearer: Vec<Finding> = rules.iter().flat_map(|rule| rule(case)).collect();
    let mut found: Vec<Finding> = Vec::new();
    for (begin, end) in unreachable(case, false) {
        let What::Reach { target, .. } = &begin.what else { continue };
        let scope = scope_of(case, begin);
        let (at, mut evidence) = lost_probes(case, begin);
        let here = |other: &&Finding| scope.as_deref().is_none_or(|scope| case.scope(other.link_name()) == scope);
        // Probes of both are sent at different times.
        let at_that_time =
            |other: &&Finding| other.at <= begin.at.plus(5 * SECOND) && other.until.is_none_or(|until| until >= at);
        if nearer.iter().any(|other| here(&other) && at_that_time(&other)) {
            continue;
        }
        let until = end.map(|entry| entry.at);
        let answers = next_hop_answers(case, scope.as_deref(), at, until.unwrap_or(case.incident.to));
        let confidence = if answers.is_some() { Confidence::High } else { Confidence::Medium };
        evidence.extend(answers.or_else(|| Some(fact("whether the next hop answers meanwhile is not known"))));
        match found.iter_mut().find(|other| other.link_name() == scope.as_deref().unwrap_or_default()) {
            Some(other) => {
                other.at = other.at.min(at);
                other.until = other.until.zip(until).map(|(a, b)| a.max(b));
                other.evidence.extend(evidence);
                other.text.push_str(&format!("; {target} neither"));
            }
            None => found.push(
                Finding::new(
                    FindingKind::PathLoss,
                    scope.map(|scope| case.link(&scope)),
                    at,
                    format!("{target} does not answer"),
                )
                .until(until)
                .weighed(Severity::Critical, confidence)
                .action(format!("This host's links are fine: follow the path behind the next hop (tracepath {target})"))
                .evidence(evidence),
            ),
        }
    }
    found
}

/// What shows that the next hop answered between two times.
fn next_hop_answers(case: &Case<'_>, scope: Option<&str>, from: Mono, to: Mono) -> Option<Evidence> {
    let probe = case.incident.probes.iter().find(|probe| {
        let next_hop = super::next_hop::is_next_hop(&probe.target, probe.method);
        next_hop && (from..=to).contains(&probe.at) && matches!(probe.answer, Answer::Rtt(_))
    });
    if let Some(probe) = probe {
        return Some(Evidence::Entry { at: probe.at, text: format!("{} answers", probe.target) });
    }
    let neighbours = case.facts.dialogues.iter().filter(|dialogue| dialogue.ask != Ask::Icmp);
    neighbours.filter_map(|dialogue| Some((dialogue, dialogue.answer_within(from, to)?))).find_map(|(dialogue, mark)| {
        let here = scope.is_none_or(|scope| case.scope(&mark.link) == scope);
        here.then(|| packet(mark, format!("{} of {}", dialogue.ask.answer(), dialogue.target)))
    })
}

/// True when any target is probed in this incident.
pub fn has_probes(case: &Case<'_>) -> bool {
    let told = case.incident.timeline.iter().any(|entry| matches!(entry.what, What::Reach { .. }));
    told || case.incident.probes.iter().any(|probe| matches!(probe.method, Method::Icmp | Method::Arp | Method::Nd))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::at;
    use crate::verdict::testing::Scene;

    const HOP: &str = "next-hop 10.0.0.1 dev bond0";

    #[test]
    fn a_target_that_is_lost_while_the_next_hop_answers_is_the_path() {
        let scene = Scene::lacp().probes(0..60_000, HOP, 60_000).probes(0..60_000, "10.0.80.11", 10_000).reach(
            13_000,
            "10.0.80.11",
            false,
        );
        let found = scene.run(path_loss);
        assert_eq!((found.len(), found[0].at, found[0].confidence), (1, at(10_000), Confidence::High));
    }

    #[test]
    fn it_is_less_sure_when_nobody_asks_the_next_hop() {
        let found = Scene::lacp().reach(13_000, "10.0.80.11", false).run(path_loss);
        assert_eq!((found.len(), found[0].confidence), (1, Confidence::Medium));
    }

    #[test]
    fn it_is_silent_when_the_next_hop_is_dead_too() {
        let scene = Scene::lacp().reach(13_000, "10.0.80.11", false).reach(13_500, HOP, false);
        let scene = scene.probes(0..60_000, HOP, 10_000).probes(0..60_000, "10.0.80.11", 10_000);
        assert_eq!(scene.run(path_loss), []);
    }
}
