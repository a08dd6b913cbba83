//! The next hop does not answer.

use super::tx_blackout::tx_blackout;
use crate::facts::{Ask, Dialogue, Silence};
use crate::reach::Method;
use crate::time::{Mono, SECOND};
use crate::timeline::{Entry, What};
use crate::verdict::case::{Case, entry, packet};
use crate::verdict::life::SLACK;
use crate::verdict::{Confidence, Evidence, Finding, FindingKind, Severity};

/// Questions without an answer from which on a neighbour that answered before is unreachable.
const QUESTIONS: u64 = 3;
/// …and for how long, nanoseconds.
const LASTS: u64 = 2 * SECOND;

/// Speaks when probes of a next hop are lost, or when a neighbour that had answered leaves several ARP requests or solicitations
/// unanswered. Stays silent about addresses that never answered (routers ask for such ones all the time), and about what a TX blackout
/// explains.
pub fn next_hop(case: &Case<'_>) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    let mut add = |finding: Finding| match found.iter_mut().find(|other| other.link == finding.link) {
        Some(other) => {
            other.at = other.at.min(finding.at);
            other.until = other.until.zip(finding.until).map(|(a, b)| a.max(b));
            other.evidence.extend(finding.evidence);
        }
        None => found.push(finding),
    };
    for (begin, end) in unreachable(case, true) {
        let What::Reach { target, .. } = &begin.what else { continue };
        let text = format!("{target} does not answer");
        let (at, evidence) = lost_probes(case, begin);
        add(finding(case, scope_of(case, begin), at, end.map(|entry| entry.at), text).evidence(evidence));
    }
    let blackouts = tx_blackout(case);
    for (dialogue, silence) in silences(case).filter(|(dialogue, _)| dialogue.ask != Ask::Icmp) {
        let scope = case.scope(&silence.first.link);
        // Questions that are not answered are what a blackout is known by: they are told there.
        if blackouts.iter().any(|blackout| blackout.link_name() == scope && blackout.at <= silence.first.at.plus(SLACK)) {
            continue;
        }
        let text = format!("{} is asked and does not answer: {}", dialogue.target, dialogue.words());
        let until = silence.after.as_ref().map(|mark| mark.at);
        add(finding(case, Some(scope), silence.first.at, until, text).evidence(question_marks(dialogue, &silence)));
    }
    for finding in &mut found {
        finding.evidence.sort_by_key(Evidence::at);
        finding.evidence.truncate(8);
    }
    found
}

fn finding(case: &Case<'_>, scope: Option<String>, at: Mono, until: Option<Mono>, text: String) -> Finding {
    Finding::new(FindingKind::NextHopUnreachable, scope.map(|scope| case.link(&scope)), at, text)
        .until(until)
        .weighed(Severity::Critical, Confidence::High)
        .action("Look at the next hop itself: is it up, has it still this address, is it in this VLAN")
}

/// Entries that tell of a target that stopped answering, with those that tell of its answering again: next hops, or what lies behind.
pub fn unreachable<'a>(case: &Case<'a>, next_hops: bool) -> Vec<(&'a Entry, Option<&'a Entry>)> {
    let timeline: &'a [Entry] = &case.incident.timeline;
    let mut found = Vec::new();
    for (place, begin) in timeline.iter().enumerate() {
        let What::Reach { target, method, up: false, .. } = &begin.what else { continue };
        if is_next_hop(target, *method) != next_hops || never_answered(case, target, begin.at) {
            continue;
        }
        let again = |entry: &&Entry| matches!(&entry.what, What::Reach { target: of, up: true, .. } if of == target);
        found.push((begin, timeline.iter().skip(place).find(again)));
    }
    found
}

/// A target that was probed before and never answered: it may never have been there.
fn never_answered(case: &Case<'_>, target: &str, at: Mono) -> bool {
    let mut before = case.incident.probes.iter().filter(|probe| probe.target == target && probe.at <= at).peekable();
    before.peek().is_some() && !before.any(|probe| matches!(probe.answer, crate::reach::Answer::Rtt(_)))
}

/// ARP and solicitations ask neighbours; so do probes of what the routing table calls a next hop.
pub fn is_next_hop(target: &str, method: Method) -> bool {
    target.starts_with("next-hop") || method != Method::Icmp
}

/// When the first of the lost probes was sent, and what tells it.
pub fn lost_probes(case: &Case<'_>, begin: &Entry) -> (Mono, Vec<Evidence>) {
    let What::Reach { target, .. } = &begin.what else { return (begin.at, vec![entry(begin)]) };
    let mine = case.incident.probes.iter().filter(|probe| probe.target == *target && probe.at <= begin.at);
    let answered = |probe: &&crate::reach::ProbeSample| matches!(probe.answer, crate::reach::Answer::Rtt(_));
    let first = mine.rev().take_while(|probe| !answered(probe)).last();
    let at = first.map_or(begin.at, |probe| probe.at);
    let told = first.map(|probe| Evidence::Entry { at: probe.at, text: format!("the first probe of {target} that was lost") });
    (at, told.into_iter().chain([entry(begin)]).collect())
}

/// Whose link an entry is about.
pub fn scope_of(case: &Case<'_>, entry: &Entry) -> Option<String> {
    let named = entry.link.as_ref().map(|link| case.scope(&link.name));
    // A probe of `next-hop 10.0.0.1 dev bond0` names it in its target.
    let in_target = || match &entry.what {
        What::Reach { target, .. } => target.split_once(" dev ").map(|(_, dev)| case.scope(dev.split(' ').next().unwrap_or(dev))),
        _ => None,
    };
    // Where nobody says, and there is one bond only, it is about that.
    let only = || match case.bonds.as_slice() {
        [only] => Some(only.link.name.clone()),
        _ => None,
    };
    named.or_else(in_target).or_else(only)
}

/// Those that had answered and then left several questions unanswered.
pub fn silences<'a>(case: &Case<'a>) -> impl Iterator<Item = (&'a Dialogue, Silence)> {
    let end = case.incident.to;
    let of = move |dialogue: &'a Dialogue| dialogue.silences(end).into_iter().map(move |silence| (dialogue, silence));
    let lasting = |silence: &Silence| silence.questions >= QUESTIONS && silence.last.at.since(silence.first.at) >= LASTS;
    case.facts.dialogues.iter().flat_map(of).filter(move |(_, silence)| silence.before.is_some() && lasting(silence))
}

/// The packets around a silence.
pub fn question_marks(dialogue: &Dialogue, silence: &Silence) -> Vec<Evidence> {
    let (asks, answer) = (dialogue.ask.question(), dialogue.ask.answer());
    let who = dialogue.target;
    let mut found: Vec<Evidence> =
        silence.before.iter().map(|mark| packet(mark, format!("the last {answer} of {who} before"))).collect();
    found.push(packet(
        &silence.first,
        format!("the first {asks} for {who} without an answer; {} follow", silence.questions.saturating_sub(1)),
    ));
    found.extend(silence.after.iter().map(|mark| packet(mark, format!("the first {answer} of {who} again"))));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::at;
    use crate::verdict::testing::Scene;

    #[test]
    fn lost_probes_of_a_next_hop_are_found_from_the_first_one_on() {
        let scene = Scene::lacp().probes(0..20_000, "next-hop 10.0.0.1 dev bond0", 10_000).reach(
            13_000,
            "next-hop 10.0.0.1 dev bond0",
            false,
        );
        let found = scene.run(next_hop);
        assert_eq!((found.len(), found[0].link_name(), found[0].at, found[0].until), (1, "bond0", at(10_000), None));
    }

    #[test]
    fn a_neighbour_that_stops_answering_is_found_from_the_packets() {
        let scene = Scene::active_backup().answered(0..10_000, "eth1", [10, 0, 0, 1]).asks(10_000..20_000, "eth1", [10, 0, 0, 1]);
        let found = scene.run(next_hop);
        assert_eq!((found.len(), found[0].link_name(), found[0].at), (1, "bond0", at(10_000)));
    }

    #[test]
    fn it_is_silent_about_who_never_answered_and_about_targets_behind() {
        assert_eq!(Scene::lacp().asks(0..20_000, "eth1", [10, 0, 0, 9]).run(next_hop), []);
        assert_eq!(Scene::lacp().reach(13_000, "10.0.80.11", false).run(next_hop), []);
        assert_eq!(Scene::lacp().answered(0..60_000, "eth1", [10, 0, 0, 1]).run(next_hop), []);
    }
}
