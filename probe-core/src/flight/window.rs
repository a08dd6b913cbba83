//! The window of an open incident: which triggers joined it, and when it ends.

use super::FlightConfig;
use crate::incident::{Closed, Trigger};
use crate::link::LinkState;
use crate::time::Mono;
use crate::timeline::LinkName;
use crate::trigger::Fired;

/// Triggers that one incident lists; what fires beyond is counted as a repeat of the last of its kind.
const MOST_TRIGGERS: usize = 4096;

/// An incident whose window has not ended.
#[derive(Clone, Debug)]
pub struct Window {
    /// Number of the incident since the agent's start, from 1.
    pub number: u64,
    /// Start: before the first trigger.
    pub from: Mono,
    /// End, as far as is known.
    pub until: Mono,
    /// What joined, the first opened it.
    pub triggers: Vec<Trigger>,
    /// The watched links at `from`.
    pub links_before: Vec<LinkState>,
    after: u64,
    /// Where it ends whatever fires.
    limit: Mono,
    limited: bool,
}

impl Window {
    /// That `fired` opens.
    pub fn open(number: u64, fired: &Fired, config: &FlightConfig, links_before: Vec<LinkState>) -> Self {
        let limit = fired.at.plus(config.longest.max(config.after));
        Self {
            number,
            from: fired.at.minus(config.before),
            until: fired.at.plus(config.after),
            triggers: vec![listed(fired)],
            links_before,
            after: config.after,
            limit,
            limited: false,
        }
    }

    /// A trigger joins; returns the new end when there is one.
    pub fn join(&mut self, fired: &Fired) -> Option<Mono> {
        if self.triggers.len() < MOST_TRIGGERS {
            self.triggers.push(listed(fired));
            return self.extend(fired.at);
        }
        self.repeat(fired)
    }

    /// A trigger fired that its cooldown held back: it is counted, and the window goes on after it as well.
    pub fn repeat(&mut self, fired: &Fired) -> Option<Mono> {
        let same = |trigger: &&mut Trigger| {
            trigger.kind == fired.kind.name() && name(trigger.link.as_ref()) == name(fired.link.as_ref())
        };
        if let Some(trigger) = self.triggers.iter_mut().rev().find(same) {
            trigger.repeats += 1;
        }
        self.extend(fired.at)
    }

    /// What a trigger has told of goes on at `at`: so does the window; returns its new end when there is one.
    pub fn go_on(&mut self, at: Mono) -> Option<Mono> {
        self.extend(at)
    }

    /// Why the window ends at `until`.
    pub fn closed(&self) -> Closed {
        if self.limited { Closed::Limit } else { Closed::Quiet }
    }

    fn extend(&mut self, at: Mono) -> Option<Mono> {
        let wanted = at.plus(self.after);
        self.limited |= wanted > self.limit;
        let until = wanted.min(self.limit);
        (until > self.until).then(|| {
            self.until = until;
            until
        })
    }
}

fn listed(fired: &Fired) -> Trigger {
    Trigger { at: fired.at, kind: fired.kind.name(), link: fired.link.clone(), text: fired.text.clone(), repeats: 0 }
}

fn name(link: Option<&LinkName>) -> Option<&str> {
    link.map(|link| link.name.as_str())
}
