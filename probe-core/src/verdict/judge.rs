//! From findings to a verdict.

use super::case::Case;
use super::causes::is_symptom;
use super::chain::{Ordered, merge_repeated, order};
use super::excluded::excluded;
use super::missing::missing;
use super::{Confidence, Finding, FindingKind, Severity, Verdict, rules};
use crate::facts::Facts;
use crate::incident::Incident;

/// Findings of the chain that a headline names.
const NAMED: usize = 5;

/// What broke first, what followed, and what it was not.
pub fn judge(incident: &Incident, facts: &Facts) -> Verdict {
    let case = Case::new(incident, facts);
    let findings: Vec<Finding> = rules::ALL.iter().flat_map(|rule| rule(&case)).collect();
    let Ordered { mut chain, others, rivals } = order(&case, merge_repeated(findings));
    let excluded = excluded(&case, &chain, &others);
    let missing = missing(&case, &chain);
    let mut confidence = chain.first().map_or(Confidence::Low, |cause| cause.confidence);
    let undecided = chain.first().is_some_and(|cause| is_symptom(cause.kind)) || confidence == Confidence::Low;
    if undecided {
        confidence = Confidence::Low;
    } else if rivals || incident.timeline_lost > 0 {
        confidence = confidence.min(Confidence::Medium);
    }
    if chain.is_empty() && case.is_manual() {
        confidence = if missing.is_empty() { Confidence::High } else { Confidence::Medium };
    }
    let headline = headline(&case, &chain, undecided);
    let severity = chain.iter().chain(&others).map(|finding| finding.severity).max().unwrap_or_default();
    let action = action(&chain, &others);
    if let Some(recovered) = rules::recovered(&case, &chain) {
        chain.push(recovered);
    }
    Verdict { headline, severity, confidence, chain, others, excluded, missing, action }
}

/// `bond0: TX duplication storm → TX blackout after 2.5 s → down after 89.4 s`.
fn headline(case: &Case<'_>, chain: &[Finding], undecided: bool) -> String {
    let Some(cause) = chain.first() else {
        let first = case.incident.triggers.iter().find(|trigger| trigger.kind != "manual");
        return match first {
            None => "nothing found: all that is watched worked in this window".to_owned(),
            Some(trigger) => format!("not decided: nothing in evidence explains {:?}", trigger.text),
        };
    };
    let mut text = if undecided { format!("not decided: {}", cause.label()) } else { cause.label() };
    // Who does not answer, and ghosts, are told where nothing else followed.
    let aside = |kind| matches!(kind, FindingKind::NextHopUnreachable | FindingKind::PathLoss | FindingKind::GhostPackets);
    let only_asides = chain.iter().skip(1).all(|finding| aside(finding.kind) || finding.kind == cause.kind);
    let mut named = vec![cause.kind];
    for finding in chain.iter().skip(1) {
        // Both slaves of a bond tell the same: once is enough for a headline.
        if named.len() > NAMED || named.contains(&finding.kind) || (aside(finding.kind) && !only_asides) {
            continue;
        }
        let several = chain.iter().any(|other| other.kind == finding.kind && other.link != finding.link);
        let known = several || finding.link == cause.link;
        let label = if known { finding.title.clone() } else { finding.label() };
        let after = finding.at.since(cause.at) as f64 / 1e9;
        text.push_str(&format!(" → {label} after {after:.1} s"));
        named.push(finding.kind);
    }
    if undecided && is_symptom(cause.kind) {
        text.push_str("; what brought it about is not in evidence");
    }
    text
}

/// That of the cause; where it has none, the first that has one.
fn action(chain: &[Finding], others: &[Finding]) -> String {
    let with = |finding: &&Finding| !finding.action.is_empty() && finding.severity > Severity::Info;
    chain.iter().chain(others).find(with).map(|finding| finding.action.clone()).unwrap_or_default()
}
