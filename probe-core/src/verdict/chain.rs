//! The chain: which finding is the cause, what follows from it, and what stands beside.

use super::case::Case;
use super::causes::{can_cause, is_remark, rank};
use super::life::SLACK;
use super::{Finding, FindingKind, Severity};

/// The findings, put in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ordered {
    /// The cause and what follows from it, in order of time.
    pub chain: Vec<Finding>,
    /// The rest, in order of time.
    pub others: Vec<Finding>,
    /// Others could be the cause as well: as bad, as old, and nothing ties them to the chain.
    pub rivals: bool,
}

/// What came and went again and again at one link becomes one finding: what LACP does where LACPDUs come too slowly fills pages else.
pub fn merge_repeated(findings: Vec<Finding>) -> Vec<Finding> {
    let mut merged: Vec<(Finding, u32)> = Vec::new();
    for finding in findings {
        let repeats = matches!(
            finding.kind,
            FindingKind::PartnerSilent
                | FindingKind::LacpdusNotArriving
                | FindingKind::LacpdusNotSent
                | FindingKind::BondCarriesNothing
        );
        let same = |(other, _): &&mut (Finding, u32)| repeats && (other.kind, &other.link) == (finding.kind, &finding.link);
        let Some((first, times)) = merged.iter_mut().find(same) else {
            merged.push((finding, 1));
            continue;
        };
        *times += 1;
        first.until = finding.until;
        first.severity = first.severity.max(finding.severity);
        first.confidence = first.confidence.max(finding.confidence);
    }
    let told = |(mut finding, times): (Finding, u32)| {
        if times > 1 {
            finding.text.push_str(&format!(" ({times} times)"));
        }
        finding
    };
    merged.into_iter().map(told).collect()
}

/// Picks the cause: of all findings that follow from no other, the one with the worst consequences; then with the most; then the
/// oldest.
pub fn order(case: &Case<'_>, mut findings: Vec<Finding>) -> Ordered {
    findings.sort_by_key(|finding| (finding.at, rank(finding.kind)));
    let scopes: Vec<String> = findings.iter().map(|finding| case.scope(finding.link_name())).collect();
    let follows = |cause: usize, effect: usize| leads(&findings[cause], &scopes[cause], &findings[effect], &scopes[effect]);
    let count = findings.len();
    let roots: Vec<usize> =
        (0..count).filter(|&effect| (0..count).all(|cause| cause == effect || !follows(cause, effect))).collect();
    let reached: Vec<Vec<usize>> = roots.iter().map(|&root| reach(root, count, &follows)).collect();
    let weight = |set: &Vec<usize>| {
        let severity = set.iter().map(|&at| findings[at].severity).max().unwrap_or_default();
        let remark = set.len() == 1 && set.first().is_none_or(|&root| is_remark(findings[root].kind));
        (!remark, severity, set.len())
    };
    let Some(best) = (0..roots.len()).max_by_key(|&at| (weight(&reached[at]), std::cmp::Reverse(roots[at]))) else {
        return Ordered::default();
    };
    let members = &reached[best];
    // Several roots with the same consequences share them: a storm and a carrier, both before the fall.
    let rivals = (0..roots.len()).any(|at| {
        let (mine, other) = (&findings[roots[best]], &findings[roots[at]]);
        at != best
            && !is_remark(other.kind)
            && other.kind != mine.kind
            && shares(members, &reached[at], &findings)
            && scopes[roots[at]] == scopes[roots[best]]
    });
    // Roots of the same kind that lead to the same end are one story: both slaves lost their carriers.
    let mut chain_members = members.clone();
    for at in (0..roots.len()).filter(|&at| at != best) {
        let same = findings[roots[at]].kind == findings[roots[best]].kind && scopes[roots[at]] == scopes[roots[best]];
        if same {
            chain_members.extend(&reached[at]);
        }
    }
    chain_members.sort_unstable();
    chain_members.dedup();
    let mut ordered = Ordered { rivals, ..Ordered::default() };
    for (at, finding) in findings.iter().enumerate() {
        let part = chain_members.contains(&at) && !(is_remark(finding.kind) && at != roots[best]);
        let list = if part { &mut ordered.chain } else { &mut ordered.others };
        list.push(finding.clone());
    }
    // A cause whose message came late still stands before what it brought about.
    let cause = findings[roots[best]].clone();
    if let Some(place) = ordered.chain.iter().position(|finding| *finding == cause) {
        let cause = ordered.chain.remove(place);
        ordered.chain.insert(0, cause);
    }
    ordered
}

/// Whether one brought about the other: it can, it came first (as far as times are exact), it was not over long before, and both
/// are about the same bond or interface.
fn leads(cause: &Finding, cause_scope: &str, effect: &Finding, effect_scope: &str) -> bool {
    let same = cause_scope == effect_scope || cause_scope.is_empty() || effect_scope.is_empty();
    let before = cause.at <= effect.at.plus(SLACK);
    // Probes, LACP and routing notice late: what a fault does, it does within minutes of its end.
    let lasts = cause.until.is_none_or(|until| effect.at <= until.plus(5 * SLACK));
    // A mismatch of rates is harmless until LACPDUs do come too slowly.
    let harms = cause.kind != FindingKind::LacpTimeoutMismatch || cause.severity == Severity::Critical;
    can_cause(cause.kind, effect.kind) && same && before && lasts && harms
}

fn reach(root: usize, count: usize, follows: &impl Fn(usize, usize) -> bool) -> Vec<usize> {
    let mut found = vec![root];
    let mut next = 0;
    while let Some(&from) = found.get(next) {
        next += 1;
        for to in 0..count {
            if !found.contains(&to) && to != from && follows(from, to) {
                found.push(to);
            }
        }
    }
    found
}

/// Both lead to one critical finding.
fn shares(a: &[usize], b: &[usize], findings: &[Finding]) -> bool {
    a.iter().any(|at| b.contains(at) && findings[*at].severity == Severity::Critical)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::at;
    use crate::verdict::testing::Scene;

    fn finding(ms: u64, link: &str, kind: FindingKind, severity: Severity) -> Finding {
        let link = Some(crate::timeline::LinkName { ifindex: 0, name: link.to_owned() });
        Finding { severity, ..Finding::new(kind, link, at(ms), "x") }
    }

    fn ordered(findings: Vec<Finding>) -> Ordered {
        let scene = Scene::lacp();
        let facts = scene.facts();
        order(&Case::new(&scene.incident, &facts), findings)
    }

    fn kinds(findings: &[Finding]) -> Vec<FindingKind> {
        findings.iter().map(|finding| finding.kind).collect()
    }

    #[test]
    fn consequences_stand_behind_their_cause_in_order_of_time() {
        let ordered = ordered(vec![
            finding(20_000, "bond0", FindingKind::BondDown, Severity::Critical),
            finding(10_000, "bond0", FindingKind::DuplicateStorm, Severity::Warning),
            finding(12_000, "bond0", FindingKind::TxBlackout, Severity::Critical),
            finding(0, "bond0", FindingKind::LacpTimeoutMismatch, Severity::Warning),
        ]);
        assert_eq!(kinds(&ordered.chain), [FindingKind::DuplicateStorm, FindingKind::TxBlackout, FindingKind::BondDown]);
        assert_eq!(kinds(&ordered.others), [FindingKind::LacpTimeoutMismatch]);
        assert!(!ordered.rivals);
    }

    #[test]
    fn a_cause_whose_message_came_late_is_the_cause() {
        let ordered = ordered(vec![
            finding(10_000, "bond0", FindingKind::BondDown, Severity::Critical),
            finding(10_900, "eth1", FindingKind::CarrierLoss, Severity::Critical),
        ]);
        assert_eq!(kinds(&ordered.chain), [FindingKind::CarrierLoss, FindingKind::BondDown]);
    }

    #[test]
    fn what_came_again_and_again_is_told_once() {
        let silent = |ms: u64| finding(ms, "eth1", FindingKind::PartnerSilent, Severity::Warning).until(Some(at(ms + 4000)));
        let merged = merge_repeated(vec![silent(10_000), silent(20_000), silent(30_000)]);
        assert_eq!((merged.len(), merged[0].at, merged[0].until), (1, at(10_000), Some(at(34_000))));
        assert_eq!(merged[0].text, "x (3 times)");
        let carriers = [10_000, 50_000].map(|ms| finding(ms, "eth1", FindingKind::CarrierLoss, Severity::Warning));
        assert_eq!(merge_repeated(carriers.to_vec()).len(), 2);
    }

    #[test]
    fn what_comes_after_the_fall_is_not_its_cause() {
        let ordered = ordered(vec![
            finding(10_000, "bond0", FindingKind::BondDown, Severity::Critical),
            finding(15_000, "eth1", FindingKind::CarrierLoss, Severity::Warning),
        ]);
        assert_eq!(
            (kinds(&ordered.chain), kinds(&ordered.others)),
            (vec![FindingKind::BondDown], vec![FindingKind::CarrierLoss])
        );
    }

    #[test]
    fn two_causes_of_one_fall_are_rivals() {
        let ordered = ordered(vec![
            finding(9_000, "bond0", FindingKind::DuplicateStorm, Severity::Warning),
            finding(9_500, "eth1", FindingKind::CarrierLoss, Severity::Warning),
            finding(10_000, "bond0", FindingKind::BondDown, Severity::Critical),
        ]);
        assert!(ordered.rivals);
    }

    #[test]
    fn both_carriers_are_one_story() {
        let ordered = ordered(vec![
            finding(10_000, "eth1", FindingKind::CarrierLoss, Severity::Warning),
            finding(10_050, "eth2", FindingKind::CarrierLoss, Severity::Critical),
            finding(10_150, "bond0", FindingKind::BondDown, Severity::Critical),
        ]);
        assert_eq!(kinds(&ordered.chain), [FindingKind::CarrierLoss, FindingKind::CarrierLoss, FindingKind::BondDown]);
        assert!(ordered.others.is_empty() && !ordered.rivals);
    }
}
