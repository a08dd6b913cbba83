//! What a killed agent leaves on a real bond, and what the next one makes of it.

use anyhow::Result;
use linkprobe_tests::harness::wait::patience;
use linkprobe_tests::harness::{Netns, Traffic};

use crate::lab::{INGRESS, Lab, OPTIONS, bond, kernel, wait_for_taps};

const LINKS: [&str; 3] = ["bond0", "slave0", "slave1"];

/// The filters of `tc` at both sides of a link: on kernels without tcx ours are among them.
fn filters(netns: &Netns, link: &str) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for side in ["ingress", "egress"] {
        let shown = netns.exec(&format!("tc filter show dev {link} {side}"))?;
        all.extend(shown.lines().filter(|line| line.contains("handle")).map(|line| format!("{side} {}", line.trim())));
    }
    Ok(all)
}

fn count_ours(netns: &Netns) -> Result<usize> {
    let mut count = 0;
    for link in LINKS {
        count += filters(netns, link)?.iter().filter(|line| line.contains("lp_")).count();
    }
    Ok(count)
}

#[test]
fn a_killed_agents_filters_are_replaced_and_others_filters_stay() -> Result<()> {
    let lab = Lab::lacp()?;
    let router = &lab.bonds.router;
    router.exec("tc qdisc add dev slave0 clsact")?;
    router.exec("tc filter add dev slave0 egress protocol all prio 7 matchall action pass")?;
    let foreign = filters(router, "slave0")?;
    assert!(!foreign.is_empty());
    let options = OPTIONS.replace("--before 5s", "--before 120s");
    let mut first = lab.launch(&options).start()?;
    let normal = count_ours(router)?;
    if kernel()? < (6, 6) {
        assert_eq!(normal, 6, "clsact on three links, both ways: {:?}", filters(router, "slave0")?);
    }
    let early = Traffic::send(&lab.bonds.switch, bond(), "--count 50 --rate 300")?;
    first.kill()?;
    let mut second = lab.launch(&options).start()?;
    assert_eq!(count_ours(router)?, normal);
    for link in LINKS {
        wait_for_taps(&second, link)?;
    }
    let late = Traffic::send(&lab.bonds.switch, bond(), "--count 50 --rate 300")?;
    second.trigger("once each?")?;
    let incident = second.incident(patience(30))?;
    incident.equals_sent(bond(), INGRESS, &late)?;
    // the rig has a BPF file system: the history outlives the agent
    incident.equals_sent(bond(), INGRESS, &early)?;
    assert!(second.stop()?.success(), "{}", second.log());
    assert_eq!(count_ours(router)?, 0);
    assert_eq!(filters(router, "slave0")?, foreign);
    Ok(())
}
