//! Whether a link still receives while its partner's LACPDUs do not come: what tells a silent partner from a dead receiver.

use crate::direction::Direction;
use crate::facts::Heard;
use crate::time::{Mono, SECOND};
use crate::timeline::{Entry, What};
use crate::verdict::case::Case;
use crate::verdict::lacp::Talk;
use crate::verdict::life::{Life, of_link};

/// Other frames that must have been received in the ten seconds before, for their absence to tell anything.
const USUAL: u64 = 5;

/// A time without LACPDUs of one direction, longer than three of them take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gap<'a> {
    /// The last one; the window's start where it lies before.
    pub from: Mono,
    /// The next one, where one came.
    pub until: Option<Mono>,
    /// Time after which three are missing, nanoseconds.
    pub limit: u64,
    /// Number in the capture of the last one.
    pub last: Option<u64>,
    /// What the engine said about it.
    pub entry: Option<&'a Entry>,
}

/// The gaps of one direction while the link itself was up, and its bond not set down.
pub fn gaps<'a>(case: &Case<'a>, name: &str, talk: &Talk<'a>, direction: Direction) -> Vec<Gap<'a>> {
    let mut found: Vec<Gap<'a>> = Vec::new();
    let pdus = talk.of(direction);
    for (place, pdu) in pdus.iter().enumerate() {
        let next = pdus.get(place + 1);
        if next.is_some_and(|next| next.unlisted > 0) {
            continue;
        }
        let until = next.map(|next| next.at);
        let Some(limit) = talk.limit(direction, pdu.at) else { continue };
        if until.unwrap_or(case.incident.to).since(pdu.at) > enough(talk, direction, pdu.at, until, limit) {
            found.push(Gap { from: pdu.at, until, limit, last: pdu.number, entry: None });
        }
    }
    for entry in of_link(case.incident, name) {
        let What::LacpSilence { direction: of, silent: true, for_ns, limit_ns } = entry.what else { continue };
        if of != direction {
            continue;
        }
        let from = entry.at.minus(for_ns);
        let limit = talk.limit(direction, from).unwrap_or(limit_ns).max(limit_ns);
        match found.iter_mut().find(|gap| gap.from <= entry.at && gap.until.is_none_or(|until| entry.at < until)) {
            Some(gap) => gap.entry = Some(entry),
            None => {
                let until = pdus.iter().map(|pdu| pdu.at).find(|at| *at > entry.at);
                if until.unwrap_or(case.incident.to).since(from) >= enough(talk, direction, from, until, limit) {
                    found.push(Gap { from: from.max(case.incident.from), until, limit, last: None, entry: Some(entry) });
                }
            }
        }
    }
    let bond = case.bond_of(name).and_then(|bond| case.life(&bond.link.name));
    found.retain(|gap| {
        let missed = gap.from.plus(gap.limit);
        let bond_set_down = bond.is_some_and(|life| life.admin_down.iter().any(|span| span.covers(missed)));
        let up = |life: &Life<'_>| {
            life.is_up(gap.from) && life.is_up(missed) && !life.changes().any(|at| at > gap.from && at < missed)
        };
        !bond_set_down && case.life(name).is_none_or(up)
    });
    found.sort_by_key(|gap| gap.from);
    found
}

/// How long a gap must be. One that ends just too late is a host that was busy for a moment, unless the receiver says that it gave up.
fn enough(talk: &Talk<'_>, direction: Direction, from: Mono, until: Option<Mono>, limit: u64) -> u64 {
    let Some(until) = until else { return limit };
    let receiver = |at| match direction {
        Direction::Ingress => talk.our_state(at),
        Direction::Egress => talk.their_state(at),
    };
    let gave_up = |at: Mono| receiver(at).is_some_and(|state| state.expired() || state.defaulted());
    let told = talk.changes().filter(|at| *at > from && *at <= until);
    if !gave_up(from) && told.into_iter().any(gave_up) { limit } else { limit + limit / 6 }
}

/// What a link received while LACPDUs were missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receiving<'a> {
    /// Other frames came: the best one, where the capture has it.
    Alive(Option<&'a Heard>),
    /// Other frames came before, and none since.
    Dead,
    /// Nothing but LACPDUs was ever received there.
    Unknown,
}

/// What the link received in a gap; where it cannot tell by itself, what another slave of its bond received in a gap of the same time.
pub fn receiving<'a>(case: &Case<'a>, name: &str, gap: &Gap<'_>) -> Receiving<'a> {
    let own = received(case, name, gap);
    let (Receiving::Unknown, Some(bond)) = (own, case.bond_of(name)) else { return own };
    let others = bond.slaves.iter().filter(|slave| *slave != name).filter_map(|slave| Some((slave, case.talk(slave)?)));
    let near = |other: &Gap<'_>| other.from.since(gap.from).max(gap.from.since(other.from)) <= gap.limit;
    let told = others.flat_map(|(slave, talk)| {
        let gaps = gaps(case, slave, talk, Direction::Ingress).into_iter().filter(near);
        gaps.map(|other| received(case, slave, &other)).collect::<Vec<_>>()
    });
    told.into_iter().find(|told| *told != Receiving::Unknown).unwrap_or(own)
}

/// What the link itself received in a gap, from the time on when the next LACPDU was due.
fn received<'a>(case: &Case<'a>, name: &str, gap: &Gap<'_>) -> Receiving<'a> {
    let due = gap.from.plus(gap.limit / 3 + SECOND / 2);
    let end = gap.until.unwrap_or(case.incident.to).minus(SECOND / 100);
    let way = case.facts.way(name, Direction::Ingress);
    let best = way.and_then(|way| way.best_within(due, end)).filter(|heard| heard.rank() > 0);
    if best.is_some() || ingress(case, name, due, end) > 0 {
        return Receiving::Alive(best);
    }
    let before = gap.from.minus(10 * SECOND);
    let lacpdus =
        case.talk(name).map_or(0, |talk| talk.theirs.iter().filter(|pdu| pdu.at >= before && pdu.at <= gap.from).count());
    let others = way.map_or(0, |way| way.count_within(before, gap.from.plus(SECOND)).1);
    let counted = ingress(case, name, before, gap.from).saturating_sub(lacpdus as u64);
    if others.max(counted) >= USUAL { Receiving::Dead } else { Receiving::Unknown }
}

/// Frames that the ingress tap, or the driver, counted in the whole seconds between two times.
pub fn ingress(case: &Case<'_>, name: &str, from: Mono, to: Mono) -> u64 {
    let within = case.incident.seconds.iter().filter(|second| second.at.minus(second.ns) >= from && second.at <= to);
    let cells = within.flat_map(|second| &second.cells).filter(|cell| cell.link.name == name);
    cells.filter_map(|cell| cell.ingress.or(cell.driver.map(|driver| driver.rx))).map(|count| count.packets).sum()
}
