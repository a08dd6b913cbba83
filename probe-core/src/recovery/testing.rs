//! Bonds, slaves and incidents for tests.

use super::sight::{BondSight, LacpSight, Sight, SlaveSight};
use super::written::{Fire, Found, Written};
use crate::time::Mono;
use crate::timeline::LinkName;
use crate::verdict::Severity;

pub fn name(ifindex: u32, name: &str) -> LinkName {
    LinkName { ifindex, name: name.to_owned() }
}

/// bond0 (10), of 802.3ad.
pub fn lacp_bond() -> BondSight {
    BondSight { link: name(10, "bond0"), admin_up: true, lacp: true, active: None, primary: None }
}

/// A slave of bond0 whose link is up; of LACP nothing is known.
pub fn slave(ifindex: u32, called: &str) -> SlaveSight {
    SlaveSight {
        link: name(ifindex, called),
        master: Some(10),
        admin_up: true,
        carrier: true,
        mii_up: true,
        ..SlaveSight::default()
    }
}

pub fn working(ifindex: u32, called: &str) -> SlaveSight {
    SlaveSight { lacp: LacpSight::Works { heard: Mono(0), used: true }, ..slave(ifindex, called) }
}

pub fn failed(ifindex: u32, called: &str) -> SlaveSight {
    SlaveSight { lacp: LacpSight::Fails, ..slave(ifindex, called) }
}

pub fn no_carrier(ifindex: u32, called: &str) -> SlaveSight {
    SlaveSight { carrier: false, mii_up: false, lacp: LacpSight::Unknown, ..slave(ifindex, called) }
}

pub fn sight(bond: BondSight, slaves: Vec<SlaveSight>) -> Sight {
    Sight { bonds: vec![bond], slaves, troubles: Vec::new() }
}

/// An incident with these findings about bond0, none of them over, that a blackout opened.
pub fn written(findings: &[&str]) -> Written {
    let found = |kind: &&str| Found { kind: kind.parse().expect("a finding"), link: Some(name(10, "bond0")), over: false };
    Written {
        id: "20171205T051251Z".to_owned(),
        directory: "/incidents/x".to_owned(),
        headline: "bond0: TX blackout".to_owned(),
        severity: Severity::Critical,
        findings: findings.iter().map(found).collect(),
        triggers: vec![Fire { kind: "blackout", link: Some(name(1, "eth1")) }],
    }
}
