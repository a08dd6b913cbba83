//! The ends want LACPDUs at different rates: legal, and a trap, as one end then notices a fault 30 times later than the other.

use super::receiving::{Gap, gaps};
use crate::direction::Direction;
use crate::time::SECOND;
use crate::verdict::case::{Case, fact};
use crate::verdict::{Confidence, Finding, FindingKind, Severity};

/// Speaks once for each bond whose ends, while they work, ask for different rates: a warning, and critical where the partner's LACPDUs do
/// come more slowly than this end waits. Stays silent about ports that do not work: an
/// expired one asks for the fast rate for a moment.
pub fn timeout_mismatch(case: &Case<'_>) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for (name, talk) in case.talks() {
        let scope = case.scope(name);
        if found.iter().any(|other| case.scope(other.link_name()) == scope) {
            continue;
        }
        let working = |pdu: &&crate::verdict::lacp::Pdu<'_>| pdu.pdu.actor.state.is_working();
        let (Some(ours), Some(theirs)) = (talk.ours.iter().rfind(working), talk.theirs.iter().rfind(working)) else { continue };
        let (our_state, their_state) = (ours.pdu.actor.state, theirs.pdu.actor.state);
        if our_state.timeout() == their_state.timeout() {
            continue;
        }
        let rate = |fast: bool| if fast { "fast (1 s)" } else { "slow (30 s)" };
        let text = format!(
            "{scope} asks for LACPDUs at the {} rate, its partner at the {} rate",
            rate(our_state.timeout()),
            rate(their_state.timeout())
        );
        // One LACPDU alone between two long times without: they keep coming, too slowly for the end that waits.
        let waited = gaps(case, name, talk, Direction::Ingress);
        let alone = waited.windows(2).find(|pair| pair.first().and_then(|gap| gap.until) == pair.last().map(|gap| gap.from));
        // One pause may have another reason: it is only likely that a slow partner made it.
        let slow = |gap: &&Gap<'_>| gap.until.is_some_and(|until| until.since(gap.from) <= 31 * SECOND);
        let once = waited.iter().find(slow).filter(|_| our_state.timeout());
        let (severity, confidence, at) = match (alone.and_then(|pair| pair.first()), once) {
            (Some(first), _) => (Severity::Critical, Confidence::High, first.from),
            (None, Some(first)) => (Severity::Critical, Confidence::Medium, first.from),
            (None, None) => (Severity::Warning, Confidence::High, case.incident.from),
        };
        let told = alone.and_then(|pair| pair.first()).or(once);
        let slow_end = if our_state.timeout() { "the partner" } else { "this end" };
        found.push(
            Finding::new(FindingKind::LacpTimeoutMismatch, Some(case.link(&scope)), at, text)
                .weighed(severity, confidence)
                .action(format!(
                    "Set the same LACP rate at both ends of {scope}: {slow_end} would notice a fault after 90 s only"
                ))
                .evidence([
                    ours.evidence(format!("our LACPDU says: {our_state}")),
                    theirs.evidence(format!("the partner's LACPDU says: {their_state}")),
                ])
                .evidence(told.and_then(|gap| Some((gap, gap.until?))).map(|(gap, until)| {
                    let seconds = until.since(gap.from) as f64 / 1e9;
                    fact(format!(
                        "the partner's LACPDUs come {seconds:.1} s apart: {name} gives it up after {} s",
                        gap.limit / SECOND
                    ))
                })),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::testing::{Scene, WORKING};

    /// Working, and asking for the slow rate.
    const SLOW: u8 = WORKING & !2;

    #[test]
    fn ends_that_want_different_rates_are_told_once_for_the_bond() {
        let scene = ["eth1", "eth2"]
            .into_iter()
            .fold(Scene::lacp(), |scene, slave| scene.talk_ours(0..60_000, slave, SLOW).talk_theirs(0..60_000, slave, WORKING));
        let found = scene.run(timeout_mismatch);
        assert_eq!((found.len(), found[0].link_name(), found[0].severity), (1, "bond0", Severity::Warning));
        assert!(found[0].action.ends_with("this end would notice a fault after 90 s only"), "{}", found[0].action);
    }

    #[test]
    fn lacpdus_that_come_too_slowly_make_it_critical() {
        let scene = Scene::lacp().talk_ours(0..60_000, "eth1", WORKING).talk_theirs(0..10_000, "eth1", SLOW);
        let scene = (17..60).step_by(8).fold(scene, |scene, second| scene.theirs(second * 1000, "eth1", SLOW));
        let found = scene.run(timeout_mismatch);
        assert_eq!((found[0].severity, found[0].at), (Severity::Critical, crate::samples::at(9_000)));
        assert!(
            format!("{:?}", found[0].evidence).contains("come 8.0 s apart: eth1 gives it up after 3 s"),
            "{:?}",
            found[0].evidence
        );
    }

    #[test]
    fn it_is_silent_when_they_agree_or_do_not_work() {
        assert_eq!(Scene::lacp().talk(0..60_000, "eth1", WORKING).run(timeout_mismatch), []);
        let scene = Scene::lacp().talk_ours(0..60_000, "eth1", SLOW).talk_theirs(0..60_000, "eth1", 0x87);
        assert_eq!(scene.run(timeout_mismatch), []);
    }
}
