//! Replays packets to the engine, in the order of their time.

mod taps;

use std::collections::BTreeSet;

use super::plan::Local;
use super::{FURTHER, LacpOf, Links, MOST_LINKS, Mac, Plan, Planned, Role};
use crate::classify::classify;
use crate::direction::Direction;
use crate::dump::Frame;
use crate::flight::{Action, Event, Flight, FlightConfig};
use crate::incident::TapCounts;
use crate::lacp::{Lacpdu, PduError};
use crate::matrix::Second;
use crate::repeat::{Fate, Fed, Fold, RepeatSeen, hash};
use crate::time::{Mono, SECOND};
use crate::timeline::LinkName;
use probe_common::class::{self, id};
use probe_common::event::FRAME_BYTES;
use probe_common::repeat::Repeat;
use taps::Tap;

/// Seconds without any packet that the engine is told of one by one; a longer pause is one long second.
const MOST_EMPTY_SECONDS: u64 = 600;

/// The engine, and what it has seen of the files so far.
#[derive(Debug)]
pub struct Replay {
    flight: Flight,
    links: Vec<Planned>,
    local: Local,
    /// Of each link with packets: what came in, what went out.
    taps: Vec<[Tap; 2]>,
    first: Mono,
    now: Mono,
    /// Start of the second that is being counted; `None` before the first packet.
    second: Option<Mono>,
    reason: String,
    fold: Fold,
    packets: u64,
    malformed_lacpdus: u64,
    actions: Vec<Action>,
}

/// A packet that is to be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Tap id: twice the link's index, and one more for what went out.
    pub tap: u16,
    /// One of [`probe_common::class::id`].
    pub class: u8,
    /// It is the 2^n-th copy of a repeated frame, where this is n; 0 for one that is none.
    pub copies_log2: u8,
}

impl Links for Replay {
    fn link(&mut self, name: &str, mac: Mac) -> usize {
        if let Some(at) = self.links.iter().position(|link| link.name == name) {
            return at;
        }
        // Tap ids have 16 bits, and each link has two; the plan has made up some.
        if self.links.len() >= 2 * MOST_LINKS && name != FURTHER {
            return self.link(FURTHER, mac);
        }
        // It was not there when the plan was made: what passes it is recorded and counted.
        let ifindex = self.links.len() as u32 + 1;
        let role = Role::Plain;
        self.links.push(Planned { name: name.to_owned(), ifindex, mac, role, seen: true, ..Planned::default() });
        self.taps.push(Default::default());
        self.links.len() - 1
    }
}

impl Replay {
    /// By this plan; `reason` is what the one incident is opened with.
    pub fn new(plan: &Plan, reason: &str) -> Self {
        let always = u64::MAX / 4;
        let config = FlightConfig {
            watched: plan.watched(),
            before: 0,
            after: always,
            longest: always,
            opens: BTreeSet::new(),
            ..FlightConfig::default()
        };
        Self {
            flight: Flight::new(config),
            taps: plan.links.iter().map(|_| Default::default()).collect(),
            links: plan.links.clone(),
            local: plan.local.clone(),
            first: Mono(0),
            now: Mono(0),
            second: None,
            reason: reason.to_owned(),
            fold: Fold::default(),
            packets: 0,
            malformed_lacpdus: 0,
            actions: Vec::new(),
        }
    }

    /// Takes a frame of a link. Says how it is to be recorded, unless it is one copy of many.
    #[inline]
    pub fn frame(&mut self, at_ns: u64, link: usize, frame: &Frame<'_>) -> Option<Kept> {
        let at = Mono(at_ns);
        self.go_to(at);
        self.packets += 1;
        let direction = frame.direction.unwrap_or_else(|| self.local.direction(frame.bytes));
        let side = usize::from(direction == Direction::Egress);
        let counts = self.taps.get_mut(link)?.get_mut(side)?;
        let tap = u16::try_from(link * 2 + side).unwrap_or(u16::MAX);
        let class = classify(frame.bytes, frame.length);
        counts.count(class, frame.length);
        let hash = hash(frame.bytes, frame.length);
        let fed = self.fold.feed(tap, at, frame.length, hash, class);
        if fed.tell {
            self.storm(tap, at, frame, (hash, class), fed);
        }
        let copies_log2 = match fed.fate {
            Fate::Suppress => {
                self.taps.get_mut(link)?.get_mut(side)?.repeats += 1;
                return None;
            }
            Fate::Keep => 0,
            Fate::Exemplar { copies_log2 } => copies_log2,
        };
        if class == id::LACP {
            self.lacpdu(at, link, direction, frame.bytes);
        }
        Some(Kept { tap, class, copies_log2 })
    }

    /// What the engine asks for since the last call.
    pub fn actions(&mut self) -> impl Iterator<Item = Action> {
        self.actions.drain(..)
    }

    /// True when [`Self::actions`] has any.
    #[inline]
    pub fn has_actions(&self) -> bool {
        !self.actions.is_empty()
    }

    /// The files are at their end: the incident is among the actions then, if there was any packet.
    pub fn finish(&mut self) {
        self.end_second(self.now.plus(1));
        self.tell(self.now.plus(1), Event::Stop);
    }

    /// Something that the timeline should say.
    pub fn alarm(&mut self, text: String) {
        self.tell(self.now, Event::Alarm { text });
    }

    /// Every link.
    pub fn links(&self) -> &[Planned] {
        &self.links
    }

    /// What was counted, tap by tap.
    pub fn taps(&self) -> Vec<TapCounts> {
        let links = self.links.iter().zip(&self.taps).enumerate();
        let both = |(at, (link, taps)): (usize, (&Planned, &[Tap; 2]))| {
            [Direction::Ingress, Direction::Egress].map(|direction| {
                let side = usize::from(direction == Direction::Egress);
                taps[side].totals((at * 2 + side) as u16, link, direction)
            })
        };
        links.filter(|(_, (link, _))| link.seen).flat_map(both).collect()
    }

    /// When the first packet and the latest one passed, nanoseconds since 1970.
    pub fn span(&self) -> (u64, u64) {
        (self.first.0, self.now.0)
    }

    /// Packets so far.
    pub fn packets(&self) -> u64 {
        self.packets
    }

    /// What could not be read, or found no room, by name; also what is zero.
    pub fn losses(&self) -> Vec<(&'static str, u64)> {
        let status = self.flight.status(self.now);
        vec![
            ("lacpdus-malformed", self.malformed_lacpdus),
            ("lacpdus-not-kept", status.lacpdus_lost),
            ("repeats-untracked", self.fold.untracked()),
            ("repeats-lost", status.repeats_lost),
        ]
    }

    /// Goes on to the time of a packet: tells of the seconds that are over.
    #[inline]
    fn go_to(&mut self, at: Mono) {
        let over = match self.second {
            Some(second) => at.since(second) >= SECOND,
            None => true,
        };
        if over {
            self.next_second(at);
        }
        self.now = self.now.max(at);
    }

    #[cold]
    fn next_second(&mut self, at: Mono) {
        let Some(second) = self.second else {
            (self.first, self.now) = (at, at);
            self.second = Some(at);
            let states = super::plan::states(&self.links);
            self.tell(at, Event::Start { links: states });
            let reason = self.reason.clone();
            return self.tell(at, Event::Manual { reason });
        };
        let mut start = second;
        if at.since(second) / SECOND > MOST_EMPTY_SECONDS {
            // The second with packets, then one for the pause.
            self.end_second(second.plus(SECOND));
            start = second.plus(at.since(second) / SECOND * SECOND);
            self.second = Some(start.max(second.plus(SECOND)));
        }
        while at.since(start) >= SECOND {
            start = start.plus(SECOND);
            self.end_second(start);
        }
    }

    /// Tells what was counted since the start of the second, which ends here.
    fn end_second(&mut self, end: Mono) {
        let Some(start) = self.second else { return };
        let repeats: Vec<RepeatSeen> =
            self.fold.counts().filter(|repeat| repeat.last_ns >= start.0).map(|of| self.counted(of)).collect();
        if !repeats.is_empty() {
            self.tell(end, Event::Repeats(repeats));
        }
        let cells = self.links.iter().zip(&mut self.taps).filter(|(link, _)| link.seen);
        let cells = cells.map(|(link, taps)| taps::cell(link, taps)).collect();
        self.second = Some(end);
        self.tell(end, Event::Second(Second { at: end, ns: end.since(start), cells }));
    }

    /// A storm begins, or has doubled.
    #[cold]
    fn storm(&mut self, tap: u16, at: Mono, frame: &Frame<'_>, (hash, class): (u64, u8), fed: Fed) {
        let (link, direction) = self.tapped(tap);
        let seen = RepeatSeen {
            at,
            first_at: fed.first_at,
            link,
            direction,
            // As the table calls it.
            hash: (hash ^ u64::from(tap) << 48).max(1),
            copies: fed.copies,
            length: frame.length,
            class: class::name(class).unwrap_or("unknown"),
            bytes: frame.bytes.get(..FRAME_BYTES).unwrap_or(frame.bytes).to_vec(),
        };
        self.tell(self.now.max(at), Event::Repeat(Box::new(seen)));
    }

    /// What was counted of a repeat by now.
    fn counted(&self, repeat: &Repeat) -> RepeatSeen {
        let (link, direction) = self.tapped(repeat.tap);
        RepeatSeen {
            at: Mono(repeat.last_ns),
            first_at: Mono(repeat.first_ns),
            link,
            direction,
            hash: repeat.hash,
            copies: repeat.copies,
            length: repeat.length,
            class: class::name(repeat.class).unwrap_or("unknown"),
            bytes: Vec::new(),
        }
    }

    fn lacpdu(&mut self, at: Mono, link: usize, direction: Direction, frame: &[u8]) {
        let pdu = match Lacpdu::decode(frame) {
            Ok(pdu) => pdu,
            // Markers and the like.
            Err(PduError::Other) => return,
            Err(_) => {
                self.malformed_lacpdus += 1;
                return;
            }
        };
        let Some(planned) = self.links.get(link) else { return };
        let ours = self.local.is_system(pdu.actor.system);
        let direction = if ours { Direction::Egress } else { direction };
        let slave = match &planned.lacp {
            LacpOf::Own => Some(planned.ifindex),
            LacpOf::Others => None,
            LacpOf::Ports(slaves) => {
                let port = if ours { pdu.actor.port } else { pdu.partner.port };
                // A partner that has heard nothing does not say whom it means.
                slaves.iter().find(|(number, _)| *number == port).or(slaves.first()).map(|(_, ifindex)| *ifindex)
            }
        };
        if let Some(ifindex) = slave {
            self.tell(at.max(self.now), Event::Lacpdu { at, ifindex, direction, frame: frame.to_vec() });
        }
    }

    /// Hands an event to the engine, after every deadline that lies before it.
    fn tell(&mut self, now: Mono, event: Event) {
        let mut last = None;
        while let Some(due) = self.flight.next_deadline().filter(|due| *due <= now && last.is_none_or(|last| *due > last)) {
            last = Some(due);
            self.actions.extend(self.flight.handle(due, Event::Tick));
        }
        self.actions.extend(self.flight.handle(now, event));
    }

    /// The link and direction of a tap.
    fn tapped(&self, tap: u16) -> (LinkName, Direction) {
        let link = self.links.get(usize::from(tap / 2));
        let name = link.map(|link| LinkName { ifindex: link.ifindex, name: link.name.clone() });
        (name.unwrap_or_default(), if tap % 2 == 1 { Direction::Egress } else { Direction::Ingress })
    }
}
