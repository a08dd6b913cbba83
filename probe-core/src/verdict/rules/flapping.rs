//! A carrier that comes and goes.

use crate::timeline::What;
use crate::verdict::case::{Case, counter, entry};
use crate::verdict::life::of_link;
use crate::verdict::{Confidence, Finding, FindingKind, Severity};

/// Losses in one window from which on a carrier flaps.
pub const FLAPS: u64 = 3;

/// Speaks when a port's carrier went at least [`FLAPS`] times, the flips included that only counters tell of. Stays silent for bonds,
/// and for one that was set down as often.
pub fn flapping(case: &Case<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, life) in case.lives() {
        let follows = case.bond(name).is_some() || (!case.is_slave(name) && case.scope(name) != name);
        if follows || life.losses < FLAPS || life.admin_down.len() as u64 + 1 >= life.losses {
            continue;
        }
        let flips =
            || of_link(case.incident, name).filter(|entry| matches!(entry.what, What::Carrier { .. } | What::Flaps { .. }));
        let (Some(first), Some(last)) = (flips().next(), flips().last()) else { continue };
        let ends_up = !matches!(last.what, What::Carrier { up: false, .. });
        // Worst of the moments at which it was away.
        let severity = life.no_carrier.iter().map(|span| case.severity_of_loss(name, span.from)).max();
        let mut evidence: Vec<_> = flips().take(4).map(entry).collect();
        evidence.extend(flips().skip(4).last().map(entry));
        evidence.push(counter(format!("{name}: carrier losses in the window"), life.losses));
        let state = if ends_up { "it is up at the end" } else { "it is down at the end" };
        let text = format!("the carrier of {name} went {} times and came again; {state}", life.losses);
        found.push(
            Finding::new(FindingKind::Flapping, Some(case.link(name)), first.at, text)
                .until(ends_up.then_some(last.at))
                .weighed(severity.unwrap_or(Severity::Warning), Confidence::High)
                .action(format!("Take {name} out of service until its cable, optics and the port at the other end are checked"))
                .evidence(evidence),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::testing::Scene;

    fn flips(count: u64) -> Scene {
        (0..count).fold(Scene::lacp(), |scene, i| {
            scene.carrier(10_000 + i * 1000, "eth1", false).carrier(10_500 + i * 1000, "eth1", true)
        })
    }

    #[test]
    fn three_losses_are_flapping_and_two_are_not() {
        assert_eq!(flips(2).run(flapping), []);
        let found = flips(3).run(flapping);
        assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
        assert!(found[0].text.contains("went 3 times") && found[0].text.ends_with("up at the end"), "{}", found[0].text);
        assert_eq!(found[0].until, Some(crate::samples::at(12_500)));
    }

    #[test]
    fn flips_that_only_the_counters_tell_of_count() {
        let scene = Scene::lacp().what(10_000, "eth1", What::Flaps { ups: 20, downs: 20 });
        assert!(scene.run(flapping)[0].text.contains("20 times"));
    }

    #[test]
    fn it_is_silent_when_somebody_sets_the_link_down_again_and_again() {
        let scene = (0..4).fold(Scene::lacp(), |scene, i| {
            let at = 10_000 + i * 5000;
            scene.admin(at, "eth1", false).carrier(at, "eth1", false).admin(at + 2000, "eth1", true).carrier(
                at + 2001,
                "eth1",
                true,
            )
        });
        assert_eq!(scene.run(flapping), []);
    }
}
