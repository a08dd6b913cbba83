use super::*;
use crate::link::{Aggregator, BondState, MiiStatus, OperState, SlaveState};
use crate::samples::{at, bond, down, link, links, slave, watched};

/// bond0 (10) with eth1 (1) and eth2 (2); lone0 (3) is not watched; mgmt (4) is watched by name.
fn table() -> LinkTable {
    let mut table = LinkTable::new(watched());
    table.start(at(0), links());
    table
}

fn whats(entries: Vec<Entry>) -> Vec<What> {
    entries.into_iter().map(|entry| entry.what).collect()
}

fn names(table: &LinkTable) -> Vec<String> {
    table.watched().map(|(link, _)| link.state.name.clone()).collect()
}

#[test]
fn a_bond_is_watched_with_its_slaves_and_a_plain_interface_by_its_name() {
    let table = table();
    assert_eq!(names(&table), ["bond0", "eth1", "eth2", "mgmt"]);
    assert_eq!(table.role(10), Some(Role::Bond));
    assert_eq!(table.role(1), Some(Role::Slave { master: 10 }));
    assert_eq!(table.role(4), Some(Role::Plain));
    assert_eq!(table.role(3), None);
    assert_eq!(table.slaves_up(10), (2, 2));
}

#[test]
fn a_slave_that_loses_its_carrier_stays_in_the_table_with_its_age() {
    let mut table = table();
    assert_eq!(table.get(1).expect("eth1").age(at(5000)), None);
    let entries = table.apply(at(5000), Source::Netlink, down(slave(1, "eth1", 10)));
    assert_eq!(
        whats(entries),
        [
            What::Carrier { up: false, unseen_ups: 0, unseen_downs: 0 },
            What::Oper { from: OperState::Up, to: OperState::Down },
            What::SlaveMii { from: MiiStatus::Up, to: MiiStatus::Down },
        ]
    );
    assert_eq!(names(&table), ["bond0", "eth1", "eth2", "mgmt"]);
    assert_eq!(table.get(1).expect("eth1").age(at(7500)), Some(2_500_000_000));
    assert_eq!(table.slaves_up(10), (1, 2));
}

#[test]
fn flips_between_two_messages_are_told_by_their_number() {
    let mut table = table();
    let flapped = LinkState { carrier_up_count: 21, carrier_down_count: 21, ..slave(1, "eth1", 10) };
    assert_eq!(whats(table.apply(at(9), Source::Netlink, flapped.clone())), [What::Flaps { ups: 20, downs: 20 }]);
    assert_eq!(table.get(1).expect("eth1").flips(), Both { ups: 20, downs: 20 });
    assert_eq!(table.get(1).expect("eth1").changes(), 42);
    let ended_down = LinkState { carrier: false, carrier_up_count: 24, carrier_down_count: 25, ..flapped };
    assert_eq!(
        whats(table.apply(at(10), Source::Netlink, ended_down)),
        [What::Carrier { up: false, unseen_ups: 3, unseen_downs: 3 }]
    );
}

#[test]
fn an_edge_is_told_once_with_its_exact_time_and_the_age_counts_from_it() {
    let mut table = table();
    assert_eq!(table.edge(at(3000), 1, false), EdgeSeen::New(What::Carrier { up: false, unseen_ups: 0, unseen_downs: 0 }));
    assert!(!table.get(1).expect("eth1").state.carrier);
    let entries = table.apply(at(3900), Source::Netlink, down(slave(1, "eth1", 10)));
    assert_eq!(
        whats(entries),
        [What::Oper { from: OperState::Up, to: OperState::Down }, What::SlaveMii { from: MiiStatus::Up, to: MiiStatus::Down },]
    );
    assert_eq!(table.get(1).expect("eth1").changed_at, Some(at(3000)));
    assert_eq!(table.get(1).expect("eth1").changes(), 3);
}

#[test]
fn a_message_older_than_the_last_edge_does_not_bring_the_old_carrier_back() {
    let mut table = table();
    table.edge(at(3000), 1, false);
    table.edge(at(3001), 1, true);
    table.edge(at(3002), 1, false);
    let up_again = LinkState { carrier_up_count: 2, carrier_down_count: 2, ..slave(1, "eth1", 10) };
    assert_eq!(whats(table.apply(at(3003), Source::Netlink, up_again.clone())), []);
    assert!(!table.get(1).expect("eth1").state.carrier);
    let entries = table.apply(at(3004), Source::Netlink, down(up_again));
    assert_eq!(
        whats(entries),
        [What::Oper { from: OperState::Up, to: OperState::Down }, What::SlaveMii { from: MiiStatus::Up, to: MiiStatus::Down },]
    );
    assert_eq!(table.get(1).expect("eth1").flips(), Both { ups: 1, downs: 2 });
}

#[test]
fn a_late_message_with_lower_counters_changes_nothing_and_is_counted() {
    let mut table = table();
    table.apply(at(10), Source::Netlink, down(slave(1, "eth1", 10)));
    assert_eq!(table.apply(at(11), Source::Netlink, slave(1, "eth1", 10)), []);
    assert!(!table.get(1).expect("eth1").state.carrier);
    assert_eq!(table.stale_messages(), 1);
}

#[test]
fn setting_a_link_down_is_one_change_whose_first_entry_is_the_administrator() {
    let mut table = table();
    let set_down = LinkState { admin_up: false, operstate: OperState::Down, ..link(4, "mgmt") };
    assert_eq!(
        whats(table.apply(at(10), Source::Netlink, set_down)),
        [What::Admin { up: false }, What::Oper { from: OperState::Up, to: OperState::Down }]
    );
    let mgmt = table.get(4).expect("mgmt");
    assert_eq!((mgmt.changes(), mgmt.changed_at, mgmt.is_up()), (3, Some(at(10)), false));
}

#[test]
fn slaves_are_followed_in_and_out_of_the_bond() {
    let mut table = table();
    let entries = table.apply(at(1), Source::Netlink, slave(3, "lone0", 10));
    assert_eq!(whats(entries), [What::Master { from: None, to: Some("bond0".to_owned()) }]);
    assert_eq!(table.role(3), Some(Role::Slave { master: 10 }));
    let entries = table.apply(at(2), Source::Netlink, link(1, "eth1"));
    assert_eq!(whats(entries), [What::Master { from: Some("bond0".to_owned()), to: None }]);
    assert_eq!(names(&table), ["bond0", "eth2", "lone0", "mgmt"]);
}

#[test]
fn links_that_are_not_watched_make_no_entries() {
    let mut table = table();
    assert_eq!(table.apply(at(1), Source::Netlink, down(link(3, "lone0"))), []);
    assert_eq!(table.apply(at(1), Source::Netlink, link(77, "veth77")), []);
    assert_eq!(table.remove(at(2), Source::Netlink, 77), []);
}

#[test]
fn a_renamed_bond_is_followed_and_its_old_name_is_not_given_away() {
    let mut table = table();
    let entries = table.apply(at(1), Source::Netlink, bond(10, "uplink"));
    assert_eq!(whats(entries.clone()), [What::Renamed { from: "bond0".to_owned() }]);
    assert_eq!(entries[0].link.as_ref().map(|link| link.name.as_str()), Some("uplink"));
    assert_eq!(table.apply(at(2), Source::Netlink, bond(20, "bond0")), []);
    assert_eq!(table.role(10), Some(Role::Bond));
    assert_eq!(table.role(20), None);
}

#[test]
fn a_bond_that_is_deleted_and_made_again_is_followed_under_its_new_index() {
    let mut table = table();
    assert_eq!(whats(table.remove(at(1), Source::Netlink, 10)), [What::Vanished]);
    assert_eq!(names(&table), ["mgmt"]);
    assert_eq!(table.waiting(), [Waiting { name: "bond0".to_owned(), not_a_bond: false }]);
    assert_eq!(whats(table.apply(at(2), Source::Netlink, bond(30, "bond0"))), [What::Appeared { initial: false }]);
    table.apply(at(3), Source::Netlink, slave(1, "eth1", 30));
    assert_eq!(names(&table), ["bond0", "eth1", "mgmt"]);
    assert_eq!(table.waiting(), []);
}

#[test]
fn a_link_that_is_no_bond_does_not_pass_for_one() {
    let mut table = LinkTable::new(Watched { bonds: vec!["lone0".to_owned()], interfaces: Vec::new() });
    table.start(at(0), vec![link(3, "lone0")]);
    assert_eq!(names(&table), Vec::<String>::new());
    assert_eq!(table.waiting(), [Waiting { name: "lone0".to_owned(), not_a_bond: true }]);
}

#[test]
fn after_an_overrun_a_gap_stands_before_the_differences_and_missing_links_vanish() {
    let mut table = table();
    let dump = vec![bond(10, "bond0"), down(slave(1, "eth1", 10)), link(3, "lone0"), link(5, "new0")];
    let entries = table.resync(at(50), "ENOBUFS", dump);
    assert_eq!(entries[0].what, What::Gap { reason: "ENOBUFS".to_owned() });
    assert!(entries[1..].iter().all(|entry| entry.source == Source::Resync));
    let told: Vec<_> =
        entries[1..].iter().map(|entry| (entry.link.as_ref().map(|link| link.name.as_str()), entry.what.clone())).collect();
    assert_eq!(
        told,
        [
            (Some("eth2"), What::Vanished),
            (Some("mgmt"), What::Vanished),
            (Some("eth1"), What::Carrier { up: false, unseen_ups: 0, unseen_downs: 0 }),
            (Some("eth1"), What::Oper { from: OperState::Up, to: OperState::Down }),
            (Some("eth1"), What::SlaveMii { from: MiiStatus::Up, to: MiiStatus::Down }),
        ]
    );
}

#[test]
fn a_dump_with_lower_counters_shows_another_link_under_the_same_index() {
    let mut table = table();
    table.apply(at(1), Source::Netlink, down(link(4, "mgmt")));
    let dump = vec![bond(10, "bond0"), slave(1, "eth1", 10), slave(2, "eth2", 10), link(4, "mgmt")];
    let entries = whats(table.resync(at(2), "ENOBUFS", dump));
    assert_eq!(entries[1..], [What::Vanished, What::Appeared { initial: false }]);
}

#[test]
fn every_attribute_of_a_bond_and_of_a_slave_has_its_entry() {
    let mut table = table();
    let ported = Aggregator { id: 1, ports: 2, partner_key: 9, partner_mac: [2, 0, 0, 0, 0, 1], ..Aggregator::default() };
    let changed = BondState { active_slave: Some(1), aggregator: Some(ported), min_links: 1, ..BondState::default() };
    let entries = table.apply(at(1), Source::Netlink, LinkState { bond: Some(changed), mtu: 9000, ..bond(10, "bond0") });
    let told: Vec<_> = entries
        .iter()
        .map(|entry| match &entry.what {
            What::Attribute { name, from, to } => format!("{name}: {from} → {to}"),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        told,
        [
            "min links: 0 → 1",
            "active slave: none → eth1",
            "aggregator: none → 1",
            "aggregator ports: none → 2",
            "actor key: none → 0",
            "partner key: none → 9",
            "partner: none → 02:00:00:00:00:01",
            "mtu: 1500 → 9000",
        ]
    );
    let monitored = SlaveState { active: true, mii: MiiStatus::GoingDown, ..SlaveState::default() };
    let entries = table.apply(at(2), Source::Netlink, LinkState { slave: Some(monitored), ..slave(1, "eth1", 10) });
    assert_eq!(
        whats(entries),
        [What::SlaveMii { from: MiiStatus::Up, to: MiiStatus::GoingDown }, What::SlaveActive { active: true }]
    );
}
