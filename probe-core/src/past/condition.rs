//! What a link or a target was like, as far as the history keeps it.

use crate::lacp::Phase;
use crate::link::{LinkState, MiiStatus};
use crate::reach::TargetState;
use crate::tone::Tone;

/// The condition of a link or a target at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// There is no such link.
    Gone,
    /// A link that is not watched any more, or a target that is not asked any more.
    Unwatched,
    /// A watched link.
    Link(LinkCondition),
    /// A target.
    Target(TargetState),
}

/// The condition of a watched link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkCondition {
    /// It can pass packets; of a slave: the bond's monitor says so too.
    pub up: bool,
    /// `IFF_UP`.
    pub admin_up: bool,
    /// Carrier.
    pub carrier: bool,
    /// Of a slave: whether it is active, and what the bond's monitor says.
    pub slave: Option<(bool, MiiStatus)>,
    /// LACP, where it is spoken and the link is up.
    pub lacp: Option<LacpCondition>,
}

/// How far LACP is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LacpCondition {
    /// Both ends collect and distribute.
    Working,
    /// On the way there.
    Converging,
    /// It worked, and does no longer.
    Failed,
}

impl LacpCondition {
    /// Of a phase; `None` where there is nothing to say yet.
    pub fn of(phase: Phase) -> Option<Self> {
        match phase {
            Phase::LinkDown | Phase::New => None,
            Phase::Converging { .. } => Some(LacpCondition::Converging),
            // A failure that is not half a second old.
            Phase::Working | Phase::Failing { .. } => Some(LacpCondition::Working),
            Phase::Failed => Some(LacpCondition::Failed),
        }
    }

    fn words(self) -> &'static str {
        match self {
            LacpCondition::Working => "LACP works",
            LacpCondition::Converging => "LACP converges",
            LacpCondition::Failed => "LACP failed",
        }
    }
}

impl LinkCondition {
    /// Of a link's state; whether it is up its role decides.
    pub fn of(state: &LinkState, up: bool, lacp: Option<LacpCondition>) -> Self {
        let slave = state.slave.as_ref().map(|slave| (slave.active, slave.mii));
        Self { up, admin_up: state.admin_up, carrier: state.carrier, slave, lacp }
    }

    /// `up`, `down, no carrier`, `up, backup, LACP failed`.
    fn words(&self) -> String {
        let mut words = vec![if self.up { "up" } else { "down" }];
        if !self.admin_up {
            words.push("set down");
        } else if !self.carrier {
            words.push("no carrier");
        }
        if let Some((active, mii)) = self.slave {
            if self.carrier && mii != MiiStatus::Up {
                words.push(mii_words(mii));
            }
            if !active && self.up {
                words.push("backup");
            }
        }
        words.extend(self.lacp.filter(|lacp| *lacp != LacpCondition::Working).map(LacpCondition::words));
        words.join(", ")
    }

    /// What is different from before, without whether it is up.
    fn differences(&self, before: &Self) -> Vec<&'static str> {
        let mut words = Vec::new();
        if self.admin_up != before.admin_up {
            words.push(if self.admin_up { "set up by the administrator" } else { "set down by the administrator" });
        }
        if self.carrier != before.carrier {
            words.push(if self.carrier { "carrier came" } else { "carrier lost" });
        }
        match (before.slave, self.slave) {
            (None, Some(_)) => words.push("put into a bond"),
            (Some(_), None) => words.push("taken out of its bond"),
            (Some((was, mii)), Some((is, now))) => {
                if mii != now {
                    words.push(mii_words(now));
                }
                if was != is {
                    words.push(if is { "active now" } else { "backup now" });
                }
            }
            (None, None) => {}
        }
        if self.lacp != before.lacp {
            words.extend(self.lacp.map(LacpCondition::words));
        }
        words
    }
}

impl Condition {
    /// Whether it works; `None` where that is not known, or does not matter any more.
    pub fn up(self) -> Option<bool> {
        match self {
            Condition::Gone | Condition::Target(TargetState::Down | TargetState::Never) => Some(false),
            Condition::Unwatched | Condition::Target(TargetState::Unknown) => None,
            Condition::Link(link) => Some(link.up),
            Condition::Target(TargetState::Up) => Some(true),
        }
    }

    /// In words.
    pub fn words(self) -> String {
        match self {
            Condition::Gone => "gone".to_owned(),
            Condition::Unwatched => "not watched".to_owned(),
            Condition::Link(link) => link.words(),
            Condition::Target(TargetState::Never) => "never answered".to_owned(),
            Condition::Target(state) => state.name().to_owned(),
        }
    }

    /// What happened between two conditions, in words.
    pub fn change(self, before: Self) -> String {
        match (before, self) {
            (Condition::Link(before), Condition::Link(now)) => {
                let details = now.differences(&before).join(", ");
                match (before.up == now.up, details.is_empty()) {
                    (true, true) => now.words(),
                    (true, false) => details,
                    (false, true) => up_or_down(now.up).to_owned(),
                    (false, false) => format!("{}: {details}", up_or_down(now.up)),
                }
            }
            (_, Condition::Gone) => "is gone".to_owned(),
            (_, Condition::Unwatched) => "is not watched any more".to_owned(),
            (_, Condition::Link(now)) => format!("is there, {}", now.words()),
            (Condition::Target(TargetState::Down), Condition::Target(TargetState::Up)) => "answers again".to_owned(),
            (_, Condition::Target(TargetState::Up)) => "answers".to_owned(),
            (_, Condition::Target(TargetState::Down)) => "does not answer any more".to_owned(),
            (_, Condition::Target(TargetState::Never)) => "does not answer".to_owned(),
            (_, Condition::Target(TargetState::Unknown)) => "is asked".to_owned(),
        }
    }

    /// Whether that is good news.
    pub fn tone(self, before: Self) -> Tone {
        let lacp = |condition| if let Condition::Link(link) = condition { link.lacp } else { None };
        match (before.up(), self.up()) {
            (Some(false), Some(true)) => Tone::Recovery,
            (Some(true) | None, Some(false)) => Tone::Failure,
            _ if lacp(before) == lacp(self) => Tone::Note,
            _ if lacp(self) == Some(LacpCondition::Failed) => Tone::Failure,
            _ if lacp(self) == Some(LacpCondition::Working) => Tone::Recovery,
            _ => Tone::Note,
        }
    }
}

fn up_or_down(up: bool) -> &'static str {
    if up { "up" } else { "down" }
}

fn mii_words(mii: MiiStatus) -> &'static str {
    match mii {
        MiiStatus::Up => "MII up",
        MiiStatus::GoingDown => "MII going down",
        MiiStatus::Down => "MII down",
        MiiStatus::GoingBack => "MII going back",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{down, slave};

    fn link(state: &LinkState, up: bool, lacp: Option<LacpCondition>) -> Condition {
        Condition::Link(LinkCondition::of(state, up, lacp))
    }

    #[test]
    fn a_change_says_whether_it_is_up_and_why() {
        let state = slave(1, "eth1", 10);
        let works = link(&state, true, Some(LacpCondition::Working));
        let lost = link(&down(state.clone()), false, None);
        assert_eq!((lost.change(works), lost.tone(works)), ("down: carrier lost, MII down".to_owned(), Tone::Failure));
        assert_eq!((works.words(), lost.words()), ("up, backup".to_owned(), "down, no carrier".to_owned()));
        assert_eq!(works.change(lost), "up: carrier came, MII up, LACP works");
        assert_eq!(works.tone(lost), Tone::Recovery);
        let failed = link(&state, true, Some(LacpCondition::Failed));
        assert_eq!((failed.change(works), failed.tone(works)), ("LACP failed".to_owned(), Tone::Failure));
        assert_eq!((Condition::Gone.change(works), Condition::Gone.up()), ("is gone".to_owned(), Some(false)));
    }

    #[test]
    fn a_target_that_never_answered_is_down_and_one_that_is_not_asked_is_neither() {
        let (never, up) = (Condition::Target(TargetState::Never), Condition::Target(TargetState::Up));
        assert_eq!((never.up(), up.up(), Condition::Unwatched.up()), (Some(false), Some(true), None));
        assert_eq!(up.change(Condition::Target(TargetState::Down)), "answers again");
        assert_eq!(up.tone(never), Tone::Recovery);
    }
}
