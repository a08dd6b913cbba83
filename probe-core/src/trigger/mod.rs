//! Triggers: predicates over what the link table and its entries say, each with the state that its hysteresis needs.

mod cooldown;
mod hold;
mod kind;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use cooldown::{Cooldown, KindCounts};
pub use hold::{Hold, Taken};
pub use kind::{Kind, UnknownKind};

use crate::table::{Link, LinkTable, Role};
use crate::time::Mono;
use crate::timeline::{Entry, LinkName, What};

/// A trigger that fired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fired {
    /// When what fired it happened.
    pub at: Mono,
    /// Which.
    pub kind: Kind,
    /// The link that it is about.
    pub link: Option<LinkName>,
    /// Why, in words.
    pub text: String,
}

/// Watches the table and says what fires.
#[derive(Clone, Debug)]
pub struct Triggers {
    min_slaves: usize,
    known: BTreeMap<u32, Known>,
    /// By bond: whether it had enough slaves when it was last looked at.
    enough: BTreeMap<u32, bool>,
}

/// A watched link as it was when it was last looked at.
#[derive(Clone, Debug, PartialEq)]
struct Known {
    role: Role,
    up: bool,
    name: LinkName,
}

impl Triggers {
    /// `min_slaves`: slaves of each bond that must be up; 0 for no minimum.
    pub fn new(min_slaves: usize) -> Self {
        Self { min_slaves, known: BTreeMap::new(), enough: BTreeMap::new() }
    }

    /// From now on another minimum of slaves. A bond that has fewer already has not lost them now: that fires nothing.
    pub fn set_min_slaves(&mut self, min_slaves: usize, table: &LinkTable) {
        if self.min_slaves != min_slaves {
            self.min_slaves = min_slaves;
            self.enough = self.count(table);
        }
    }

    /// Takes the table as it is, without firing: at the start nothing has happened yet.
    pub fn start(&mut self, table: &LinkTable) {
        self.known = look(table);
        self.enough = self.count(table);
    }

    /// Compares the table with how it was, and returns what fires. `entries` are those of the change, `at` is when it was seen.
    pub fn observe(&mut self, at: Mono, table: &LinkTable, entries: &[Entry]) -> Vec<Fired> {
        let now = look(table);
        let mut fired = Vec::new();
        for (ifindex, before) in &self.known {
            match now.get(ifindex) {
                Some(known) if known.role == before.role => {}
                _ => left(at, before, table, entries, &mut fired),
            }
        }
        for (ifindex, known) in &now {
            match self.known.get(ifindex).filter(|before| before.role == known.role) {
                Some(before) => changed(at, before, known, entries, &mut fired),
                None => came(at, known, table, entries, &mut fired),
            }
        }
        let enough = self.count(table);
        for (ifindex, enough) in &enough {
            if !enough && self.enough.get(ifindex) == Some(&true) {
                let (up, all) = table.slaves_up(*ifindex);
                let name = LinkName { ifindex: *ifindex, name: table.name_of(*ifindex) };
                let text = format!("{}: {up} of {all} slaves up, the minimum is {}", name.name, self.min_slaves);
                let at = entries.last().map_or(at, |entry| entry.at);
                fired.push(Fired { at, kind: Kind::MinSlaves, link: Some(name), text });
            }
        }
        self.known = now;
        self.enough = enough;
        fired.sort_by_key(|fired| fired.at);
        fired
    }

    /// Whether what a firing about a link tells is over, by the table as it was last looked at.
    pub fn is_over(&self, fired: &Fired) -> bool {
        let Some(ifindex) = fired.link.as_ref().map(|link| link.ifindex) else { return false };
        match fired.kind {
            Kind::BondDown | Kind::SlaveDown | Kind::InterfaceDown => self.known.get(&ifindex).is_some_and(|known| known.up),
            Kind::MinSlaves => self.enough.get(&ifindex) == Some(&true),
            _ => false,
        }
    }

    fn count(&self, table: &LinkTable) -> BTreeMap<u32, bool> {
        let bonds = table.watched().filter(|(_, role)| *role == Role::Bond);
        bonds
            .map(|(link, _)| link.state.ifindex)
            .map(|ifindex| (ifindex, table.slaves_up(ifindex).0 >= self.min_slaves))
            .collect()
    }
}

fn look(table: &LinkTable) -> BTreeMap<u32, Known> {
    let known = |link: &Link, role| {
        let up = if matches!(role, Role::Slave { .. }) { link.is_up_as_slave() } else { link.is_up() };
        let name = LinkName { ifindex: link.state.ifindex, name: link.state.name.clone() };
        (name.ifindex, Known { role, up, name })
    };
    table.watched().map(|(link, role)| known(link, role)).collect()
}

fn down(role: Role) -> Kind {
    match role {
        Role::Bond => Kind::BondDown,
        Role::Slave { .. } => Kind::SlaveDown,
        Role::Plain => Kind::InterfaceDown,
    }
}

fn up(role: Role) -> Kind {
    match role {
        Role::Bond => Kind::BondUp,
        Role::Slave { .. } => Kind::SlaveUp,
        Role::Plain => Kind::InterfaceUp,
    }
}

/// A link is gone, or watched for another reason now.
fn left(at: Mono, before: &Known, table: &LinkTable, entries: &[Entry], fired: &mut Vec<Fired>) {
    let kind = match before.role {
        Role::Slave { .. } => Kind::SlaveRemoved,
        // An interface that becomes a slave did not go down, and one that was down before does not go down again.
        Role::Plain if table.get(before.name.ifindex).is_some() => return,
        role if before.up => down(role),
        _ => return,
    };
    fired.push(because(at, kind, &before.name, entries, |what| matches!(what, What::Vanished | What::Master { .. })));
}

/// A link is there, or is watched for another reason than before.
fn came(at: Mono, known: &Known, table: &LinkTable, entries: &[Entry], fired: &mut Vec<Fired>) {
    let because_new = |what: &What| matches!(what, What::Appeared { .. } | What::Master { .. });
    if let Role::Slave { master } = known.role {
        let mut added = because(at, Kind::SlaveAdded, &known.name, entries, because_new);
        added.text = format!("{}: put into {}", known.name.name, table.name_of(master));
        fired.push(added);
    }
    if known.up {
        fired.push(because(at, up(known.role), &known.name, entries, because_new));
    }
}

fn changed(at: Mono, before: &Known, known: &Known, entries: &[Entry], fired: &mut Vec<Fired>) {
    let ours = |entry: &&Entry| entry.link.as_ref().is_some_and(|link| link.ifindex == known.name.ifindex);
    let fell_between = entries.iter().filter(ours).any(|entry| lost_and_back(&entry.what));
    let kind = match (before.up, known.up) {
        (true, false) => down(known.role),
        (false, true) => up(known.role),
        // It was down for a moment between two messages: as good as seen.
        _ if fell_between => down(known.role),
        _ => return,
    };
    fired.push(because(at, kind, &known.name, entries, |what| {
        matches!(what, What::Admin { .. } | What::Carrier { .. } | What::Flaps { .. } | What::Oper { .. } | What::SlaveMii { .. })
    }));
}

fn lost_and_back(what: &What) -> bool {
    match what {
        What::Flaps { downs, .. } => *downs > 0,
        What::Carrier { up: true, unseen_downs, .. } => *unseen_downs > 0,
        _ => false,
    }
}

/// A firing with the time and the words of the first entry about the link that can have caused it.
fn because(at: Mono, kind: Kind, link: &LinkName, entries: &[Entry], causes: impl Fn(&What) -> bool) -> Fired {
    let ours = |entry: &&Entry| entry.link.as_ref().is_some_and(|other| other.ifindex == link.ifindex);
    let cause = entries.iter().filter(ours).find(|entry| causes(&entry.what));
    let text = cause.map_or_else(|| format!("{}: {kind}", link.name), Entry::describe);
    Fired { at: cause.map_or(at, |entry| entry.at), kind, link: Some(link.clone()), text }
}
