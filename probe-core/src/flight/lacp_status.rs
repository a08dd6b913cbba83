//! LACP in `linkprobe status`: like `show interfaces bonding slaves`.

use serde::Serialize;

use super::Flight;
use super::lacp::Slave;
use crate::direction::Direction;
use crate::lacp::{LacpCounters, Lacpdu, Phase, SHORT};
use crate::table::{Link, LinkTable, Role};
use crate::time::{Mono, seconds};

/// A slave of an 802.3ad bond, or an interface that carries LACPDUs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LacpRow {
    /// Name.
    pub name: String,
    /// Index.
    pub ifindex: u32,
    /// Name of its bond.
    pub master: Option<String>,
    /// The bond's aggregator that it is in, as the kernel says.
    pub aggregator: Option<u16>,
    /// Whether that is the one that the bond uses; `None` where there is no bond.
    pub selected: Option<bool>,
    /// working, failed, converging, new, or link-down.
    pub phase: &'static str,
    /// Our end.
    pub ours: LacpSide,
    /// The partner's.
    pub partner: LacpSide,
    /// What the bonding driver counted, when it was asked last.
    pub counters: Option<LacpCounters>,
    /// Seconds since then.
    pub counters_age_s: Option<f64>,
}

/// One end of a slave.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LacpSide {
    /// Its newest LACPDU.
    pub pdu: Option<Lacpdu>,
    /// Seconds since then.
    pub age_s: Option<f64>,
    /// Its state as the kernel says.
    pub kernel_state: Option<u8>,
    /// Rate at which it owes LACPDUs: fast or slow; `None` where it owes none, or nothing is known of it.
    pub rate: Option<&'static str>,
    /// Seconds between its last two LACPDUs.
    pub gap_s: Option<f64>,
    /// Longest time between two since the link is up, seconds.
    pub longest_gap_s: f64,
    /// Three LACPDUs are missing.
    pub silent: bool,
    /// LACPDUs since the start.
    pub seen: u64,
    /// Frames that could not be understood, since the start.
    pub malformed: u64,
}

impl Flight {
    /// LACP of this interface; `None` where there is none.
    pub fn lacp_row(&self, ifindex: u32, now: Mono) -> Option<LacpRow> {
        let slave = self.lacp.slave(ifindex)?;
        let role = self.table.role(ifindex)?;
        Some(row(&self.table, self.table.get(ifindex)?, role, slave, now))
    }

    /// The slaves of 802.3ad bonds, and other interfaces that have shown a LACPDU.
    pub(super) fn lacp_rows(&self, now: Mono) -> Vec<LacpRow> {
        let slaves = self.table.watched().filter_map(|(link, role)| {
            let slave = self.lacp.slave(link.state.ifindex)?;
            let seen = [Direction::Egress, Direction::Ingress].iter().any(|direction| slave.follow.side(*direction).seen() > 0);
            let has_lacp = seen || link.state.slave.as_ref().is_some_and(|slave| slave.aggregator_id.is_some());
            has_lacp.then(|| row(&self.table, link, role, slave, now))
        });
        slaves.collect()
    }
}

fn row(table: &LinkTable, link: &Link, role: Role, slave: &Slave, now: Mono) -> LacpRow {
    let state = link.state.slave.as_ref();
    let aggregator = state.and_then(|state| state.aggregator_id);
    let bond = match role {
        Role::Slave { master } => table.get(master),
        Role::Bond | Role::Plain => None,
    };
    let used = bond.and_then(|bond| bond.state.bond.as_ref()?.aggregator.as_ref()).map(|aggregator| aggregator.id);
    let counters = slave.ask.counters();
    LacpRow {
        name: link.state.name.clone(),
        ifindex: link.state.ifindex,
        master: bond.map(|bond| bond.state.name.clone()),
        aggregator,
        selected: aggregator.zip(used).map(|(is, used)| is == used),
        phase: phase(slave.follow.phase()),
        ours: side(slave, Direction::Egress, state.and_then(|state| state.actor_state), now),
        partner: side(slave, Direction::Ingress, state.and_then(|state| u8::try_from(state.partner_state?).ok()), now),
        counters: counters.map(|(_, counters)| counters),
        counters_age_s: counters.map(|(at, _)| seconds(now.since(at))),
    }
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::LinkDown => "link-down",
        Phase::New => "new",
        Phase::Converging { .. } => "converging",
        // A failure that is not half a second old.
        Phase::Working | Phase::Failing { .. } => "working",
        Phase::Failed => "failed",
    }
}

fn side(slave: &Slave, direction: Direction, kernel_state: Option<u8>, now: Mono) -> LacpSide {
    let side = slave.follow.side(direction);
    let rate = |interval| if interval == SHORT { "fast" } else { "slow" };
    LacpSide {
        pdu: side.last().map(|(_, pdu)| pdu),
        age_s: side.last().map(|(at, _)| seconds(now.since(at))),
        kernel_state,
        rate: slave.follow.interval(direction).map(rate),
        gap_s: side.gap().map(seconds),
        longest_gap_s: seconds(side.longest()),
        silent: side.silent_since().is_some(),
        seen: side.seen(),
        malformed: side.malformed(),
    }
}
