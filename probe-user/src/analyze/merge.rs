//! All files as one stream of packets in the order of time.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use probe_core::dump::{Frame, Head, LinkType, Unreadable};
use probe_core::replay::Links;

use super::args::Named;
use super::input::{BUFFER, Input};
use super::open::Position;
use super::scout::Names;
use crate::incident::wall;

/// Memory of all buffers together, as far as they have their least size.
const BUFFERS: usize = 48 << 20;
/// A clock that goes back by at least so much was set: what follows is moved, so that the order of the packets stays. By less, packets
/// were written in another order than they passed.
const CLOCK_SET: u64 = 1_000_000_000;

/// A packet of any of the files.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// Its link.
    pub link: usize,
    /// Nanoseconds since 1970, by the file's first clock.
    pub at_ns: u64,
    /// The frame.
    pub frame: Frame<'a>,
}

/// A file that is read, or will be when its time comes: rotated files are opened one after the other.
#[derive(Debug)]
pub struct Source {
    file: Named,
    names: Names,
    state: State,
    /// When its next packet passed.
    at: u64,
    clock: Clock,
    skipped: Skipped,
    /// Packets that the capturing program says it lost.
    dropped: u64,
    problem: Option<String>,
}

enum State {
    Waiting,
    Open(Box<Input>, Head),
    Done,
}

/// Packets that were not taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Skipped {
    /// By the link type that is not read.
    link_types: BTreeMap<LinkType, u64>,
    /// Shorter than their header.
    short: u64,
}

/// A file's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Clock {
    last: u64,
    /// Nanoseconds by which stamps are moved because the clock was set back.
    shift: u64,
    /// Times that it went back.
    back: u64,
    /// By how much at most, nanoseconds.
    largest: u64,
    /// Packets without a stamp.
    missing: u64,
}

impl Clock {
    /// A packet's time; one without a stamp passed when the one before it did.
    #[inline]
    fn take(&mut self, stamp: Option<u64>) -> u64 {
        let Some(stamp) = stamp else {
            self.missing += 1;
            return self.last;
        };
        let at = stamp.saturating_add(self.shift);
        if at >= self.last {
            self.last = at;
            return at;
        }
        let back = self.last - at;
        self.back += 1;
        self.largest = self.largest.max(back);
        if back >= CLOCK_SET {
            self.shift += back;
            return self.last;
        }
        at
    }
}

impl Source {
    /// A file whose first packet has this stamp.
    pub fn new(file: Named, names: Names, first_at: u64) -> Self {
        let (skipped, clock) = (Skipped::default(), Clock::default());
        Self { file, names, state: State::Waiting, at: first_at, clock, skipped, dropped: 0, problem: None }
    }

    fn open(&mut self, position: &Position, buffer: usize) {
        match Input::open(&self.file.path, position, buffer) {
            Ok(input) => {
                self.state = State::Open(Box::new(input), Head::default());
                self.advance();
            }
            Err(error) => self.end(Some(error.to_string())),
        }
    }

    #[inline]
    fn advance(&mut self) {
        let State::Open(input, head) = &mut self.state else { return };
        match input.next_packet() {
            Some(next) => {
                self.at = self.clock.take(next.at_ns);
                *head = next;
            }
            None => {
                let problem = input.problem().map(str::to_owned);
                self.dropped = input.interfaces().iter().fold(0, |sum, of| sum.saturating_add(of.dropped));
                self.end(problem);
            }
        }
    }

    fn end(&mut self, problem: Option<String>) {
        self.state = State::Done;
        self.at = u64::MAX;
        self.problem = problem;
    }

    fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    fn skip(&mut self, why: Unreadable) {
        match why {
            Unreadable::LinkType(kind) => *self.skipped.link_types.entry(kind).or_default() += 1,
            Unreadable::Short => self.skipped.short += 1,
        }
    }

    fn oddities(&self) -> Vec<String> {
        let (label, Clock { back, largest, shift, missing, .. }) = (self.label(), self.clock);
        let mut told = Vec::new();
        if back > 0 {
            let moved = if shift > 0 { "; what follows was moved, so that the order of the packets stays" } else { "" };
            told.push(format!("{label}: stamps go back {back} times, by {} at most{moved}.", wall::seconds(largest)));
        }
        if missing > 0 {
            told.push(format!("{label}: {missing} packets have no stamp; each was taken to pass when the one before it did."));
        }
        for (kind, packets) in &self.skipped.link_types {
            told.push(format!("{label}: {packets} packets of link type {kind} were not read: it is not known here."));
        }
        if self.skipped.short > 0 {
            told.push(format!("{label}: {} packets are shorter than their header.", self.skipped.short));
        }
        if self.dropped > 0 {
            told.push(format!("{label}: {} packets were lost when it was captured.", self.dropped));
        }
        told
    }

    /// When its first packet passed, nanoseconds since 1970.
    pub fn first_at(&self) -> u64 {
        self.at
    }

    fn label(&self) -> String {
        self.file.path.display().to_string()
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            State::Waiting => "waiting",
            State::Open(..) => "open",
            State::Done => "done",
        })
    }
}

/// The files together.
#[derive(Debug)]
pub struct Merge {
    sources: Vec<Source>,
    position: Position,
    buffer: usize,
    /// The source whose packet was given last.
    current: usize,
    /// When the earliest packet of the others passed.
    limit: u64,
    started: bool,
    room: Vec<u8>,
}

impl Merge {
    /// Of these files; what is read of them is added to `position`.
    pub fn new(sources: Vec<Source>, position: Position) -> Self {
        let buffer = (BUFFERS / sources.len().max(1)).clamp(64 * 1024, BUFFER);
        Self { sources, position, buffer, current: 0, limit: 0, started: false, room: Vec::new() }
    }

    /// Shows every packet that can be read, until `visit` breaks; links that nobody has heard of are added to `links`.
    pub fn each<L: Links>(&mut self, links: &mut L, mut visit: impl FnMut(&mut L, Packet<'_>) -> ControlFlow<()>) {
        while self.advance().is_some() {
            let Some(source) = self.sources.get_mut(self.current) else { return };
            let State::Open(input, head) = &source.state else { return };
            match source.names.frame(input, head, &mut self.room, links) {
                Ok((link, frame)) => {
                    if visit(links, Packet { link, at_ns: source.at, frame }).is_break() {
                        return;
                    }
                }
                Err(why) => source.skip(why),
            }
        }
    }

    /// Goes on to the earliest packet. `None` at the end of all files.
    #[inline]
    fn advance(&mut self) -> Option<()> {
        if self.started {
            let source = self.sources.get_mut(self.current)?;
            source.advance();
            if !source.is_done() && source.at <= self.limit {
                return Some(());
            }
        }
        self.started = true;
        self.choose()
    }

    fn choose(&mut self) -> Option<()> {
        loop {
            let order = |at: &usize| self.sources.get(*at).map_or(u64::MAX, |source| source.at);
            let left = (0..self.sources.len()).filter(|at| self.sources.get(*at).is_some_and(|source| !source.is_done()));
            let earliest = left.clone().min_by_key(order)?;
            self.limit = left.filter(|at| *at != earliest).map(|at| order(&at)).min().unwrap_or(u64::MAX);
            self.current = earliest;
            let (position, buffer) = (self.position.clone(), self.buffer);
            let source = self.sources.get_mut(earliest)?;
            if !matches!(source.state, State::Waiting) {
                return Some(());
            }
            source.open(&position, buffer);
        }
    }

    /// Why files ended before their end.
    pub fn problems(&self) -> impl Iterator<Item = String> {
        let told = |source: &Source| source.problem.as_ref().map(|problem| format!("{}: {problem}", source.label()));
        self.sources.iter().filter_map(told)
    }

    /// What is odd about the files, one sentence each.
    pub fn oddities(&self) -> Vec<String> {
        self.sources.iter().flat_map(Source::oddities).collect()
    }
}
