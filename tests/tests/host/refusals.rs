//! Bad input gets clear words and the right exit code: 0 done, 1 failed, 2 usage.

use std::process::Command;

use anyhow::Result;
use linkprobe_tests::harness::command::{Ended, end, succeed};
use linkprobe_tests::harness::{Launch, Netns, Scratch, place};

use crate::lab::Lab;

fn linkprobe(words: &str) -> Result<Ended> {
    end(Command::new(place::linkprobe()?).args(words.split_whitespace()))
}

/// Holds that it failed with `code`, and said each of `words` in a few lines without a panic.
fn said(ended: &Ended, code: i32, words: &[&str]) {
    assert_eq!(ended.code, Some(code), "{ended:?}");
    for word in words {
        assert!(ended.err.to_lowercase().contains(&word.to_lowercase()), "no {word:?} in: {}", ended.err);
    }
    assert!(!ended.err.contains("panicked") && !ended.err.contains("backtrace"), "{}", ended.err);
}

#[test]
fn an_unknown_interface_is_refused_by_name() -> Result<()> {
    let lab = Lab::new()?;
    said(&lab.launch("--interface wan7").refused()?, 1, &["wan7"]);
    said(&lab.launch("--bond bond7").refused()?, 1, &["bond7"]);
    Ok(())
}

#[test]
fn an_interface_that_is_no_bond_is_refused_as_one() -> Result<()> {
    let lab = Lab::new()?;
    said(&lab.launch("--bond wan0").refused()?, 1, &["wan0", "not a bond", "--interface"]);
    Ok(())
}

#[test]
fn nothing_to_watch_is_a_usage_error() -> Result<()> {
    let lab = Lab::new()?;
    said(&lab.launch("").refused()?, 2, &["nothing to watch", "bond", "interface"]);
    Ok(())
}

#[test]
fn an_unknown_option_is_a_usage_error() -> Result<()> {
    said(&linkprobe("run --bnod bond0")?, 2, &["--bnod"]);
    said(&linkprobe("frobnicate")?, 2, &["frobnicate"]);
    said(&linkprobe("run --interface wan0 --snaplen 12")?, 2, &["snaplen", "64"]);
    said(&linkprobe("run --interface wan0 --before yesterday")?, 2, &["before", "30s"]);
    Ok(())
}

#[test]
fn help_and_version_succeed() -> Result<()> {
    for words in ["--help", "--version", "run --help", "watch --help", "status --help", "incidents --help", "doctor --help"] {
        let ended = linkprobe(words)?;
        assert_eq!(ended.code, Some(0), "{words}: {ended:?}");
        assert!(!ended.out.is_empty(), "{words}");
    }
    Ok(())
}

#[test]
fn a_second_agent_on_the_same_interface_is_refused_and_the_first_goes_on() -> Result<()> {
    let lab = Lab::new()?;
    let mut first = lab.launch("--interface wan0").start()?;
    let refused = lab.launch("--interface wan0 --instance other").refused()?;
    said(&refused, 1, &["wan0", &first.pid().to_string()]);
    assert!(first.runs()?);
    first.status()?;
    Ok(())
}

#[test]
fn a_second_agent_is_refused_whatever_its_directories_are() -> Result<()> {
    let lab = Lab::new()?;
    let elsewhere = Scratch::new("elsewhere")?;
    let mut first = lab.launch("--interface wan0").start()?;
    let refused = Launch::new(&lab.near, &elsewhere, "--interface wan0").refused()?;
    said(&refused, 1, &["wan0", &first.pid().to_string()]);
    assert!(first.runs()?);
    Ok(())
}

#[test]
fn two_agents_on_different_interfaces_get_along() -> Result<()> {
    let lab = Lab::new()?;
    linkprobe_tests::harness::Veth::new(2, (&lab.near, "wan1"), (&lab.far, "far1"))?;
    let mut first = lab.launch("--interface wan0").start()?;
    let mut second = lab.launch("--interface wan1 --instance second").start()?;
    assert!(first.stop()?.success());
    second.status()?;
    assert!(second.runs()?);
    Ok(())
}

#[test]
fn a_configuration_is_refused_with_file_line_and_key() -> Result<()> {
    let scratch = Scratch::new("config")?;
    let file = scratch.path().join("bad.toml");
    std::fs::write(&file, "interface = \"wan0\"\nbefore = \"30s\"\nsnaplne = 128\nhook = \"magic\"\n")?;
    let check = linkprobe(&format!("check {}", file.display()))?;
    let place = |line: u32| format!("{}:{line}", file.display());
    said(&check, 1, &[&place(3), "snaplne", "snaplen", &place(4), "hook", "auto"]);
    let netns = Netns::new("config")?;
    let options = format!("--config {}", file.display());
    let run = Launch::new(&netns, &scratch, &options).refused()?;
    assert!(matches!(run.code, Some(1 | 2)), "{run:?}");
    assert!(run.err.contains("snaplne"), "{run:?}");
    Ok(())
}

#[test]
fn a_good_configuration_is_accepted_and_used() -> Result<()> {
    let lab = Lab::new()?;
    let file = lab.scratch.path().join("good.toml");
    std::fs::write(&file, "interface = \"wan0\"\nbefore = \"20s\"\nafter = \"1s\"\nsnaplen = 256\n")?;
    let check = linkprobe(&format!("check {}", file.display()))?;
    assert_eq!(check.code, Some(0), "{check:?}");
    let options = format!("--config {}", file.display());
    let agent = lab.launch(&options).start()?;
    assert!(agent.status()?.to_string().contains("wan0"));
    Ok(())
}

#[test]
fn a_missing_capability_is_named() -> Result<()> {
    let lab = Lab::new()?;
    for (capability, named) in [("bpf", "CAP_BPF"), ("net_admin", "CAP_NET_ADMIN"), ("perfmon", "CAP_PERFMON")] {
        // without CAP_SYS_ADMIN as well, which the kernel takes in their place
        let mut command = lab.near.command("setpriv");
        let without = format!("-{capability},-sys_admin");
        command.args(["--bounding-set", &without, "--inh-caps", &without]).arg(place::linkprobe()?);
        command.args(["run", "--interface", "wan0", "--run-dir"]).arg(lab.scratch.path());
        said(&linkprobe_tests::harness::agent::ended_within(&mut command, std::time::Duration::from_secs(20))?, 1, &[named]);
    }
    Ok(())
}

#[test]
fn not_being_root_is_told_with_what_is_missing() -> Result<()> {
    let lab = Lab::new()?;
    let binary = lab.scratch.path().join("linkprobe");
    std::fs::copy(place::linkprobe()?, &binary)?;
    let mut command = lab.near.command("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--bounding-set", "-all"]).arg(&binary);
    command.args(["run", "--interface", "wan0", "--run-dir", "/nonexistent"]);
    said(
        &linkprobe_tests::harness::agent::ended_within(&mut command, std::time::Duration::from_secs(20))?,
        1,
        &["CAP_BPF", "CAP_NET_ADMIN"],
    );
    Ok(())
}

#[test]
fn asking_an_agent_that_does_not_run_fails_and_says_where_it_looked() -> Result<()> {
    let scratch = Scratch::new("nobody")?;
    for words in ["status", "trigger --reason x"] {
        let ended = linkprobe(&format!("{words} --run-dir {}", scratch.path().display()))?;
        said(&ended, 1, &["no agent", &scratch.path().display().to_string()]);
    }
    Ok(())
}

#[test]
fn the_traffic_generator_refuses_what_it_cannot_send() -> Result<()> {
    let generator = |words: &str| end(Command::new(place::traffic()?).args(words.split_whitespace()));
    said(&generator("--interface nothing0")?, 1, &["nothing0"]);
    said(&generator("--interface lo --kind udp --size 10")?, 1, &["at least 82"]);
    said(&generator("--interface lo --kind postcard")?, 2, &["postcard"]);
    succeed(Command::new(place::traffic()?).arg("--help"))?;
    Ok(())
}
