//! A storm at this machine's full rate: the alarm, what is left of what was before it, and how small the capture stays.

use std::time::Duration;

use anyhow::{Context, Result};
use linkprobe_tests::harness::json::{list, number, text};
use linkprobe_tests::harness::wait::{patience, until_true};
use linkprobe_tests::harness::{Incident, Traffic};

use crate::lab::{EGRESS, Lab};

/// Most bytes of a capture, however long the storm.
const CAPTURE: u64 = 5_000_000;

/// A storm of `seconds` after ordinary traffic; returns the incident.
fn storm(seconds: u64) -> Result<Incident> {
    let lab = Lab::new()?;
    // a recorder that the storm would fill many times over
    let mut agent = lab.launch("--interface wan0 --memory 4MiB --before 10s --after 2s --max-window 5m --sample 0").start()?;
    let ordinary = Traffic::send(&lab.near, "wan0", "--kind udp,tcp,arp --count 900 --rate 450")?;
    let storm = Traffic::start(&lab.near, "wan0", &format!("--kind storm --flat-out --duration {seconds}s"))?;
    until_true("an alarm", patience(5), || Ok(agent.log().contains(" opens: "))).with_context(|| agent.log())?;
    assert!(agent.log().contains(" opens: wan0: duplicate storm, egress"), "{}", agent.log());
    std::thread::sleep(Duration::from_secs(seconds));
    let sent = storm.stop()?;
    let incident = agent.incident(patience(30))?;
    incident.equals_sent("wan0", EGRESS, &ordinary).context("what was before the storm")?;
    let repeats = list(&incident.json, "/repeats")?;
    let of_egress = repeats.iter().find(|repeat| repeat["last"]["direction"] == "egress").context("the repeat")?;
    let copies = number(of_egress, "/last/copies")?;
    assert!(copies.abs_diff(sent.total.packets) <= 1, "{copies} counted, {} sent", sent.total.packets);
    first_copy(&incident, text(of_egress, "/last/first_at/wall")?)?;
    let size = std::fs::metadata(incident.capture_path())?.len();
    assert!(size < CAPTURE, "{size} bytes for {copies} copies");
    Ok(incident)
}

/// The very first copy is in the capture, as itself and not as an exemplar of a later one.
fn first_copy(incident: &Incident, wall: &str) -> Result<()> {
    let named = incident.capture.of("wan0", EGRESS).find(|packet| wall.contains(&stamp(packet.at_ns)));
    let first = named.with_context(|| format!("no packet of {wall}"))?;
    assert!(first.comments.iter().all(|comment| !comment.starts_with("copy ")), "{:?}", first.comments);
    Ok(())
}

/// Seconds of the minute with nanoseconds, as they stand in a time.
fn stamp(at_ns: u64) -> String {
    format!(":{:02}.{:09}", at_ns / 1_000_000_000 % 60, at_ns % 1_000_000_000)
}

#[test]
fn a_storm_is_told_at_once_and_neither_pushes_anything_out_nor_swells_the_capture() -> Result<()> {
    storm(12)?;
    Ok(())
}

#[test]
#[ignore = "takes two minutes of a whole core: `cargo xtask test --only host -- --ignored two_minutes`"]
fn after_two_minutes_of_a_storm_its_first_copy_is_still_there() -> Result<()> {
    storm(125)?;
    Ok(())
}
