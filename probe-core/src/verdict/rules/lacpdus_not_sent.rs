//! We do not send LACPDUs.

use super::lacpdus_not_arriving::losses;
use super::partner_silent::evidence;
use super::receiving::gaps;
use crate::direction::Direction;
use crate::lacp::Grown;
use crate::time::Mono;
use crate::timeline::{Entry, What};
use crate::verdict::case::{Case, entry, fact};
use crate::verdict::lacp::{Pdu, Talk};
use crate::verdict::life::of_link;
use crate::verdict::{Confidence, Finding, FindingKind};

/// Speaks when none of our LACPDUs passed a slave's egress tap for three periods while slave and bond were up, or when the partner
/// expired and none had. Stays silent where the capture does not reach back as far.
pub fn lacpdus_not_sent(case: &Case<'_>) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for (name, talk) in case.talks() {
        let finding = |at: Mono| {
            Finding::new(
                FindingKind::LacpdusNotSent,
                Some(case.link(name)),
                at,
                format!("{name}: we sent no LACPDU for three periods, with the link up"),
            )
            .weighed(case.severity_of_loss(name, at), Confidence::High)
            .action(
                "The bonding driver does not get to send: look at the CPU's load, the kernel log and the bond's configuration",
            )
        };
        for gap in gaps(case, name, talk, Direction::Egress) {
            let mut told = finding(gap.from).until(gap.until).evidence(evidence(&gap, "our last LACPDU"));
            if let Some((counted, grown)) = counters(case, name, gap.from, gap.until) {
                told = told.evidence([entry(counted)]);
                if grown.seen_sent == 0 && grown.counters.sent > 0 {
                    told.text = format!("{name}: the bond sent LACPDUs by its own count, and none passed the slave's egress tap");
                    told.confidence = Confidence::Medium;
                    told.action = format!(
                        "Something between the bond and {name}'s transmission takes them: look at what else is attached there"
                    );
                }
            }
            found.push(told);
        }
        let bond = case.bond_of(name).and_then(|bond| case.life(&bond.link.name));
        let set_down = |at: Mono| bond.is_some_and(|life| life.admin_down.iter().any(|span| span.touches(at)));
        for lost in losses(case, name, talk).into_iter().filter(|lost| !set_down(lost.pdu.at)) {
            let reaches_back = lost.pdu.at.since(case.incident.from) >= lost.limit && case.facts.complete_from[0].is_none();
            let told = found.iter().any(|other| other.link_name() == name && other.covers(lost.pdu.at));
            if reaches_back && !told && sent_before(talk, lost.pdu.at, lost.limit).is_empty() && has_egress(case, name) {
                let at = lost.pdu.at.minus(lost.limit);
                found.push(finding(at).until(lost.until).evidence([
                    lost.pdu.evidence(format!("the partner's LACPDU says: {}", lost.pdu.pdu.actor.state)),
                    fact(format!("no LACPDU passed {name}'s egress tap before")),
                ]));
            }
        }
    }
    found
}

/// What the bonding driver counted at a slave beside the taps, as the kernel was asked when LACP had failed.
pub fn counters<'a>(case: &Case<'a>, name: &str, from: Mono, until: Option<Mono>) -> Option<(&'a Entry, Grown)> {
    let until = until.unwrap_or(case.incident.to);
    of_link(case.incident, name).find_map(|entry| match entry.what {
        What::LacpCounters(grown) if (from..=until).contains(&entry.at) => Some((entry, grown)),
        _ => None,
    })
}

/// Our LACPDUs in the time before the partner missed them: those that it did not get, where it works as the standard wants.
pub fn sent_before<'a, 'b>(talk: &'b Talk<'a>, at: Mono, limit: u64) -> Vec<&'b Pdu<'a>> {
    // The partner counts from the last one that arrived: that is the first of this time.
    let from = at.minus(limit - limit / 6);
    talk.ours.iter().filter(|pdu| pdu.at < at && pdu.at >= from).collect()
}

/// There is an egress tap that would have seen them.
fn has_egress(case: &Case<'_>, name: &str) -> bool {
    case.incident.taps.iter().any(|tap| tap.link.name == name && tap.direction == Direction::Egress.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lacp::LacpCounters;
    use crate::samples::at;
    use crate::verdict::testing::{EXPIRED, Scene, WORKING};

    #[test]
    fn our_own_silence_is_found() {
        let found =
            Scene::lacp().talk(0..10_000, "eth1", WORKING).talk_theirs(10_000..60_000, "eth1", WORKING).run(lacpdus_not_sent);
        assert_eq!((found.len(), found[0].at), (1, at(9_000)));
    }

    #[test]
    fn what_the_bond_counted_and_the_tap_did_not_see_is_told_apart() {
        let silent = || Scene::lacp().talk(0..10_000, "eth1", WORKING).talk_theirs(10_000..60_000, "eth1", WORKING);
        let grown = |sent| Grown { counters: LacpCounters { sent, ..LacpCounters::default() }, ..Grown::default() };
        let found = silent().what(14_000, "eth1", What::LacpCounters(grown(4))).run(lacpdus_not_sent);
        assert!(found[0].text.contains("by its own count, and none passed"), "{}", found[0].text);
        assert_eq!(found[0].confidence, Confidence::Medium);
        let found = silent().what(14_000, "eth1", What::LacpCounters(grown(0))).run(lacpdus_not_sent);
        assert_eq!((found[0].confidence, found[0].evidence.len()), (Confidence::High, 2));
    }

    #[test]
    fn a_partner_that_expires_with_nothing_sent_tells_it() {
        let found = Scene::lacp().talk_theirs(0..10_000, "eth1", WORKING).theirs(13_000, "eth1", EXPIRED).run(lacpdus_not_sent);
        assert_eq!((found.len(), found[0].at), (1, at(10_000)));
    }

    #[test]
    fn it_is_silent_while_we_send_and_when_the_bond_was_set_down() {
        let sent = Scene::lacp().talk(0..10_000, "eth1", WORKING).talk_ours(10_000..60_000, "eth1", WORKING);
        assert_eq!(sent.run(lacpdus_not_sent), []);
        let down = Scene::lacp().talk(0..10_000, "eth1", WORKING).admin(10_000, "bond0", false);
        assert_eq!(down.run(lacpdus_not_sent), []);
    }
}
