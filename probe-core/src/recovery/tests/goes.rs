//! Recoveries that go as they should.

use super::*;

#[test]
fn a_bond_that_works_after_its_first_slave_was_put_back_is_left_at_that() {
    let mut bench = Bench::new(RecoverMode::On);
    bench.cure = Some(1);
    bench.written(&["tx-blackout"]);
    assert_eq!(bench.ordered, ["save eth1 out"], "the note is on disk before anything is done");
    bench.pass(6);
    assert_eq!(bench.ordered, ["save eth1 out", "release eth1", "enslave eth1 bond0", "save"]);
    assert_eq!(
        bench.told,
        [
            "bond0: Begins: bond0 is recovered for tx-blackout, found by incident 20171205T051251Z: one slave at a time is taken out and put back",
            "eth1: Takes: is taken out of bond0",
            "eth1: PutBack: is in bond0 again",
            "eth1: Settled: carries traffic again after 3.0 s: both ends distribute",
            "bond0: Works: bond0 works again, 3.0 s after the recovery began",
        ]
    );
    assert_eq!(bench.others, ["hold eth1", "free eth1"]);
    assert_eq!(bench.outcomes(), [Outcome::Recovered]);
    assert_eq!((bench.records[0].steps.len(), bench.records[0].directory.as_str()), (5, "/incidents/x"));
    assert_eq!((bench.saved.out.clone(), bench.saved.attempts.len()), (None, 1));
    assert!(!bench.recovery.is_busy());
}

#[test]
fn the_next_slave_is_taken_only_when_the_one_before_distributes_and_the_bond_still_does_not_work() {
    let mut bench = Bench::new(RecoverMode::On);
    bench.cure = Some(2);
    bench.written(&["tx-blackout"]);
    bench.pass(10);
    assert_eq!(bench.ordered.iter().filter(|order| order.starts_with("release")).count(), 1);
    bench.pass(10);
    let released: Vec<_> = bench.ordered.iter().filter(|order| order.starts_with("release")).collect();
    assert_eq!(released, ["release eth1", "release eth2"]);
    let (settled, second) = (bench.told[3].clone(), bench.told[4].clone());
    assert!(settled.starts_with("eth1: Settled"), "{settled}");
    assert_eq!(second, "eth2: Takes: is taken out of bond0");
    assert_eq!(bench.outcomes(), [Outcome::Recovered]);
}

#[test]
fn where_lacp_has_failed_everywhere_a_slave_that_comes_too_late_does_not_keep_the_next_from_its_turn() {
    let failed = testing::failed;
    let mut bench = Bench::of(config(RecoverMode::On), vec![failed(1, "eth1"), failed(2, "eth2")]);
    bench.written(&["tx-blackout"]);
    while bench.answer() {}
    bench.converges.clear();
    bench.pass(11);
    assert!(bench.told.contains(&"eth1: Late: does not distribute 10.0 s after it was put back".to_owned()), "{:#?}", bench.told);
    bench.pass(20);
    assert_eq!(bench.outcomes(), [Outcome::NotRecovered]);
    let last = bench.told.last().expect("an end");
    assert_eq!(last, "bond0: Unhelped: bond0 does not work, and no slave is left to take out: eth1 sends nothing");
}

#[test]
fn a_slave_whose_lacp_has_failed_is_not_waited_for_long_once_another_one_works() {
    let mut bench = Bench::of(config(RecoverMode::On), vec![testing::failed(1, "eth1"), testing::failed(2, "eth2")]);
    bench.cure = Some(2);
    bench.written(&["tx-blackout"]);
    bench.pass(9);
    assert!(bench.told.contains(&"eth2: Settled: carries traffic again after 3.0 s: both ends distribute".to_owned()));
    bench.pass(2);
    assert_eq!(bench.outcomes(), [Outcome::Recovered]);
    let took = bench.records[0].to.since(bench.records[0].from);
    assert!(took < 10 * SECOND, "{took}");
}

#[test]
fn an_incident_about_one_slave_is_about_no_other() {
    let mut bench = Bench::of(config(RecoverMode::On), vec![working(1, "eth1"), working(2, "eth2")]);
    bench.recovery.config.on = causes(&["lacpdus-not-arriving"]).expect("a cause");
    bench.sight.slaves[1].lacp = LacpSight::Fails;
    let mut incident = written(&["lacpdus-not-arriving"]);
    incident.findings[0].link = Some(testing::name(2, "eth2"));
    bench.give(Input::Written(incident));
    bench.pass(30);
    let released: Vec<_> = bench.ordered.iter().filter(|order| order.starts_with("release")).collect();
    assert_eq!(released, ["release eth2"]);
}

#[test]
fn what_was_set_at_a_slave_is_set_again_and_the_active_one_is_active_again_where_it_did_not_help() {
    let mut bench = Bench::new(RecoverMode::On);
    let bond = BondSight { lacp: false, active: Some(2), primary: Some(2), ..lacp_bond() };
    bench.sight.bonds = vec![bond];
    bench.sight.slaves[1].queue_id = 3;
    bench.sight.slaves[0].prio = -7;
    bench.written(&["tx-blackout"]);
    while bench.answer() {}
    // the kernel has made the other one active, and has no primary while it is out
    bench.sight.bonds[0].active = Some(1);
    bench.sight.bonds[0].primary = None;
    bench.pass(30);
    assert_eq!(
        bench.ordered,
        [
            "save eth2 out",
            "release eth2",
            "enslave eth2 bond0",
            "restore eth2 3 0 false",
            "save",
            "save eth1 out",
            "release eth1",
            "enslave eth1 bond0",
            "restore eth1 0 -7 false",
            "save",
            "activate eth2",
        ]
    );
    assert_eq!(bench.told.last().map(String::as_str), Some("eth2: PutBack: is the active slave again, as before"));
    assert_eq!(bench.outcomes(), [Outcome::NotRecovered]);
}

#[test]
fn where_nothing_shows_whether_it_helped_every_slave_has_its_turn() {
    let mut bench = Bench::new(RecoverMode::On);
    bench.sight.troubles.clear();
    bench.written(&["tx-blackout"]);
    bench.pass(20);
    assert_eq!(bench.ordered.iter().filter(|order| order.starts_with("release")).count(), 2);
    assert_eq!(bench.outcomes(), [Outcome::Done]);
}
