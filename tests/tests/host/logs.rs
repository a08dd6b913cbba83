//! Log files that tell of failures and recoveries.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use linkprobe_tests::harness::wait::{patience, until_true};
use linkprobe_tests::harness::{Agent, command};

use crate::lab::Lab;

/// An agent that follows `messages` below the scratch directory, and no other machine's kernel log.
fn options(lab: &Lab, more: &str) -> (PathBuf, String) {
    let file = lab.scratch.path().join("messages");
    let options = format!(
        "--interface wan0 --before 5s --after 1s --cooldown 0s --kernel-log false --next-hop off --log-file {} {more}",
        file.display()
    );
    (file, options)
}

fn append(file: &Path, line: &str) -> Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(file)?;
    Ok(file.write_all(format!("{line}\n").as_bytes())?)
}

fn said(agent: &Agent, words: &str) -> Result<()> {
    until_true(words, patience(10), || Ok(agent.log().contains(words))).with_context(|| agent.log())
}

#[test]
fn a_failure_in_a_log_file_opens_an_incident_that_its_recovery_joins() -> Result<()> {
    let lab = Lab::new()?;
    let (file, options) = options(&lab, "--log-failure tunnel-lost=tunnel.*lost");
    append(&file, "Nov 30 18:00:00 r1 Keepalived_vrrp[7]: (VI_1) Entering FAULT STATE")?;
    let mut agent = lab.launch(&options).start()?;
    append(&file, "Nov 30 18:57:12 r1 sshd[8]: session opened for user root")?;
    append(&file, "Nov 30 18:57:12 r1 linkprobe[9]: kernel: wan0: NIC Link is Down")?;
    append(&file, "Nov 30 18:57:12 r1 vpn[9]: tunnel 7 lost")?;
    said(&agent, "tunnel 7 lost")?;
    // rotated while the incident is open
    fs::rename(&file, file.with_extension("1"))?;
    append(&file, "Nov 30 18:57:13 r1 Keepalived_vrrp[7]: (VI_1) Entering MASTER STATE")?;
    let incident = agent.incident(patience(20))?;
    assert_eq!(incident.trigger_kinds()?, ["log-failure", "log-recovery"], "{:#}", incident.json);
    let lines = incident.events("", "log")?;
    let patterns: Vec<_> = lines.iter().map(|line| (line["pattern"].as_str(), line["failure"].as_bool())).collect();
    assert_eq!(patterns, [(Some("tunnel-lost"), Some(true)), (Some("keepalived-state"), Some(false))], "{lines:#?}");
    assert!(incident.report.contains("tunnel 7 lost"), "{}", incident.report);
    Ok(())
}

#[test]
fn a_log_file_that_vanishes_is_told_and_followed_again_when_it_is_back() -> Result<()> {
    let lab = Lab::new()?;
    let (file, options) = options(&lab, "");
    append(&file, "begins")?;
    let agent = lab.launch(&options).start()?;
    fs::remove_file(&file)?;
    said(&agent, "messages cannot be followed: No such file")?;
    append(&file, "Keepalived_vrrp[7]: (VI_1) Entering FAULT STATE")?;
    said(&agent, "messages is there again")?;
    said(&agent, "Entering FAULT STATE")?;
    Ok(())
}

#[test]
fn what_the_kernel_says_of_links_is_told_and_opens_nothing() -> Result<()> {
    let lab = Lab::new()?;
    let (file, options) = options(&lab, "");
    append(&file, "begins")?;
    let agent = lab.launch(&options).start()?;
    for line in [
        "kernel: bond0: (slave wan0): link status definitely down, disabling slave",
        "kernel: ixgbe 0000:01:00.0 wan0: NIC Link is Down",
    ] {
        append(&file, line)?;
        said(&agent, line)?;
    }
    assert_eq!(agent.status()?["incidents"]["opened"], 0);
    Ok(())
}

#[test]
fn a_flood_of_lines_is_bounded_and_counted() -> Result<()> {
    let lab = Lab::new()?;
    let (file, options) = options(&lab, "--triggers manual");
    append(&file, "begins")?;
    let agent = lab.launch(&options).start()?;
    append(&file, &"Keepalived_vrrp[7]: (VI_1) Entering FAULT STATE\n".repeat(5000))?;
    until_true("the rest is counted", patience(10), || {
        let status = agent.status()?;
        let losses = linkprobe_tests::harness::json::list(&status, "/losses")?.iter();
        let lost = losses.filter(|loss| ["log-lines-not-kept", "log-news-lost"].iter().any(|name| loss["name"] == *name));
        Ok(lost.filter_map(|loss| loss["count"].as_u64()).sum::<u64>() == 4980)
    })
    .with_context(|| format!("{:#?}", agent.status()))?;
    assert_eq!(agent.log().matches("Entering FAULT STATE").count(), 20);
    Ok(())
}

#[test]
fn a_pattern_that_does_not_compile_is_refused_with_file_and_line() -> Result<()> {
    let lab = Lab::new()?;
    let config = lab.scratch.path().join("linkprobe.toml");
    fs::write(&config, "interface = \"wan0\"\nlog-failure = [\n  \"fine=x\",\n  \"broken=(x\",\n]\n")?;
    let ended = command::end(lab.launch("").linkprobe()?.arg("check").arg(&config))?;
    assert_ne!(ended.code, Some(0), "{ended:?}");
    assert!(ended.err.contains("linkprobe.toml:4:3: key `log-failure`: pattern broken: unclosed group"), "{ended:?}");
    let ended = lab.launch("--interface wan0 --log-failure broken=(x").refused()?;
    assert!(ended.code == Some(2) && ended.err.contains("pattern broken: unclosed group"), "{ended:?}");
    Ok(())
}
