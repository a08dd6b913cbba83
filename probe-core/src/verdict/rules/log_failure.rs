//! Lines of logs that told of failures.

use crate::timeline::What;
use crate::verdict::case::{Case, entry};
use crate::verdict::{Confidence, Finding, FindingKind, Severity};

/// Most lines that are shown.
const TOLD: usize = 6;

/// Speaks once for all of them. Stays silent about recoveries.
pub fn log_failure(case: &Case<'_>) -> Vec<Finding> {
    let lines = || case.incident.timeline.iter().filter(|entry| matches!(entry.what, What::Log { failure: true, .. }));
    let Some(first) = lines().next() else { return Vec::new() };
    let What::Log { file, line, .. } = &first.what else { return Vec::new() };
    let text = match lines().count() {
        1 => format!("{file} says: {line}"),
        n => format!("{file} says: {line} ({} more lines tell of failures)", n - 1),
    };
    let link = first.link.as_ref().map(|link| case.link(&case.scope(&link.name)));
    let finding = Finding::new(FindingKind::LogFailure, link, first.at, text).weighed(Severity::Info, Confidence::Medium);
    vec![finding.evidence(lines().take(TOLD).map(entry))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::testing::Scene;

    fn log(failure: bool) -> What {
        What::Log { file: "kernel".to_owned(), failure, pattern: "x".to_owned(), line: "bond0: link down".to_owned() }
    }

    #[test]
    fn failures_are_told_once_and_recoveries_not() {
        let found = Scene::lacp().what(1000, "bond0", log(true)).what(2000, "bond0", log(true)).run(log_failure);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].text, "kernel says: bond0: link down (1 more lines tell of failures)");
        assert_eq!(Scene::lacp().what(1000, "bond0", log(false)).run(log_failure), []);
    }
}
