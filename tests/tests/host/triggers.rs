//! What makes an incident, and what it says happened.

use std::time::Duration;

use anyhow::{Context, Result};
use linkprobe_tests::harness::wait::{patience, until_true};
use linkprobe_tests::harness::{Agent, Traffic};
use linkprobe_tests::traffic::numbers::Moment;

use crate::lab::{INGRESS, Lab};

const SHORT: &str = "--interface wan0 --before 20s --after 1s --cooldown 0s";

#[test]
fn an_interface_that_loses_carrier_and_gets_it_back_is_one_incident_in_the_right_order() -> Result<()> {
    let lab = Lab::new()?;
    let mut agent = lab.launch("--interface wan0 --before 20s --after 3s --cooldown 0s").start()?;
    Traffic::send(&lab.far, "far0", "--count 50")?;
    let before = Moment::now();
    lab.far.ip("link set far0 down")?;
    let between = Moment::now();
    wait_for_carrier(&agent, false)?;
    lab.far.ip("link set far0 up")?;
    wait_for_carrier(&agent, true)?;
    let after = Moment::now();
    let incident = agent.incident(patience(30))?;
    let kinds = incident.trigger_kinds()?;
    assert_eq!(kinds, ["interface-down", "interface-up"], "{:#}", incident.json);
    let edges = incident.carrier("wan0")?;
    let ups: Vec<bool> = edges.iter().map(|edge| edge.up).collect();
    assert_eq!(ups, [false, true], "{:#}", incident.json);
    // the cut lies between our two looks at the clock; netlink may tell it up to a second late
    assert!(edges[0].mono_ns >= before.mono_ns, "{edges:?} {before:?}");
    assert!(edges[0].mono_ns <= between.mono_ns + 1_500_000_000, "{edges:?} {between:?}");
    assert!(edges[1].mono_ns >= between.mono_ns && edges[1].mono_ns <= after.mono_ns + 1_500_000_000, "{edges:?}");
    assert!(incident.in_order()?, "{:#}", incident.json);
    // the packets from before the cut are there
    assert_eq!(incident.capture.of("wan0", INGRESS).count(), 50);
    Ok(())
}

#[test]
fn an_interface_that_is_set_down_is_told_as_an_administrators_deed() -> Result<()> {
    let lab = Lab::new()?;
    let mut agent = lab.launch(SHORT).start()?;
    lab.near.ip("link set wan0 down")?;
    let incident = agent.incident(patience(20))?;
    assert_eq!(incident.trigger_kinds()?, ["interface-down"]);
    let admin = incident.events("wan0", "admin")?;
    assert_eq!(admin.len(), 1, "{:#}", incident.json);
    assert_eq!(admin[0]["up"], false);
    assert!(incident.report.contains("wan0"), "{}", incident.report);
    Ok(())
}

#[test]
fn every_flip_of_the_carrier_is_counted() -> Result<()> {
    let lab = Lab::new()?;
    let mut agent = lab.launch("--interface wan0 --before 20s --after 3s --cooldown 0s").start()?;
    let script: String = "link set far0 down\nlink set far0 up\n".repeat(20);
    let batch = lab.scratch.path().join("flips");
    std::fs::write(&batch, script)?;
    lab.far.ip(&format!("-batch {}", batch.display()))?;
    let incident = agent.incident(patience(30))?;
    let (ups, downs) = incident.flips("wan0")?;
    assert_eq!((ups, downs), (20, 20), "{:#}", incident.json);
    Ok(())
}

#[test]
fn a_trigger_by_hand_carries_its_reason() -> Result<()> {
    let lab = Lab::new()?;
    let mut agent = lab.launch(SHORT).start()?;
    agent.trigger("customer 4711 says \"no connection\"")?;
    let incident = agent.incident(patience(20))?;
    assert_eq!(incident.trigger_kinds()?, ["manual"]);
    assert!(incident.json.to_string().contains("customer 4711"), "{:#}", incident.json);
    assert!(incident.report.contains("customer 4711 says \"no connection\""), "{}", incident.report);
    Ok(())
}

#[test]
fn sigusr1_is_a_trigger_by_hand() -> Result<()> {
    let lab = Lab::new()?;
    let mut agent = lab.launch(SHORT).start()?;
    agent.signal(libc::SIGUSR1)?;
    let incident = agent.incident(patience(20))?;
    assert_eq!(incident.trigger_kinds()?, ["manual"]);
    Ok(())
}

#[test]
fn triggers_within_the_window_join_and_later_ones_make_another_incident() -> Result<()> {
    let lab = Lab::new()?;
    let mut agent = lab.launch("--interface wan0 --before 1s --after 2s --cooldown 0s").start()?;
    agent.trigger("first")?;
    std::thread::sleep(Duration::from_millis(800));
    agent.trigger("second")?;
    let first = agent.incident(patience(20))?;
    assert_eq!(first.trigger_kinds()?, ["manual", "manual"]);
    agent.trigger("third")?;
    let all = agent.incidents(2, patience(20))?;
    assert_eq!(all[0].id(), first.id(), "names sort by time");
    assert_eq!(all[1].trigger_kinds()?, ["manual"]);
    assert!(all[1].json.to_string().contains("third"));
    Ok(())
}

#[test]
fn an_incident_appears_whole_or_not_at_all() -> Result<()> {
    let lab = Lab::new()?;
    let mut agent = lab.launch(SHORT).start()?;
    let traffic = Traffic::start(&lab.far, "far0", "--rate 20000 --duration 60s")?;
    agent.trigger("under load")?;
    let dir = agent.incidents_dir().to_owned();
    // look as often as possible while it is being written: a directory under its final name has all three files, at once
    until_true("an incident", patience(20), || {
        let Some(found) = linkprobe_tests::harness::incident::list(&dir)?.pop() else { return Ok(false) };
        for file in ["capture.pcapng", "incident.json", "report.html", "report.txt"] {
            let size = std::fs::metadata(found.join(file)).with_context(|| format!("{found:?} has no {file} yet"))?.len();
            anyhow::ensure!(size > 0, "{file} is empty");
        }
        Ok(true)
    })?;
    traffic.stop()?;
    agent.incident(patience(1))?;
    Ok(())
}

fn wait_for_carrier(agent: &Agent, up: bool) -> Result<()> {
    until_true("the agent knows the carrier", patience(10), || {
        let status = agent.status()?;
        Ok(crate::lab::status_link(&status, "wan0")?["carrier"] == up)
    })
}
