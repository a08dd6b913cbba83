use super::*;
use crate::direction::Direction;

const US: Mac = [2, 0, 0, 0, 0, 1];
const OUR_SECOND: Mac = [2, 0, 0, 0, 0, 2];
const GATEWAY: Mac = [0, 0, 0x0C, 0x9F, 0xF0, 1];
const SWITCH: Mac = [2, 0, 0, 0, 9, 9];

fn frame(destination: Mac, source: Mac) -> Vec<u8> {
    [&destination[..], &source, &[8, 0, 0x45], &[0; 40]].concat()
}

/// A LACPDU of `actor` at `port` to `partner` at port 100 and up.
fn lacpdu(source: Mac, actor: (Mac, u16, u16), partner: (Mac, u16, u16)) -> Vec<u8> {
    let tlv = |kind: u8, (system, key, port): (Mac, u16, u16)| {
        let (key, port) = (key.to_be_bytes(), port.to_be_bytes());
        [&[kind, 20, 0xFF, 0xFF][..], &system, &key, &[0, 0xFF], &port, &[0x3D, 0, 0, 0]].concat()
    };
    [&[1, 0x80, 0xC2, 0, 0, 2][..], &source, &[0x88, 9, 1, 1], &tlv(1, actor), &tlv(2, partner), &[0; 52]].concat()
}

/// LACPDUs of both ends at one link: our port `port`.
fn both(scout: &mut Scout, link: usize, source: Mac, port: u16) {
    let (ours, theirs) = ((US, 15, port), (SWITCH, 7, 100 + port));
    scout.packet(link, &lacpdu(source, ours, theirs), None);
    scout.packet(link, &lacpdu([2, 0, 0, 0, 9, port as u8], theirs, ours), None);
}

fn roles(plan: &Plan) -> Vec<(&str, Role, bool)> {
    plan.links.iter().map(|link| (link.name.as_str(), link.role, link.seen)).collect()
}

/// A bond with traffic, and its two slaves with LACPDUs.
fn story() -> Scout {
    let mut scout = Scout::default();
    let bond = scout.link("dp0bond0", [0; 6]);
    for host in 0..5 {
        scout.packet(bond, &frame([2, 0, 0, 0, 7, host], US), None);
        scout.packet(bond, &frame(US, [2, 0, 0, 0, 7, host]), None);
    }
    (0..1000).for_each(|_| scout.packet(bond, &frame(GATEWAY, US), None));
    let first = scout.link("dp0s0", [0; 6]);
    both(&mut scout, first, US, 1);
    let second = scout.link("dp0s2", [0; 6]);
    both(&mut scout, second, OUR_SECOND, 2);
    scout
}

#[test]
fn a_bond_and_its_slaves_are_found_with_their_addresses() {
    let plan = plan(&story(), &Wanted::default());
    assert_eq!(roles(&plan), [("dp0bond0", Role::Bond, true), ("dp0s0", Role::Slave(1), true), ("dp0s2", Role::Slave(1), true)]);
    assert_eq!(plan.links.iter().map(|link| link.mac).collect::<Vec<_>>(), [US, US, OUR_SECOND]);
    assert_eq!(plan.local.direction(&frame(GATEWAY, US)), Direction::Egress);
    assert_eq!(plan.local.direction(&lacpdu(OUR_SECOND, (US, 1, 1), (SWITCH, 1, 1))), Direction::Egress);
    assert_eq!(plan.local.direction(&frame([0xFF; 6], GATEWAY)), Direction::Ingress);
    assert!(plan.local.is_system(US) && !plan.local.is_system(SWITCH));
    assert_eq!(
        plan.notes,
        [
            "dp0bond0: 02:00:00:00:00:01 was taken for the local address: it talks with most others; --mac decides.",
            "dp0bond0 was taken for a bond of dp0s0, dp0s2: --bond decides."
        ]
    );
    assert_eq!(plan.watched().bonds, ["dp0bond0"]);
    assert_eq!(plan::states(&plan.links)[1].master, Some(1));
}

#[test]
fn what_the_user_says_goes_before_what_is_seen() {
    let wanted = Wanted { macs: vec![SWITCH], bonds: vec![("agg".to_owned(), vec!["dp0s2".to_owned(), "gone".to_owned()])] };
    let plan = plan(&story(), &wanted);
    assert_eq!(
        roles(&plan),
        [
            ("dp0bond0", Role::Plain, true),
            ("dp0s0", Role::Plain, true),
            ("dp0s2", Role::Slave(4), true),
            ("agg", Role::Bond, false)
        ]
    );
    assert_eq!(plan.notes, ["agg: no file is of its slave gone."]);
    assert_eq!(plan.local.direction(&frame(GATEWAY, US)), Direction::Ingress);
    assert!(plan.local.is_system(SWITCH));
}

#[test]
fn slaves_without_their_bond_get_one() {
    let mut scout = Scout::default();
    for (name, port) in [("eth1", 1), ("eth2", 2)] {
        let link = scout.link(name, US);
        both(&mut scout, link, US, port);
    }
    let plan = plan(&scout, &Wanted::default());
    assert_eq!(roles(&plan), [("eth1", Role::Slave(3), true), ("eth2", Role::Slave(3), true), ("bond", Role::Bond, false)]);
}

#[test]
fn a_bond_without_its_slaves_has_them_by_port() {
    let mut scout = Scout::default();
    let bond = scout.link("x", US);
    both(&mut scout, bond, US, 1);
    both(&mut scout, bond, US, 2);
    let plan = plan(&scout, &Wanted::default());
    assert_eq!(roles(&plan), [("x", Role::Bond, true), ("x/port1", Role::Slave(1), false), ("x/port2", Role::Slave(1), false)]);
    assert_eq!(plan.links[0].lacp, LacpOf::Ports(vec![(1, 2), (2, 3)]));
}

#[test]
fn links_without_end_are_one_link_in_the_end() {
    let mut scout = Scout::default();
    let links: Vec<usize> = (0..5000).map(|number| scout.link(&format!("link{number}"), US)).collect();
    assert_eq!((links[7], links[4999], scout.link("link7", US)), (7, MOST_LINKS - 1, 7));
    let plan = plan(&scout, &Wanted::default());
    assert_eq!(plan.links.last().map(|link| link.name.as_str()), Some(FURTHER));
    let mut replay = Replay::new(&plan, "");
    let links: Vec<usize> = (0..5000).map(|number| replay.link(&format!("other{number}"), US)).collect();
    assert!(links.iter().all(|link| *link <= 2 * MOST_LINKS) && replay.links().len() <= 2 * MOST_LINKS + 1);
}

#[test]
fn a_link_without_lacp_is_a_link() {
    let mut scout = Scout::default();
    let link = scout.link("bond0", US);
    scout.packet(link, &frame(GATEWAY, US), Some(Direction::Egress));
    scout.packet(link, &[1, 2, 3], None);
    assert_eq!(roles(&plan(&scout, &Wanted::default())), [("bond0", Role::Plain, true)]);
}
