//! A port lost its carrier: the cable, the optics, the other end's port.

use super::flapping::FLAPS;
use crate::timeline::{Source, What};
use crate::verdict::case::{Case, counter, entry, fact};
use crate::verdict::life::of_link;
use crate::verdict::{Confidence, Finding, FindingKind};

/// Speaks for slaves and plain interfaces whose carrier went. Stays silent for bonds and what lies on them, whose carrier follows
/// their slaves'; for links that were set down or taken out of their bond; and where the carrier flaps.
pub fn carrier_loss(case: &Case<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, life) in case.lives() {
        let follows = case.bond(name).is_some() || (!case.is_slave(name) && case.scope(name) != name);
        if follows || life.losses >= FLAPS {
            continue;
        }
        for span in &life.no_carrier {
            let Some(began) = span.began.filter(|_| !life.was_taken_down(span.from)) else { continue };
            let mut evidence = vec![entry(began)];
            evidence.extend(span.ended.map(entry));
            if began.source != Source::Kernel {
                evidence.push(fact("the time is that of the kernel's message: the carrier may have gone up to a second before"));
            }
            if let (Some(before), Some(after)) = case.before_and_after(name) {
                let losses = u64::from(after.carrier_down_count.saturating_sub(before.carrier_down_count));
                evidence.push(counter(format!("{name}: carrier losses in the window, by the kernel"), losses));
            }
            let told = of_link(case.incident, name)
                .filter(|told| told.at >= span.from && span.until.is_none_or(|until| told.at <= until))
                .find_map(|told| if let What::LinkReason { reason } = &told.what { Some((told, reason)) } else { None });
            let why = told.map_or_else(String::new, |(_, reason)| format!(": {reason}, as its driver says"));
            evidence.extend(told.map(|(told, _)| entry(told)));
            found.push(
                Finding::new(FindingKind::CarrierLoss, Some(case.link(name)), span.from, format!("{name} lost its carrier{why}"))
                    .until(span.until)
                    .weighed(case.severity_of_loss(name, span.from), Confidence::High)
                    .action(format!(
                        "Check {name}'s cable, optics and the port at the other end: ethtool {name}; ethtool -m {name}"
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
    use crate::verdict::Severity;
    use crate::verdict::testing::Scene;

    #[test]
    fn a_slave_without_carrier_is_found_and_its_bond_is_not() {
        let scene = Scene::lacp().carrier(10_000, "eth1", false).carrier(10_100, "bond0", false);
        let found = scene.run(carrier_loss);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].link_name(), found[0].severity), ("eth1", Severity::Warning));
    }

    #[test]
    fn what_the_driver_says_is_told_and_only_of_that_time() {
        let reason = || What::LinkReason { reason: "no cable".to_owned() };
        let lost = || Scene::lacp().carrier(10_000, "eth1", false).carrier(20_000, "eth1", true);
        let found = lost().what(10_900, "eth1", reason()).run(carrier_loss);
        assert_eq!(found[0].text, "eth1 lost its carrier: no cable, as its driver says");
        assert_eq!(lost().what(30_000, "eth1", reason()).run(carrier_loss)[0].text, "eth1 lost its carrier");
    }

    #[test]
    fn the_last_carrier_is_critical() {
        let scene = Scene::active_backup().carrier(10_000, "eth1", false).carrier(10_100, "eth2", false);
        let found = scene.run(carrier_loss);
        assert_eq!((found[0].severity, found[1].severity), (Severity::Warning, Severity::Critical));
    }

    #[test]
    fn it_is_silent_when_the_link_was_set_down_or_taken_out() {
        // The edge has its exact time, the message comes later.
        let set_down = Scene::lacp().carrier(10_000, "eth1", false).admin(10_900, "eth1", false);
        assert_eq!(set_down.run(carrier_loss), []);
        let removed = Scene::lacp().carrier(10_000, "eth1", false).master(10_005, "eth1", Some("bond0"), None);
        assert_eq!(removed.run(carrier_loss), []);
    }
}
