//! What opens no incident of its own: outages that are shorter than wanted, and what comes again within its cooldown.

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use linkprobe_tests::harness::wait::{patience, until_true};
use linkprobe_tests::harness::{Agent, Incident, json};

use crate::lab::{Lab, status_link};

/// Takes the carrier of wan0 away for so long, and waits until the agent knows that it is back.
fn outage(lab: &Lab, agent: &Agent, lasts: Duration) -> Result<()> {
    lab.far.ip("link set far0 down")?;
    carrier(agent, false)?;
    sleep(lasts);
    lab.far.ip("link set far0 up")?;
    carrier(agent, true)
}

fn carrier(agent: &Agent, up: bool) -> Result<()> {
    let known = || Ok(status_link(&agent.status()?, "wan0")?["carrier"] == up);
    until_true("the agent knows the carrier", patience(10), known)
}

fn opened(agent: &Agent) -> Result<u64> {
    json::number(&agent.status()?, "/incidents/opened")
}

/// What the timeline says of triggers, those that fired and those that did not.
fn told(incident: &Incident, kind: &str) -> Result<Vec<String>> {
    let entries = incident.events("", "trigger")?.into_iter().filter(|entry| entry["kind"] == kind);
    entries.map(|entry| Ok(json::text(entry, "/text")?.to_owned())).collect()
}

#[test]
fn an_outage_that_is_shorter_than_wanted_opens_nothing_and_is_told_with_its_length() -> Result<()> {
    let lab = Lab::new()?;
    let mut agent = lab.launch("--interface wan0 --before 20s --after 4s --cooldown 0s --ignore-shorter 3s").start()?;
    outage(&lab, &agent, Duration::from_secs(1))?;
    // beyond the moment at which it would have opened one
    sleep(Duration::from_secs(3));
    assert_eq!(opened(&agent)?, 0, "{}", agent.log());
    agent.trigger("what was that?")?;
    let incident = agent.incident(patience(20))?;
    assert_eq!(incident.trigger_kinds()?, ["manual"], "{:#}", incident.json);
    let told = told(&incident, "interface-down")?;
    assert!(told.len() == 1 && told[0].contains(" wan0: carrier lost "), "{told:?}");
    let (_, lasted) = told[0].split_once("(ignored: it lasted ").with_context(|| format!("{told:?}"))?;
    let lasted: f64 = lasted.trim_end_matches(" s)").parse()?;
    // netlink may tell the loss up to a second late, and the return too
    assert!((0.0..3.0).contains(&lasted), "{told:?}");
    assert_eq!(incident.carrier("wan0")?.iter().map(|edge| edge.up).collect::<Vec<_>>(), [false, true]);
    Ok(())
}

#[test]
fn an_outage_that_lasts_longer_than_wanted_opens_an_incident_around_its_beginning() -> Result<()> {
    let lab = Lab::new()?;
    let mut agent = lab.launch("--interface wan0 --before 20s --after 3s --cooldown 0s --ignore-shorter 2s").start()?;
    lab.far.ip("link set far0 down")?;
    let incident = agent.incident(patience(20))?;
    assert_eq!(incident.trigger_kinds()?, ["interface-down"], "{:#}", incident.json);
    let edges = incident.carrier("wan0")?;
    let trigger = json::number(&incident.json, "/triggers/0/at/mono_ns")?;
    assert_eq!(edges.iter().map(|edge| edge.mono_ns).collect::<Vec<_>>(), [trigger], "{:#}", incident.json);
    Ok(())
}

#[test]
fn what_comes_again_within_its_cooldown_opens_no_incident_and_is_told_once() -> Result<()> {
    let lab = Lab::new()?;
    let mut agent = lab.launch("--interface wan0 --before 20s --after 1s --cooldown 60s").start()?;
    outage(&lab, &agent, Duration::ZERO)?;
    let first = agent.incident(patience(20))?;
    ensure!(first.trigger_kinds()?.iter().any(|kind| kind == "interface-down"), "{:#}", first.json);
    for _ in 0..2 {
        outage(&lab, &agent, Duration::ZERO)?;
    }
    sleep(Duration::from_secs(2));
    assert_eq!(opened(&agent)?, 1, "{}", agent.log());
    agent.trigger("twice more")?;
    let second = agent.incidents(2, patience(20))?.pop().context("the second")?;
    assert_eq!(second.trigger_kinds()?, ["manual"], "{:#}", second.json);
    let held = told(&second, "interface-down")?.into_iter().filter(|text| text.contains("(within its cooldown: "));
    assert_eq!(held.count(), 1, "{:#}", second.json);
    assert_eq!(agent.log().matches("(within its cooldown: ").count(), 1, "{}", agent.log());
    let (_, downs) = second.flips("wan0")?;
    assert!(downs >= 2, "every loss is on the timeline: {:#}", second.json);
    Ok(())
}
