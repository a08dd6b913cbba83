//! A part of the history, to be read: shares the chapters with the history itself, so that it costs nothing to make and can be read on
//! another thread while the history goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::axis::Span;
use super::chapter::{Change, Chapter};
use super::column::Row;
use super::condition::Condition;
use super::tracks::{Subject, Track};
use crate::time::Mono;
use crate::timeline::LinkName;

/// A part of the history.
#[derive(Clone, Debug)]
pub struct View {
    from: Mono,
    to: Mono,
    chapters: Vec<Arc<Chapter>>,
    seen: Vec<(u16, Seen)>,
}

/// A link or a target of a view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Which, as it is called now.
    pub subject: Subject,
    /// Interface index of its bond; 0 where it has none.
    pub master: u32,
    /// What it is like now.
    pub condition: Option<Condition>,
}

impl From<&Track> for Seen {
    fn from(track: &Track) -> Self {
        Self { subject: track.subject.clone(), master: track.master, condition: track.condition }
    }
}

/// A condition, from `at` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub at: Mono,
    pub condition: Condition,
    /// Changes that it took; 0 where it is just the first that is known.
    pub count: u16,
}

impl View {
    pub(super) fn new(from: Mono, to: Mono, chapters: Vec<Arc<Chapter>>, tracks: Vec<(u16, Seen)>) -> Self {
        let of = |chapter: &Arc<Chapter>| {
            let columns = chapter.columns.iter().map(|column| column.track);
            columns.chain(chapter.changes.iter().map(|change| change.track)).collect::<Vec<u16>>()
        };
        let told: BTreeSet<u16> = chapters.iter().flat_map(of).collect();
        let seen = tracks.into_iter().filter(|(id, _)| told.contains(id)).collect();
        Self { from, to, chapters, seen }
    }

    /// Where it begins: as far back as was asked for, or as the history reaches.
    pub fn from(&self) -> Mono {
        let oldest = self.chapters.iter().find(|chapter| chapter.axis.len() > 0).map(|chapter| chapter.axis.from());
        oldest.map_or(self.to, |oldest| oldest.max(self.from))
    }

    /// Where it ends.
    pub fn to(&self) -> Mono {
        self.to
    }

    /// The same from another time on; what is not in the chapters of this view is not in it.
    #[must_use]
    pub fn since(&self, from: Mono, to: Mono) -> Self {
        Self { from, to, ..self.clone() }
    }

    /// The links and targets that there is something of, with their numbers.
    pub fn seen(&self) -> impl Iterator<Item = (u16, &Seen)> {
        self.seen.iter().map(|(id, seen)| (*id, seen))
    }

    /// The links among them: each bond before its slaves, then the others, by name.
    pub fn links(&self) -> Vec<(u16, &LinkName, &Seen)> {
        let mut links: Vec<(u16, &LinkName, &Seen)> = Vec::new();
        for (id, seen) in self.seen() {
            if let Subject::Link(link) = &seen.subject {
                links.push((id, link, seen));
            }
        }
        let names: BTreeMap<u32, &str> = links.iter().map(|(_, link, _)| (link.ifindex, link.name.as_str())).collect();
        let bonds: BTreeSet<u32> = links.iter().map(|(_, _, seen)| seen.master).filter(|master| *master != 0).collect();
        links.sort_by_key(|(_, link, seen)| {
            let bond = if seen.master == 0 { link.ifindex } else { seen.master };
            let name = if bonds.contains(&bond) { names.get(&bond).copied().unwrap_or_default() } else { "" };
            (!bonds.contains(&bond), name, seen.master != 0, link.name.as_str())
        });
        links
    }

    /// The times in which nothing was counted, in order: the agent was held up, or the machine slept.
    pub fn gaps(&self) -> Vec<(Mono, Mono)> {
        let mut gaps = Vec::new();
        let mut last: Option<Mono> = None;
        for span in self.within().flat_map(|chapter| chapter.axis.spans()).filter(|span| self.has(*span)) {
            let before = last.replace(span.at).unwrap_or_else(|| self.from());
            if span.from > before {
                gaps.push((before, span.from));
            }
        }
        gaps
    }

    /// Nanoseconds in which something was counted.
    pub fn known_ns(&self) -> u64 {
        let spans = self.within().flat_map(|chapter| chapter.axis.spans());
        spans.filter(|span| self.has(*span)).map(Span::ns).sum()
    }

    /// Hands over the seconds of a link that ended within the view, in order.
    pub(super) fn rows(&self, id: u16, mut take: impl FnMut(Span, &Row)) {
        for chapter in self.within() {
            let Some(column) = chapter.columns.iter().find(|column| column.track == id) else { continue };
            for (span, row) in chapter.axis.spans().zip(column.rows()).filter(|(span, _)| self.has(*span)) {
                take(span, &row);
            }
        }
    }

    /// The conditions of a track, in order, from before the view begins (if that is known) to its end.
    pub(super) fn steps(&self, id: u16) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        let changes = self.chapters.iter().flat_map(|chapter| &chapter.changes).filter(|change| change.track == id);
        for Change { at, count, condition, .. } in changes.copied().filter(|change| change.at <= self.to) {
            // What was told late comes no earlier than what was told before it.
            let (at, before) = steps.last().map_or((at, None), |last| (last.at.max(at), Some(last.condition)));
            // At a chapter's start all is said again.
            if before != Some(condition) || count > 1 {
                let count = if before.is_none() { 0 } else { count.max(1) };
                steps.push(Step { at, condition, count });
            }
        }
        steps
    }

    /// The chapters that may have seconds of the view.
    fn within(&self) -> impl Iterator<Item = &Arc<Chapter>> {
        self.chapters.iter().filter(|chapter| chapter.axis.to() > self.from && chapter.axis.from() < self.to)
    }

    fn has(&self, span: Span) -> bool {
        span.at > self.from && span.at <= self.to
    }
}
