//! A case that went wrong while the machine stood still is run once more, alone: what was late then was late for real.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::case::{Case, Outcome, run_all};
use super::expect::expected;
use crate::harness::stall;

/// A machine that stood still for so long is no measure: a few of these, and LACPDUs are missing.
const STOOD_STILL: Duration = Duration::from_millis(500);

/// As [`run_all`]; each case that is not as it must be, and had no fair chance, is run again.
pub fn run_fairly(cases: Vec<Case>, at_once: usize) -> Vec<(Case, Result<Outcome>)> {
    stall::watch();
    let start = Instant::now();
    let results = run_all(cases, at_once);
    let stalled = stall::longest_since(start);
    let again = |(case, result): (Case, Result<Outcome>)| {
        let wrong = match &result {
            Ok(outcome) => expected(case.fault, case.mode).holds(outcome).err(),
            Err(error) => Some(anyhow::anyhow!("{error:#}")),
        };
        match wrong {
            Some(error) if stalled >= STOOD_STILL => {
                let first = format!("{error:#}").lines().next().unwrap_or_default().to_owned();
                println!("{}: {first}; the machine stood still for {stalled:.1?}: once more, alone", case.fault.name());
                // what is left of the first run goes before the second one begins
                drop(result);
                let result = case.clone().run();
                (case, result)
            }
            _ => (case, result),
        }
    };
    results.into_iter().map(again).collect()
}
