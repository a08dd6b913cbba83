//! When nothing is done, and why.

use super::super::testing::{failed, name, no_carrier};
use super::*;

/// What is told of an incident by a recovery that refuses.
fn refused(mut bench: Bench) -> String {
    bench.told.clear();
    bench.written(&["tx-blackout"]);
    assert_eq!(bench.ordered, Vec::<String>::new(), "nothing is done");
    assert_eq!(bench.outcomes(), [Outcome::Refused]);
    let told = bench.told.pop().expect("a reason");
    let (_, why) = told.split_once("20171205T051251Z: ").expect("the incident");
    why.to_owned()
}

#[test]
fn each_guard_refuses_with_its_reason() {
    let of = |slaves| Bench::of(config(RecoverMode::On), slaves);
    let two = || vec![working(1, "eth1"), working(2, "eth2")];
    assert_eq!(refused(of(vec![working(1, "eth1")])), "eth1 is the only slave of bond0");
    let one_works = of(vec![working(1, "eth1"), no_carrier(2, "eth2")]);
    assert_eq!(refused(one_works), "eth2 has no carrier; eth1 is the last slave with a link");
    assert_eq!(refused(of(Vec::new())), "bond0 has no slave");
    let mut down = of(two());
    down.sight.bonds[0].admin_up = false;
    assert_eq!(refused(down), "bond0 is set down");
    let mut elsewhere = of(two());
    elsewhere.sight.bonds[0].link = name(11, "bond1");
    assert_eq!(refused(elsewhere), "it is about no bond that is watched");
    let mut often = of(two());
    often.recovery.config.limit = 0;
    assert_eq!(refused(often), "bond0 was recovered 0 times within an hour, which is the limit");
}

#[test]
fn a_bond_that_works_again_by_itself_is_left_alone() {
    let mut bench = Bench::new(RecoverMode::On);
    bench.sight.troubles.clear();
    let mut incident = written(&["tx-blackout"]);
    incident.findings[0].over = true;
    bench.give(Input::Written(incident));
    assert_eq!(bench.outcomes(), [Outcome::Refused]);
    assert!(bench.told[0].ends_with("bond0 works again"), "{:?}", bench.told);
}

#[test]
fn nothing_at_all_happens_where_it_is_off_or_the_incident_is_about_something_else() {
    let mut off = Bench::new(RecoverMode::Off);
    off.written(&["tx-blackout", "path-loss"]);
    let mut other = Bench::new(RecoverMode::On);
    other.written(&["carrier-loss"]);
    for bench in [off, other] {
        assert_eq!((bench.told, bench.records.len(), bench.ordered), (vec![], 0, vec![]));
    }
}

#[test]
fn a_trigger_is_a_cause_as_well_while_what_it_tells_of_goes_on() {
    let mut bench = Bench::new(RecoverMode::On);
    let mut incident = written(&[]);
    incident.triggers[0].kind = "lacp-down";
    bench.give(Input::Written(incident.clone()));
    assert_eq!(bench.outcomes(), [Outcome::Refused], "LACP works");
    let text = "LACP does not work at eth1".to_owned();
    bench.sight.troubles.push(Trouble { bond: 10, kind: TroubleKind::Lacp, text });
    bench.sight.slaves[0] = failed(1, "eth1");
    bench.give(Input::Written(incident));
    assert_eq!(bench.ordered, ["save eth1 out"]);
}

#[test]
fn a_bond_is_recovered_so_many_times_in_an_hour_and_never_while_another_recovery_runs() {
    let mut bench = Bench::new(RecoverMode::On);
    bench.written(&["tx-blackout"]);
    bench.written(&["tx-blackout"]);
    assert!(bench.told.last().is_some_and(|told| told.ends_with("the recovery of bond0 is not over")), "{:?}", bench.told);
    bench.pass(40);
    bench.written(&["tx-blackout"]);
    bench.pass(40);
    assert_eq!(bench.recovery.status(bench.now, &["bond0".to_owned()]).left[0].count, 0);
    bench.written(&["tx-blackout"]);
    assert!(
        bench.told.last().is_some_and(|told| told.contains("2 times within an hour, which is the limit")),
        "{:?}",
        bench.told
    );
    // an agent that starts anew knows of them
    let mut next = Bench::new(RecoverMode::On);
    next.now = bench.now;
    next.give(Input::Start(bench.saved.clone()));
    next.written(&["tx-blackout"]);
    assert_eq!(next.outcomes(), [Outcome::Refused]);
    bench.now = bench.now.plus(3600 * SECOND);
    bench.written(&["tx-blackout"]);
    assert!(bench.recovery.is_busy());
}

#[test]
fn a_dry_run_tells_what_would_be_done_and_does_nothing() {
    let mut bench = Bench::of(config(RecoverMode::DryRun), vec![working(1, "eth1"), working(2, "eth2"), no_carrier(3, "eth3")]);
    bench.written(&["tx-blackout"]);
    bench.pass(30);
    assert_eq!(bench.ordered, Vec::<String>::new());
    assert_eq!(bench.others, Vec::<String>::new());
    assert_eq!(
        bench.told[1..],
        [
            "eth3: Skips (dry): would be left alone: it has no carrier",
            "eth1: Takes (dry): would be taken out of bond0 and put back, and have 10 s to carry traffic again",
            "eth2: Takes (dry): would be taken out of bond0 and put back, and have 10 s to carry traffic again",
        ]
    );
    assert!(bench.told[0].starts_with("bond0: Begins (dry): bond0 would be recovered for tx-blackout"), "{}", bench.told[0]);
    assert_eq!(bench.outcomes(), [Outcome::DryRun]);
    // the limit holds as it would
    bench.written(&["tx-blackout"]);
    bench.written(&["tx-blackout"]);
    assert_eq!(bench.outcomes()[2], Outcome::Refused);
}

#[test]
fn the_command_is_run_for_its_causes_once_at_a_time_and_only_told_in_a_dry_run() {
    let mut dry = Bench::new(RecoverMode::DryRun);
    dry.written(&["path-loss"]);
    assert_eq!(dry.told, ["bond0: Command (dry): /bin/mend it would be run for incident 20171205T051251Z"]);
    assert_eq!(dry.others, Vec::<String>::new());
    let mut bench = Bench::new(RecoverMode::On);
    bench.written(&["path-loss"]);
    bench.written(&["path-loss"]);
    assert_eq!(bench.others, ["run /bin/mend it"]);
    assert!(bench.told[1].contains("another run is not over"), "{:?}", bench.told);
    bench.give(Input::CommandEnded(false, "ended with exit status 3".to_owned()));
    assert_eq!(bench.told[2], "bond0: CommandFailed: /bin/mend it ended with exit status 3");
    bench.written(&["path-loss"]);
    bench.give(Input::CommandEnded(true, "ended well".to_owned()));
    bench.written(&["path-loss"]);
    assert!(bench.told.last().is_some_and(|told| told.contains("it was run 2 times within an hour")), "{:?}", bench.told);
}

#[test]
fn a_command_waits_for_the_end_of_the_recovery_and_is_told_how_it_ended() {
    let mut bench = Bench::new(RecoverMode::On);
    bench.cure = Some(1);
    bench.written(&["tx-blackout", "path-loss"]);
    assert_eq!(bench.others, Vec::<String>::new());
    bench.pass(8);
    assert_eq!(bench.others.last().map(String::as_str), Some("run /bin/mend it"));
    let call = bench.recovery.called.clone().expect("a call");
    assert!(call.environment.contains(&("LINKPROBE_RECOVERY".to_owned(), "recovered".to_owned())));
}
