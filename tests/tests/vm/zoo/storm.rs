//! The reference incident.

use std::time::Duration;

use anyhow::{Context, Result};
use linkprobe_tests::harness::json::list;
use linkprobe_tests::zoo::{Case, Fault, Mode, Outcome, Storm, expected, run_fairly};

use crate::lab::kernel;

/// Most bytes of its capture, however long the storm.
const CAPTURE: u64 = 5_000_000;

fn told(case: Case) -> Result<Outcome> {
    let (_, result) = run_fairly(vec![case], 1).pop().context("a case")?;
    let outcome = result?;
    expected(outcome.case.fault, outcome.case.mode).holds(&outcome)?;
    let alarm = outcome.alarm_s.context("no alarm")?;
    // a second on a machine; here everything takes longer
    assert!(alarm < 3.0, "the alarm came after {alarm} s\n{}", outcome.log);
    let incident = outcome.incidents.first().context("an incident")?;
    let opening = outcome.log.lines().find(|line| line.contains(" opens: ")).unwrap_or_default();
    assert!(opening.contains("duplicate storm"), "{opening}");
    let size = std::fs::metadata(incident.capture_path())?.len();
    assert!(size < CAPTURE, "{size} bytes");
    assert!(!list(&incident.json, "/series/seconds/t")?.is_empty());
    Ok(outcome)
}

#[test]
fn the_reference_incident_is_told_as_what_it_was() -> Result<()> {
    told(Case { storm: Storm::FlatOut, ..Case::new(Fault::TxDuplication, Mode::Lacp) })?;
    Ok(())
}

#[test]
fn the_same_on_a_bond_without_lacp() -> Result<()> {
    if kernel()? < (6, 6) {
        // the kernel has no part in what differs
        return Ok(());
    }
    told(Case::new(Fault::TxDuplication, Mode::ActiveBackup))?;
    Ok(())
}

/// As it was: LACPDUs every 30 s, so that the partner lets go after a minute and a half.
#[test]
#[ignore = "takes three minutes: `cargo xtask test --only vm -- --ignored slow_lacp`"]
fn the_reference_incident_with_slow_lacp() -> Result<()> {
    let outcome = told(Case {
        slow: true,
        heal_after: Some(Duration::from_secs(110)),
        options: "--max-window 5m".to_owned(),
        ..Case::new(Fault::TxDuplication, Mode::Lacp)
    })?;
    let incident = outcome.incidents.first().context("an incident")?;
    let first = incident.capture.packets.iter().any(|packet| packet.data.windows(4).any(|bytes| bytes == [241, 34, 5, 154]));
    assert!(first, "no copy of the storm's packet is in the capture");
    Ok(())
}
