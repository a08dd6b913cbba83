//! A disk that is full, or may not be written: an alarm, never the end, and never a silent loss.

use std::fs;

use anyhow::Result;
use linkprobe_tests::harness::wait::{patience, until_true};
use linkprobe_tests::harness::{Agent, Disk, Incident, Traffic, incident};

use crate::lab::{INGRESS, Lab};

fn options(disk: &Disk) -> String {
    format!(
        "--interface wan0 --before 60s --after 1s --cooldown 0s --snaplen 2048 --incidents {}",
        disk.path().join("incidents").display()
    )
}

fn wait_for_alarm(agent: &Agent, word: &str) -> Result<()> {
    until_true("an alarm", patience(20), || Ok(agent.log().to_lowercase().contains(word)))?;
    let status = agent.status()?.to_string().to_lowercase();
    assert!(status.contains("alarm") || status.contains("pending") || status.contains("failed"), "{status}");
    Ok(())
}

/// Waits for an incident below the disk.
fn written(disk: &Disk) -> Result<Incident> {
    let dir = disk.path().join("incidents");
    until_true("the incident is written", patience(90), || Ok(!incident::list(&dir)?.is_empty()))?;
    Incident::read(&incident::list(&dir)?[0])
}

#[test]
fn a_full_disk_is_an_alarm_and_the_incident_is_written_when_there_is_room() -> Result<()> {
    let lab = Lab::new()?;
    let disk = Disk::new(&lab.scratch, 512)?;
    let mut agent = lab.launch(&options(&disk)).start()?;
    fs::write(disk.path().join("filler"), vec![1; 400 * 1024])?;
    let sent = Traffic::send(&lab.far, "far0", "--size 1400 --count 500 --rate 10000")?;
    agent.trigger("no room")?;
    wait_for_alarm(&agent, "no space")?;
    assert!(agent.runs()?);
    assert!(incident::list(&disk.path().join("incidents"))?.is_empty(), "half an incident under its final name");
    // it keeps recording
    let more = Traffic::send(&lab.far, "far0", "--count 50 --rate 10000")?;
    fs::remove_file(disk.path().join("filler"))?;
    disk.resize(64 * 1024)?;
    written(&disk)?.equals_sent("wan0", INGRESS, &sent)?;
    agent.trigger("room again")?;
    let dir = disk.path().join("incidents");
    until_true("the second incident", patience(30), || Ok(incident::list(&dir)?.len() == 2))?;
    Incident::read(&incident::list(&dir)?[1])?.equals_sent("wan0", INGRESS, &more)?;
    let left: Vec<_> = fs::read_dir(&dir)?.flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left.len(), 2, "pieces of an attempt that failed were left: {left:?}");
    Ok(())
}

#[test]
fn a_directory_that_cannot_be_written_is_an_alarm_and_is_tried_again() -> Result<()> {
    let lab = Lab::new()?;
    let disk = Disk::new(&lab.scratch, 65536)?;
    fs::create_dir(disk.path().join("incidents"))?;
    let mut agent = lab.launch(&options(&disk)).start()?;
    disk.read_only(true)?;
    let sent = Traffic::send(&lab.far, "far0", "--count 100 --rate 10000")?;
    agent.trigger("read-only")?;
    wait_for_alarm(&agent, "read-only")?;
    assert!(agent.runs()?);
    disk.read_only(false)?;
    written(&disk)?.equals_sent("wan0", INGRESS, &sent)?;
    Ok(())
}

#[test]
fn old_incidents_make_room_for_new_ones() -> Result<()> {
    let lab = Lab::new()?;
    let mut agent = lab.launch("--interface wan0 --before 1s --after 200ms --cooldown 0s --keep-incidents 2").start()?;
    let mut names = Vec::new();
    for round in 0..4 {
        agent.trigger(&format!("round {round}"))?;
        let dir = agent.incidents_dir().to_owned();
        until_true("the next incident", patience(20), || {
            let found = incident::list(&dir)?;
            let newest = found.last().cloned();
            let new = newest.is_some() && names.last() != newest.as_ref();
            if new {
                names.extend(newest);
            }
            Ok(new)
        })?;
    }
    let dir = agent.incidents_dir().to_owned();
    until_true("two are kept", patience(10), || Ok(incident::list(&dir)? == names[2..]))?;
    assert!(agent.runs()?);
    Ok(())
}
