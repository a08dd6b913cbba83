//! A slave was taken out of its bond, or is gone.

use crate::verdict::case::{Case, entry};
use crate::verdict::{Confidence, Finding, FindingKind};

/// Speaks when a slave left its bond or vanished. Stays silent when it came to another state in any other way, and when a recovery
/// took it out.
pub fn slave_removed(case: &Case<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, life) in case.lives().filter(|(name, _)| case.is_slave(name)) {
        for span in &life.removed {
            let Some(began) = span.began.filter(|_| !life.is_ours(span.from)) else { continue };
            // The order of its messages differs: it is set down, loses its carrier and leaves in one go.
            let together = life.admin_down.iter().chain(&life.no_carrier).filter(|other| other.began.is_some());
            let at = together.filter(|other| other.touches(span.from)).map(|other| other.from).fold(span.from, Ord::min);
            let bond = case.bond_of(name).map(|bond| bond.link.name.clone()).unwrap_or_default();
            let text = format!("{name} left {bond}: it was taken out, or the interface went");
            found.push(
                Finding::new(FindingKind::SlaveRemoved, Some(case.link(name)), at, text)
                    .until(span.until)
                    .weighed(case.severity_of_loss(name, span.from), Confidence::High)
                    .action(format!(
                        "Find out who took {name} out of {bond}, then: ip link set {name} down; ip link set {name} master {bond}"
                    ))
                    .evidence([Some(began), span.ended].into_iter().flatten().map(entry)),
            );
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recovery::Step;
    use crate::timeline::What;
    use crate::verdict::testing::Scene;

    #[test]
    fn a_slave_that_leaves_is_found_with_the_time_of_its_first_sign() {
        let scene = Scene::lacp().carrier(9_990, "eth1", false).master(10_000, "eth1", Some("bond0"), None);
        let found = scene.run(slave_removed);
        assert_eq!((found.len(), found[0].at, found[0].until), (1, crate::samples::at(9_990), None));
        assert!(found[0].action.contains("ip link set eth1 master bond0"), "{}", found[0].action);
    }

    #[test]
    fn it_is_silent_about_what_a_recovery_took_out_and_speaks_again_when_that_is_over() {
        let step = |step| What::Recovery { step, dry_run: false, text: String::new() };
        let scene = Scene::lacp()
            .what(10_000, "eth1", step(Step::Takes))
            .master(10_010, "eth1", Some("bond0"), None)
            .master(10_200, "eth1", None, Some("bond0"))
            .what(10_250, "eth1", step(Step::PutBack));
        assert_eq!(scene.run(slave_removed), []);
        assert_eq!(scene.master(20_000, "eth1", Some("bond0"), None).run(slave_removed).len(), 1);
        let only_told = What::Recovery { step: Step::Takes, dry_run: true, text: String::new() };
        let scene = Scene::lacp().what(10_000, "eth1", only_told).master(10_010, "eth1", Some("bond0"), None);
        assert_eq!(scene.run(slave_removed).len(), 1);
    }

    #[test]
    fn one_that_vanishes_is_found() {
        assert_eq!(Scene::lacp().what(10_000, "eth1", What::Vanished).run(slave_removed).len(), 1);
    }

    #[test]
    fn it_is_silent_about_a_slave_that_is_set_down_and_about_one_that_comes() {
        assert_eq!(Scene::lacp().admin(10_000, "eth1", false).run(slave_removed), []);
        assert_eq!(Scene::lacp().master(10_000, "eth1", None, Some("bond0")).run(slave_removed), []);
    }
}
