//! The link table: every link of the namespace, which of them are watched, and what happened to those.

mod differences;
mod flips;
mod link;
mod stack;
#[cfg(test)]
mod tests;
mod watch;
#[cfg(test)]
mod witnesses;

use std::collections::{BTreeMap, BTreeSet};

pub use flips::Both;
pub use link::{EdgeSeen, Link};
pub use stack::stacked;
pub use watch::{Role, Waiting, Watched};

use crate::link::LinkState;
use crate::time::Mono;
use crate::timeline::{Entry, LinkName, Source, What};

/// All links by ifindex. Changes of watched links, before or after the change, come back as entries; others are only kept.
#[derive(Clone, Debug)]
pub struct LinkTable {
    links: BTreeMap<u32, Link>,
    bindings: watch::Bindings,
    stale_messages: u64,
}

impl LinkTable {
    /// An empty table that watches these names. Names that no link has yet are waited for.
    pub fn new(watched: Watched) -> Self {
        Self { links: BTreeMap::new(), bindings: watch::Bindings::new(watched), stale_messages: 0 }
    }

    /// Takes the first dump: links that were there before the agent. Their states are no events, and their ages unknown.
    pub fn start(&mut self, at: Mono, links: Vec<LinkState>) -> Vec<Entry> {
        for state in links {
            self.links.insert(state.ifindex, Link::new(at, state, true));
        }
        self.bindings.bind(&self.links);
        let watched = self.watched().map(|(link, _)| link.state.ifindex).collect::<Vec<_>>();
        watched.into_iter().map(|ifindex| self.entry(at, ifindex, Source::Agent, What::Appeared { initial: true })).collect()
    }

    /// Watches other names from `at` on. Links that come under watch are told as those that were there at the start.
    pub fn watch(&mut self, at: Mono, watched: Watched) -> Vec<Entry> {
        let before: BTreeSet<u32> = self.watched().map(|(link, _)| link.state.ifindex).collect();
        self.bindings = watch::Bindings::new(watched);
        self.bindings.bind(&self.links);
        let now: Vec<u32> = self.watched().map(|(link, _)| link.state.ifindex).collect();
        let new = now.into_iter().filter(|ifindex| !before.contains(ifindex));
        new.map(|ifindex| self.entry(at, ifindex, Source::Agent, What::Appeared { initial: true })).collect()
    }

    /// Takes a message about one link.
    pub fn apply(&mut self, at: Mono, source: Source, state: LinkState) -> Vec<Entry> {
        let ifindex = state.ifindex;
        let was_watched = self.role(ifindex).is_some();
        let changes = if let Some(mut link) = self.links.remove(&ifindex) {
            let changes = link.apply(at, state, &|ifindex| self.name_of(ifindex));
            self.links.insert(ifindex, link);
            if changes.is_none() {
                self.stale_messages += 1;
            }
            changes.unwrap_or_default()
        } else {
            self.links.insert(ifindex, Link::new(at, state, false));
            vec![What::Appeared { initial: false }]
        };
        self.bindings.bind(&self.links);
        if !was_watched && self.role(ifindex).is_none() {
            return Vec::new();
        }
        changes.into_iter().map(|what| self.entry(at, ifindex, source, what)).collect()
    }

    /// A link is gone.
    pub fn remove(&mut self, at: Mono, source: Source, ifindex: u32) -> Vec<Entry> {
        let watched = self.role(ifindex).is_some();
        let entry = self.entry(at, ifindex, source, What::Vanished);
        self.links.remove(&ifindex);
        self.bindings.bind(&self.links);
        if watched { vec![entry] } else { Vec::new() }
    }

    /// The kernel turned a carrier on or off at `at`. Hand over edges before messages that were received at the same time or
    /// later: each edge is made before the message that counts it, so that order keeps the exact times.
    pub fn edge(&mut self, at: Mono, ifindex: u32, up: bool) -> EdgeSeen {
        self.links.get_mut(&ifindex).map_or(EdgeSeen::Old, |link| link.edge(at, up))
    }

    /// Takes a dump after messages were lost: a gap, and every difference.
    pub fn resync(&mut self, at: Mono, reason: &str, links: Vec<LinkState>) -> Vec<Entry> {
        let gap = What::Gap { reason: reason.to_owned() };
        let mut entries = vec![Entry { at, link: None, source: Source::Agent, what: gap }];
        let present: BTreeSet<u32> = links.iter().map(|state| state.ifindex).collect();
        let replaced = links.iter().filter(|state| self.is_another(state)).map(|state| state.ifindex);
        let gone = self.links.keys().copied().filter(|ifindex| !present.contains(ifindex));
        for ifindex in gone.chain(replaced).collect::<Vec<_>>() {
            entries.extend(self.remove(at, Source::Resync, ifindex));
        }
        for state in links {
            entries.extend(self.apply(at, Source::Resync, state));
        }
        entries
    }

    /// A link by its index.
    pub fn get(&self, ifindex: u32) -> Option<&Link> {
        self.links.get(&ifindex)
    }

    /// Every link, watched or not.
    pub fn links(&self) -> impl Iterator<Item = &Link> {
        self.links.values()
    }

    /// Why a link is watched; `None` when it is not, or not there.
    pub fn role(&self, ifindex: u32) -> Option<Role> {
        self.bindings.role(self.links.get(&ifindex)?)
    }

    /// The watched links: each bond before its slaves (these by name), in the order of the configuration; then the others.
    pub fn watched(&self) -> impl Iterator<Item = (&Link, Role)> {
        let order = self.bindings.order(&self.links);
        order.into_iter().filter_map(|ifindex| Some((self.links.get(&ifindex)?, self.role(ifindex)?)))
    }

    /// The watched links, and all that lie on them: VLANs, macvlans, bridges.
    pub fn stacked(&self) -> Vec<u32> {
        let links: Vec<&LinkState> = self.links.values().map(|link| &link.state).collect();
        stacked(&links, self.watched().map(|(link, _)| link.state.ifindex).collect())
    }

    /// Names to watch that no link has.
    pub fn waiting(&self) -> Vec<Waiting> {
        self.bindings.waiting(&self.links)
    }

    /// Slaves of bond `master` that are up, and all of them.
    pub fn slaves_up(&self, master: u32) -> (usize, usize) {
        let slaves = || self.links.values().filter(|link| link.state.master == Some(master));
        (slaves().filter(|link| link.is_up_as_slave()).count(), slaves().count())
    }

    /// Messages that were ignored because the table already knew more.
    pub fn stale_messages(&self) -> u64 {
        self.stale_messages
    }

    /// What a link is called now; `#7` when there is none with that index.
    pub fn name_of(&self, ifindex: u32) -> String {
        self.links.get(&ifindex).map_or_else(|| format!("#{ifindex}"), |link| link.state.name.clone())
    }

    /// An entry about a link as it is called now.
    pub fn entry(&self, at: Mono, ifindex: u32, source: Source, what: What) -> Entry {
        Entry { at, link: Some(LinkName { ifindex, name: self.name_of(ifindex) }), source, what }
    }

    /// Whether a dump shows another link under the index of one that we know: its counters are behind.
    fn is_another(&self, state: &LinkState) -> bool {
        self.links.get(&state.ifindex).is_some_and(|link| {
            link.state.kind != state.kind
                || link.state.carrier_up_count > state.carrier_up_count
                || link.state.carrier_down_count > state.carrier_down_count
        })
    }
}
