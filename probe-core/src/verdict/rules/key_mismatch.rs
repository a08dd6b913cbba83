//! Slaves of one bond whose partners differ in system or key, or that cannot be aggregated: they end up in aggregators of their own.

use crate::link::mac_text;
use crate::time::{Mono, SECOND};
use crate::verdict::case::Case;
use crate::verdict::lacp::Pdu;
use crate::verdict::{Confidence, Finding, FindingKind, Severity};

/// A disagreement that is over sooner is a partner that changes slave by slave.
const LASTS: u64 = 5 * SECOND;
/// So long must one have lasted that goes on at the window's end.
const GOES_ON: u64 = 3 * SECOND;

/// Speaks when the partners of a bond's slaves have different systems or keys, or one says that it is individual. Stays silent while
/// the slaves change one after the other, and about slaves that are down.
pub fn key_mismatch(case: &Case<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for bond in &case.bonds {
        for mismatch in mismatches(case, &bond.link.name) {
            let (name, slave) = (&bond.link.name, &mismatch.slave);
            let evidence = mismatch.pdus.iter().map(|(slave, pdu)| {
                let actor = &pdu.pdu.actor;
                let text = format!(
                    "the partner at {slave}: system {}, key {}; it says: {}",
                    mac_text(actor.system),
                    actor.key,
                    actor.state
                );
                pdu.evidence(text)
            });
            let text = format!("{slave} is not in the aggregator of {name}: its partner has {}", mismatch.what);
            found.push(
                Finding::new(FindingKind::LacpKeyMismatch, Some(case.link(slave)), mismatch.from, text)
                    .until(mismatch.until)
                    .weighed(Severity::Warning, Confidence::High)
                    .action(format!(
                        "Check that the other end of {slave} is in the same port channel as that of the other slaves of {name}"
                    ))
                    .evidence(evidence),
            );
        }
    }
    found
}

/// A time in which the partners of a bond's slaves disagree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch<'a> {
    /// Start: the last LACPDU of the odd one's former partner, where it had one.
    pub from: Mono,
    /// When LACPDUs told it.
    pub seen: Mono,
    /// End, where there is one.
    pub until: Option<Mono>,
    /// The slave that is not as the others.
    pub slave: String,
    /// In what, in words.
    pub what: String,
    /// The LACPDUs that tell it, by slave.
    pub pdus: Vec<(String, Pdu<'a>)>,
}

/// The lasting disagreements in a bond.
pub fn mismatches<'a>(case: &Case<'a>, bond: &str) -> Vec<Mismatch<'a>> {
    let Some(bond) = case.bond(bond).filter(|bond| bond.slaves.len() > 1) else { return Vec::new() };
    let talks: Vec<_> = bond.slaves.iter().filter_map(|slave| Some((slave.as_str(), case.talk(slave)?))).collect();
    let mut times: Vec<Mono> = talks.iter().flat_map(|(_, talk)| talk.theirs.iter().map(|pdu| pdu.at)).collect();
    times.sort();
    let mut found: Vec<Mismatch<'a>> = Vec::new();
    for at in times {
        let now: Vec<(&str, &Pdu<'a>)> = talks
            .iter()
            .filter(|(slave, _)| case.life(slave).is_none_or(|life| life.is_up(at)))
            .filter_map(|(slave, talk)| Some((*slave, talk.theirs.iter().rfind(|pdu| pdu.at <= at && heard_lately(pdu, at))?)))
            .collect();
        let odd = odd_one(&now);
        let open = found.last_mut().filter(|mismatch| mismatch.until.is_none());
        match (open, odd) {
            (Some(mismatch), None) => mismatch.until = Some(at),
            (None, Some((slave, what))) => {
                let pdus = now.iter().map(|(slave, pdu)| ((*slave).to_owned(), **pdu)).collect();
                let from = former(case, &slave, at).unwrap_or(at);
                found.push(Mismatch { from, seen: at, until: None, slave, what, pdus });
            }
            _ => {}
        }
    }
    found.retain(|mismatch| match mismatch.until {
        Some(until) => until.since(mismatch.seen) >= LASTS,
        None => case.incident.to.since(mismatch.seen) >= GOES_ON,
    });
    found
}

/// When the partner that a slave had before was last heard, if it had another one.
fn former(case: &Case<'_>, slave: &str, at: Mono) -> Option<Mono> {
    let theirs = &case.talk(slave)?.theirs;
    let now = theirs.iter().rfind(|pdu| pdu.at <= at)?.pdu.actor;
    let other = |pdu: &&Pdu<'_>| (pdu.pdu.actor.system, pdu.pdu.actor.key) != (now.system, now.key);
    theirs.iter().filter(|pdu| pdu.at < at).rfind(other).map(|pdu| pdu.at)
}

/// A LACPDU of long ago tells nothing of now.
fn heard_lately(pdu: &Pdu<'_>, at: Mono) -> bool {
    let fast = pdu.pdu.partner.state.timeout();
    at.since(pdu.at) <= if fast { 3 * SECOND } else { 90 * SECOND }
}

/// The slave that differs from the first one that works, or from the first of them, and in what.
fn odd_one(now: &[(&str, &Pdu<'_>)]) -> Option<(String, String)> {
    let individual = now.iter().find(|(_, pdu)| !pdu.pdu.actor.state.aggregation());
    if let Some((slave, _)) = individual.filter(|_| now.len() > 1) {
        return Some(((*slave).to_owned(), "not the aggregation flag: it is individual".to_owned()));
    }
    let works = |pdu: &Pdu<'_>| pdu.pdu.actor.state.is_working() && pdu.pdu.partner.state.is_working();
    let (main, model) = now.iter().find(|(_, pdu)| works(pdu)).or(now.first())?;
    now.iter().filter(|(slave, _)| slave != main).find_map(|(slave, pdu)| {
        let (model, actor) = (&model.pdu.actor, &pdu.pdu.actor);
        let what = if actor.system != model.system {
            format!("the system {}, that of {main} has {}", mac_text(actor.system), mac_text(model.system))
        } else if actor.key != model.key {
            format!("the key {}, that of {main} has {}", actor.key, model.key)
        } else {
            return None;
        };
        Some(((*slave).to_owned(), what))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::at;
    use crate::verdict::testing::{Scene, WORKING};

    #[test]
    fn a_slave_whose_partner_has_another_key_is_named() {
        let scene = Scene::lacp().talk(0..60_000, "eth1", WORKING).talk(0..10_000, "eth2", WORKING);
        let found = scene.key(77).talk(10_000..60_000, "eth2", 7).run(key_mismatch);
        assert_eq!((found.len(), found[0].link_name(), found[0].at), (1, "eth2", at(9_000)));
        assert!(found[0].text.contains("the key 77, that of eth1 has 17"), "{}", found[0].text);
    }

    #[test]
    fn one_that_was_so_from_the_start_is_found_too() {
        let scene = Scene::lacp().talk(0..60_000, "eth1", WORKING).key(77).talk(0..60_000, "eth2", 7);
        assert_eq!(scene.run(key_mismatch).len(), 1);
    }

    #[test]
    fn it_is_silent_while_a_partner_restarts_slave_by_slave_and_about_a_slave_that_is_down() {
        let scene = Scene::lacp().talk(0..10_000, "eth1", WORKING).talk(0..12_000, "eth2", WORKING);
        let scene = scene.system(9).talk(10_000..60_000, "eth1", WORKING).talk(12_000..60_000, "eth2", WORKING);
        assert_eq!(scene.run(key_mismatch), []);
        let down = Scene::lacp().talk(0..10_000, "eth1", WORKING).carrier(10_000, "eth1", false).talk(0..10_000, "eth2", WORKING);
        assert_eq!(down.system(9).talk(10_000..60_000, "eth2", WORKING).run(key_mismatch), []);
    }
}
