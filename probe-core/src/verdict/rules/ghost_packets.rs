//! Ghost packets: they are counted at one layer, and never reach the next.

use crate::timeline::What;
use crate::verdict::case::{Case, counter, entry};
use crate::verdict::{Confidence, Finding, FindingKind, Severity};

/// Speaks once for a bond of which the engine counted more packets out of it than into its slaves or onto the wire. Stays silent
/// otherwise, and where the kernel's drops account for it: the numbers of a second are never quite equal.
pub fn ghost_packets(case: &Case<'_>) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for bond in &case.bonds {
        let name = &bond.link.name;
        let mut sums = (0u64, 0u64, 0u64);
        let mut entries = Vec::new();
        for told in case.entries(name) {
            if let What::Ghosts { bond, slaves, wire, .. } = told.what {
                sums = (sums.0.saturating_add(bond), sums.1.saturating_add(slaves), sums.2.saturating_add(wire));
                entries.push(told);
            }
        }
        let Some(first) = entries.first() else { continue };
        let (n, m, k) = sums;
        // What the kernel dropped, and counted, is no ghost. In a storm the numbers are what shows that it stayed in this host.
        let missing = n.saturating_sub(m).max(m.saturating_sub(k));
        let ours = |link: &str| link == name || bond.slaves.iter().any(|slave| slave == link);
        let dropped: u64 = case.incident.drops.iter().filter(|drop| ours(&drop.link.name)).map(|drop| drop.packets).sum();
        if dropped > 0 && dropped >= missing / 2 && !case.incident.repeats.iter().any(|repeat| repeat.storm) {
            continue;
        }
        let text = format!(
            "ghost packets on {name}: {n} counted at the bond, {m} at its slaves, {k} on the wire by the drivers' own counters"
        );
        found.push(
            Finding::new(FindingKind::GhostPackets, Some(bond.link.clone()), first.at, text)
                .weighed(Severity::Warning, Confidence::High)
                .action("They exist inside this host only: the far end's counters and the provider's metering will not show them")
                .evidence(entries.iter().take(4).map(|told| entry(told)))
                .evidence([
                    counter(format!("packets at {name}'s egress tap"), n),
                    counter("packets at its slaves' egress taps", m),
                    counter("packets on the wire by the slaves' drivers", k),
                ]),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::SECOND;
    use crate::verdict::testing::Scene;

    #[test]
    fn ghosts_are_told_with_the_three_numbers() {
        let ghosts = |n| What::Ghosts { bond: n, slaves: 10, wire: 3, within_ns: SECOND };
        let found = Scene::lacp().what(10_000, "bond0", ghosts(1000)).what(11_000, "bond0", ghosts(2000)).run(ghost_packets);
        assert_eq!(found.len(), 1);
        assert!(found[0].text.contains("3000 counted at the bond, 20 at its slaves, 6 on the wire"), "{}", found[0].text);
    }

    #[test]
    fn what_the_kernel_says_that_it_dropped_is_no_ghost_but_in_a_storm() {
        let ghosts = || What::Ghosts { bond: 1000, slaves: 100, wire: 100, within_ns: SECOND };
        let full = Scene::lacp().what(10_000, "bond0", ghosts()).dropped("bond0", "QDISC_DROP", 850);
        assert_eq!(full.run(ghost_packets), []);
        let storm = Scene::lacp().what(10_000, "bond0", ghosts()).dropped("bond0", "QDISC_DROP", 850);
        assert_eq!(storm.storm(9_000, "bond0", "TCP", 1000).run(ghost_packets).len(), 1);
    }

    #[test]
    fn it_is_silent_without_them() {
        assert_eq!(Scene::lacp().storm(10_000, "bond0", "TCP", 1000).run(ghost_packets), []);
    }
}
