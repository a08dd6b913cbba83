//! A bond passes nothing: it has no carrier, is down, or is gone.

use crate::verdict::case::{Case, entry};
use crate::verdict::life::Span;
use crate::verdict::{Confidence, Finding, FindingKind, Severity};

/// Speaks once for each outage of a bond's own carrier or state. Stays silent while the bond looks up, whatever its slaves do.
pub fn bond_down(case: &Case<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for bond in &case.bonds {
        let name = bond.link.name.as_str();
        let Some(life) = case.life(name) else { continue };
        let mut spans: Vec<&Span<'_>> =
            [&life.no_carrier, &life.oper_down, &life.admin_down, &life.removed].into_iter().flatten().collect();
        spans.retain(|span| span.began.is_some());
        spans.sort_by_key(|span| span.from);
        // Carrier, operstate and administrator tell of one outage at about the same time.
        let mut outages: Vec<Vec<&Span<'_>>> = Vec::new();
        for span in spans {
            match outages.last_mut().filter(|outage| outage.iter().any(|other| other.touches(span.from))) {
                Some(outage) => outage.push(span),
                None => outages.push(vec![span]),
            }
        }
        for outage in outages {
            let Some(first) = outage.first() else { continue };
            let until = outage.iter().map(|span| span.until).reduce(|a, b| a.zip(b).map(|(a, b)| a.max(b))).flatten();
            let mut entries: Vec<_> = outage.iter().flat_map(|span| [span.began, span.ended]).flatten().collect();
            entries.sort_by_key(|entry| entry.at);
            entries.dedup();
            found.push(
                Finding::new(
                    FindingKind::BondDown,
                    Some(bond.link.clone()),
                    first.from,
                    format!("{name} is down: it passes nothing"),
                )
                .until(until)
                .weighed(Severity::Critical, Confidence::High)
                .evidence(entries.into_iter().take(8).map(entry)),
            );
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::OperState;
    use crate::samples::at;
    use crate::timeline::What;
    use crate::verdict::testing::Scene;

    #[test]
    fn carrier_and_operstate_are_one_outage() {
        let down = What::Oper { from: OperState::Up, to: OperState::Down };
        let up = What::Oper { from: OperState::Down, to: OperState::Up };
        let scene = Scene::lacp().carrier(10_000, "bond0", false).what(10_050, "bond0", down);
        let found = scene.carrier(15_000, "bond0", true).what(15_020, "bond0", up).run(bond_down);
        assert_eq!((found.len(), found[0].at, found[0].until), (1, at(10_000), Some(at(15_020))));
    }

    #[test]
    fn one_that_stays_down_has_no_end() {
        assert_eq!(Scene::lacp().carrier(10_000, "bond0", false).run(bond_down)[0].until, None);
    }

    #[test]
    fn it_is_silent_about_slaves() {
        assert_eq!(Scene::lacp().carrier(10_000, "eth1", false).carrier(10_000, "eth2", false).run(bond_down), []);
    }
}
