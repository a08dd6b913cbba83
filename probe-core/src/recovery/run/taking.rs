//! A slave is taken out and put back, and what is noted of it meanwhile.

use super::super::Step;
use super::super::guard::{candidates, may_take};
use super::super::order::{Deed, Note, Order, Refusal};
use super::super::record::Outcome;
use super::{ASK, Context, Run, Stage, Taken};
use crate::time::{Mono, SECOND};
use crate::timeline::LinkName;

/// Pauses between the attempts to put a slave back, nanoseconds: one more attempt than there are pauses.
const PAUSES: [u64; 5] = [SECOND / 5, SECOND / 2, SECOND, 2 * SECOND, 5 * SECOND];

impl Run {
    /// Takes the next slave that may be taken; without one it is over.
    pub(super) fn next(&mut self, cx: &mut Context<'_>) {
        if self.stopping {
            return self.finish(cx, Outcome::Stopped);
        }
        let sight = cx.sight;
        let Some(bond) = sight.bond(self.bond.ifindex) else {
            let text = format!("{} is gone", self.bond.name);
            self.tell(cx, Some(self.bond.clone()), Step::Failed, text);
            return self.finish(cx, Outcome::Failed);
        };
        let mut left = candidates(sight, bond, &self.about.named);
        let (touched, named, only) = (&self.touched, &self.about.named, self.about.only_named);
        left.retain(|(slave, _)| !touched.contains(&slave.link.ifindex) && (!only || named.contains(&slave.link.ifindex)));
        let Some((slave, _)) = left.iter().find(|(_, may)| may.is_ok()) else {
            for (slave, may) in left {
                let why = may.err().unwrap_or_default();
                self.tell(cx, Some(slave.link.clone()), Step::Skips, format!("is left alone: it {why}"));
            }
            return self.all_done(cx);
        };
        let link = slave.link.clone();
        let note = Note {
            incident: self.about.incident.clone(),
            directory: self.about.directory.clone(),
            bond: bond.link.name.clone(),
            bond_index: bond.link.ifindex,
            slave: link.name.clone(),
            slave_index: link.ifindex,
            queue_id: slave.queue_id,
            prio: slave.prio,
            primary: bond.primary == Some(link.ifindex),
            at: cx.now.0,
        };
        self.touched.push(link.ifindex);
        self.taken = Taken { slave: link, worked: !slave.fails(bond.lacp), note: note.clone(), ..Taken::default() };
        cx.state.out = Some(note);
        self.order(cx, Stage::Noting, Order::Save(cx.state.clone()));
    }

    /// The note is on disk: takes the slave out, if it may still be.
    pub(super) fn release(&mut self, cx: &mut Context<'_>) {
        let sight = cx.sight;
        let found = sight.slave(self.taken.slave.ifindex).zip(sight.bond(self.bond.ifindex));
        let may = match found {
            Some((slave, bond)) => may_take(sight, bond, slave),
            None => Err("is gone".to_owned()),
        };
        if let Err(why) = may.and(if self.stopping { Err("is not touched while the agent stops".to_owned()) } else { Ok(()) }) {
            self.tell(cx, Some(self.taken.slave.clone()), Step::Skips, format!("is left alone: it {why}"));
            return self.clear(cx);
        }
        let text = format!("is taken out of {}", self.bond.name);
        self.tell(cx, Some(self.taken.slave.clone()), Step::Takes, text);
        cx.deeds.push(Deed::Hold { slave: self.taken.slave.clone(), bond: self.bond.clone() });
        self.order(cx, Stage::Releasing, Order::Release { slave: self.taken.slave.clone() });
    }

    /// Puts the slave back, wherever it is now.
    pub(super) fn put_back(&mut self, cx: &mut Context<'_>) {
        let (slave, bond) = (self.taken.slave.clone(), self.bond.clone());
        match cx.sight.slave(slave.ifindex).map(|found| found.master) {
            None => {
                self.tell(cx, Some(slave), Step::Failed, format!("is gone: it cannot be put back into {}", bond.name));
                self.give_up(cx, false);
            }
            // Taking it out failed, or somebody else was faster.
            Some(Some(master)) if master == bond.ifindex => self.is_back(cx, self.resumed || !self.failed),
            Some(Some(_)) => {
                self.tell(cx, Some(slave), Step::Stopped, format!("was put elsewhere than into {} and stays there", bond.name));
                self.give_up(cx, false);
            }
            Some(None) => self.order(cx, Stage::Enslaving, Order::Enslave { slave, bond }),
        }
    }

    pub(super) fn not_back(&mut self, cx: &mut Context<'_>, error: &Refusal) {
        let (slave, bond) = (self.taken.slave.clone(), self.bond.name.clone());
        self.failed = true;
        if let Some(pause) = PAUSES.get(self.taken.tries).filter(|_| !error.gone || cx.sight.slave(slave.ifindex).is_some()) {
            self.taken.tries += 1;
            let text = format!("cannot be put back into {bond}: {}; trying again", error.text);
            self.tell(cx, Some(slave), Step::Failed, text);
            self.stage = Stage::Pausing { until: cx.now.plus(*pause) };
            return;
        }
        if error.gone {
            self.tell(cx, Some(slave), Step::Failed, format!("is gone: it cannot be put back into {bond}"));
            return self.give_up(cx, false);
        }
        let name = &slave.name;
        let by_hand = format!("ip link set {name} down; ip link set {name} master {bond}; ip link set {name} up");
        let text = format!("is out of {bond} and could not be put back: {}; by hand: {by_hand}", error.text);
        self.tell(cx, Some(slave), Step::Failed, text);
        self.give_up(cx, true);
    }

    /// It is in its bond; `taken`: it was out of it.
    pub(super) fn is_back(&mut self, cx: &mut Context<'_>, taken: bool) {
        self.taken.back = cx.now;
        let slave = self.taken.slave.clone();
        let how = if taken { "again" } else { "as before" };
        self.tell(cx, Some(slave.clone()), Step::PutBack, format!("is in {} {how}", self.bond.name));
        let Note { queue_id, prio, primary, .. } = self.taken.note;
        let lost_primary = primary && cx.sight.bond(self.bond.ifindex).is_some_and(|bond| bond.primary != Some(slave.ifindex));
        if queue_id == 0 && prio == 0 && !lost_primary {
            return self.clear(cx);
        }
        let primary_of = lost_primary.then(|| self.bond.clone());
        self.order(cx, Stage::Restoring, Order::Restore { slave, queue_id, prio, primary_of });
    }

    /// Takes the note back.
    pub(super) fn clear(&mut self, cx: &mut Context<'_>) {
        cx.state.out = None;
        self.order(cx, Stage::Clearing, Order::Save(cx.state.clone()));
    }

    /// The slave is not ours to deal with any longer. `out`: it should be in its bond, and the next start tries again.
    pub(super) fn give_up(&mut self, cx: &mut Context<'_>, out: bool) {
        self.failed = true;
        cx.deeds.push(Deed::Free { slave: self.taken.slave.clone(), out });
        if out {
            return self.finish(cx, Outcome::Failed);
        }
        self.taken.slave = LinkName::default();
        self.clear(cx);
    }

    pub(super) fn cleared(&mut self, cx: &mut Context<'_>) {
        let outcome = match (self.failed, self.stopping, self.resumed) {
            (true, ..) => Some(Outcome::Failed),
            (_, _, true) => Some(Outcome::Done),
            (_, true, _) => Some(Outcome::Stopped),
            _ => None,
        };
        if let Some(outcome) = outcome {
            self.free(cx);
            return self.finish(cx, outcome);
        }
        if self.taken.back == Mono(0) {
            // It was not taken.
            return self.next(cx);
        }
        self.stage = Stage::Settling { until: cx.now.plus(self.wait), ask: cx.now.plus(ASK) };
        self.look(cx);
    }

    pub(super) fn free(&mut self, cx: &mut Context<'_>) {
        if self.taken.slave != LinkName::default() {
            cx.deeds.push(Deed::Free { slave: self.taken.slave.clone(), out: false });
        }
    }
}
