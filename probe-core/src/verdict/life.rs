//! When a link was down, and how that is known.

use crate::incident::Incident;
use crate::link::LinkState;
use crate::recovery::Step;
use crate::time::{Mono, SECOND};
use crate::timeline::{Entry, What};

/// Times that two ways of knowing of one event may be apart: a plain link's message comes up to a second after its edge.
pub const SLACK: u64 = 2 * SECOND;

/// A time in which something was not as it should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span<'a> {
    /// Start; that of the window where it began before.
    pub from: Mono,
    /// End, where it is over.
    pub until: Option<Mono>,
    /// What told of the start; `None` where it began before the window.
    pub began: Option<&'a Entry>,
    /// What told of the end.
    pub ended: Option<&'a Entry>,
}

impl Span<'_> {
    /// True when it is going on at `at`.
    pub fn covers(&self, at: Mono) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }

    /// True when it has to do with what happened at `at`, to within [`SLACK`].
    pub fn touches(&self, at: Mono) -> bool {
        self.from.minus(SLACK) <= at && self.until.is_none_or(|until| at <= until.plus(SLACK))
    }
}

/// What happened to one link.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Life<'a> {
    /// Without carrier.
    pub no_carrier: Vec<Span<'a>>,
    /// Set down.
    pub admin_down: Vec<Span<'a>>,
    /// Operationally down.
    pub oper_down: Vec<Span<'a>>,
    /// Taken out by a recovery, until it was put back.
    pub ours: Vec<Span<'a>>,
    /// Out of the bond that it was in, or gone.
    pub removed: Vec<Span<'a>>,
    /// Times that its carrier went in the window, the unseen ones included.
    pub losses: u64,
    /// When flips were told that have no entries of their own.
    flapped: Vec<Mono>,
}

impl<'a> Life<'a> {
    /// Of the link of this name.
    pub fn of(incident: &'a Incident, name: &str) -> Self {
        let mut life = Self::default();
        let before = incident.links_before.iter().find(|link| link.name == name);
        let started = |down: bool| {
            let span = Span { from: incident.from, until: None, began: None, ended: None };
            if down { vec![span] } else { Vec::new() }
        };
        let down = |is: fn(&LinkState) -> bool| started(before.is_some_and(is));
        life.no_carrier = down(|link| !link.carrier);
        life.admin_down = down(|link| !link.admin_up);
        life.oper_down = down(|link| link.operstate.is_down());
        for entry in of_link(incident, name) {
            life.take(entry);
        }
        life
    }

    fn take(&mut self, entry: &'a Entry) {
        match &entry.what {
            What::Carrier { up, unseen_downs, .. } => {
                self.losses += u64::from(*unseen_downs) + u64::from(!up);
                turn(&mut self.no_carrier, entry, !up);
            }
            What::Flaps { downs, .. } => {
                self.losses += u64::from(*downs);
                self.flapped.push(entry.at);
            }
            What::Admin { up } => turn(&mut self.admin_down, entry, !up),
            What::Oper { to, .. } => turn(&mut self.oper_down, entry, to.is_down()),
            What::Master { from: Some(_), to } => turn(&mut self.removed, entry, to.is_none()),
            What::Master { from: None, to: Some(_) } | What::Appeared { .. } => turn(&mut self.removed, entry, false),
            What::Recovery { step: Step::Takes | Step::Resumes, dry_run: false, .. } => turn(&mut self.ours, entry, true),
            What::Recovery { step: Step::PutBack, .. } => turn(&mut self.ours, entry, false),
            What::Vanished => turn(&mut self.removed, entry, true),
            _ => {}
        }
    }

    /// True when it can pass frames at `at`, as far as the link itself is concerned.
    pub fn is_up(&self, at: Mono) -> bool {
        [&self.no_carrier, &self.admin_down, &self.removed].iter().all(|spans| !spans.iter().any(|span| span.covers(at)))
    }

    /// What happened to it at `at` was the doing of a recovery.
    pub fn is_ours(&self, at: Mono) -> bool {
        self.ours.iter().any(|span| span.touches(at))
    }

    /// Set down, or taken out, at about this time: what then happens to its carrier needs no other cause.
    pub fn was_taken_down(&self, at: Mono) -> bool {
        self.admin_down.iter().chain(&self.removed).any(|span| span.touches(at))
    }

    /// Every time at which something changed.
    pub fn changes(&self) -> impl Iterator<Item = Mono> {
        let spans = [&self.no_carrier, &self.admin_down, &self.removed].into_iter().flatten();
        spans.flat_map(|span| [Some(span.from), span.until]).flatten().chain(self.flapped.iter().copied())
    }
}

/// The timeline's entries about one link.
pub fn of_link<'a>(incident: &'a Incident, name: &str) -> impl Iterator<Item = &'a Entry> {
    incident.timeline.iter().filter(move |entry| entry.link.as_ref().is_some_and(|link| link.name == name))
}

fn turn<'a>(spans: &mut Vec<Span<'a>>, entry: &'a Entry, begins: bool) {
    let open = spans.last_mut().filter(|span| span.until.is_none());
    match (open, begins) {
        (None, true) => spans.push(Span { from: entry.at, until: None, began: Some(entry), ended: None }),
        (Some(span), false) => {
            span.until = Some(entry.at);
            span.ended = Some(entry);
        }
        _ => {}
    }
}
