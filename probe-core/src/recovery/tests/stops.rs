//! The agent stops in the middle.

use super::*;

#[test]
fn wherever_it_is_stopped_the_slave_is_in_the_bond_afterwards_and_nothing_is_noted() {
    for answered in 0..4 {
        let mut bench = Bench::new(RecoverMode::On);
        bench.written(&["tx-blackout"]);
        for _ in 0..answered {
            bench.answer();
        }
        bench.give(Input::Stop);
        while bench.answer() {}
        assert!(!bench.recovery.is_busy(), "after {answered}");
        assert_eq!(bench.sight.slaves[0].master, Some(10), "after {answered}");
        assert_eq!(bench.saved.out, None, "after {answered}");
        assert_eq!(bench.outcomes(), [Outcome::Stopped], "after {answered}");
        let released = bench.ordered.iter().filter(|order| order.starts_with("release")).count();
        assert_eq!(released, usize::from(answered > 0), "after {answered}: {:?}", bench.ordered);
    }
}

#[test]
fn a_stop_while_putting_back_is_tried_again_does_not_wait_for_the_pause() {
    let mut bench = Bench::new(RecoverMode::On);
    bench.written(&["tx-blackout"]);
    bench.refusals.push(("enslave", refusal("Device or resource busy")));
    while bench.answer() {}
    assert_eq!(bench.sight.slaves[0].master, None);
    bench.give(Input::Stop);
    while bench.answer() {}
    assert_eq!(bench.sight.slaves[0].master, Some(10));
    assert!(!bench.recovery.is_busy());
}

#[test]
fn a_note_about_a_slave_that_is_back_or_gone_is_only_forgotten() {
    let note = Note { bond: "bond0".to_owned(), bond_index: 10, slave: "eth1".to_owned(), slave_index: 1, ..Note::default() };
    let state = State { attempts: Vec::new(), out: Some(note) };
    let mut back = Bench::new(RecoverMode::Off);
    back.give(Input::Start(state.clone()));
    back.pass(1);
    assert_eq!((back.ordered, back.saved.out, back.recovery.is_busy()), (vec!["save".to_owned()], None, false));
    let mut gone = Bench::new(RecoverMode::Off);
    gone.sight.slaves.remove(0);
    gone.give(Input::Start(state));
    gone.pass(1);
    assert!(gone.told.contains(&"eth1: Failed: is gone: it cannot be put back into bond0".to_owned()), "{:?}", gone.told);
    assert_eq!((gone.saved.out, gone.recovery.is_busy()), (None, false));
}

#[test]
fn an_answer_that_nobody_waits_for_changes_nothing() {
    let mut bench = Bench::new(RecoverMode::On);
    bench.written(&["tx-blackout"]);
    bench.give(Input::Done(99, Ok(())));
    assert_eq!(bench.ordered, ["save eth1 out"]);
}
