use super::*;
use crate::link::{LinkState, MiiStatus, SlaveState};
use crate::samples::{at, bond, down, link, links, slave, up, watched};
use crate::timeline::Source;

struct Bench {
    table: LinkTable,
    triggers: Triggers,
    now: u64,
}

impl Bench {
    fn new(min_slaves: usize) -> Self {
        let mut table = LinkTable::new(watched());
        table.start(at(0), links());
        let mut triggers = Triggers::new(min_slaves);
        triggers.start(&table);
        Self { table, triggers, now: 1000 }
    }

    /// Applies a message; returns what fires: trigger and link.
    fn apply(&mut self, state: LinkState) -> Vec<(Kind, String)> {
        self.now += 1000;
        let entries = self.table.apply(at(self.now), Source::Netlink, state);
        self.observe(&entries)
    }

    fn remove(&mut self, ifindex: u32) -> Vec<(Kind, String)> {
        self.now += 1000;
        let entries = self.table.remove(at(self.now), Source::Netlink, ifindex);
        self.observe(&entries)
    }

    fn observe(&mut self, entries: &[Entry]) -> Vec<(Kind, String)> {
        let fired = self.triggers.observe(at(self.now), &self.table, entries);
        fired.into_iter().map(|fired| (fired.kind, fired.link.map_or_else(String::new, |link| link.name))).collect()
    }
}

fn fires<const N: usize>(expected: [(Kind, &str); N]) -> Vec<(Kind, String)> {
    expected.map(|(kind, name)| (kind, name.to_owned())).to_vec()
}

#[test]
fn a_slave_without_carrier_is_down_once_and_up_again_once() {
    let mut bench = Bench::new(1);
    let lost = down(slave(1, "eth1", 10));
    assert_eq!(bench.apply(lost.clone()), fires([(Kind::SlaveDown, "eth1")]));
    assert_eq!(bench.apply(lost.clone()), []);
    assert_eq!(bench.apply(up(lost)), fires([(Kind::SlaveUp, "eth1")]));
}

#[test]
fn a_slave_that_only_the_monitor_sees_down_is_down() {
    let mut bench = Bench::new(1);
    let seen = SlaveState { mii: MiiStatus::GoingDown, ..SlaveState::default() };
    let state = LinkState { slave: Some(seen), ..slave(1, "eth1", 10) };
    assert_eq!(bench.apply(state), fires([(Kind::SlaveDown, "eth1")]));
}

#[test]
fn a_flap_that_no_message_showed_fires_like_one_that_was_seen() {
    let mut bench = Bench::new(1);
    let flapped = LinkState { carrier_up_count: 2, carrier_down_count: 2, ..slave(1, "eth1", 10) };
    assert_eq!(bench.apply(flapped), fires([(Kind::SlaveDown, "eth1")]));
}

#[test]
fn a_bond_is_down_without_carrier_when_set_down_and_when_deleted() {
    let mut bench = Bench::new(1);
    let lost = down(bond(10, "bond0"));
    assert_eq!(bench.apply(lost.clone()), fires([(Kind::BondDown, "bond0")]));
    let again = up(lost);
    assert_eq!(bench.apply(again.clone()), fires([(Kind::BondUp, "bond0")]));
    assert_eq!(bench.apply(LinkState { admin_up: false, ..again.clone() }), fires([(Kind::BondDown, "bond0")]));
    assert_eq!(bench.apply(again), fires([(Kind::BondUp, "bond0")]));
    assert_eq!(bench.remove(10), fires([(Kind::SlaveRemoved, "eth1"), (Kind::SlaveRemoved, "eth2"), (Kind::BondDown, "bond0")]));
}

#[test]
fn a_bond_that_is_made_again_fires_when_it_is_up_and_not_for_its_missing_slaves() {
    let mut bench = Bench::new(1);
    bench.remove(10);
    assert_eq!(bench.apply(down(bond(20, "bond0"))), []);
    assert_eq!(bench.apply(down(slave(1, "eth1", 20))), fires([(Kind::SlaveAdded, "eth1")]));
    assert_eq!(bench.apply(up(down(slave(1, "eth1", 20)))), fires([(Kind::SlaveUp, "eth1")]));
    assert_eq!(bench.apply(up(down(bond(20, "bond0")))), fires([(Kind::BondUp, "bond0")]));
}

#[test]
fn the_minimum_of_slaves_fires_on_the_way_down_only() {
    let mut bench = Bench::new(2);
    let lost = down(slave(1, "eth1", 10));
    assert_eq!(bench.apply(lost.clone()), fires([(Kind::SlaveDown, "eth1"), (Kind::MinSlaves, "bond0")]));
    assert_eq!(bench.apply(down(slave(2, "eth2", 10))), fires([(Kind::SlaveDown, "eth2")]));
    assert_eq!(bench.apply(up(lost.clone())), fires([(Kind::SlaveUp, "eth1")]));
    assert_eq!(bench.apply(up(down(slave(2, "eth2", 10)))), fires([(Kind::SlaveUp, "eth2")]));
    let again = down(up(lost));
    assert_eq!(bench.apply(again), fires([(Kind::SlaveDown, "eth1"), (Kind::MinSlaves, "bond0")]));
}

#[test]
fn the_minimum_says_how_many_slaves_are_left() {
    let mut bench = Bench::new(2);
    let entries = bench.table.remove(at(5000), Source::Netlink, 1);
    let fired = bench.triggers.observe(at(5000), &bench.table, &entries);
    let texts: Vec<_> = fired.iter().map(|fired| fired.text.as_str()).collect();
    assert_eq!(texts, ["eth1: is gone", "bond0: 1 of 1 slaves up, the minimum is 2"]);
}

#[test]
fn a_slave_that_leaves_is_removed_and_one_that_comes_is_added() {
    let mut bench = Bench::new(1);
    assert_eq!(bench.apply(link(1, "eth1")), fires([(Kind::SlaveRemoved, "eth1")]));
    assert_eq!(bench.apply(slave(3, "lone0", 10)), fires([(Kind::SlaveAdded, "lone0"), (Kind::SlaveUp, "lone0")]));
}

#[test]
fn an_interface_that_becomes_a_slave_did_not_go_down() {
    let mut bench = Bench::new(1);
    assert_eq!(bench.apply(slave(4, "mgmt", 10)), fires([(Kind::SlaveAdded, "mgmt"), (Kind::SlaveUp, "mgmt")]));
    assert_eq!(bench.remove(4), fires([(Kind::SlaveRemoved, "mgmt")]));
}

#[test]
fn a_plain_interface_goes_down_and_comes_up() {
    let mut bench = Bench::new(1);
    let lost = down(link(4, "mgmt"));
    assert_eq!(bench.apply(lost.clone()), fires([(Kind::InterfaceDown, "mgmt")]));
    assert_eq!(bench.apply(up(lost)), fires([(Kind::InterfaceUp, "mgmt")]));
    assert_eq!(bench.remove(4), fires([(Kind::InterfaceDown, "mgmt")]));
}

#[test]
fn a_trigger_has_the_time_and_the_words_of_its_cause() {
    let mut bench = Bench::new(0);
    let entries = bench.table.apply(at(7000), Source::Netlink, down(bond(10, "bond0")));
    let fired = bench.triggers.observe(at(7100), &bench.table, &entries);
    assert_eq!((fired[0].at, fired[0].text.as_str()), (at(7000), "bond0: carrier lost"));
}

#[test]
fn what_is_down_at_the_start_is_no_event() {
    let mut table = LinkTable::new(watched());
    table.start(at(0), vec![down(bond(10, "bond0")), down(slave(1, "eth1", 10))]);
    let mut triggers = Triggers::new(2);
    triggers.start(&table);
    assert_eq!(triggers.observe(at(1), &table, &[]), []);
}
