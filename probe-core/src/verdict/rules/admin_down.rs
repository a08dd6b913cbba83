//! A link was set down by the administrator, or by a program on his behalf.

use crate::verdict::case::{Case, entry};
use crate::verdict::{Confidence, Finding, FindingKind, Severity};

/// Speaks for a watched link that was set down in the window, or whose being down before it is why a bond has nothing left.
/// Stays silent for a slave that was set down on its way out of its bond: that is a removal.
pub fn admin_down(case: &Case<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, life) in case.lives() {
        for span in &life.admin_down {
            let Some(began) = span.began.filter(|_| !life.is_ours(span.from)) else { continue };
            if life.removed.iter().any(|removed| removed.touches(span.from)) {
                continue;
            }
            // The carrier goes with it, and may be stamped more exactly.
            let carrier = life.no_carrier.iter().find(|lost| lost.began.is_some() && span.touches(lost.from));
            let at = carrier.map_or(span.from, |lost| lost.from.min(span.from));
            let severity = if case.is_slave(name) { case.severity_of_loss(name, span.from) } else { Severity::Critical };
            let evidence = [Some(began), carrier.and_then(|lost| lost.began), span.ended].into_iter().flatten().map(entry);
            found.push(
                Finding::new(
                    FindingKind::AdminDown,
                    Some(case.link(name)),
                    at,
                    format!("{name} was set down by the administrator"),
                )
                .until(span.until)
                .weighed(severity, Confidence::High)
                .action(format!(
                    "Find out who set {name} down (shell history, configuration management), then: ip link set {name} up"
                ))
                .evidence(evidence),
            );
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::testing::Scene;

    #[test]
    fn a_slave_that_is_set_down_while_another_works_is_a_warning() {
        let scene = Scene::lacp().admin(10_000, "eth1", false).admin(20_000, "eth1", true);
        let found = scene.run(admin_down);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].link_name(), found[0].severity), ("eth1", Severity::Warning));
        assert_eq!(found[0].until, Some(crate::samples::at(20_000)));
    }

    #[test]
    fn the_bond_or_its_last_slave_is_critical() {
        assert_eq!(Scene::lacp().admin(10_000, "bond0", false).run(admin_down)[0].severity, Severity::Critical);
        let both = Scene::lacp().admin(10_000, "eth1", false).admin(12_000, "eth2", false).run(admin_down);
        assert_eq!((both[0].severity, both[1].severity), (Severity::Warning, Severity::Critical));
    }

    #[test]
    fn it_is_silent_about_a_slave_that_leaves_its_bond_and_about_a_carrier() {
        let removed = Scene::lacp().master(10_000, "eth1", Some("bond0"), None).admin(10_010, "eth1", false);
        assert_eq!(removed.run(admin_down), []);
        assert_eq!(Scene::lacp().carrier(10_000, "eth1", false).run(admin_down), []);
    }
}
