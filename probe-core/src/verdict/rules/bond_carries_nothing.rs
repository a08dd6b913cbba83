//! A bond whose carrier is up, and none of whose slaves passes traffic.
//!
//! The plain Linux bond keeps its carrier when LACP fails on every slave, and netlink stays silent: only LACP itself tells.

use crate::time::{Mono, SECOND};
use crate::verdict::case::{Case, fact};
use crate::verdict::lacp::Talk;
use crate::verdict::life::Life;
use crate::verdict::{Confidence, Finding, FindingKind, Severity};

/// Shortest time that counts: carriers and the bond's own do not go at the same instant.
const LEAST: u64 = SECOND;
/// LACP needs so long to come up after the bond did.
const STARTING: u64 = 10 * SECOND;

/// Speaks while a bond's carrier is up and all of its slaves' LACP is not working. Stays silent while the bond is down, or comes up.
pub fn bond_carries_nothing(case: &Case<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for bond in case.bonds.iter().filter(|bond| bond.slaves.iter().any(|slave| case.talk(slave).is_some())) {
        let name = &bond.link.name;
        let slaves: Vec<&str> = bond.slaves.iter().map(String::as_str).collect();
        for (from, until) in outages(case, &slaves) {
            let end = until.unwrap_or(case.incident.to);
            let up = |at: Mono| case.life(name).is_none_or(|life| life.is_up(at));
            let fell = case.life(name).into_iter().flat_map(Life::changes).find(|at| *at > from && *at < end && !up(*at));
            let looks_up_until = fell.unwrap_or(end);
            let comes_up =
                case.life(name).into_iter().flat_map(Life::changes).any(|at| up(at) && from.since(at) < STARTING && at <= from);
            let short = if comes_up { STARTING } else { LEAST };
            if !up(from) || looks_up_until.since(from) < short {
                continue;
            }
            let states = slaves.iter().filter_map(|slave| {
                let talk = case.talk(slave)?;
                let of = |state: Option<crate::lacp::PortState>| {
                    state.map_or_else(|| "not known".to_owned(), |state| state.to_string())
                };
                Some(fact(format!(
                    "{slave}: our port is [{}], the partner's [{}]",
                    of(talk.our_state(looks_up_until)),
                    of(talk.their_state(looks_up_until))
                )))
            });
            let carrier = if case.knows_carriers() { "its carrier stays, and " } else { "" };
            let text = format!("{name} looks up and carries nothing: {carrier}LACP works on none of its slaves");
            found.push(
                Finding::new(FindingKind::BondCarriesNothing, Some(bond.link.clone()), from, text)
                    .until(until)
                    .weighed(Severity::Critical, Confidence::High)
                    .action(format!("Do not trust {name}'s carrier; min_links and the routing protocol's own timers are what takes traffic off it"))
                    .evidence(states),
            );
        }
    }
    found
}

/// The times in which none of these slaves works, as (start, end where there is one), in order.
///
/// One that begins with the window is left out unless something worked in the window: nothing broke then.
pub fn outages(case: &Case<'_>, slaves: &[impl AsRef<str>]) -> Vec<(Mono, Option<Mono>)> {
    let slaves = || slaves.iter().map(AsRef::as_ref);
    let of_lives = slaves().filter_map(|slave| case.life(slave)).flat_map(Life::changes);
    let of_talks = slaves().filter_map(|slave| case.talk(slave)).flat_map(Talk::changes);
    let mut changes: Vec<Mono> = of_lives.chain(of_talks).filter(|at| *at <= case.incident.to).collect();
    changes.sort();
    changes.dedup();
    let mut found: Vec<(Mono, Option<Mono>)> = Vec::new();
    let mut worked = slaves().any(|slave| case.works(slave, case.incident.from));
    for at in changes {
        let works = slaves().any(|slave| case.works(slave, at));
        if worked && !works {
            found.push((at, None));
        }
        if let Some(open) = found.last_mut().filter(|open| works && open.1.is_none()) {
            open.1 = Some(at);
        }
        worked = works;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::at;
    use crate::verdict::testing::{DEFAULTED, EXPIRED, Scene};

    /// What a plain Linux bond shows when nothing that it sends arrives: our ports go to 143, then to 71.
    fn defaulted() -> Scene {
        Scene::lacp()
            .ours(13_000, "eth1", EXPIRED)
            .ours(13_200, "eth2", EXPIRED)
            .ours(16_000, "eth1", DEFAULTED)
            .ours(16_200, "eth2", DEFAULTED)
    }

    #[test]
    fn a_bond_that_keeps_its_carrier_without_lacp_is_found() {
        let found = defaulted().run(bond_carries_nothing);
        assert_eq!((found.len(), found[0].at, found[0].until), (1, at(13_200), None));
        assert!(found[0].text.starts_with("bond0 looks up and carries nothing"), "{}", found[0].text);
    }

    #[test]
    fn it_is_silent_while_one_slave_works_or_the_bond_is_down() {
        assert_eq!(Scene::lacp().ours(13_000, "eth1", EXPIRED).run(bond_carries_nothing), []);
        assert_eq!(Scene::lacp().carrier(10_000, "eth1", false).run(bond_carries_nothing), []);
        let down = Scene::lacp().carrier(10_000, "eth1", false).carrier(10_050, "eth2", false).carrier(10_150, "bond0", false);
        assert_eq!(down.run(bond_carries_nothing), []);
    }

    #[test]
    fn it_is_silent_while_lacp_comes_up_after_the_bond() {
        let scene = Scene::lacp().carrier(10_000, "eth1", false).carrier(10_050, "eth2", false).carrier(10_100, "bond0", false);
        let scene = scene.carrier(20_000, "eth1", true).carrier(20_010, "bond0", true).carrier(20_020, "eth2", true);
        let scene = scene.ours(20_030, "eth1", 69).ours(20_030, "eth2", 69).ours(23_000, "eth1", 63).ours(23_000, "eth2", 63);
        assert_eq!(scene.run(bond_carries_nothing), []);
    }
}
