//! The harness itself: a test is worth what it stands on.

use std::path::Path;

use anyhow::Result;
use linkprobe_tests::harness::programs::{Foreign, Hook, attached};
use linkprobe_tests::harness::{Mounts, Netns, Scratch, Traffic, bond};
use linkprobe_tests::traffic::Kind;

use crate::lab::Lab;

#[test]
fn a_namespace_is_gone_after_a_test_that_panics() -> Result<()> {
    let netns = Netns::new("panics")?;
    let name = netns.name().to_owned();
    let panics = std::thread::spawn(move || {
        let _inside = netns;
        std::panic::resume_unwind(Box::new("on purpose"));
    });
    assert!(panics.join().is_err());
    assert!(!Path::new("/run/netns").join(name).exists());
    Ok(())
}

#[test]
fn the_far_end_receives_what_the_sender_says() -> Result<()> {
    let lab = Lab::new()?;
    let sent = Traffic::send(&lab.near, "wan0", "--kind udp,vlan,jumbo,gso,fragments --count 500 --rate 20000")?;
    assert_eq!(sent.total.packets, 500);
    assert_eq!(sent.of(Kind::Gso).segments, 8 * sent.of(Kind::Gso).packets);
    let links: serde_json::Value = serde_json::from_str(&lab.far.ip("-s -json link show far0")?)?;
    let received = &links[0]["stats64"]["rx"];
    assert_eq!(received["packets"], sent.total.packets, "{links:#}");
    assert_eq!(received["bytes"], sent.total.bytes, "{links:#}");
    Ok(())
}

#[test]
fn carrier_goes_with_the_far_end() -> Result<()> {
    let lab = Lab::new()?;
    assert!(bond::carrier(&lab.near, "wan0")?);
    lab.far.ip("link set far0 down")?;
    assert!(!bond::carrier(&lab.near, "wan0")?);
    Ok(())
}

#[test]
fn a_program_of_somebody_else_is_seen_and_goes_with_its_value() -> Result<()> {
    let lab = Lab::new()?;
    for hook in [Hook::Ingress, Hook::Egress] {
        assert_eq!(attached(&lab.near, "wan0", hook)?, Vec::<String>::new());
        let foreign = Foreign::attach(&lab.near, "wan0", hook)?;
        assert_eq!(attached(&lab.near, "wan0", hook)?, [Foreign::NAME]);
        drop(foreign);
        assert_eq!(attached(&lab.near, "wan0", hook)?, Vec::<String>::new());
    }
    Ok(())
}

#[test]
fn a_mount_namespace_has_a_bpf_file_system_of_its_own() -> Result<()> {
    let mounts = Mounts::with_bpffs()?;
    let mut inside = std::process::Command::new("stat");
    inside.args(["--file-system", "--format=%T", "/sys/fs/bpf"]);
    mounts.apply(&mut inside);
    assert_eq!(String::from_utf8_lossy(&inside.output()?.stdout).trim(), "bpf_fs");
    let scratch = Scratch::new("unused")?;
    assert!(scratch.path().is_dir());
    Ok(())
}
