//! What `linkprobe status` shows of the engine.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Flight, LacpRow};
use crate::drops::DropTotal;
use crate::link::{MiiStatus, OperState};
use crate::reach::TargetRow;
use crate::repeat::StormRow;
use crate::table::{LinkTable, Role, Waiting};
use crate::time::Mono;
use crate::trigger::KindCounts;

/// The engine, at one moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Status {
    /// The watched links: each bond before its slaves, then the others.
    pub links: Vec<LinkRow>,
    /// LACP of the slaves.
    pub lacp: Vec<LacpRow>,
    /// Frames that should be LACPDUs and could not be understood.
    pub lacpdus_malformed: u64,
    /// LACPDUs that no longer fitted into the history that an incident takes them from.
    pub lacpdus_lost: u64,
    /// Names to watch that no link has.
    pub waiting: Vec<Waiting>,
    /// What is probed: next hops first, then the targets in the order of the configuration.
    pub targets: Vec<TargetRow>,
    /// Outcomes of probes that were not kept for an incident.
    pub probes_lost: u64,
    /// Log lines that matched a pattern and were not kept, because too many did.
    pub log_lines_lost: u64,
    /// The incident that is open.
    pub open: Option<OpenIncident>,
    /// Incidents since the start, the open one included.
    pub incidents: u64,
    /// Firings by trigger; those that never fired are left out.
    pub triggers: BTreeMap<&'static str, KindCounts>,
    /// Storms that go on.
    pub storms: Vec<StormRow>,
    /// Frames whose repeats were not followed for want of room.
    pub repeats_lost: u64,
    /// What the kernel dropped of the watched links since the start, most first.
    pub drops: Vec<DropTotal>,
    /// Counts of drops that were pushed out before their time.
    pub drops_lost: u64,
    /// Entries of the timeline.
    pub timeline: usize,
    /// Entries that the timeline no longer holds.
    pub timeline_lost: u64,
    /// Netlink messages that were ignored because more was known already.
    pub stale_messages: u64,
}

/// A watched link.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LinkRow {
    /// Name.
    pub name: String,
    /// Index.
    pub ifindex: u32,
    /// Why it is watched: bond, slave or plain.
    pub role: &'static str,
    /// Whether it can pass packets, or carries traffic for its bond.
    pub up: bool,
    /// Carrier.
    pub carrier: bool,
    /// Operational state.
    pub operstate: OperState,
    /// `IFF_UP`.
    pub admin_up: bool,
    /// Name of the bond or bridge that it is a port of.
    pub master: Option<String>,
    /// What the bond's monitor says, of a slave.
    pub mii: Option<MiiStatus>,
    /// Whether it is the bond's active slave, or one of them.
    pub active: Option<bool>,
    /// Seconds since carrier or operational state changed; `None` when that was before the agent's start.
    pub age_s: Option<f64>,
    /// Changes since the kernel made the link.
    pub changes: u64,
    /// Times that the carrier came since the agent saw the link first.
    pub ups: u32,
    /// Times that it went.
    pub downs: u32,
}

/// The incident that is open.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OpenIncident {
    /// Number since the start, from 1.
    pub number: u64,
    /// Start of its window.
    pub from: Mono,
    /// End of its window, as far as is known.
    pub until: Mono,
    /// Triggers that joined.
    pub triggers: usize,
    /// Its first trigger, in words.
    pub text: String,
}

impl Flight {
    /// What `linkprobe status` shows.
    pub fn status(&self, now: Mono) -> Status {
        Status {
            links: rows(&self.table, now),
            lacp: self.lacp_rows(now),
            lacpdus_malformed: self.lacp.malformed(),
            lacpdus_lost: self.lacp.lost(),
            waiting: self.table.waiting(),
            targets: self.probes.rows(),
            probes_lost: self.probes.lost(),
            log_lines_lost: self.logs.held_back(),
            open: self.open.as_ref().map(|open| OpenIncident {
                number: open.number,
                from: open.from,
                until: open.until,
                triggers: open.triggers.len(),
                text: open.triggers.first().map(|trigger| trigger.text.clone()).unwrap_or_default(),
            }),
            incidents: self.opened,
            triggers: self.cooldown.counts().map(|(kind, counts)| (kind.name(), counts)).collect(),
            storms: self.repeats.rows(),
            repeats_lost: self.repeats.lost(),
            drops: self.drops.totals(),
            drops_lost: self.drops.lost(),
            timeline: self.timeline.len(),
            timeline_lost: self.timeline.lost(),
            stale_messages: self.table.stale_messages(),
        }
    }
}

fn rows(table: &LinkTable, now: Mono) -> Vec<LinkRow> {
    let row = |(link, role): (&crate::table::Link, Role)| {
        let state = &link.state;
        let flips = link.flips();
        let (role, up) = match role {
            Role::Bond => ("bond", link.is_up()),
            Role::Slave { .. } => ("slave", link.is_up_as_slave()),
            Role::Plain => ("plain", link.is_up()),
        };
        LinkRow {
            name: state.name.clone(),
            ifindex: state.ifindex,
            role,
            up,
            carrier: state.carrier,
            operstate: state.operstate,
            admin_up: state.admin_up,
            master: state.master.map(|master| table.name_of(master)),
            mii: state.slave.as_ref().map(|slave| slave.mii),
            active: state.slave.as_ref().map(|slave| slave.active),
            age_s: link.age(now).map(crate::time::seconds),
            changes: link.changes(),
            ups: flips.ups,
            downs: flips.downs,
        }
    };
    table.watched().map(row).collect()
}
