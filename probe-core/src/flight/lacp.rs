//! LACP's part of the engine: LACPDUs of the watched slaves in, entries, triggers and questions to the kernel out.

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, Flight};
use crate::direction::Direction;
use crate::lacp::{Ask, Follow, LacpCounters, Lacpdu, LacpduHistory, LacpduSeen, PduError, Phase, PortState, Told};
use crate::table::{Link, LinkTable, Role};
use crate::time::{Mono, SECOND};
use crate::timeline::{Entry, LinkName, Source, What};
use crate::trigger::Fired;

/// LACPDUs are held for so much longer than an incident reaches back: a trigger can be younger than its cause.
const MARGIN: u64 = 5 * SECOND;

/// What is followed.
#[derive(Clone, Debug, Default)]
pub struct Lacp {
    slaves: BTreeMap<u32, Slave>,
    history: LacpduHistory,
    malformed: u64,
}

/// One slave, or an interface with LACP of its own.
#[derive(Clone, Debug)]
pub struct Slave {
    /// Its two ends.
    pub follow: Follow,
    /// Questions to the kernel about it.
    pub ask: Ask,
    /// It is in an 802.3ad bond: the kernel has something to say.
    asks: bool,
}

impl Lacp {
    /// When [`Flight::lacp_tick`] is wanted next.
    pub fn deadline(&self) -> Option<Mono> {
        let due = |slave: &Slave| [slave.follow.deadline(), slave.asks.then(|| slave.ask.due())].into_iter().flatten().min();
        self.slaves.values().filter_map(due).min()
    }

    /// What is followed of a link.
    pub fn slave(&self, ifindex: u32) -> Option<&Slave> {
        self.slaves.get(&ifindex)
    }

    /// LACPDUs of a window.
    pub fn window(&self, from: Mono, to: Mono) -> Vec<LacpduSeen> {
        self.history.window(from, to)
    }

    /// LACPDUs that were pushed out of the history for want of room.
    pub fn lost(&self) -> u64 {
        self.history.lost()
    }

    /// Frames that should be LACPDUs and could not be understood.
    pub fn malformed(&self) -> u64 {
        self.malformed
    }

    /// Follows the links as they are now.
    fn look(&mut self, at: Mono, table: &LinkTable, entries: &[Entry]) {
        self.slaves.retain(|ifindex, _| table.get(*ifindex).is_some());
        for (ifindex, slave) in &mut self.slaves {
            if table.role(*ifindex).is_none() {
                slave.follow.link(at, false, false);
                slave.asks = false;
            }
        }
        for (link, role) in table.watched().filter(|(_, role)| *role != Role::Bond) {
            let ifindex = link.state.ifindex;
            let up = is_up(table, link, role);
            let asks = link.state.slave.as_ref().is_some_and(|slave| slave.aggregator_id.is_some());
            if let Some(slave) = self.slaves.get_mut(&ifindex) {
                let about = |entry: &&Entry| entry.link.as_ref().is_some_and(|link| link.ifindex == ifindex);
                slave.follow.link(at, up, entries.iter().filter(about).any(fell));
                if asks && !slave.asks {
                    slave.ask = Ask::default();
                }
                slave.asks = asks;
            } else {
                let follow = Follow::new(at, up, works(link));
                self.slaves.insert(ifindex, Slave { follow, ask: Ask::default(), asks });
            }
        }
    }
}

impl Flight {
    /// Looks at the links after `entries` changed some.
    pub(super) fn lacp_links(&mut self, now: Mono, entries: &[Entry]) {
        let at = entries.last().map_or(now, |entry| entry.at);
        self.lacp.look(at, &self.table, entries);
    }

    /// A frame of slow protocols passed a tap.
    pub(super) fn lacpdu(
        &mut self,
        now: Mono,
        (at, ifindex, direction): (Mono, u32, Direction),
        frame: &[u8],
        actions: &mut Vec<Action>,
    ) {
        let Some(slave) = self.lacp.slaves.get_mut(&ifindex) else { return };
        let pdu = match Lacpdu::decode(frame) {
            Ok(pdu) => pdu,
            // Markers and the like.
            Err(PduError::Other) => return,
            Err(_) => {
                self.lacp.malformed += 1;
                return slave.follow.malformed(direction);
            }
        };
        let told = slave.follow.lacpdu(now, at, direction, pdu);
        let reach = at.minus(self.config.before.saturating_add(MARGIN));
        let keep = self.open.as_ref().map_or(reach, |open| open.from.min(reach));
        let link = LinkName { ifindex, name: self.table.name_of(ifindex) };
        self.lacp.history.push(LacpduSeen { at, link, direction, pdu, unlisted: 0 }, keep);
        self.lacp_told(now, ifindex, told, actions);
    }

    /// Finds silence and failures that have lasted, and asks the kernel what is due.
    pub(super) fn lacp_tick(&mut self, now: Mono, actions: &mut Vec<Action>) {
        let due = |slave: &Slave| slave.follow.deadline().is_some_and(|at| at <= now);
        let late: Vec<u32> = self.lacp.slaves.iter().filter(|(_, slave)| due(slave)).map(|(ifindex, _)| *ifindex).collect();
        for ifindex in late {
            let told = self.lacp.slaves.get_mut(&ifindex).map(|slave| slave.follow.tick(now));
            self.lacp_told(now, ifindex, told.unwrap_or_default(), actions);
        }
        let mut asked = BTreeSet::new();
        for (ifindex, slave) in &mut self.lacp.slaves {
            if slave.asks && slave.ask.take(now) {
                asked.insert(*ifindex);
                // Which aggregator is in use stands in the bond's attributes.
                asked.extend(self.table.get(*ifindex).and_then(|link| link.state.master));
            }
        }
        actions.extend(asked.into_iter().map(|ifindex| Action::AskLink { ifindex }));
    }

    /// The kernel answered.
    pub(super) fn lacp_counters(&mut self, now: Mono, ifindex: u32, counters: LacpCounters, actions: &mut Vec<Action>) {
        let Some(slave) = self.lacp.slaves.get_mut(&ifindex) else { return };
        let [sent, received] = [Direction::Egress, Direction::Ingress].map(|direction| slave.follow.side(direction).seen());
        let grown = slave.ask.answered(now, counters, sent, received);
        // Where all is well again the numbers tell nothing.
        if let Some(grown) = grown.filter(|_| slave.follow.phase() != Phase::Working) {
            let entry = self.table.entry(now, ifindex, Source::Agent, What::LacpCounters(grown));
            self.report(vec![entry], actions);
        }
    }

    fn lacp_told(&mut self, now: Mono, ifindex: u32, told: Told, actions: &mut Vec<Action>) {
        if told == Told::default() {
            return;
        }
        let first = |(_, what): &(Mono, What)| matches!(what, What::Lacp { from: None, .. });
        if let Some(slave) = self.lacp.slaves.get_mut(&ifindex).filter(|_| !told.entries.iter().all(first)) {
            slave.ask.change(now);
        }
        let table = &self.table;
        let entry = |(at, what)| {
            let source = if matches!(what, What::Lacp { .. }) { Source::Kernel } else { Source::Agent };
            table.entry(at, ifindex, source, what)
        };
        let entries = told.entries.into_iter().map(entry).collect();
        self.report(entries, actions);
        for (at, kind, text) in told.fired {
            let link = LinkName { ifindex, name: self.table.name_of(ifindex) };
            let text = format!("{}: {text}", link.name);
            self.fire(&Fired { at, kind, link: Some(link), text }, actions);
        }
    }
}

/// Whether LACP can be expected to work: the link is up, and the bond is not set down.
fn is_up(table: &LinkTable, link: &Link, role: Role) -> bool {
    match role {
        Role::Slave { master } => link.is_up_as_slave() && table.get(master).is_some_and(|bond| bond.state.admin_up),
        Role::Bond | Role::Plain => link.is_up(),
    }
}

/// Whether the kernel says that both ends collect and distribute.
fn works(link: &Link) -> bool {
    let Some(slave) = &link.state.slave else { return false };
    let works = |state: Option<u8>| state.is_some_and(|state| PortState(state).is_working());
    works(slave.actor_state) && works(slave.partner_state.and_then(|state| u8::try_from(state).ok()))
}

/// Whether an entry tells that the carrier was lost for a moment.
fn fell(entry: &Entry) -> bool {
    match entry.what {
        What::Flaps { downs, .. } => downs > 0,
        What::Carrier { unseen_downs, .. } => unseen_downs > 0,
        _ => false,
    }
}
