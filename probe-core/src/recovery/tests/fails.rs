//! Steps that fail: the bond is as it was found, or what it is not is told.

use super::*;

fn begun() -> Bench {
    let mut bench = Bench::new(RecoverMode::On);
    bench.written(&["tx-blackout"]);
    bench
}

#[test]
fn nothing_is_taken_out_that_could_not_be_noted() {
    let mut bench = begun();
    bench.refusals.push(("save", refusal("No space left on device")));
    bench.pass(1);
    assert_eq!(bench.ordered, ["save eth1 out"]);
    assert_eq!(bench.outcomes(), [Outcome::Failed]);
    assert_eq!(bench.recovery.state.out, None);
}

#[test]
fn a_slave_that_cannot_be_taken_out_stays_and_no_other_is_tried() {
    let mut bench = begun();
    bench.refusals.push(("release", refusal("Operation not permitted")));
    bench.pass(20);
    assert_eq!(bench.ordered, ["save eth1 out", "release eth1", "save"]);
    assert_eq!(bench.told[2], "eth1: Failed: cannot be taken out of bond0: Operation not permitted");
    assert_eq!(bench.told[3..], ["eth1: PutBack: is in bond0 as before"]);
    assert_eq!((bench.outcomes(), bench.others), (vec![Outcome::Failed], vec!["hold eth1".to_owned(), "free eth1".to_owned()]));
}

#[test]
fn a_slave_that_cannot_be_put_back_at_once_is_tried_again_and_then_the_recovery_ends() {
    let mut bench = begun();
    for _ in 0..3 {
        bench.refusals.push(("enslave", refusal("Device or resource busy")));
    }
    bench.pass(20);
    let enslaved = bench.ordered.iter().filter(|order| order.starts_with("enslave")).count();
    assert_eq!((enslaved, bench.outcomes()), (4, vec![Outcome::Failed]));
    assert_eq!(bench.sight.slaves[0].master, Some(10));
    assert_eq!(bench.told.last().map(String::as_str), Some("eth1: PutBack: is in bond0 again"));
    assert_eq!(bench.saved.out, None);
}

#[test]
fn a_slave_that_stays_out_is_told_with_the_way_back_and_stays_noted_for_the_next_start() {
    let mut bench = begun();
    for _ in 0..9 {
        bench.refusals.push(("enslave", refusal("Device or resource busy")));
    }
    bench.pass(20);
    assert_eq!(bench.ordered.iter().filter(|order| order.starts_with("enslave")).count(), 6, "bounded");
    let last = bench.told.last().expect("an end");
    assert!(last.ends_with("by hand: ip link set eth1 down; ip link set eth1 master bond0; ip link set eth1 up"), "{last}");
    assert_eq!(bench.others, ["hold eth1", "free eth1, out"]);
    assert_eq!(bench.saved.out.as_ref().map(|note| note.slave.as_str()), Some("eth1"));
    // nothing else is touched as long as it is out
    bench.written(&["tx-blackout"]);
    assert_eq!(bench.outcomes()[1], Outcome::Refused);
    assert!(bench.told.last().is_some_and(|told| told.contains("eth1 is still out of bond0")), "{:?}", bench.told);
    // the next agent puts it back
    let mut next = Bench::new(RecoverMode::Off);
    next.sight.slaves = bench.sight.slaves.clone();
    next.now = bench.now.plus(60 * SECOND);
    next.give(Input::Start(bench.saved.clone()));
    next.pass(1);
    assert_eq!(next.ordered, ["enslave eth1 bond0", "save"]);
    assert!(next.told[0].starts_with("eth1: Resumes: was taken out of bond0 80"), "{:?}", next.told);
    assert_eq!((next.told[1].as_str(), next.outcomes()), ("eth1: PutBack: is in bond0 again", vec![Outcome::Done]));
    assert_eq!(next.saved.out, None);
}

#[test]
fn a_slave_that_worked_before_and_does_not_any_more_is_the_last_that_is_touched() {
    let mut bench = begun();
    while bench.answer() {}
    bench.converges.clear();
    bench.pass(30);
    assert_eq!(bench.ordered.iter().filter(|order| order.starts_with("release")).count(), 1);
    assert_eq!(bench.told.last().map(String::as_str), Some("bond0: Failed: it worked before: no other slave is touched"));
    assert_eq!(bench.outcomes(), [Outcome::Failed]);
}

#[test]
fn a_slave_that_is_gone_is_told_and_forgotten() {
    let mut bench = begun();
    bench.answer();
    bench.answer();
    bench.sight.slaves.remove(0);
    bench.refusals.push(("enslave", Refusal { gone: true, text: "No such device".to_owned() }));
    bench.pass(5);
    assert!(bench.told.contains(&"eth1: Failed: is gone: it cannot be put back into bond0".to_owned()), "{:#?}", bench.told);
    assert_eq!((bench.outcomes(), bench.saved.out.clone()), (vec![Outcome::Failed], None));
}

#[test]
fn what_somebody_else_does_to_the_slave_is_not_undone() {
    let mut bench = begun();
    bench.answer();
    // between the note and the release it lost its carrier
    let mut lost = begun();
    lost.sight.slaves[1].carrier = false;
    lost.pass(1);
    assert!(lost.ordered.iter().all(|order| !order.starts_with("release")), "{:?}", lost.ordered);
    // put into a bridge while it was out
    bench.refusals.push(("enslave", refusal("Device or resource busy")));
    bench.answer();
    bench.answer();
    bench.sight.slaves[0].master = Some(77);
    bench.pass(5);
    assert!(bench.told.iter().any(|told| told.contains("was put elsewhere than into bond0")), "{:#?}", bench.told);
    assert_eq!(bench.sight.slaves[0].master, Some(77));
    assert_eq!(bench.saved.out, None);
    // taken out again while it was waited for
    let mut again = begun();
    while again.answer() {}
    again.sight.slaves[0].master = None;
    again.pass(5);
    assert_eq!(again.ordered.iter().filter(|order| order.starts_with("enslave")).count(), 1);
    assert_eq!(again.outcomes(), [Outcome::Failed]);
}

#[test]
fn attributes_that_cannot_be_restored_are_told_and_end_it() {
    let mut bench = Bench::new(RecoverMode::On);
    bench.sight.slaves[0].queue_id = 2;
    bench.refusals.push(("restore", refusal("Invalid argument")));
    bench.written(&["tx-blackout"]);
    bench.pass(10);
    assert_eq!(bench.outcomes(), [Outcome::Failed]);
    assert!(bench.told.iter().any(|told| told.contains("has not got back all that was set at it: Invalid argument")));
}
