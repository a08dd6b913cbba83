//! All files as one stream of packets in the order of time.

use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;

use probe_core::dump::{Frame, Head, LinkType, Unreadable};
use probe_core::replay::Links;

use super::args::Named;
use super::clock::Clock;
use super::input::{BUFFER, Input};
use super::open::Position;
use super::scout::Names;

/// Memory of all buffers together, as far as they have their least size.
const BUFFERS: usize = 48 << 20;
/// Packets that are read ahead at most to see whether a stamp is damaged, and bytes of them.
const MOST_AHEAD: usize = 64;
/// See [`MOST_AHEAD`].
const MOST_AHEAD_BYTES: usize = 256 * 1024;

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
    /// A packet that was held because stamps leap: it is the next one in place of the one in `state`.
    current: Option<Ahead>,
    /// Packets behind it, which were read to see whether its stamp is right.
    ahead: VecDeque<Ahead>,
    /// So many of `ahead` have damaged stamps.
    odd: usize,
    skipped: Skipped,
    /// Packets that the capturing program says it lost.
    dropped: u64,
    problem: Option<String>,
}

/// A packet that was copied.
#[derive(Debug)]
struct Ahead {
    head: Head,
    bytes: Vec<u8>,
    /// Where it is in what was unpacked.
    offset: u64,
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

impl Source {
    /// A file that begins at this time.
    pub fn new(file: Named, names: Names, first_at: u64) -> Self {
        let (skipped, clock, ahead) = (Skipped::default(), Clock::new(first_at), VecDeque::new());
        let state = State::Waiting;
        Self { file, names, state, at: first_at, clock, current: None, ahead, odd: 0, skipped, dropped: 0, problem: None }
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
        self.current = None;
        if !self.ahead.is_empty() {
            return self.take_ahead();
        }
        let State::Open(input, head) = &mut self.state else { return };
        match input.next_packet() {
            Some(next) if self.clock.leaps(next.at_ns) => {
                self.hold(&next);
                self.take_ahead();
            }
            Some(next) => {
                self.at = self.clock.take(next.at_ns, || input.offset() - next.used as u64);
                *head = next;
            }
            None => {
                let problem = input.problem().map(str::to_owned);
                self.dropped = input.interfaces().iter().fold(0, |sum, of| sum.saturating_add(of.dropped));
                self.end(problem);
            }
        }
    }

    /// Copies the packet that was read last.
    #[cold]
    fn hold(&mut self, head: &Head) {
        let State::Open(input, _) = &self.state else { return };
        let offset = input.offset() - head.used as u64;
        self.ahead.push_back(Ahead { head: *head, bytes: input.bytes(head).to_vec(), offset });
    }

    /// Goes on to the first packet of those that were read ahead.
    #[cold]
    fn take_ahead(&mut self) {
        if self.odd == 0 && self.ahead.front().is_some_and(|first| self.clock.leaps(first.head.at_ns)) {
            self.odd = self.find_odd();
        }
        let Some(next) = self.ahead.pop_front() else { return };
        self.at = if self.odd > 0 {
            self.odd -= 1;
            self.clock.take_odd(next.head.at_ns, next.offset)
        } else {
            self.clock.take(next.head.at_ns, || next.offset)
        };
        self.current = Some(next);
    }

    /// Reads ahead until it is known how many packets have damaged stamps.
    fn find_odd(&mut self) -> usize {
        let mut whole = false;
        loop {
            if let Some(odd) = self.clock.odd_run(self.ahead.iter().map(|of| of.head.at_ns), whole) {
                return odd;
            }
            let bytes: usize = self.ahead.iter().map(|of| of.bytes.len()).sum();
            if whole || self.ahead.len() >= MOST_AHEAD || bytes >= MOST_AHEAD_BYTES {
                return 0;
            }
            let State::Open(input, _) = &mut self.state else { return 0 };
            match input.next_packet() {
                Some(next) => self.hold(&next),
                None => whole = true,
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

    fn oddities(&self, alone: bool) -> Vec<String> {
        let label = self.label();
        let mut told: Vec<String> = self.clock.oddities(alone).into_iter().map(|odd| format!("{label}: {odd}")).collect();
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

    /// When it begins, nanoseconds since 1970.
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
            let (head, bytes) = match &source.current {
                Some(ahead) => (&ahead.head, ahead.bytes.as_slice()),
                None => (head, input.bytes(head)),
            };
            match source.names.frame(input.interfaces(), head, bytes, &mut self.room, links) {
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
        let alone = self.sources.len() < 2;
        self.sources.iter().flat_map(|source| source.oddities(alone)).collect()
    }
}
