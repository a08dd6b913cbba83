//! What an agent leaves behind, and what the next one makes of it.

use std::path::Path;

use anyhow::{Context as _, Result};
use aya::maps::{Array, Map, MapData};
use linkprobe_tests::harness::programs::{Foreign, Hook, attached};
use linkprobe_tests::harness::wait::patience;
use linkprobe_tests::harness::{Launch, Mounts, Traffic, Veth};
use probe_common::{ABI_VERSION, names::map};

use crate::lab::{EGRESS, INGRESS, Lab};

const RUN: &str = "--interface wan0 --before 120s --after 1s --snaplen 512";

/// Names of the programs at every hook of `wan0`, somebody else's left out.
fn ours(lab: &Lab) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for hook in [Hook::Ingress, Hook::Egress] {
        all.extend(attached(&lab.near, "wan0", hook)?);
    }
    if lab.near.ip("-details link show wan0")?.contains("prog/xdp") {
        all.push("xdp".into());
    }
    all.retain(|name| name != Foreign::NAME);
    Ok(all)
}

/// What is pinned by agents.
fn pins(mounts: &Mounts) -> Result<String> {
    let mut list = std::process::Command::new("find");
    list.args(["/sys/fs/bpf", "-path", "/sys/fs/bpf/linkprobe*"]);
    mounts.apply(&mut list);
    linkprobe_tests::harness::command::succeed(&mut list)
}

#[test]
fn a_clean_end_leaves_nothing_behind_and_others_programs_alone() -> Result<()> {
    let lab = Lab::new()?;
    let mounts = Mounts::with_bpffs()?;
    let _ingress = Foreign::attach(&lab.near, "wan0", Hook::Ingress)?;
    let _egress = Foreign::attach(&lab.near, "wan0", Hook::Egress)?;
    let mut agent = Launch { mounts: Some(&mounts), ..lab.launch(RUN) }.start()?;
    assert!(!ours(&lab)?.is_empty(), "the agent attached nothing");
    assert!(agent.stop()?.success(), "{}", agent.log());
    assert_eq!(ours(&lab)?, Vec::<String>::new());
    assert_eq!(pins(&mounts)?, "");
    for hook in [Hook::Ingress, Hook::Egress] {
        assert_eq!(attached(&lab.near, "wan0", hook)?, [Foreign::NAME]);
    }
    Ok(())
}

#[test]
fn somebody_elses_program_still_sees_packets_beside_ours() -> Result<()> {
    let lab = Lab::new()?;
    let _foreign = Foreign::attach(&lab.near, "wan0", Hook::Ingress)?;
    let _agent = lab.launch(RUN).start()?;
    let names = attached(&lab.near, "wan0", Hook::Ingress)?;
    assert!(names.iter().any(|name| name == Foreign::NAME), "{names:?}");
    Ok(())
}

#[test]
fn killed_without_a_bpf_file_system_the_next_start_has_one_set_of_programs() -> Result<()> {
    let lab = Lab::new()?;
    let mounts = Mounts::without_bpffs()?;
    let _foreign = Foreign::attach(&lab.near, "wan0", Hook::Egress)?;
    let launch = Launch { mounts: Some(&mounts), ..lab.launch(RUN) };
    let mut first = launch.start()?;
    let normal = ours(&lab)?;
    first.kill()?;
    let mut second = launch.start()?;
    assert_eq!(ours(&lab)?, normal);
    second.stop()?;
    assert_eq!(ours(&lab)?, Vec::<String>::new());
    assert_eq!(attached(&lab.near, "wan0", Hook::Egress)?, [Foreign::NAME]);
    Ok(())
}

#[test]
fn killed_with_a_bpf_file_system_the_next_start_keeps_the_history() -> Result<()> {
    let lab = Lab::new()?;
    let mounts = Mounts::with_bpffs()?;
    let launch = Launch { mounts: Some(&mounts), ..lab.launch(RUN) };
    let mut first = launch.start()?;
    let normal = ours(&lab)?;
    let early = Traffic::send(&lab.far, "far0", "--kind udp,vlan --count 300 --rate 10000")?;
    first.kill()?;
    // nobody runs now, and the kernel goes on recording
    let between = Traffic::send(&lab.far, "far0", "--kind udp,arp --count 200 --rate 10000")?;
    let mut second = launch.start()?;
    assert_eq!(ours(&lab)?, normal, "the old programs are replaced, not joined");
    let late = Traffic::send(&lab.near, "wan0", "--count 100 --rate 10000")?;
    second.trigger("what do we know?")?;
    let incident = second.incident(patience(20))?;
    incident.equals_sent("wan0", INGRESS, &early)?;
    incident.equals_sent("wan0", INGRESS, &between)?;
    incident.equals_sent("wan0", EGRESS, &late)?;
    second.stop()?;
    assert_eq!(pins(&mounts)?, "");
    Ok(())
}

#[test]
fn killed_and_started_with_fewer_interfaces_nothing_stays_on_the_others() -> Result<()> {
    let lab = Lab::new()?;
    Veth::new(2, (&lab.near, "wan1"), (&lab.far, "far1"))?;
    for mounts in [Mounts::with_bpffs()?, Mounts::without_bpffs()?] {
        let both = format!("{RUN} --interface wan1");
        let mut first = Launch { mounts: Some(&mounts), ..lab.launch(&both) }.start()?;
        assert_ne!(attached(&lab.near, "wan1", Hook::Egress)?, Vec::<String>::new());
        Traffic::send(&lab.far, "far1", "--count 50 --rate 10000")?;
        first.kill()?;
        let mut second = Launch { mounts: Some(&mounts), ..lab.launch(RUN) }.start()?;
        for hook in [Hook::Ingress, Hook::Egress] {
            assert_eq!(attached(&lab.near, "wan1", hook)?, Vec::<String>::new(), "{}", second.log());
        }
        assert!(second.stop()?.success());
    }
    Ok(())
}

#[test]
fn a_recorder_of_another_size_is_not_adopted_and_the_agent_says_so() -> Result<()> {
    let lab = Lab::new()?;
    let mounts = Mounts::with_bpffs()?;
    let mut first = Launch { mounts: Some(&mounts), ..lab.launch(RUN) }.start()?;
    let normal = ours(&lab)?;
    first.kill()?;
    let options = format!("{RUN} --memory 16MiB");
    let mut second = Launch { mounts: Some(&mounts), ..lab.launch(&options) }.start()?;
    assert_eq!(ours(&lab)?, normal);
    let log = second.log().to_lowercase();
    assert!(log.contains("adopt") || log.contains("size") || log.contains("history"), "{log}");
    second.stop()?;
    assert_eq!(ours(&lab)?, Vec::<String>::new());
    assert_eq!(pins(&mounts)?, "");
    Ok(())
}

#[test]
fn a_recorder_of_another_version_is_not_adopted_the_agent_says_which_and_begins_anew() -> Result<()> {
    let lab = Lab::new()?;
    let mounts = Mounts::with_bpffs()?;
    let launch = Launch { mounts: Some(&mounts), ..lab.launch(RUN) };
    let mut first = launch.start()?;
    let normal = ours(&lab)?;
    let early = Traffic::send(&lab.far, "far0", "--count 300 --rate 10000")?;
    first.kill()?;
    let layout = pins(&mounts)?.lines().find(|path| path.ends_with(map::LAYOUT)).map(|path| mounts.reach(path));
    later_version(&layout.context("no LAYOUT is pinned")?)?;
    let mut second = launch.start()?;
    assert_eq!(ours(&lab)?, normal, "the old programs are gone");
    let why = format!("its maps are of version {}, ours of {ABI_VERSION}): its history is dropped", ABI_VERSION + 1);
    assert!(second.log().contains(&why), "{}", second.log());
    let sent = Traffic::send(&lab.far, "far0", "--count 100 --rate 10000")?;
    second.trigger("what is left?")?;
    let incident = second.incident(patience(20))?;
    incident.equals_sent("wan0", INGRESS, &sent)?;
    assert!(incident.found("wan0", INGRESS, early.stream).is_empty(), "history of the other version");
    second.stop()?;
    assert_eq!(pins(&mounts)?, "");
    Ok(())
}

/// Makes pinned maps those of a later version.
fn later_version(layout: &Path) -> Result<()> {
    let mut layout: Array<_, [u32; 4]> = Map::Array(MapData::from_pin(layout)?).try_into()?;
    let [version, rest @ ..] = layout.get(&0, 0)?;
    assert_eq!(version, ABI_VERSION);
    let [cpus, control, bulk] = rest;
    Ok(layout.set(0, [version + 1, cpus, control, bulk], 0)?)
}

#[test]
fn a_hook_that_is_no_longer_used_is_cleaned_up_after_a_kill() -> Result<()> {
    let lab = Lab::new()?;
    lab.near.ip("link set wan0 mtu 1500")?;
    lab.far.ip("link set far0 mtu 1500")?;
    let mounts = Mounts::with_bpffs()?;
    let xdp = format!("{RUN} --hook xdp");
    let mut first = Launch { mounts: Some(&mounts), ..lab.launch(&xdp) }.start()?;
    assert!(ours(&lab)?.contains(&"xdp".to_owned()));
    first.kill()?;
    let tc = format!("{RUN} --hook tc");
    let mut second = Launch { mounts: Some(&mounts), ..lab.launch(&tc) }.start()?;
    assert!(!ours(&lab)?.contains(&"xdp".to_owned()), "{:?}", ours(&lab)?);
    let sent = Traffic::send(&lab.far, "far0", "--count 100 --rate 10000")?;
    second.trigger("once or twice?")?;
    second.incident(patience(20))?.equals_sent("wan0", INGRESS, &sent)?;
    Ok(())
}
