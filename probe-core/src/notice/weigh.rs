//! How bad a notice is, in syslog's severities. Whoever is woken by them wants *critical* for lost traffic, *error* for what will need
//! hands, *warning* for lost redundancy, *notice* for what is good again.

use crate::level::Level;
use crate::timeline::{Entry, What};
use crate::tone::Tone;
use crate::trigger::Kind;
use crate::verdict::Severity;

/// Of an entry of the timeline. `is_bond`: it is about a bond itself, and not about one of its slaves.
pub fn entry(entry: &Entry, is_bond: bool) -> Level {
    match &entry.what {
        What::Trigger { kind, .. } => trigger(kind),
        What::Alarm { .. } => Level::Error,
        What::TapAttached { .. } | What::TapDetached { .. } | What::Appeared { initial: true } => Level::Debug,
        What::LacpCounters(_) => Level::Debug,
        What::Storm { begins: true, .. } | What::Blackout { begins: true, .. } => Level::Error,
        // What is done to a bond is worth knowing at every receiver, and what fails there more so.
        What::Recovery { step, dry_run: false, .. } if step.tone() == Tone::Failure => Level::Error,
        What::Recovery { .. } => Level::Notice,
        What::Gap { .. } => Level::Warning,
        What::ClockStep { .. } | What::LinkReason { .. } | What::Rate { .. } | What::Renamed { .. } => Level::Notice,
        _ => match entry.tone() {
            Tone::Failure if is_bond => Level::Error,
            Tone::Failure => Level::Warning,
            Tone::Recovery => Level::Notice,
            Tone::Note => Level::Info,
        },
    }
}

/// Of a trigger, by its name; one that is not known is worth a notice.
pub fn trigger(kind: &str) -> Level {
    let Ok(kind) = kind.parse::<Kind>() else { return Level::Notice };
    match kind {
        Kind::BondDown => Level::Critical,
        Kind::InterfaceDown | Kind::MinSlaves | Kind::Blackout | Kind::Storm => Level::Error,
        Kind::SlaveDown
        | Kind::SlaveRemoved
        | Kind::LacpDown
        | Kind::LacpPartner
        | Kind::ProbeDown
        | Kind::Ghosts
        | Kind::Drops
        | Kind::LogFailure => Level::Warning,
        Kind::BondUp
        | Kind::SlaveUp
        | Kind::SlaveAdded
        | Kind::InterfaceUp
        | Kind::LacpUp
        | Kind::ProbeUp
        | Kind::StormEnd
        | Kind::BlackoutEnd
        | Kind::LogRecovery
        | Kind::Rate
        | Kind::Manual => Level::Notice,
    }
}

/// Of a verdict or finding.
pub fn severity(severity: Severity) -> Level {
    match severity {
        Severity::Critical => Level::Critical,
        Severity::Warning => Level::Warning,
        Severity::Info => Level::Notice,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Mono;
    use crate::timeline::Source;

    fn level(what: What, is_bond: bool) -> Level {
        entry(&Entry { at: Mono(0), link: None, source: Source::Kernel, what }, is_bond)
    }

    #[test]
    fn a_bond_is_worse_than_a_slave_and_what_comes_back_is_a_notice() {
        let carrier = |up| What::Carrier { up, unseen_ups: 0, unseen_downs: 0 };
        assert_eq!(level(carrier(false), false), Level::Warning);
        assert_eq!(level(carrier(false), true), Level::Error);
        assert_eq!(level(carrier(true), true), Level::Notice);
        assert_eq!(
            (trigger("bond-down"), trigger("slave-down"), trigger("slave-up")),
            (Level::Critical, Level::Warning, Level::Notice)
        );
        assert_eq!(level(What::Trigger { kind: "min-slaves", text: String::new() }, false), Level::Error);
    }

    #[test]
    fn the_agent_s_own_doings_are_for_debugging_and_its_troubles_are_errors() {
        assert_eq!(level(What::TapAttached { tap: String::new() }, false), Level::Debug);
        assert_eq!(level(What::Alarm { text: String::new() }, false), Level::Error);
        assert_eq!(level(What::SlaveActive { active: true }, false), Level::Info);
    }

    /// Whoever filters at `warning` sees every trigger that opens an incident by itself.
    #[test]
    fn what_opens_an_incident_unasked_is_a_warning_or_worse() {
        for kind in Kind::DEFAULT.into_iter().filter(|kind| *kind != Kind::Manual) {
            assert!(trigger(kind.name()) <= Level::Warning, "{kind}");
        }
    }
}
