//! Limits how often one trigger fires for one link, and counts what it holds back.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Fired, Kind};
use crate::time::Mono;

/// Links that are remembered at most: a router that makes and deletes links for years must not fill the memory.
const MOST: usize = 4096;

/// Firings of one trigger since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct KindCounts {
    /// Times that it fired.
    pub fired: u64,
    /// Times more that it would have, within its cooldown.
    pub held_back: u64,
}

/// When each trigger last fired for each link, and for each of what one link can have several of: targets, patterns, reasons.
#[derive(Clone, Debug)]
pub struct Cooldown {
    ns: u64,
    last: BTreeMap<(Kind, String, String), Mono>,
    counts: BTreeMap<Kind, KindCounts>,
}

impl Cooldown {
    /// `ns`: nanoseconds after a firing in which the same trigger does not fire again for the same link.
    pub fn new(ns: u64) -> Self {
        Self { ns, last: BTreeMap::new(), counts: BTreeMap::new() }
    }

    /// From now on so many nanoseconds.
    pub fn set(&mut self, ns: u64) {
        self.ns = ns;
    }

    /// Whether a firing passes. A manual one always does. `about` tells apart what one link can have several of.
    pub fn passes(&mut self, fired: &Fired, about: &str) -> bool {
        let name = fired.link.as_ref().map_or_else(String::new, |link| link.name.clone());
        let key = (fired.kind, name, about.to_owned());
        let cools = fired.kind != Kind::Manual && self.last.get(&key).is_some_and(|last| fired.at.since(*last) < self.ns);
        let counts = self.counts.entry(fired.kind).or_default();
        if cools {
            counts.held_back += 1;
            return false;
        }
        counts.fired += 1;
        if self.last.len() >= MOST {
            let (at, ns) = (fired.at, self.ns);
            self.last.retain(|_, last| at.since(*last) < ns);
        }
        if self.last.len() < MOST {
            self.last.insert(key, fired.at);
        }
        true
    }

    /// Firings by trigger; those that never fired are left out.
    pub fn counts(&self) -> impl Iterator<Item = (Kind, KindCounts)> {
        self.counts.iter().map(|(kind, counts)| (*kind, *counts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::SECOND;
    use crate::timeline::LinkName;

    fn fired(kind: Kind, at: u64, link: &str) -> Fired {
        let link = Some(LinkName { ifindex: 1, name: link.to_owned() });
        Fired { at: Mono(at), kind, link, text: String::new() }
    }

    #[test]
    fn a_trigger_passes_once_per_link_and_cooldown_and_the_rest_is_counted() {
        let mut cooldown = Cooldown::new(5 * SECOND);
        assert!(cooldown.passes(&fired(Kind::SlaveDown, 0, "eth1"), ""));
        for ms in 1..20 {
            assert!(!cooldown.passes(&fired(Kind::SlaveDown, ms * 50_000_000, "eth1"), ""));
        }
        assert!(cooldown.passes(&fired(Kind::SlaveDown, SECOND, "eth2"), ""));
        assert!(cooldown.passes(&fired(Kind::SlaveUp, SECOND, "eth1"), ""));
        assert!(cooldown.passes(&fired(Kind::SlaveDown, 5 * SECOND, "eth1"), ""));
        let counts: Vec<_> = cooldown.counts().collect();
        assert_eq!(
            counts,
            [(Kind::SlaveDown, KindCounts { fired: 3, held_back: 19 }), (Kind::SlaveUp, KindCounts { fired: 1, held_back: 0 })]
        );
    }

    #[test]
    fn targets_without_a_link_cool_each_for_itself() {
        let mut cooldown = Cooldown::new(5 * SECOND);
        let down = Fired { link: None, ..fired(Kind::ProbeDown, 0, "") };
        assert!(cooldown.passes(&down, "10.0.80.11") && cooldown.passes(&down, "10.0.80.12"));
        assert!(!cooldown.passes(&down, "10.0.80.11"));
    }

    #[test]
    fn somebody_who_asks_is_never_held_back() {
        let mut cooldown = Cooldown::new(5 * SECOND);
        assert!(cooldown.passes(&fired(Kind::Manual, 0, ""), ""));
        assert!(cooldown.passes(&fired(Kind::Manual, 1, ""), ""));
    }
}
