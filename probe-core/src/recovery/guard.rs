//! Which slaves may be taken out: never one that the bond cannot do without.

use super::sight::{BondSight, Sight, SlaveSight};

/// Whether a slave may be taken out of its bond now.
///
/// # Errors
/// Why not, in words that follow its name.
pub fn may_take(sight: &Sight, bond: &BondSight, slave: &SlaveSight) -> Result<(), String> {
    let name = &bond.link.name;
    if slave.master != Some(bond.link.ifindex) {
        return Err(format!("is not in {name}"));
    }
    if let Some(why) = slave.unusable() {
        return Err(why.to_owned());
    }
    let others = || sight.slaves_of(bond.link.ifindex).filter(|other| other.link.ifindex != slave.link.ifindex);
    if others().next().is_none() {
        return Err(format!("is the only slave of {name}"));
    }
    if !others().any(SlaveSight::is_usable) {
        return Err("is the last slave with a link".to_owned());
    }
    // Where all have failed, none is the one that works.
    if !slave.fails(bond.lacp) && !others().any(|other| other.works(bond.lacp)) {
        return Err("is the last slave that works".to_owned());
    }
    Ok(())
}

/// The slaves of a bond in the order in which they are to be taken: those that an incident names, then those that are known not to
/// work, then the active one, then the others by name. With what keeps each from being taken now.
pub fn candidates<'a>(sight: &'a Sight, bond: &BondSight, named: &[u32]) -> Vec<(&'a SlaveSight, Result<(), String>)> {
    let mut slaves: Vec<&SlaveSight> = sight.slaves_of(bond.link.ifindex).collect();
    slaves.sort_by_key(|slave| {
        let index = slave.link.ifindex;
        (!named.contains(&index), !slave.fails(bond.lacp), bond.active != Some(index), slave.link.name.clone())
    });
    slaves.into_iter().map(|slave| (slave, may_take(sight, bond, slave))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{failed, lacp_bond, no_carrier, sight, slave, working};
    use super::*;

    fn told(sight: &Sight) -> Vec<String> {
        let told = |(slave, may): (&SlaveSight, Result<(), String>)| match may {
            Ok(()) => format!("{}: yes", slave.link.name),
            Err(why) => format!("{}: {why}", slave.link.name),
        };
        candidates(sight, &sight.bonds[0], &[]).into_iter().map(told).collect()
    }

    #[test]
    fn the_last_slave_that_works_stays_whatever_the_others_are() {
        let of = |slaves| told(&sight(lacp_bond(), slaves));
        assert_eq!(of(vec![working(1, "eth1"), working(2, "eth2")]), ["eth1: yes", "eth2: yes"]);
        assert_eq!(of(vec![working(1, "eth1")]), ["eth1: is the only slave of bond0"]);
        assert_eq!(
            of(vec![working(1, "eth1"), no_carrier(2, "eth2")]),
            ["eth2: has no carrier", "eth1: is the last slave with a link"]
        );
        assert_eq!(of(vec![working(1, "eth1"), failed(2, "eth2")]), ["eth2: yes", "eth1: is the last slave that works"]);
        let unknown = slave(2, "eth2");
        assert_eq!(of(vec![working(1, "eth1"), unknown.clone()]), ["eth1: is the last slave that works", "eth2: yes"]);
        let both = [unknown, slave(1, "eth1")].to_vec();
        assert_eq!(of(both), ["eth1: is the last slave that works", "eth2: is the last slave that works"]);
    }

    #[test]
    fn where_lacp_has_failed_everywhere_any_slave_with_another_link_beside_it_may_go() {
        let of = |slaves| told(&sight(lacp_bond(), slaves));
        assert_eq!(of(vec![failed(1, "eth1"), failed(2, "eth2")]), ["eth1: yes", "eth2: yes"]);
        assert_eq!(
            of(vec![failed(1, "eth1"), no_carrier(2, "eth2")]),
            ["eth1: is the last slave with a link", "eth2: has no carrier"]
        );
        let down = SlaveSight { admin_up: false, ..failed(2, "eth2") };
        assert_eq!(of(vec![failed(1, "eth1"), down])[1], "eth2: is set down");
        let gone = SlaveSight { mii_up: false, ..failed(2, "eth2") };
        assert_eq!(of(vec![failed(1, "eth1"), gone])[1], "eth2: is down for the bond's monitor");
    }

    #[test]
    fn without_lacp_a_link_that_is_up_works_and_the_active_slave_goes_first() {
        let bond = BondSight { lacp: false, active: Some(2), ..lacp_bond() };
        assert_eq!(told(&sight(bond.clone(), vec![slave(1, "eth1"), slave(2, "eth2")])), ["eth2: yes", "eth1: yes"]);
        let alone = vec![slave(1, "eth1"), no_carrier(2, "eth2")];
        assert!(told(&sight(bond, alone)).iter().all(|told| !told.ends_with("yes")));
    }

    #[test]
    fn a_slave_that_works_in_an_aggregator_that_is_not_used_is_no_help() {
        let mut idle = working(2, "eth2");
        idle.lacp = super::super::LacpSight::Works { heard: crate::time::Mono(0), used: false };
        let told = told(&sight(lacp_bond(), vec![working(1, "eth1"), idle]));
        assert_eq!(told, ["eth2: yes", "eth1: is the last slave that works"]);
    }
}
