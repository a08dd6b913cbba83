//! It works again, and what made it.

use crate::recovery::Step;
use crate::time::Mono;
use crate::timeline::What;
use crate::verdict::case::{Case, entry};
use crate::verdict::{Confidence, Finding, FindingKind, Severity};

/// Speaks when everything in a chain that can end has ended. Stays silent while any of it goes on.
pub fn recovered(case: &Case<'_>, chain: &[Finding]) -> Option<Finding> {
    let cause = chain.first()?;
    let mut ends = Vec::new();
    for finding in chain.iter().filter(|finding| has_end(finding.kind)) {
        ends.push(finding.until?);
    }
    let at = ends.into_iter().max()?;
    let scope = case.scope(cause.link_name());
    let (how, told) = how(case, &scope, cause.at, at);
    let name = if scope.is_empty() { "it" } else { scope.as_str() };
    let text = format!("{name} works again after {:.1} s, {how}", at.since(cause.at) as f64 / 1e9);
    let link = (!scope.is_empty()).then(|| case.link(&scope));
    Some(Finding::new(FindingKind::Recovered, link, at, text).weighed(Severity::Info, Confidence::High).evidence(told))
}

/// Findings that are about a state, and not about a moment.
fn has_end(kind: FindingKind) -> bool {
    !matches!(
        kind,
        FindingKind::GhostPackets
            | FindingKind::LocalDrops
            | FindingKind::LogFailure
            | FindingKind::PartnerChanged
            | FindingKind::Recovered
            | FindingKind::LacpTimeoutMismatch
    )
}

/// What somebody did in the meantime that it follows, the last of it.
fn how(case: &Case<'_>, scope: &str, from: Mono, to: Mono) -> (String, Vec<crate::verdict::Evidence>) {
    let within = case.entries(scope).filter(|entry| entry.at >= from && entry.at <= to && entry.link.is_some());
    let deeds = within.filter_map(|told| {
        let name = told.link.as_ref().map_or("", |link| link.name.as_str());
        let how = match &told.what {
            What::Master { to: Some(to), .. } if to == scope => format!("after {name} was put into {to} again"),
            What::Recovery { step: Step::PutBack, dry_run: false, .. } => {
                format!("after Linkprobe took {name} out of {scope} and put it back")
            }
            What::Admin { up: true } => format!("after {name} was set up by the administrator"),
            _ => return None,
        };
        Some((told, how))
    });
    // Putting a slave back sets it up as well: that says more.
    let rank = |what: &What| match what {
        What::Recovery { .. } => 2,
        What::Master { .. } => 1,
        _ => 0,
    };
    match deeds.max_by_key(|(told, _)| (rank(&told.what), told.at)) {
        Some((told, how)) => (how, vec![entry(told)]),
        None => ("by itself".to_owned(), Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::carrier_loss::carrier_loss;
    use super::super::slave_removed::slave_removed;
    use super::*;
    use crate::verdict::testing::Scene;

    fn told(scene: &Scene, rule: super::super::Rule) -> Option<String> {
        let facts = scene.facts();
        let case = Case::new(&scene.incident, &facts);
        recovered(&case, &rule(&case)).map(|finding| finding.text)
    }

    #[test]
    fn a_carrier_that_comes_again_is_told_with_its_time() {
        let scene = Scene::lacp().carrier(10_000, "eth1", false).carrier(13_500, "eth1", true);
        assert_eq!(told(&scene, carrier_loss).as_deref(), Some("bond0 works again after 3.5 s, by itself"));
    }

    #[test]
    fn a_slave_that_was_put_back_is_what_made_it() {
        let scene = Scene::lacp().master(10_000, "eth1", Some("bond0"), None).master(20_000, "eth1", None, Some("bond0"));
        let scene = scene.admin(20_000, "eth1", true);
        assert_eq!(
            told(&scene, slave_removed).as_deref(),
            Some("bond0 works again after 10.0 s, after eth1 was put into bond0 again")
        );
    }

    #[test]
    fn a_recovery_of_ours_is_told_as_ours() {
        let step = |step| What::Recovery { step, dry_run: false, text: String::new() };
        let scene = Scene::lacp()
            .carrier(10_000, "eth2", false)
            .what(12_000, "eth1", step(Step::Takes))
            .master(12_010, "eth1", Some("bond0"), None)
            .master(12_100, "eth1", None, Some("bond0"))
            .what(12_110, "eth1", step(Step::PutBack))
            .carrier(13_500, "eth2", true);
        assert_eq!(
            told(&scene, carrier_loss).as_deref(),
            Some("bond0 works again after 3.5 s, after Linkprobe took eth1 out of bond0 and put it back")
        );
    }

    #[test]
    fn it_is_silent_while_something_goes_on() {
        assert_eq!(told(&Scene::lacp().carrier(10_000, "eth1", false), carrier_loss), None);
    }
}
