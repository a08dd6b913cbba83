//! Whether an entry of the timeline is bad news or good news.

use serde::Serialize;

use crate::lacp::Lacpdu;
use crate::link::{MiiStatus, OperState};
use crate::timeline::{Entry, What};
use crate::trigger::Kind;

/// What an entry means to those who wait for their network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tone {
    /// Something broke, or is about to.
    Failure,
    /// Something works again.
    Recovery,
    /// Neither, or it depends.
    Note,
}

impl Tone {
    /// As people and JSON see it.
    pub const fn name(self) -> &'static str {
        match self {
            Tone::Failure => "failure",
            Tone::Recovery => "recovery",
            Tone::Note => "note",
        }
    }
}

impl Entry {
    /// Its tone.
    pub fn tone(&self) -> Tone {
        match &self.what {
            What::Admin { up } | What::Carrier { up, .. } | What::Reach { up, .. } => by(*up),
            What::Vanished | What::Flaps { .. } | What::Ghosts { .. } | What::Drops { .. } => Tone::Failure,
            What::Oper { to, .. } if to.is_down() => Tone::Failure,
            What::Oper { to: OperState::Up, .. } => Tone::Recovery,
            What::Master { to: None, .. } => Tone::Failure,
            What::Master { from: None, .. } => Tone::Recovery,
            What::SlaveMii { to: MiiStatus::Down, .. } => Tone::Failure,
            What::SlaveMii { to: MiiStatus::Up, .. } => Tone::Recovery,
            What::Lacp { from: Some(from), to, .. } => lacp(from, to),
            What::LacpSilence { silent, .. } => by(!silent),
            What::Storm { begins, .. } | What::Blackout { begins, .. } => by(!begins),
            What::Log { failure, .. } => by(!failure),
            What::Trigger { kind, .. } => trigger(kind),
            What::Recovery { dry_run: false, step, .. } => step.tone(),
            _ => Tone::Note,
        }
    }
}

fn by(good: bool) -> Tone {
    if good { Tone::Recovery } else { Tone::Failure }
}

/// By what the sender of a LACPDU says of itself.
fn lacp(from: &Lacpdu, to: &Lacpdu) -> Tone {
    let (from, to) = (from.actor.state, to.actor.state);
    let worse = |was: bool, is: bool| is && !was;
    if worse(from.expired(), to.expired()) || worse(from.defaulted(), to.defaulted()) {
        return Tone::Failure;
    }
    match (from.is_working(), to.is_working()) {
        (true, false) => Tone::Failure,
        (false, true) => Tone::Recovery,
        _ => Tone::Note,
    }
}

fn trigger(kind: &str) -> Tone {
    match kind.parse() {
        Ok(
            Kind::BondUp
            | Kind::SlaveUp
            | Kind::SlaveAdded
            | Kind::InterfaceUp
            | Kind::LacpUp
            | Kind::ProbeUp
            | Kind::StormEnd
            | Kind::BlackoutEnd
            | Kind::LogRecovery,
        ) => Tone::Recovery,
        Ok(Kind::Manual | Kind::Rate) | Err(_) => Tone::Note,
        Ok(_) => Tone::Failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::direction::Direction;
    use crate::lacp::{PortInfo, PortState};
    use crate::time::Mono;
    use crate::timeline::Source;

    fn tone(what: What) -> Tone {
        Entry { at: Mono(0), link: None, source: Source::Kernel, what }.tone()
    }

    #[test]
    fn what_goes_is_a_failure_and_what_comes_back_a_recovery() {
        let carrier = |up| tone(What::Carrier { up, unseen_ups: 0, unseen_downs: 0 });
        assert_eq!((carrier(false), carrier(true)), (Tone::Failure, Tone::Recovery));
        let oper = |to| tone(What::Oper { from: OperState::Dormant, to });
        assert_eq!(oper(OperState::LowerLayerDown), Tone::Failure);
        assert_eq!(oper(OperState::Up), Tone::Recovery);
        assert_eq!(oper(OperState::Testing), Tone::Note);
        assert_eq!(tone(What::TapAttached { tap: String::new() }), Tone::Note);
    }

    #[test]
    fn a_partner_that_expires_and_then_defaults_is_a_failure_twice() {
        let says = |state| Lacpdu { actor: PortInfo { state: PortState(state), ..PortInfo::default() }, ..Lacpdu::default() };
        let step = |from, to| tone(What::Lacp { direction: Direction::Ingress, from: Some(says(from)), to: says(to) });
        assert_eq!(step(0x3d, 0xbd), Tone::Failure, "expired");
        assert_eq!(step(0xbd, 0x45), Tone::Failure, "defaulted");
        assert_eq!(step(0x45, 0x0d), Tone::Note, "on the way");
        assert_eq!(step(0x0d, 0x3d), Tone::Recovery, "working");
    }

    #[test]
    fn triggers_have_the_tone_of_what_they_tell() {
        let trigger = |kind| tone(What::Trigger { kind, text: String::new() });
        assert_eq!((trigger("bond-down"), trigger("bond-up")), (Tone::Failure, Tone::Recovery));
        assert_eq!((trigger("storm"), trigger("storm-end")), (Tone::Failure, Tone::Recovery));
        assert_eq!(trigger("manual"), Tone::Note);
    }
}
