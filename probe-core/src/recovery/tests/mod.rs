//! Whole recoveries against a kernel that is played.

mod begins;
mod fails;
mod goes;
mod stops;

use std::collections::VecDeque;

use super::testing::{lacp_bond, sight, working, written};
use super::*;
use crate::time::{Mono, SECOND};
use crate::timeline::LinkName;

/// Time that LACP needs after a slave was put back.
const CONVERGES: u64 = 3 * SECOND;

/// A recovery with the bonds that it sees, and a kernel that does what it is told.
struct Bench {
    recovery: Recovery,
    sight: Sight,
    now: Mono,
    /// What stood on the timeline, without times.
    told: Vec<String>,
    records: Vec<Record>,
    /// What was held, and freed, and asked, and called.
    others: Vec<String>,
    /// Orders that have not been answered.
    orders: VecDeque<(u64, Order)>,
    /// Every order, in words.
    ordered: Vec<String>,
    /// Answers that are not `Ok`, in the order of the orders of that name.
    refusals: Vec<(&'static str, Refusal)>,
    /// When slaves that were put back will distribute.
    converges: Vec<(u32, Mono)>,
    /// The re-enslaving of this slave ends all trouble.
    cure: Option<u32>,
    saved: State,
}

fn config(mode: RecoverMode) -> RecoveryConfig {
    RecoveryConfig {
        mode,
        on: causes(&["tx-blackout", "lacp-down"]).expect("causes"),
        command: vec!["/bin/mend".to_owned(), "it".to_owned()],
        command_on: causes(&["path-loss"]).expect("causes"),
        ..RecoveryConfig::default()
    }
}

fn refusal(text: &str) -> Refusal {
    Refusal { gone: false, text: text.to_owned() }
}

impl Bench {
    /// A bond of two slaves that both look well, and transmit nothing.
    fn new(mode: RecoverMode) -> Self {
        Self::of(config(mode), vec![working(1, "eth1"), working(2, "eth2")])
    }

    fn of(config: RecoveryConfig, slaves: Vec<SlaveSight>) -> Self {
        let mut sight = sight(lacp_bond(), slaves);
        let text = "eth1 sends nothing".to_owned();
        let kind = TroubleKind::Blackout(crate::direction::Direction::Egress);
        sight.troubles.push(Trouble { bond: 10, kind, text });
        Self {
            recovery: Recovery::new(config),
            sight,
            now: Mono(10_000 * SECOND),
            told: Vec::new(),
            records: Vec::new(),
            others: Vec::new(),
            orders: VecDeque::new(),
            ordered: Vec::new(),
            refusals: Vec::new(),
            converges: Vec::new(),
            cure: None,
            saved: State::default(),
        }
    }

    fn give(&mut self, input: Input) {
        for deed in self.recovery.handle(self.now, input, &self.sight) {
            match deed {
                Deed::Tell { link, step, dry_run, text } => {
                    let link = link.map_or_else(String::new, |link| format!("{}: ", link.name));
                    self.told.push(format!("{link}{step:?}{}: {text}", if dry_run { " (dry)" } else { "" }));
                }
                Deed::Hold { slave, .. } => self.others.push(format!("hold {}", slave.name)),
                Deed::Free { slave, out } => self.others.push(format!("free {}{}", slave.name, if out { ", out" } else { "" })),
                Deed::Order(number, order) => {
                    self.ordered.push(words(&order));
                    self.orders.push_back((number, order));
                }
                Deed::Ask(_) => {}
                Deed::Run(call) => self.others.push(format!("run {}", call.argv.join(" "))),
                Deed::Keep(record) => self.records.push(record),
            }
        }
        assert!(self.orders.len() <= 1, "one at a time: {:?}", self.orders);
    }

    fn written(&mut self, findings: &[&str]) {
        self.give(Input::Written(written(findings)));
    }

    /// Answers the order that waits.
    fn answer(&mut self) -> bool {
        let Some((number, order)) = self.orders.pop_front() else { return false };
        let kind = words(&order).split(' ').next().unwrap_or_default().to_owned();
        let refused = self.refusals.iter().position(|(of, _)| *of == kind).map(|found| self.refusals.remove(found).1);
        if refused.is_none() {
            self.carry_out(order);
        }
        self.give(Input::Done(number, refused.map_or(Ok(()), Err)));
        true
    }

    fn carry_out(&mut self, order: Order) {
        let now = self.now;
        let Sight { bonds, slaves, troubles } = &mut self.sight;
        let index = |link: &LinkName, slaves: &[SlaveSight]| slaves.iter().position(|slave| slave.link == *link);
        match order {
            Order::Save(state) => self.saved = state,
            Order::Release { slave } => {
                if let Some(found) = index(&slave, slaves) {
                    let slave = &mut slaves[found];
                    (slave.master, slave.admin_up, slave.mii_up, slave.lacp) = (None, false, false, LacpSight::Unknown);
                }
            }
            Order::Enslave { slave, bond } => {
                if let Some(found) = index(&slave, slaves) {
                    let slave = &mut slaves[found];
                    (slave.master, slave.admin_up, slave.mii_up) = (Some(bond.ifindex), true, true);
                }
                self.converges.push((slave.ifindex, now.plus(CONVERGES)));
                if self.cure == Some(slave.ifindex) {
                    troubles.clear();
                }
            }
            Order::Restore { .. } => {}
            Order::Activate { slave, .. } => bonds[0].active = Some(slave.ifindex),
        }
    }

    /// Answers all that waits, and lets so many seconds pass, a tenth at a time.
    fn pass(&mut self, s: u64) {
        for _ in 0..s * 10 {
            while self.answer() {}
            self.now = self.now.plus(SECOND / 10);
            for (ifindex, at) in std::mem::take(&mut self.converges) {
                if at > self.now {
                    self.converges.push((ifindex, at));
                } else if let Some(slave) = self.sight.slaves.iter_mut().find(|slave| slave.link.ifindex == ifindex) {
                    slave.lacp = LacpSight::Works { heard: at, used: true };
                }
            }
            self.give(Input::Look);
        }
    }

    fn outcomes(&self) -> Vec<Outcome> {
        self.records.iter().map(|record| record.outcome).collect()
    }
}

fn words(order: &Order) -> String {
    match order {
        Order::Save(State { out: Some(note), .. }) => format!("save {} out", note.slave),
        Order::Save(_) => "save".to_owned(),
        Order::Release { slave } => format!("release {}", slave.name),
        Order::Enslave { slave, bond } => format!("enslave {} {}", slave.name, bond.name),
        Order::Restore { slave, queue_id, prio, primary_of } => {
            format!("restore {} {queue_id} {prio} {}", slave.name, primary_of.is_some())
        }
        Order::Activate { slave, .. } => format!("activate {}", slave.name),
    }
}
