//! What the agent does without: without root, without BTF, with a hook that was not asked for.

use anyhow::{Context, Result};
use linkprobe_tests::harness::agent::ended_within;
use linkprobe_tests::harness::command::end;
use linkprobe_tests::harness::wait::{patience, until, until_true};
use linkprobe_tests::harness::{Launch, Mounts, Traffic, incident, place};

use crate::lab::{INGRESS, Lab, status_tap};

/// What README asks for: these capabilities, and no other.
const ENOUGH: &str = "+bpf,+net_admin,+perfmon,+net_raw";

#[test]
fn the_capabilities_that_are_asked_for_are_enough_for_a_user_without_root() -> Result<()> {
    let lab = Lab::new()?;
    let home = lab.scratch.path().join("nobody");
    std::fs::create_dir(&home)?;
    std::os::unix::fs::chown(&home, Some(65534), Some(65534))?;
    let binary = lab.scratch.path().join("linkprobe");
    std::fs::copy(place::linkprobe()?, &binary)?;
    let mut command = lab.near.command("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    command.args(["--inh-caps", ENOUGH, "--ambient-caps", ENOUGH, "--bounding-set", &format!("-all,{ENOUGH}")]);
    command.arg(&binary).args(["run", "--interface", "wan0", "--before", "5s", "--after", "1s", "--instance", "nobody"]);
    command.arg("--run-dir").arg(home.join("run")).arg("--incidents").arg(home.join("incidents"));
    let mut child = command.spawn().context("setpriv")?;
    let outcome = (|| {
        let ask = |words: &[&str]| end(std::process::Command::new(&binary).args(words).arg("--run-dir").arg(home.join("run")));
        let runs = || Ok(ask(&["status", "--instance", "nobody"])?.code == Some(0));
        until_true("an agent of nobody's", patience(20), runs)?;
        let sent = Traffic::send(&lab.far, "far0", "--count 50 --rate 1000")?;
        ask(&["trigger", "--instance", "nobody", "--reason", "look"])?;
        let dir = until("an incident", patience(20), || Ok(incident::list(&home.join("incidents"))?.pop()))?;
        linkprobe_tests::harness::Incident::read(&dir)?.equals_sent("wan0", INGRESS, &sent)
    })();
    // it is the child of ours that setpriv became
    child.kill()?;
    child.wait()?;
    outcome
}

#[test]
fn a_bpffs_that_is_closed_to_us_is_told_and_recording_goes_on() -> Result<()> {
    let lab = Lab::new()?;
    let mounts = Mounts::new("mount -t bpf -o ro bpf /sys/fs/bpf")?;
    let agent = Launch { mounts: Some(&mounts), ..lab.launch("--interface wan0") }.start()?;
    assert!(agent.status()?["notes"].to_string().contains("nothing is pinned"), "{:#}", agent.status()?);
    Ok(())
}

#[test]
fn without_btf_there_are_no_exact_edges_and_a_loss_of_carrier_is_an_incident_all_the_same() -> Result<()> {
    let lab = Lab::new()?;
    let mounts = Mounts::new("mount -t tmpfs tmpfs /sys/kernel/btf")?;
    let launch = Launch { mounts: Some(&mounts), ..lab.launch("--interface wan0 --before 5s --after 1s") };
    let mut doctor = launch.linkprobe()?;
    let said = ended_within(doctor.args(["doctor", "wan0"]), std::time::Duration::from_secs(20))?;
    assert!(said.out.contains("no BTF"), "{said:?}");
    let mut agent = launch.start()?;
    let edges = agent.status()?["carrier_edges"].to_string();
    assert!(edges.contains("no BTF"), "{edges}");
    lab.far.ip("link set far0 down")?;
    let incident = agent.incident(patience(20))?;
    assert_eq!(incident.trigger_kinds()?, ["interface-down"]);
    Ok(())
}

#[test]
fn where_tags_stay_in_the_frames_native_xdp_is_chosen_and_sees_what_was_sent() -> Result<()> {
    let lab = Lab::new()?;
    lab.near.exec("ethtool -K wan0 rxvlan off")?;
    for (side, link) in [(&lab.near, "wan0"), (&lab.far, "far0")] {
        side.ip(&format!("link set {link} mtu 1500"))?;
    }
    let mut agent = lab.launch("--interface wan0 --before 30s --after 1s --snaplen 512").start()?;
    assert_eq!(status_tap(&agent.status()?, "wan0", "ingress")?["hook"], "xdp");
    let sent = Traffic::send(&lab.far, "far0", "--kind udp,tcp,vlan,qinq,arp --count 500 --rate 5000")?;
    agent.trigger("look")?;
    agent.incident(patience(20))?.equals_sent("wan0", INGRESS, &sent)
}
