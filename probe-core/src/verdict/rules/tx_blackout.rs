//! What is handed over for transmission does not reach the other end, and receiving works.

use std::collections::BTreeSet;

use super::lacpdus_not_arriving::{losses, proves};
use super::lacpdus_not_sent::sent_before;
use super::next_hop::question_marks;
use crate::direction::Direction;
use crate::facts::{Ask, Dialogue, Silence};
use crate::time::{Mono, SECOND};
use crate::timeline::What;
use crate::verdict::case::{Case, entry, fact, packet};
use crate::verdict::life::SLACK;
use crate::verdict::{Confidence, Evidence, Finding, FindingKind, Severity};

/// Most dialogues that are shown.
const TOLD: usize = 3;

/// Speaks for a bond or interface whose drivers send less than they are handed; whose questions stay unanswered while the partner of
/// each slave misses our LACPDUs; or of whose neighbours several fall silent together. In each case something must be received
/// meanwhile. Stays silent when only one neighbour is silent, and when carriers went.
pub fn tx_blackout(case: &Case<'_>) -> Vec<Finding> {
    let mut scopes: Vec<String> = case.bonds.iter().map(|bond| bond.link.name.clone()).collect();
    let lone = case.lives().filter(|(name, _)| case.bond_of(name).is_none() && case.scope(name) == *name);
    scopes.extend(lone.map(|(name, _)| name.to_owned()));
    scopes.iter().filter_map(|scope| in_scope(case, scope)).collect()
}

fn in_scope(case: &Case<'_>, scope: &str) -> Option<Finding> {
    let slaves = case.bond(scope).map_or_else(|| vec![scope.to_owned()], |bond| bond.slaves.clone());
    let told = blackouts(case, scope);
    let lost = lacp_lost(case, &slaves);
    let silent = silences(case, scope, lost.as_ref().map(|(at, _)| *at));
    // Whoever is asked by echo may be reached through one of the others.
    let neighbour = |dialogue: &Dialogue| dialogue.ask != Ask::Icmp;
    let fell = silent.iter().filter(|(dialogue, silence)| neighbour(dialogue) && silence.before.is_some());
    let fell_silent = fell.map(|(dialogue, _)| dialogue.target).collect::<BTreeSet<_>>().len();
    // A partner that goes on to get our LACPDUs proves that what we send arrives.
    let partner_hears = lost.is_none() && slaves.iter().any(|slave| case.talk(slave).is_some_and(|talk| !talk.theirs.is_empty()));
    let nobody_answers = |at: Mono| !answered_after(case, scope, at);
    // What proves it: the counters; LACP and nobody's answer; several neighbours at once.
    let (proof, confidence) = match (&told, &lost) {
        (Some((at, ..)), _) => (*at, Confidence::High),
        (None, Some((at, _))) if !silent.is_empty() || (nobody_answers(*at) && slaves.len() > 1) => (*at, Confidence::High),
        (None, None) if fell_silent > 1 && !partner_hears => (silent.first()?.1.first.at, Confidence::Medium),
        _ => return None,
    };
    let begin = silent.iter().map(|(_, silence)| silence.first.at).chain([proof]).min()?;
    let at = lost.as_ref().map_or(begin, |(_, sent)| sent.map_or(begin, |sent| begin.min(sent)));
    let end = told
        .as_ref()
        .and_then(|(_, until, _)| *until)
        .or_else(|| silent.iter().filter_map(|(_, s)| s.after.as_ref()).map(|mark| mark.at).min());
    let to = end.unwrap_or(case.incident.to);
    let up = |name: &String| {
        case.life(name).is_none_or(|life| life.is_up(at) && life.is_up(proof.min(to)) && !life.was_taken_down(at))
    };
    let heard = case.heard(scope, at, to);
    let counted: u64 = slaves.iter().map(|slave| super::receiving::ingress(case, slave, at, to)).sum();
    if !slaves.iter().any(up) || (heard.is_none() && counted == 0) {
        return None;
    }
    let mut evidence: Vec<Evidence> = told.map(|(.., evidence)| evidence).unwrap_or_default();
    evidence.extend(silent.iter().take(TOLD).flat_map(|(dialogue, silence)| question_marks(dialogue, silence)));
    evidence.extend(heard.map(|heard| packet(&heard.best, format!("receiving works: {}", heard.text))));
    evidence.sort_by_key(Evidence::at);
    if heard.is_none() {
        evidence.push(fact(format!("receiving works: {counted} frames were received meanwhile")));
    }
    let names = slaves.join(" and ");
    let carriers = case.knows_carriers();
    if carriers {
        evidence.push(fact(format!("the carrier of {names} stayed")));
    }
    let unanswered = match (silent.is_empty(), lost.is_some()) {
        (false, true) => ": ARP and LACPDUs stay unanswered",
        (false, false) => ": questions stay unanswered",
        (true, true) => ": LACPDUs stay unanswered",
        (true, false) => "",
    };
    let text = format!(
        "what is handed to {names} does not reach the other end{unanswered}; receiving works{}",
        if carriers { " and the carriers are up" } else { "" }
    );
    Some(
        Finding::new(FindingKind::TxBlackout, Some(case.link(scope)), at, text)
            .until(end)
            .weighed(Severity::Critical, confidence)
            .action(format!("Take {scope} out of use or re-enslave its slaves one by one (ip link set {first} nomaster; ip link set {first} master {scope}); then look at the driver's queues: ethtool -S {first}", first = slaves.first().map_or("", String::as_str)))
            .evidence(evidence),
    )
}

/// What the counters told: start, end, evidence.
fn blackouts(case: &Case<'_>, scope: &str) -> Option<(Mono, Option<Mono>, Vec<Evidence>)> {
    let entries: Vec<_> =
        case.entries(scope).filter(|entry| matches!(entry.what, What::Blackout { direction: Direction::Egress, .. })).collect();
    let begins = |begin: bool| move |entry: &&&crate::timeline::Entry| matches!(entry.what, What::Blackout { begins, .. } if begins == begin);
    let first = entries.iter().find(begins(true))?;
    let until = entries.iter().rfind(begins(false)).map(|entry| entry.at).filter(|at| *at > first.at);
    Some((first.at, until, entries.iter().take(4).map(|told| entry(told)).collect()))
}

/// When the partners of all slaves that had one missed our LACPDUs, and our first one that was lost.
fn lacp_lost(case: &Case<'_>, slaves: &[String]) -> Option<(Mono, Option<Mono>)> {
    let mut first: Option<(Mono, Option<Mono>)> = None;
    for slave in slaves {
        let Some(talk) = case.talk(slave).filter(|talk| !talk.theirs.is_empty()) else { continue };
        let life_ok = |at: Mono| case.life(slave).is_none_or(|life| life.is_up(at));
        let loss = losses(case, slave, talk).into_iter().find(|loss| life_ok(loss.pdu.at));
        let Some(loss) = loss else {
            // One that is down anyway does not count; one whose LACPDUs arrive rules it out.
            if life_ok(case.incident.to) { return None } else { continue }
        };
        let sent = sent_before(talk, loss.pdu.at, loss.limit);
        if !proves(case, &sent, &loss) {
            return None;
        }
        let lost = sent.first().map(|pdu| pdu.at);
        first = Some(match first {
            None => (loss.pdu.at, lost),
            Some((at, sent)) => (at.min(loss.pdu.at), sent.zip(lost).map(|(a, b)| a.min(b)).or(sent).or(lost)),
        });
    }
    first
}

/// Questions in a scope that nobody answered. Who never answered at all counts only when LACP was lost, and only if first asked after
/// the last answer of anybody.
fn silences<'a>(case: &Case<'a>, scope: &str, lost: Option<Mono>) -> Vec<(&'a Dialogue, Silence)> {
    let end = case.incident.to;
    let here = |silence: &Silence| case.scope(&silence.first.link) == scope;
    let all = || {
        case.facts
            .dialogues
            .iter()
            .flat_map(|dialogue| dialogue.silences(end).into_iter().map(move |silence| (dialogue, silence)))
    };
    let answers = || case.facts.dialogues.iter().flat_map(|dialogue| &dialogue.exchanges).filter(|exchange| exchange.answer);
    let last_answer = |until: Mono| {
        answers()
            .filter(|exchange| exchange.mark.at <= until && case.scope(&exchange.mark.link) == scope)
            .map(|exchange| exchange.mark.at)
            .max()
    };
    let mut found: Vec<_> = all()
        .filter(|(_, silence)| here(silence))
        .filter(|(_, silence)| match lost {
            Some(lost) => {
                let proven = last_answer(lost).unwrap_or(Mono(0));
                let goes_on = silence.after.as_ref().is_none_or(|after| after.at >= lost);
                silence.first.at <= lost && goes_on && silence.first.at.plus(SLACK) >= proven
            }
            None => silence.before.is_some() && silence.questions > 2 && !answered_after(case, scope, silence.first.at),
        })
        .collect();
    found.sort_by_key(|(_, silence)| silence.first.at);
    // Where one that had answered fell silent, it tells when; the others could have been silent before.
    let known = found.iter().filter(|(_, silence)| silence.before.is_some()).map(|(_, silence)| silence.first.at).min();
    found.retain(|(_, silence)| known.is_none_or(|known| silence.first.at >= known));
    found
}

/// Somebody answered within a few seconds of `at`, or later before a fall silent ends.
fn answered_after(case: &Case<'_>, scope: &str, at: Mono) -> bool {
    let end = at.plus(5 * SECOND).min(case.incident.to);
    let answered = case.facts.dialogues.iter().filter_map(|dialogue| dialogue.answer_within(at.plus(SECOND), end));
    answered.into_iter().any(|mark| case.scope(&mark.link) == scope)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::at;
    use crate::verdict::testing::{DEFAULTED, EXPIRED, Scene, WORKING};

    fn expired_on_both() -> Scene {
        ["eth1", "eth2"].into_iter().fold(Scene::lacp(), |scene, slave| {
            scene
                .talk(0..10_000, slave, WORKING)
                .talk_ours(10_000..20_000, slave, WORKING)
                .theirs(13_000, slave, EXPIRED)
                .theirs(16_000, slave, DEFAULTED)
        })
    }

    #[test]
    fn lacpdus_and_questions_without_answers_while_frames_come_are_a_tx_blackout() {
        let scene = expired_on_both()
            .answered(0..10_000, "eth1", [10, 0, 0, 1])
            .asks(10_000..20_000, "eth1", [10, 0, 0, 1])
            .hellos(0..60_000, "eth2");
        let found = scene.run(tx_blackout);
        assert_eq!((found.len(), found[0].link_name(), found[0].at), (1, "bond0", at(10_000)));
        assert!(found[0].text.contains("ARP and LACPDUs stay unanswered"), "{}", found[0].text);
        let receives = found[0].evidence.iter().any(
            |e| matches!(e, Evidence::Packet { text, .. } if text == "receiving works: HSRPv2 hello of 10.100.100.66, group 1"),
        );
        assert!(receives, "{:?}", found[0].evidence);
    }

    #[test]
    fn drivers_that_send_nothing_are_enough() {
        let begins = What::Blackout { direction: Direction::Egress, begins: true, text: "0 of 100 sent".to_owned() };
        let scene = Scene::active_backup().what(10_000, "eth1", begins).hellos(0..60_000, "eth1");
        assert_eq!(scene.run(tx_blackout).len(), 1);
    }

    #[test]
    fn without_lacp_two_neighbours_that_fall_silent_together_tell_it_with_less_certainty() {
        let scene = [1, 2].into_iter().fold(Scene::active_backup(), |scene, host| {
            scene.answered(0..10_000, "eth1", [10, 0, 0, host]).asks(10_000..20_000, "eth1", [10, 0, 0, host])
        });
        let found = scene.hellos(0..60_000, "eth1").run(tx_blackout);
        assert_eq!((found.len(), found[0].confidence), (1, Confidence::Medium));
    }

    #[test]
    fn it_is_silent_about_one_neighbour_and_while_lacpdus_arrive() {
        let one = Scene::active_backup().answered(0..10_000, "eth1", [10, 0, 0, 1]).asks(10_000..20_000, "eth1", [10, 0, 0, 1]);
        assert_eq!(one.hellos(0..60_000, "eth1").run(tx_blackout), []);
        let lacp = Scene::lacp().talk(0..60_000, "eth1", WORKING).talk(0..60_000, "eth2", WORKING);
        let lacp = lacp.answered(0..10_000, "eth1", [10, 0, 0, 1]).asks(10_000..20_000, "eth1", [10, 0, 0, 1]);
        assert_eq!(lacp.run(tx_blackout), []);
        let two = Scene::lacp().talk(0..60_000, "eth1", WORKING).talk(0..60_000, "eth2", WORKING);
        let two = [1, 2].into_iter().fold(two, |scene, host| {
            scene.answered(0..10_000, "eth1", [10, 0, 0, host]).asks(10_000..20_000, "eth1", [10, 0, 0, host])
        });
        assert_eq!(two.hellos(0..60_000, "eth1").run(tx_blackout), []);
    }

    #[test]
    fn it_is_silent_when_nothing_is_received_either() {
        let begins = What::Blackout { direction: Direction::Egress, begins: true, text: "0 of 100 sent".to_owned() };
        assert_eq!(Scene::active_backup().what(10_000, "eth1", begins).run(tx_blackout), []);
    }
}
