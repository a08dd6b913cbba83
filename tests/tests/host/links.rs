//! Links that come and go under the agent.

use anyhow::Result;
use linkprobe_tests::harness::wait::{patience, until_true};
use linkprobe_tests::harness::{Traffic, Veth};

use crate::lab::{INGRESS, Lab, status_tap};

#[test]
fn an_interface_that_is_deleted_is_an_incident_and_one_of_the_same_name_is_taken_up_again() -> Result<()> {
    let lab = Lab::new()?;
    let mut agent = lab.launch("--interface wan0 --before 60s --after 1s --cooldown 0s").start()?;
    let before = Traffic::send(&lab.far, "far0", "--count 100 --rate 5000")?;
    lab.near.ip("link del wan0")?;
    let first = agent.incident(patience(20))?;
    first.equals_sent("wan0", INGRESS, &before)?;
    assert_eq!(first.events("wan0", "vanished")?.len(), 1, "{:#}", first.json);
    assert!(agent.runs()?);
    Veth::new(1, (&lab.near, "wan0"), (&lab.far, "far0"))?;
    until_true("the new interface has taps", patience(20), || Ok(status_tap(&agent.status()?, "wan0", "ingress").is_ok()))?;
    std::thread::sleep(std::time::Duration::from_secs(2));
    let after = Traffic::send(&lab.far, "far0", "--count 70 --rate 5000")?;
    agent.trigger("is it back?")?;
    let known = agent.incidents_dir().to_owned();
    until_true("an incident with the new packets", patience(20), || {
        let last = linkprobe_tests::harness::incident::list(&known)?.pop();
        Ok(last.is_some_and(|dir| {
            linkprobe_tests::harness::Incident::read(&dir)
                .is_ok_and(|incident| incident.equals_sent("wan0", INGRESS, &after).is_ok())
        }))
    })?;
    Ok(())
}

#[test]
fn an_interface_that_is_renamed_is_followed() -> Result<()> {
    let lab = Lab::new()?;
    let mut agent = lab.launch("--interface wan0 --before 60s --after 1s --cooldown 0s").start()?;
    lab.near.ip("link set wan0 down")?;
    lab.near.ip("link set wan0 name core0")?;
    lab.near.ip("link set core0 up")?;
    let incident = agent.incident(patience(20))?;
    let renamed = incident.events("core0", "renamed")?;
    assert!(renamed.iter().any(|entry| entry["from"] == "wan0"), "{:#}", incident.json);
    let sent = Traffic::send(&lab.far, "far0", "--count 70 --rate 5000")?;
    agent.trigger("under its new name")?;
    let all = agent.incidents(2, patience(20))?;
    let last = &all[all.len() - 1];
    let found = last.equals_sent("core0", INGRESS, &sent);
    found.or_else(|_| last.equals_sent("wan0", INGRESS, &sent))
}

#[test]
fn interfaces_of_others_are_none_of_our_business() -> Result<()> {
    let lab = Lab::new()?;
    let mut agent = lab.launch("--interface wan0 --before 60s --after 1s --cooldown 0s").start()?;
    Veth::new(5, (&lab.near, "other0"), (&lab.far, "other1"))?;
    Traffic::send(&lab.far, "other1", "--count 50 --rate 5000")?;
    lab.far.ip("link set other1 down")?;
    lab.near.ip("link del other0")?;
    agent.trigger("only wan0")?;
    let incident = agent.incident(patience(20))?;
    assert_eq!(incident.trigger_kinds()?, ["manual"], "{:#}", incident.json);
    assert!(incident.capture.interfaces.iter().all(|interface| interface.name == "wan0"));
    assert_eq!(incident.capture.packets.len(), 0);
    Ok(())
}
