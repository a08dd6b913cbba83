//! An agent that is killed leaves nothing behind that the next one does not clean up or take over.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use linkprobe_tests::traffic::Kind;
use probe_common::{names::program, tap::direction};
use probe_user::kernel::{HookChoice, Kernel, KernelConfig, LinkToTap};

use crate::lab::{Lab, NEAR, counters, recorded};

/// Set for the child: run directory, pin directory (or nothing), hook, whether tcx.
const CHILD: &str = "LINKPROBE_KERNEL_TEST_CHILD";

/// A bpffs of its own.
pub struct Bpffs {
    pub path: PathBuf,
}

impl Bpffs {
    pub fn new(lab: &Lab) -> Result<Self> {
        let path = lab.scratch.path().join("bpf");
        std::fs::create_dir_all(&path)?;
        ensure!(Command::new("mount").args(["-t", "bpf", "bpf"]).arg(&path).status()?.success());
        Ok(Self { path })
    }
}

impl Drop for Bpffs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.path).status();
    }
}

/// Not a test: what the child process runs until it is killed.
#[test]
#[ignore = "run by other tests, as a process of its own"]
fn child_that_watches_until_it_is_killed() -> Result<()> {
    let Ok(text) = std::env::var(CHILD) else { return Ok(()) };
    let words: Vec<&str> = text.split(',').collect();
    let [pin, hook, tcx, ifindex] = words[..] else { anyhow::bail!("{text}") };
    let config = KernelConfig {
        memory_bytes: 16 << 20,
        pin: (!pin.is_empty()).then(|| pin.into()),
        tcx: tcx == "true",
        snaplen: 1024,
        ..KernelConfig::default()
    };
    let ingress = if hook == "xdp" { HookChoice::Xdp } else { HookChoice::Tc };
    let mut kernel = Kernel::load(config)?;
    kernel.attach(&LinkToTap { ifindex: ifindex.parse()?, name: NEAR.into(), master: 0, ingress, egress: true })?;
    println!("\nwatching");
    loop {
        std::thread::park();
    }
}

/// Starts the child and waits until it watches.
pub fn start(lab: &Lab, pin: Option<&Path>, hook: &str, tcx: bool) -> Result<Child> {
    let ifindex = crate::lab::ifindex(&lab.near, NEAR)?;
    let pin = pin.map(|pin| pin.display().to_string()).unwrap_or_default();
    let mut child = lab
        .near
        .command(std::env::current_exe()?)
        .args(["--exact", "killed::child_that_watches_until_it_is_killed", "--ignored", "--nocapture"])
        .env(CHILD, format!("{pin},{hook},{tcx},{ifindex}"))
        .stdout(Stdio::piped())
        .spawn()?;
    let lines = BufReader::new(child.stdout.take().context("no output")?).lines();
    ensure!(lines.map_while(Result::ok).any(|line| line == "watching"), "the child does not watch");
    Ok(child)
}

pub fn kill(mut child: Child) -> Result<()> {
    child.kill()?;
    child.wait()?;
    Ok(())
}

#[test]
fn filters_of_a_killed_agent_are_removed_at_the_next_start_also_where_it_does_not_watch() -> Result<()> {
    let lab = Lab::new()?;
    kill(start(&lab, None, "tc", false)?)?;
    let filters = |way: &str| lab.near.exec(&format!("tc filter show dev {NEAR} {way}"));
    ensure!(filters("ingress")?.contains(program::TC_INGRESS) && filters("egress")?.contains(program::TC_EGRESS));
    lab.near.run(|| -> Result<()> {
        let mut kernel = Kernel::load(lab.config())?;
        kernel.settle()?;
        ensure!(kernel.notes().iter().any(|note| note.contains("removed 2 tc filters")), "{:?}", kernel.notes());
        kernel.shutdown();
        Ok(())
    })??;
    ensure!(!filters("ingress")?.contains("lp_") && !filters("egress")?.contains("lp_"));
    Ok(())
}

#[test]
fn filters_of_an_agent_that_lives_are_not_taken_for_leftovers() -> Result<()> {
    let lab = Lab::new()?;
    let child = start(&lab, None, "tc", false)?;
    lab.near.run(|| -> Result<()> {
        let mut kernel = Kernel::load(lab.config())?;
        kernel.settle()?;
        kernel.shutdown();
        Ok(())
    })??;
    let filters = lab.near.exec(&format!("tc filter show dev {NEAR} ingress"))?;
    kill(child)?;
    ensure!(filters.contains(program::TC_INGRESS));
    Ok(())
}

#[test]
fn links_that_are_not_pinned_go_with_a_killed_agent() -> Result<()> {
    let lab = Lab::new()?;
    let child = start(&lab, None, "xdp", true)?;
    ensure!(lab.near.ip(&format!("link show dev {NEAR}"))?.contains("xdp"));
    kill(child)?;
    let left = lab.near.ip(&format!("link show dev {NEAR}"))?;
    ensure!(!left.contains("xdp"), "{left}");
    Ok(())
}

#[test]
fn a_killed_agents_history_is_taken_over_and_goes_on_meanwhile() -> Result<()> {
    for (hook, tcx) in [("xdp", true), ("tc", true), ("tc", false)] {
        let lab = Lab::new()?;
        let bpffs = Bpffs::new(&lab)?;
        let pin = bpffs.path.join("linkprobe");
        let child = start(&lab, Some(&pin), hook, tcx)?;
        lab.send_in(Kind::Udp, 100)?;
        kill(child)?;
        lab.send_in(Kind::Arp, 10)?;
        lab.near
            .run(|| -> Result<()> {
                let config = KernelConfig { pin: Some(pin.clone()), snaplen: 1024, control_snaplen: 256, tcx, ..lab.config() };
                let mut kernel = Kernel::load(config)?;
                ensure!(kernel.notes().iter().any(|note| note.contains("took over")), "{:?}", kernel.notes());
                let choice = if hook == "xdp" { HookChoice::Auto } else { HookChoice::Tc };
                let choice = if hook == "xdp" {
                    lab.near.exec(&format!("ethtool -K {NEAR} rxvlan off")).map_or(HookChoice::Xdp, |_| choice)
                } else {
                    choice
                };
                let taps = kernel.attach(&lab.link(choice)?)?;
                kernel.settle()?;
                ensure!(taps.iter().map(|tap| tap.id).eq([0, 1]), "{taps:?}");
                lab.send_in(Kind::Udp, 100)?;
                let counted = counters(&kernel, direction::INGRESS, 210)?.total().packets;
                ensure!(counted == 210, "{counted}");
                ensure!(recorded(&kernel, direction::INGRESS)?.len() == 210);
                kernel.shutdown();
                Ok(())
            })?
            .with_context(|| format!("{hook}, tcx {tcx}"))?;
        ensure!(!pin.exists(), "pins are left after a clean end");
        ensure!(!lab.near.ip(&format!("link show dev {NEAR}"))?.contains("xdp"));
    }
    Ok(())
}

#[test]
fn maps_of_another_size_are_dropped_with_a_reason() -> Result<()> {
    let lab = Lab::new()?;
    let bpffs = Bpffs::new(&lab)?;
    let pin = bpffs.path.join("linkprobe");
    kill(start(&lab, Some(&pin), "xdp", true)?)?;
    lab.near.run(|| -> Result<()> {
        let mut kernel = Kernel::load(KernelConfig { pin: Some(pin.clone()), memory_bytes: 8 << 20, ..lab.config() })?;
        ensure!(kernel.notes().iter().any(|note| note.contains("cannot be taken over")), "{:?}", kernel.notes());
        kernel.attach(&lab.link(HookChoice::Xdp)?)?;
        lab.send_in(Kind::Udp, 20)?;
        ensure!(counters(&kernel, direction::INGRESS, 20)?.total().packets == 20);
        kernel.shutdown();
        Ok(())
    })?
}

#[test]
fn a_pin_directory_of_an_agent_that_lives_is_refused_and_one_without_bpffs_is_done_without() -> Result<()> {
    let lab = Lab::new()?;
    let bpffs = Bpffs::new(&lab)?;
    let pin = bpffs.path.join("linkprobe");
    let child = start(&lab, Some(&pin), "xdp", true)?;
    let refused = lab.near.run(|| Kernel::load(KernelConfig { pin: Some(pin.clone()), ..lab.config() }).err())?;
    kill(child)?;
    let refused = refused.context("not refused")?.to_string();
    ensure!(refused.contains(&format!("{} is in use", pin.display())), "{refused}");
    let kernel = Kernel::load(KernelConfig { pin: Some(lab.scratch.path().join("no-bpffs")), ..lab.config() })?;
    ensure!(kernel.notes().iter().any(|note| note.contains("not on a bpffs")), "{:?}", kernel.notes());
    Ok(())
}

#[test]
fn a_loaded_kernel_side_takes_the_recorder_and_at_most_20_mebibytes() -> Result<()> {
    let lab = Lab::new()?;
    let child = start(&lab, None, "xdp", true)?;
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()))?;
    kill(child)?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    // The whole recorder counts as resident once it is mapped.
    let beside = kib.saturating_sub(lab.config().memory_bytes >> 10);
    println!("resident beside the recorder: {beside} KiB");
    ensure!(beside <= 20 << 10, "{beside} KiB");
    Ok(())
}
