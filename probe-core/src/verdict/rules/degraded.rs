//! A bond goes on without one of its slaves.

use crate::time::SECOND;
use crate::verdict::case::{Case, fact};
use crate::verdict::{Confidence, Finding, FindingKind, Severity};

/// A slave that works again sooner than this does not count.
const LEAST: u64 = SECOND / 2;

/// Speaks when a slave stopped passing traffic while another went on, and the bond with it. Stays silent when none is left: that is
/// another finding.
pub fn degraded(case: &Case<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for bond in case.bonds.iter().filter(|bond| bond.slaves.len() > 1) {
        // Where LACPDUs tell of some slaves, nothing is known of those without.
        let any_talk = (bond.has_lacp() || bond.mode.is_empty()) && bond.slaves.iter().any(|slave| case.talk(slave).is_some());
        let known = |slave: &str| !any_talk || case.talk(slave).is_some();
        for slave in &bond.slaves {
            let others = || bond.slaves.iter().filter(|other| *other != slave && known(other));
            let Some(span) = super::bond_carries_nothing::outages(case, &[slave]).into_iter().find(|(from, until)| {
                let end = until.unwrap_or(case.incident.to);
                let left = others().any(|other| case.works(other, *from) && case.works(other, end));
                end.since(*from) >= LEAST && left
            }) else {
                continue;
            };
            let name = &bond.link.name;
            let left = others().filter(|other| case.works(other, span.0)).cloned().collect::<Vec<_>>();
            let text = format!("{name} goes on over {} without {slave}: there is less bandwidth and redundancy", left.join(", "));
            found.push(
                Finding::new(FindingKind::Degraded, Some(bond.link.clone()), span.0, text)
                    .until(span.1)
                    .weighed(Severity::Warning, Confidence::High)
                    .evidence([fact(format!("{slave} passed no traffic from then on, {} did", left.join(", ")))]),
            );
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::at;
    use crate::verdict::testing::Scene;

    #[test]
    fn a_bond_that_goes_on_with_one_slave_is_degraded() {
        for scene in [Scene::lacp(), Scene::active_backup()] {
            let found = scene.carrier(10_000, "eth1", false).carrier(20_000, "eth1", true).run(degraded);
            assert_eq!((found.len(), found[0].at, found[0].until), (1, at(10_000), Some(at(20_000))));
            assert!(found[0].text.contains("over eth2 without eth1"), "{}", found[0].text);
        }
    }

    #[test]
    fn it_is_silent_when_no_slave_is_left_and_about_a_blip() {
        let both = Scene::lacp().carrier(10_000, "eth1", false).carrier(10_050, "eth2", false);
        assert_eq!(both.run(degraded), []);
        let blip = Scene::lacp().carrier(10_000, "eth1", false).carrier(10_100, "eth1", true);
        assert_eq!(blip.run(degraded), []);
    }
}
