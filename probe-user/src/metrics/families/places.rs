//! The labels of links.

use std::collections::BTreeMap;

use probe_core::direction::Direction;
use probe_core::metrics::Labels;

use super::super::Reading;

/// Labels by interface index: `interface`, `role`, and of slaves `bond`.
///
/// A bond has no label `bond`: its slaves carried the same packets, and so `sum by (bond)` never counts them twice.
pub struct Places(BTreeMap<u32, Labels>);

impl Places {
    /// Of the links that are watched.
    pub fn new(reading: &Reading) -> Self {
        let links = reading.flight.links.iter().map(|link| {
            let slave = link.role == "slave";
            let role = if link.role == "plain" { "interface" } else { link.role };
            let labels = Labels::none().and("interface", &link.name).and("role", role);
            let bond = link.master.as_ref().filter(|_| slave);
            (link.ifindex, bond.map_or_else(|| labels.clone(), |bond| labels.and("bond", bond)))
        });
        Self(links.collect())
    }

    /// Of a link that is watched.
    pub fn of(&self, ifindex: u32) -> Option<&Labels> {
        self.0.get(&ifindex)
    }

    /// Of a link, whether it is watched still or not.
    pub fn of_any(&self, ifindex: u32, name: &str) -> Labels {
        self.of(ifindex).cloned().unwrap_or_else(|| Labels::none().and("interface", name))
    }
}

/// With a direction.
pub fn toward(labels: &Labels, direction: Direction) -> Labels {
    labels.and("direction", direction.name())
}
