//! Edges of the carrier: all of them, and when exactly.

use anyhow::Result;
use linkprobe_tests::harness::wait::patience;
use linkprobe_tests::traffic::numbers::Moment;

use crate::lab::{Lab, OPTIONS};

#[test]
fn twenty_flips_in_a_second_are_twenty_flips() -> Result<()> {
    let lab = Lab::lacp()?;
    let mut agent = lab.launch("--bond bond0 --before 10s --after 3s --cooldown 0s --memory 8MiB").start()?;
    let batch = lab.scratch.path().join("flips");
    std::fs::write(&batch, "link set port0 down\nlink set port0 up\n".repeat(20))?;
    lab.bonds.switch.ip(&format!("-batch {}", batch.display()))?;
    let incident = agent.incidents(1, patience(40))?.swap_remove(0);
    assert_eq!(incident.flips("slave0")?, (20, 20), "{:#}", incident.json);
    assert_eq!(incident.flips("slave1")?, (0, 0), "{:#}", incident.json);
    Ok(())
}

#[test]
fn the_kernels_own_stamp_of_an_edge_lies_between_our_looks_at_the_clock() -> Result<()> {
    let lab = Lab::lacp()?;
    let mut agent = lab.launch(OPTIONS).start()?;
    let before = Moment::now();
    lab.port(0, false)?;
    let after = Moment::now();
    let incident = agent.incidents(1, patience(30))?.swap_remove(0);
    let edges = incident.carrier("slave0")?;
    assert_eq!(edges.len(), 1, "{:#}", incident.json);
    assert!(!edges[0].up);
    // both kernels of the rig have BTF and let tracing programs in
    assert_eq!(edges[0].source, "kernel", "{}", agent.log());
    let slack = 5_000_000;
    assert!(edges[0].mono_ns + slack >= before.mono_ns, "{edges:?} {before:?}");
    assert!(edges[0].mono_ns <= after.mono_ns + slack, "{edges:?} {after:?}");
    Ok(())
}
