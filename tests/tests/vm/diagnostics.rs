//! What the kernel programs say of themselves, at log level trace.

use anyhow::{Context, Result};
use linkprobe_tests::harness::wait::{patience, until_true};
use linkprobe_tests::harness::{Netns, Traffic};

use crate::lab::{Lab, OPTIONS, bond};

const KERNEL: &str = "linkprobe: debug: in the kernel: ";
/// More than the parser follows.
const TAGS: u32 = 6;

/// VLAN interfaces one upon another, above `below`; the name of the uppermost.
fn pile(netns: &Netns, below: &str) -> Result<String> {
    let mut below = below.to_owned();
    for number in 1..=TAGS {
        let name = format!("pile{number}");
        netns.ip(&format!("link add link {below} name {name} type vlan id {number}"))?;
        netns.ip(&format!("link set {name} up"))?;
        below = name;
    }
    Ok(below)
}

#[test]
fn what_the_kernel_programs_say_is_in_words_and_about_taps_that_the_log_has_named() -> Result<()> {
    let lab = Lab::lacp()?;
    let options = format!("{OPTIONS} --hook xdp --log trace");
    let agent = lab.launch(&options).start()?;
    let deep = pile(&lab.bonds.switch, bond())?;
    Traffic::send(&lab.bonds.switch, &deep, "--kind udp --count 20 --rate 100")?;
    for words in [": its lane goes on to block ", ": too many tags or extension headers"] {
        let said = || Ok(agent.log().lines().any(|line| line.starts_with(KERNEL) && line.contains(words)));
        until_true(words, patience(20), said).with_context(|| agent.log())?;
    }
    let log = agent.log();
    for line in log.lines().filter_map(|line| line.strip_prefix(KERNEL)) {
        let (tap, _) = line.split_once(": ").with_context(|| line.to_owned())?;
        assert!(log.contains(&format!("linkprobe: trace: {tap} is ")), "{line}\n{log}");
    }
    // the agent's own lines are not drowned by the loader's
    assert!(!log.contains("relocat") && !log.contains("fixup"), "{log}");
    Ok(())
}
