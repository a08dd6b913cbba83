//! One link of the table.

use super::differences;
use super::flips::{Both, Counted, Edge, Flips};
use crate::link::LinkState;
use crate::time::Mono;
use crate::timeline::What;

/// A link and its history in numbers.
#[derive(Clone, Debug)]
pub struct Link {
    /// As last reported. The carrier can be newer than the rest: it follows the kernel's edges.
    pub state: LinkState,
    /// When it was first seen.
    pub first_seen: Mono,
    /// When carrier or operational state last changed; `None` when they have not since the agent started.
    pub changed_at: Option<Mono>,
    flips: Flips,
    /// Changes of the operational state that no flip of the carrier explains: an administrator's, a lower layer's.
    other_changes: u64,
    /// A flip came, and the operational state has not followed yet.
    operstate_lags: bool,
}

/// What a carrier edge did.
#[derive(Clone, Debug, PartialEq)]
pub enum EdgeSeen {
    /// It is news.
    New(What),
    /// A message has told of it before; its exact time is known only now.
    Late,
    /// It is older than what is known.
    Old,
}

impl Link {
    pub(super) fn new(at: Mono, state: LinkState, initial: bool) -> Self {
        let flips = Flips::new(at, counters(&state));
        let changed_at = (!initial).then_some(at);
        Self { state, first_seen: at, changed_at, flips, other_changes: 0, operstate_lags: false }
    }

    /// Nanoseconds since carrier or operational state last changed; `None` when that was before the agent started.
    pub fn age(&self, now: Mono) -> Option<u64> {
        self.changed_at.map(|at| now.since(at))
    }

    /// Times that the carrier came and went since the link was first seen.
    pub fn flips(&self) -> Both {
        self.flips.seen()
    }

    /// Changes since the kernel made the link: each flip of its carrier by the kernel's own counters, and each change of the
    /// operational state without one, as far as it was seen.
    pub fn changes(&self) -> u64 {
        self.flips.total() + self.other_changes
    }

    /// Whether packets can pass, as far as the link itself knows: administratively up, carrier, and no operational state
    /// that says otherwise.
    pub fn is_up(&self) -> bool {
        self.state.admin_up && self.state.carrier && !self.state.operstate.is_down()
    }

    /// Whether it carries traffic for its bond: administratively up, carrier, and up for the bond's own monitor.
    pub fn is_up_as_slave(&self) -> bool {
        let monitored_up = self.state.slave.as_ref().is_some_and(|slave| slave.mii == crate::link::MiiStatus::Up);
        self.state.admin_up && self.state.carrier && monitored_up
    }

    /// Takes a message of `at`; returns what changed. `None`: the message is late, and nothing of it was taken.
    pub(super) fn apply(&mut self, at: Mono, mut new: LinkState, name_of: &dyn Fn(u32) -> String) -> Option<Vec<What>> {
        let Counted::Unseen { flips, edges_are_newer } = self.flips.message(at, counters(&new)) else { return None };
        if edges_are_newer {
            new.carrier = self.state.carrier;
        }
        let mut changes = differences::leading(&self.state, &new);
        if let Some(change) = carrier_change(self.state.carrier, new.carrier, flips) {
            changes.push(change);
            self.changed_at = Some(at);
            self.operstate_lags = true;
        }
        if self.state.operstate != new.operstate {
            let follows = self.operstate_lags && new.carrier != new.operstate.is_down();
            if !follows {
                self.changed_at = Some(at);
                self.other_changes += 1;
            }
            self.operstate_lags = false;
        }
        changes.extend(differences::following(&self.state, &new, name_of));
        self.state = new;
        Some(changes)
    }

    pub(super) fn edge(&mut self, at: Mono, up: bool) -> EdgeSeen {
        match self.flips.edge(at, up, self.state.carrier) {
            Edge::New { opposite_missed } => {
                self.state.carrier = up;
                self.changed_at = Some(at);
                self.operstate_lags = true;
                let missed = u32::from(opposite_missed);
                let (unseen_ups, unseen_downs) = if up { (0, missed) } else { (missed, 0) };
                EdgeSeen::New(What::Carrier { up, unseen_ups, unseen_downs })
            }
            Edge::Late => {
                if self.state.carrier == up {
                    self.changed_at = Some(at);
                }
                EdgeSeen::Late
            }
            Edge::Old => EdgeSeen::Old,
        }
    }
}

/// What a message tells of the carrier, flips that edges have told of left out.
fn carrier_change(from: bool, to: bool, unseen: Both) -> Option<What> {
    let Both { ups, downs } = unseen;
    if from == to {
        return (ups > 0 || downs > 0).then_some(What::Flaps { ups, downs });
    }
    let (last_up, last_down) = if to { (1, 0) } else { (0, 1) };
    Some(What::Carrier { up: to, unseen_ups: ups.saturating_sub(last_up), unseen_downs: downs.saturating_sub(last_down) })
}

fn counters(state: &LinkState) -> Both {
    Both { ups: state.carrier_up_count, downs: state.carrier_down_count }
}
