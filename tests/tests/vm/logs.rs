//! The kernel's log, read where it is written.

use std::fs::OpenOptions;
use std::io::Write;

use anyhow::{Context, Result};
use linkprobe_tests::harness::story::mono_ns;
use linkprobe_tests::harness::wait::{patience, until_true};
use linkprobe_tests::traffic::numbers::Moment;

use crate::lab::{Lab, OPTIONS};

/// Puts a line into the kernel's log.
fn say(line: &str) -> Result<()> {
    let mut log = OpenOptions::new().write(true).open("/dev/kmsg")?;
    // a record is what is written at once
    log.write_all(format!("<4>{line}\n").as_bytes()).context("/dev/kmsg")
}

#[test]
fn a_transmit_timeout_in_the_kernels_log_opens_an_incident_about_its_slave() -> Result<()> {
    let lab = Lab::lacp()?;
    say("NETDEV WATCHDOG: slave1 (veth): transmit queue 7 timed out")?;
    let mut agent = lab.launch(OPTIONS).start()?;
    say("usb 1-1: new high-speed USB device number 2")?;
    let before = Moment::now();
    say("NETDEV WATCHDOG: slave0 (veth): transmit queue 0 timed out")?;
    let after = Moment::now();
    let incident = agent.incident(patience(30))?;
    assert_eq!(incident.trigger_kinds()?, ["log-failure"], "{:#}", incident.json);
    assert_eq!(incident.json["triggers"][0]["link"]["name"], "slave0", "{:#}", incident.json);
    // what was in the log before the agent is no news, and what matches nothing is not kept
    let lines = incident.events("", "log")?;
    assert_eq!(lines.len(), 1, "{lines:#?}");
    let line = lines[0];
    assert_eq!((&line["file"], &line["pattern"]), (&"kernel".into(), &"transmit-timeout".into()), "{line:#}");
    assert_eq!((&line["failure"], &line["link"]["name"]), (&true.into(), &"slave0".into()), "{line:#}");
    assert_eq!(line["line"], "NETDEV WATCHDOG: slave0 (veth): transmit queue 0 timed out");
    let at = mono_ns(line)?;
    let late = u64::try_from(patience(1).as_nanos())?;
    assert!(at >= before.mono_ns && at <= after.mono_ns + late, "{at} {before:?} {after:?}");
    assert!(incident.report.contains("transmit queue 0 timed out"), "{}", incident.report);
    Ok(())
}

#[test]
fn what_the_bonding_driver_says_of_a_slave_stands_beside_what_netlink_says() -> Result<()> {
    let lab = Lab::lacp()?;
    let mut agent = lab.launch(OPTIONS).start()?;
    lab.port(0, false)?;
    until_true("the driver's line", patience(10), || Ok(agent.log().contains("link status definitely down")))
        .with_context(|| agent.log())?;
    let incident = agent.incidents(1, patience(30))?.swap_remove(0);
    let kinds = incident.trigger_kinds()?;
    assert!(kinds.iter().any(|kind| kind == "slave-down") && !kinds.iter().any(|kind| kind == "log-failure"), "{kinds:?}");
    let lines = incident.events("slave0", "log")?;
    let line = lines.iter().find(|line| line["pattern"] == "bonding-slave-down").with_context(|| format!("{lines:#?}"))?;
    let cut = incident.carrier("slave0")?.first().context("no edge of the carrier")?.mono_ns;
    let at = mono_ns(line)?;
    // the driver looks every 100 ms
    assert!(at >= cut && at - cut < u64::try_from(patience(1).as_nanos())?, "{at} {cut}");
    Ok(())
}
