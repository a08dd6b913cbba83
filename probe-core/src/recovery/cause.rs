//! What a recovery or the hook is for: names of findings and of triggers.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::trigger::Kind;
use crate::verdict::FindingKind;

/// A kind of finding, a kind of trigger, or both where they have one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cause {
    finding: Option<FindingKind>,
    trigger: Option<Kind>,
}

/// A name that neither a finding nor a trigger has.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("no finding and no trigger is called {name:?}: there are {}", Cause::names().join(", "))]
pub struct UnknownCause {
    /// The name.
    pub name: String,
}

impl Cause {
    /// Every name, findings first.
    pub fn names() -> Vec<&'static str> {
        let mut names: Vec<&'static str> = FindingKind::ALL.into_iter().map(FindingKind::name).collect();
        names.extend(Kind::NAMES.into_iter().filter(|name| name.parse::<FindingKind>().is_err()));
        names
    }

    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        self.finding.map(FindingKind::name).or(self.trigger.map(Kind::name)).unwrap_or_default()
    }

    /// True for a finding of this kind.
    pub fn is_finding(self, kind: FindingKind) -> bool {
        self.finding == Some(kind)
    }

    /// True for a trigger of this kind, by its name.
    pub fn is_trigger(self, kind: &str) -> bool {
        self.trigger.is_some_and(|trigger| trigger.name() == kind)
    }
}

/// Reads names of findings and triggers, as `recover-on` and `hook-on` have them; each once, in their order.
///
/// # Errors
/// The first name that is unknown.
pub fn causes<S: AsRef<str>>(names: &[S]) -> Result<Vec<Cause>, UnknownCause> {
    let mut causes: Vec<Cause> = Vec::new();
    for name in names {
        let cause = name.as_ref().parse()?;
        if !causes.contains(&cause) {
            causes.push(cause);
        }
    }
    Ok(causes)
}

impl FromStr for Cause {
    type Err = UnknownCause;

    fn from_str(name: &str) -> Result<Self, UnknownCause> {
        let (finding, trigger) = (name.parse().ok(), name.parse().ok());
        if finding.is_none() && trigger.is_none() {
            return Err(UnknownCause { name: name.to_owned() });
        }
        Ok(Self { finding, trigger })
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_a_finding_or_a_trigger_is_a_cause_and_another_is_answered_with_all() {
        for name in Cause::names() {
            assert_eq!(name.parse::<Cause>().map(Cause::name), Ok(name));
        }
        let error = causes(&["tx-blackout", "storms"]).expect_err("no such cause");
        assert!(
            error.to_string().starts_with("no finding and no trigger is called \"storms\": there are bond-down, "),
            "{error}"
        );
        assert!(error.to_string().contains("tx-blackout") && error.to_string().contains("lacp-down"), "{error}");
    }

    #[test]
    fn a_name_that_both_have_means_both_and_one_that_is_given_twice_counts_once() {
        let both: Cause = "bond-down".parse().expect("a cause");
        assert!(both.is_finding(FindingKind::BondDown) && both.is_trigger("bond-down"));
        let one: Cause = "tx-blackout".parse().expect("a cause");
        assert!(one.is_finding(FindingKind::TxBlackout) && !one.is_trigger("tx-blackout"));
        assert_eq!(causes(&["storm", "tx-blackout", "storm"]).map(|causes| causes.len()), Ok(2));
    }
}
