//! Which links are watched: bonds by name with whatever slaves they have, and other interfaces by name.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Link;

/// Names of the links to watch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// Bonds: their slaves are watched too, as they come and go.
    pub bonds: Vec<String>,
    /// Any other interfaces.
    pub interfaces: Vec<String>,
}

/// Why a link is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "role", rename_all = "kebab-case")]
pub enum Role {
    /// It is one of the bonds.
    Bond,
    /// It is a slave of one of the bonds.
    Slave {
        /// ifindex of the bond.
        master: u32,
    },
    /// It is one of the other interfaces.
    Plain,
}

/// A name that has no link to watch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// The name.
    pub name: String,
    /// True when a bond is wanted and a link of that name is there that is none.
    pub not_a_bond: bool,
}

/// A name, and the link that it was given to. A link keeps its place when it is renamed; when it is gone, the next link of
/// that name takes it.
#[derive(Clone, Debug)]
pub(super) struct Bindings {
    bonds: Vec<Binding>,
    interfaces: Vec<Binding>,
}

#[derive(Clone, Debug)]
struct Binding {
    name: String,
    ifindex: Option<u32>,
}

impl Bindings {
    pub(super) fn new(watched: Watched) -> Self {
        let bind = |names: Vec<String>| names.into_iter().map(|name| Binding { name, ifindex: None }).collect();
        Self { bonds: bind(watched.bonds), interfaces: bind(watched.interfaces) }
    }

    /// Takes the links as they are now: lets go of those that are gone, and gives free names to links that have them.
    pub(super) fn bind(&mut self, links: &BTreeMap<u32, Link>) {
        bind(&mut self.bonds, links, is_bond);
        bind(&mut self.interfaces, links, |_| true);
    }

    pub(super) fn role(&self, link: &Link) -> Option<Role> {
        let has = |bindings: &[Binding], ifindex| bindings.iter().any(|binding| binding.ifindex == Some(ifindex));
        let ifindex = link.state.ifindex;
        if has(&self.bonds, ifindex) {
            return Some(Role::Bond);
        }
        match link.state.master {
            Some(master) if has(&self.bonds, master) => Some(Role::Slave { master }),
            _ => has(&self.interfaces, ifindex).then_some(Role::Plain),
        }
    }

    /// Bonds in the order of their names' configuration, each before its slaves; then the other interfaces.
    pub(super) fn order(&self, links: &BTreeMap<u32, Link>) -> Vec<u32> {
        let mut order = Vec::new();
        let mut add = |ifindex| {
            if !order.contains(&ifindex) {
                order.push(ifindex);
            }
        };
        for bond in self.bonds.iter().filter_map(|binding| binding.ifindex) {
            add(bond);
            let mut slaves: Vec<_> = links.values().filter(|link| link.state.master == Some(bond)).collect();
            slaves.sort_by(|a, b| a.state.name.cmp(&b.state.name));
            slaves.iter().for_each(|slave| add(slave.state.ifindex));
        }
        self.interfaces.iter().filter_map(|binding| binding.ifindex).for_each(add);
        order
    }

    pub(super) fn waiting(&self, links: &BTreeMap<u32, Link>) -> Vec<Waiting> {
        let free = |binding: &&Binding| binding.ifindex.is_none();
        let named = |name: &str| links.values().any(|link| link.state.name == name);
        let bonds = self.bonds.iter().filter(free);
        let bonds = bonds.map(|bond| Waiting { name: bond.name.clone(), not_a_bond: named(&bond.name) });
        let interfaces = self.interfaces.iter().filter(free);
        bonds.chain(interfaces.map(|link| Waiting { name: link.name.clone(), not_a_bond: false })).collect()
    }
}

fn is_bond(link: &Link) -> bool {
    link.state.kind.as_deref() == Some("bond")
}

fn bind(bindings: &mut [Binding], links: &BTreeMap<u32, Link>, fits: fn(&Link) -> bool) {
    for binding in bindings {
        if binding.ifindex.is_some_and(|ifindex| links.contains_key(&ifindex)) {
            continue;
        }
        binding.ifindex =
            links.values().find(|link| link.state.name == binding.name && fits(link)).map(|link| link.state.ifindex);
    }
}
