//! Another system, key or port answers at the other end.

use super::key_mismatch::mismatches;
use crate::lacp::PortInfo;
use crate::link::mac_text;
use crate::time::{Mono, SECOND};
use crate::verdict::case::Case;
use crate::verdict::lacp::Pdu;
use crate::verdict::{Confidence, Evidence, Finding, FindingKind, Severity};

/// Slaves of one bond that change within so long changed together: a partner that restarts.
const TOGETHER: u64 = 10 * SECOND;

/// Speaks when LACPDUs of another system, or with another key or port, come to a slave. Stays silent at the first one, and where the
/// slaves' partners then disagree: that is a mismatch.
pub fn partner_changed(case: &Case<'_>) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for (name, talk) in case.talks() {
        let scope = case.scope(name);
        let mismatched: Vec<Mono> = mismatches(case, &scope).into_iter().map(|mismatch| mismatch.seen).collect();
        let bond = case.bond(name).is_some();
        for (before, after) in talk.theirs.iter().zip(talk.theirs.iter().skip(1)) {
            let Some(text) = difference(&before.pdu.actor, &after.pdu.actor, !bond) else { continue };
            if mismatched.iter().any(|at| at.since(after.at).max(after.at.since(*at)) < TOGETHER) {
                continue;
            }
            let evidence = evidence(before, after);
            let same = |other: &&mut Finding| {
                case.scope(other.link_name()) == scope && after.at.since(other.at).max(other.at.since(after.at)) < TOGETHER
            };
            if let Some(other) = found.iter_mut().find(same) {
                other.at = other.at.min(after.at);
                other.evidence.extend(evidence);
                continue;
            }
            found.push(
                Finding::new(
                    FindingKind::PartnerChanged,
                    Some(case.link(name)),
                    after.at,
                    format!("another partner answers at {name}: {text}"),
                )
                .weighed(Severity::Warning, Confidence::High)
                .action(format!("Find out what happened at the other end of {scope}: a restart, a failover, or another cable"))
                .evidence(evidence),
            );
        }
    }
    found
}

/// What differs, in words; the port only where ports of several slaves are not mixed.
fn difference(before: &PortInfo, after: &PortInfo, ports: bool) -> Option<String> {
    if before.system != after.system {
        return Some(format!("system {} → {}", mac_text(before.system), mac_text(after.system)));
    }
    if before.key != after.key {
        return Some(format!("key {} → {}", before.key, after.key));
    }
    (ports && before.port != after.port).then(|| format!("port {} → {}", before.port, after.port))
}

fn evidence(before: &Pdu<'_>, after: &Pdu<'_>) -> [Evidence; 2] {
    let words = |what: &str, of: &PortInfo| format!("{what}: system {}, key {}, port {}", mac_text(of.system), of.key, of.port);
    [
        before.evidence(words("the last LACPDU of the partner before", &before.pdu.actor)),
        after.evidence(words("the first LACPDU of the other one", &after.pdu.actor)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::testing::{Scene, WORKING};

    #[test]
    fn another_system_at_both_slaves_is_one_finding() {
        let scene = Scene::lacp().talk(0..10_000, "eth1", WORKING).talk(0..10_000, "eth2", WORKING);
        let scene = scene.system(9).talk(14_000..60_000, "eth1", WORKING).talk(14_500..60_000, "eth2", WORKING);
        let found = scene.run(partner_changed);
        assert_eq!((found.len(), found[0].at, found[0].evidence.len()), (1, crate::samples::at(14_000), 4));
        assert!(found[0].text.contains("02:00:00:00:00:99 → 02:00:00:00:00:09"), "{}", found[0].text);
    }

    #[test]
    fn it_is_silent_at_the_first_lacpdu_and_while_nothing_changes() {
        assert_eq!(Scene::lacp().talk(0..60_000, "eth1", WORKING).run(partner_changed), []);
    }

    #[test]
    fn it_is_silent_where_one_slave_alone_got_another_partner() {
        let scene = Scene::lacp().talk(0..60_000, "eth1", WORKING).talk(0..10_000, "eth2", WORKING);
        assert_eq!(scene.system(9).talk(10_000..60_000, "eth2", WORKING).run(partner_changed), []);
    }
}
