//! The operator's command.

use std::os::unix::fs::PermissionsExt;

use anyhow::{Context, Result};
use linkprobe_tests::harness::wait::{patience, until_true};

use crate::lab::Lab;

const OPTIONS: &str = "--interface wan0 --before 1s --after 1s --cooldown 0s --command-on manual";

/// Makes a script in the lab's directory; returns its path.
fn script(lab: &Lab, text: &str) -> Result<String> {
    let path = lab.scratch.path().join("mend");
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n"))?;
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755))?;
    Ok(path.display().to_string())
}

#[test]
fn it_is_run_with_the_incident_in_its_environment_when_that_is_on_disk() -> Result<()> {
    let lab = Lab::new()?;
    let seen = lab.scratch.path().join("seen");
    let mend = script(&lab, &format!("ls \"$LINKPROBE_DIRECTORY\" > {0}; env >> {0}; echo \"$1 done\"", seen.display()))?;
    let options = format!("{OPTIONS} --recover on --command {mend} --command it");
    let mut agent = lab.launch(&options).start()?;
    agent.trigger("customer calls")?;
    until_true("the command's end", patience(20), || Ok(agent.log().contains("it ended well after")))
        .with_context(|| agent.log())?;
    assert!(agent.log().contains("it said: it done"), "{}", agent.log());
    let id = agent.incident(patience(5))?.id();
    let seen = std::fs::read_to_string(&seen)?;
    for line in [
        "report.txt",
        "capture.pcapng",
        &format!("LINKPROBE_INCIDENT={id}"),
        "LINKPROBE_CAUSE=manual",
        "LINKPROBE_TRIGGER=manual",
    ] {
        assert!(seen.lines().any(|known| known == line), "no {line} in\n{seen}");
    }
    assert!(!seen.contains("CARGO") && !seen.contains("HOME="), "{seen}");
    Ok(())
}

#[test]
fn one_that_hangs_is_ended_with_all_that_it_started_and_the_agent_goes_on() -> Result<()> {
    let lab = Lab::new()?;
    let pids = lab.scratch.path().join("pids");
    let mend = script(&lab, &format!("trap '' TERM; sleep 600 & echo $$ $! > {}; sleep 600; sleep 600", pids.display()))?;
    let options = format!("{OPTIONS} --recover on --command {mend} --command-timeout 1s");
    let mut agent = lab.launch(&options).start()?;
    agent.trigger("hang")?;
    until_true("its end", patience(20), || Ok(agent.log().contains("did not end within 1 s and was ended")))
        .with_context(|| agent.log())?;
    for pid in std::fs::read_to_string(&pids)?.split_whitespace() {
        let gone = || {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            // an orphan waits for whoever reaps orphans here
            Ok(stat.is_empty() || stat.contains(") Z 1 "))
        };
        until_true(&format!("the end of {pid}"), patience(3), gone)?;
    }
    assert!(agent.runs()?);
    assert_eq!(agent.status()?["recovery"]["left"][0]["count"], 1);
    assert!(agent.stop()?.success(), "{}", agent.log());
    Ok(())
}

#[test]
fn in_a_dry_run_it_is_only_told() -> Result<()> {
    let lab = Lab::new()?;
    let mark = lab.scratch.path().join("mark");
    let mend = script(&lab, &format!("touch {}", mark.display()))?;
    let options = format!("{OPTIONS} --command {mend}");
    let mut agent = lab.launch(&options).start()?;
    agent.trigger("dry")?;
    until_true("the telling", patience(20), || Ok(agent.log().contains("would be run for incident")))
        .with_context(|| agent.log())?;
    assert!(agent.stop()?.success());
    assert!(!mark.exists());
    Ok(())
}
