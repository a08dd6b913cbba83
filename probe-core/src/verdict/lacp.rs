//! The LACPDUs of each link, from the engine and from the capture, and the states of both ends over time.

use std::collections::BTreeMap;

use super::Evidence;
use super::case::Bond;
use super::life::of_link;
use crate::direction::Direction;
use crate::facts::{Facts, Mark};
use crate::incident::Incident;
use crate::lacp::{Lacpdu, PortState};
use crate::time::{Mono, SECOND};
use crate::timeline::What;

/// The engine's stamp of a LACPDU and that of its record are apart by less.
const SAME: u64 = SECOND / 100;

/// A LACPDU, and the packet that it is where the capture has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pdu<'a> {
    /// When it passed.
    pub at: Mono,
    /// What it says.
    pub pdu: &'a Lacpdu,
    /// Its number in the capture.
    pub number: Option<u64>,
    /// So many before it are not listed: they said the same, and came on time.
    pub unlisted: u64,
}

impl Pdu<'_> {
    /// As evidence.
    pub fn evidence(&self, text: impl Into<String>) -> Evidence {
        match self.number {
            Some(number) => super::case::packet(&Mark { number, at: self.at, ..Mark::default() }, text),
            None => Evidence::Entry { at: self.at, text: text.into() },
        }
    }
}

/// What the two ends of one link say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Talk<'a> {
    /// Ours, in order.
    pub ours: Vec<Pdu<'a>>,
    /// The partner's, in order.
    pub theirs: Vec<Pdu<'a>>,
    /// Our port's states as the kernel and our LACPDUs tell them, in order.
    our_states: Vec<(Mono, PortState)>,
    /// The partner's, likewise.
    their_states: Vec<(Mono, PortState)>,
}

impl<'a> Talk<'a> {
    /// Our port's state at `at`; `None` where it is not known.
    pub fn our_state(&self, at: Mono) -> Option<PortState> {
        last(&self.our_states, at)
    }

    /// The partner's.
    pub fn their_state(&self, at: Mono) -> Option<PortState> {
        last(&self.their_states, at)
    }

    /// True when neither end is known not to pass traffic.
    pub fn works(&self, at: Mono) -> bool {
        [self.our_state(at), self.their_state(at)].into_iter().flatten().all(PortState::is_working)
    }

    /// Every time at which a state was told.
    pub fn changes(&self) -> impl Iterator<Item = Mono> {
        self.our_states.iter().chain(&self.their_states).map(|(at, _)| *at)
    }

    /// The LACPDUs of one direction.
    pub fn of(&self, direction: Direction) -> &[Pdu<'a>] {
        match direction {
            Direction::Egress => &self.ours,
            Direction::Ingress => &self.theirs,
        }
    }

    /// Time after which the receiver of these LACPDUs misses three of them, nanoseconds; `None` where nobody said how often it
    /// wants them.
    ///
    /// A port that has lost its partner knows of no wish, and sends at the slow rate.
    pub fn limit(&self, direction: Direction, at: Mono) -> Option<u64> {
        let (sender, receiver) = match direction {
            Direction::Egress => (self.our_state(at), self.their_state(at)),
            Direction::Ingress => (self.their_state(at), self.our_state(at)),
        };
        let lost = sender.is_some_and(|state| state.defaulted() || state.expired());
        receiver.map(|state| if state.timeout() && !lost { 3 * SECOND } else { 90 * SECOND })
    }
}

fn last(states: &[(Mono, PortState)], at: Mono) -> Option<PortState> {
    states.iter().take_while(|(of, _)| *of <= at).last().map(|(_, state)| *state)
}

/// Of every link with LACPDUs or states. A bond's own tap sees its slaves' LACPDUs on some systems: those count only where the
/// slaves' are not there.
pub fn talks<'a>(incident: &'a Incident, facts: &'a Facts, bonds: &[Bond]) -> BTreeMap<String, Talk<'a>> {
    let mut talks: BTreeMap<String, Talk<'a>> = BTreeMap::new();
    let side = |talk: &mut Talk<'a>, direction: Direction, pdu: Pdu<'a>| match direction {
        Direction::Egress => talk.ours.push(pdu),
        Direction::Ingress => talk.theirs.push(pdu),
    };
    for fact in &facts.lacpdus {
        let pdu = Pdu { at: fact.mark.at, pdu: &fact.pdu, number: Some(fact.mark.number), unlisted: fact.unlisted };
        side(talks.entry(fact.mark.link.to_string()).or_default(), fact.direction, pdu);
    }
    let numbered: BTreeMap<String, [Vec<Mono>; 2]> = talks
        .iter()
        .map(|(name, talk)| (name.clone(), [&talk.ours, &talk.theirs].map(|pdus| pdus.iter().map(|pdu| pdu.at).collect())))
        .collect();
    for seen in &incident.lacpdus {
        let known = numbered.get(&seen.link.name).map(|times| match seen.direction {
            Direction::Egress => &times[0],
            Direction::Ingress => &times[1],
        });
        let near = |times: &Vec<Mono>| {
            let next = times.partition_point(|at| *at < seen.at.minus(SAME));
            times.get(next).is_some_and(|at| *at <= seen.at.plus(SAME))
        };
        if !known.is_some_and(near) {
            let pdu = Pdu { at: seen.at, pdu: &seen.pdu, number: None, unlisted: seen.unlisted };
            side(talks.entry(seen.link.name.clone()).or_default(), seen.direction, pdu);
        }
    }
    for bond in bonds.iter().filter(|bond| bond.slaves.iter().any(|slave| talks.contains_key(slave))).collect::<Vec<_>>() {
        talks.remove(&bond.link.name);
    }
    for link in incident.links_before.iter().filter(|link| link.slave.as_ref().is_some_and(|slave| slave.actor_state.is_some())) {
        talks.entry(link.name.clone()).or_default();
    }
    for (name, talk) in &mut talks {
        talk.ours.sort_by_key(|pdu| pdu.at);
        talk.theirs.sort_by_key(|pdu| pdu.at);
        talk.our_states = states(incident, name, &talk.ours, "actor port state");
        talk.their_states = states(incident, name, &talk.theirs, "partner port state");
    }
    talks
}

/// What is known of one end's state: the kernel's word at the start, LACPDUs, and the kernel's word since.
fn states(incident: &Incident, name: &str, pdus: &[Pdu<'_>], attribute: &str) -> Vec<(Mono, PortState)> {
    let before = incident.links_before.iter().find(|link| link.name == name).and_then(|link| link.slave.as_ref());
    let first = before.and_then(|slave| match attribute {
        "actor port state" => slave.actor_state,
        _ => slave.partner_state.and_then(|state| u8::try_from(state).ok()),
    });
    let told = of_link(incident, name).filter_map(|entry| match &entry.what {
        What::Attribute { name, to, .. } if *name == attribute => Some((entry.at, PortState(to.parse().ok()?))),
        _ => None,
    });
    let mut states: Vec<(Mono, PortState)> = pdus.iter().map(|pdu| (pdu.at, pdu.pdu.actor.state)).chain(told).collect();
    states.extend(first.map(|state| (incident.from, PortState(state))));
    states.sort_by_key(|(at, _)| *at);
    states
}
