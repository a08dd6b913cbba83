//! The past: a day of seconds and states of every link, so that it can be told what was usual before something broke.
//!
//! Each second's packets and bytes of both directions, the driver's losses, and every change of a link's condition (up, carrier, slave,
//! LACP) and of targets. It is kept in chapters of ten minutes that are packed as they grow ([`column`] says how), so that memory
//! is bounded: the oldest chapter goes when the span is full, or the memory.
//!
//! What a day takes, measured by the tests here: a link that carries the same each second next to nothing, one with a little
//! traffic both ways 0.4 MB, one with random traffic of a hundred thousand packets a second both ways 1.1 MB (13 bytes a second).
//! The clock is [`Mono`] throughout.

mod axis;
mod chapter;
mod column;
mod condition;
mod normal;
mod series;
mod summary;
#[cfg(test)]
mod tests;
mod tracks;
mod varint;
mod view;

use std::collections::VecDeque;
use std::sync::Arc;

pub use column::{Flow, Row};
pub use condition::{Condition, LacpCondition, LinkCondition};
pub use normal::{Before, Normal, NormalLink, NormalWay, Odd};
pub use series::{Bucket, Series};
pub use summary::{Rates, Spread, States, Told};
pub use tracks::Subject;
pub use view::{Seen, View};

use crate::matrix::{Cell, Second};
use crate::time::Mono;
use crate::timeline::LinkName;
use chapter::{Change, Chapter, SECONDS};
use column::Column;
use tracks::{Track, Tracks};

/// The open chapter ends early when it takes such a part of the memory, so that what has to go is never much.
const PARTS: usize = 8;

/// The history of all links and targets.
#[derive(Clone, Debug)]
pub struct Past {
    span: u64,
    memory: usize,
    tracks: Tracks,
    /// Oldest first.
    closed: VecDeque<Arc<Chapter>>,
    closed_bytes: usize,
    open: Arc<Chapter>,
    /// Chapters that went before their time.
    pushed_out: u64,
    /// Links and targets that found no track, each second anew.
    not_kept: u64,
}

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Start of the oldest second; `None` before there is any.
    pub from: Option<Mono>,
    /// Bytes of memory that it takes.
    pub bytes: usize,
    /// Bytes that it may take.
    pub limit: usize,
    /// How far it should reach back, nanoseconds.
    pub span: u64,
    /// What was older had to go for want of memory before the span was full.
    pub pushed_out: bool,
    /// Seconds of links, and changes, that were not kept because there are too many links.
    pub not_kept: u64,
}

impl Past {
    /// That reaches back `span` nanoseconds, in so many bytes of memory. Either is 0: nothing is kept.
    pub fn new(span: u64, memory: usize) -> Self {
        Self {
            span,
            memory,
            tracks: Tracks::default(),
            closed: VecDeque::new(),
            closed_bytes: 0,
            open: Arc::default(),
            pushed_out: 0,
            not_kept: 0,
        }
    }

    /// Other limits from now on; what is beyond them goes with the next second.
    pub fn set_limits(&mut self, span: u64, memory: usize) {
        (self.span, self.memory) = (span, memory);
        if self.is_kept() {
            self.bound();
        } else {
            *self = Self::new(span, memory);
        }
    }

    /// Adds a second.
    pub fn second(&mut self, second: &Second) {
        if !self.is_kept() {
            return;
        }
        let open = Arc::make_mut(&mut self.open);
        let number = open.axis.len();
        open.axis.push(second.at, second.ns);
        for cell in &second.cells {
            let Some((id, track)) = self.tracks.link(second.at, &cell.link) else {
                self.not_kept += 1;
                continue;
            };
            track.master = cell.master;
            let place = *track.column.get_or_insert_with(|| {
                open.columns.push(Column::new(id, number));
                open.columns.len() - 1
            });
            if let Some(column) = open.columns.get_mut(place) {
                column.push(number, row(cell));
            }
        }
        self.turn();
    }

    /// What a link is like, at `at`.
    pub fn link(&mut self, at: Mono, link: &LinkName, condition: LinkCondition) {
        let track = self.is_kept().then(|| self.tracks.link(at, link)).flatten();
        let told = track.map(|(id, track)| told(&mut self.open, id, track, at, Condition::Link(condition)));
        self.not_kept += u64::from(told.is_none() && self.is_kept());
    }

    /// What a target is like, at `at`.
    pub fn target(&mut self, at: Mono, name: &str, condition: Condition) {
        let track = self.is_kept().then(|| self.tracks.target(at, name)).flatten();
        let told = track.map(|(id, track)| told(&mut self.open, id, track, at, condition));
        self.not_kept += u64::from(told.is_none() && self.is_kept());
    }

    /// A link is gone, or not watched any more.
    pub fn left(&mut self, at: Mono, ifindex: u32, gone: bool) {
        if let Some((id, track)) = self.tracks.by_index(ifindex) {
            let condition = if gone { Condition::Gone } else { Condition::Unwatched };
            told(&mut self.open, id, track, at, condition);
        }
    }

    /// Of what is not there any more nothing is told any more: it is not watched.
    pub fn leave(&mut self, at: Mono, is_there: impl Fn(&Subject) -> bool) {
        for (id, track) in self.tracks.iter_mut() {
            let known = matches!(track.condition, Some(Condition::Link(_) | Condition::Target(_)));
            if known && !is_there(&track.subject) {
                told(&mut self.open, id, track, at, Condition::Unwatched);
            }
        }
    }

    /// A link has another name now.
    pub fn renamed(&mut self, from: &str, link: &LinkName) {
        self.tracks.rename(from, link);
    }

    /// How much there is.
    pub fn extent(&self) -> Extent {
        let first = self.closed.front().unwrap_or(&self.open);
        Extent {
            from: (first.axis.len() > 0).then(|| first.axis.from()),
            bytes: self.bytes(),
            limit: self.memory,
            span: self.span,
            pushed_out: self.pushed_out > 0,
            not_kept: self.not_kept,
        }
    }

    /// The history from `from` to `to`, as far as there is any: cheap to make, and good to be read on another thread.
    pub fn view(&self, from: Mono, to: Mono) -> View {
        // What changed since the last second is in the open chapter, whose seconds end before it.
        let closed = self.closed.iter().filter(|chapter| chapter.axis.to() >= from);
        let chapters = closed.chain([&self.open]).filter(|chapter| chapter.axis.from() <= to);
        View::new(from, to, chapters.cloned().collect(), self.tracks.iter().map(|(id, track)| (id, track.into())).collect())
    }

    /// Whether anything is kept.
    pub fn is_kept(&self) -> bool {
        self.span > 0 && self.memory > 0
    }

    /// Begins the next chapter when it is time, and keeps to the limits.
    fn turn(&mut self) {
        let full = self.open.axis.len() >= SECONDS || self.open.memory() > self.memory / PARTS;
        if full {
            let end = self.open.axis.to();
            // What is gone stays in the chapter in which it went, and its number is free when that one has gone too.
            let is_there = |condition: &Condition| !matches!(condition, Condition::Gone | Condition::Unwatched);
            let conditions = self.tracks.iter().filter_map(|(id, track)| Some((id, track.condition.filter(is_there)?)));
            let next = Arc::new(Chapter::new(end, conditions));
            let mut closed = std::mem::replace(&mut self.open, next);
            Arc::make_mut(&mut closed).settle();
            self.closed_bytes += closed.memory();
            self.closed.push_back(closed);
            for (_, track) in self.tracks.iter_mut() {
                (track.column, track.changes) = (None, 0);
            }
        }
        self.bound();
    }

    fn bound(&mut self) {
        let oldest = self.open.axis.to().minus(self.span);
        let mut went = false;
        while let Some(first) = self.closed.front() {
            let old = first.axis.to() <= oldest;
            if !old && self.bytes() <= self.memory {
                break;
            }
            self.pushed_out += u64::from(!old);
            self.closed_bytes -= first.memory();
            self.closed.pop_front();
            went = true;
        }
        if went {
            let first = self.closed.front().unwrap_or(&self.open).axis.from();
            // Whatever is still told of something is seen in the first chapter, or after it.
            self.tracks.forget(first);
        }
    }

    fn bytes(&self) -> usize {
        self.closed_bytes + self.open.memory() + self.tracks.memory() + self.closed.capacity() * size_of::<Arc<Chapter>>()
    }
}

/// Notes a condition that is another than before.
fn told(open: &mut Arc<Chapter>, id: u16, track: &mut Track, at: Mono, condition: Condition) {
    if track.condition == Some(condition) {
        return;
    }
    // The first that is known of it is no change.
    let count = u16::from(track.condition.is_some());
    track.condition = Some(condition);
    track.seen = track.seen.max(at);
    if Arc::make_mut(open).change(Change { at, track: id, count, condition }, track.changes) {
        track.changes = track.changes.saturating_add(1);
    }
}

fn row(cell: &Cell) -> Row {
    let flow = |count: crate::matrix::Count| Flow { packets: count.packets, bytes: count.bytes };
    Row {
        ingress: cell.ingress.map(flow),
        egress: cell.egress.map(flow),
        lost: cell.driver.map(|driver| [driver.rx_lost, driver.tx_lost]),
    }
}
