//! Slaves and bonds that come, go and change their names while the agent runs.

use anyhow::Result;
use linkprobe_tests::harness::Traffic;
use linkprobe_tests::harness::wait::patience;
use linkprobe_tests::traffic::{Kind, Numbers};

use crate::lab::{EGRESS, INGRESS, Lab, OPTIONS, bond, wait_for_taps};

/// Packets of a sender that the slaves transmitted, all together.
fn through_slaves(incident: &linkprobe_tests::harness::Incident, slaves: &[&str], sent: &Numbers) -> u64 {
    let of = |slave: &&str| incident.found(slave, EGRESS, sent.stream).values().map(|found| found.packets).sum::<u64>();
    slaves.iter().map(of).sum()
}

#[test]
fn a_slave_that_is_added_is_tapped_and_recorded() -> Result<()> {
    let lab = Lab::lacp()?;
    let options = format!("{OPTIONS} --triggers slave-added,manual");
    let mut agent = lab.launch(&options).start()?;
    lab.bonds.add_third()?;
    lab.bonds.converged()?;
    wait_for_taps(&agent, "slave2")?;
    let first = agent.incidents(1, patience(30))?.swap_remove(0);
    assert!(first.trigger_kinds()?.iter().any(|kind| kind == "slave-added"), "{:?}", first.trigger_kinds()?);
    let sent = Traffic::send(&lab.bonds.router, bond(), "--count 120 --rate 400 --flows 64")?;
    agent.trigger("with three slaves")?;
    let all = agent.incidents(2, patience(30))?;
    let last = &all[all.len() - 1];
    last.equals_sent(bond(), EGRESS, &sent)?;
    assert_eq!(through_slaves(last, &["slave0", "slave1", "slave2"], &sent), sent.total.packets);
    assert!(!last.found("slave2", EGRESS, sent.stream).is_empty(), "nothing went through the new slave");
    Ok(())
}

#[test]
fn a_bond_that_is_deleted_and_made_again_is_taken_up_again() -> Result<()> {
    let lab = Lab::lacp()?;
    let mut agent = lab.launch(OPTIONS).start()?;
    lab.bonds.router.ip("link del bond0")?;
    let first = agent.incidents(1, patience(30))?.swap_remove(0);
    assert!(!first.events(bond(), "vanished")?.is_empty(), "{:#}", first.json);
    assert!(agent.runs()?);
    lab.bonds.make_router_bond()?;
    for slave in ["slave0", "slave1"] {
        lab.bonds.enslave(&lab.bonds.router, slave)?;
    }
    lab.bonds.router.ip("link set bond0 up")?;
    lab.bonds.converged()?;
    for link in [bond(), "slave0", "slave1"] {
        wait_for_taps(&agent, link)?;
    }
    // what came of the making is an incident of its own: wait until it is over
    std::thread::sleep(patience(2));
    let known = agent.incidents(1, patience(30))?.len();
    let sent = Traffic::send(&lab.bonds.router, bond(), "--count 60 --rate 300 --flows 16")?;
    agent.trigger("is it all back?")?;
    let all = agent.incidents(known + 1, patience(30))?;
    let last = &all[all.len() - 1];
    last.equals_sent(bond(), EGRESS, &sent)?;
    assert_eq!(through_slaves(last, &["slave0", "slave1"], &sent), sent.total.packets);
    Ok(())
}

#[test]
fn a_slave_that_is_renamed_is_followed() -> Result<()> {
    let lab = Lab::lacp()?;
    let mut agent = lab.launch(OPTIONS).start()?;
    lab.bonds.router.ip("link set slave0 down")?;
    lab.bonds.router.ip("link set slave0 name uplink0")?;
    lab.bonds.router.ip("link set uplink0 up")?;
    lab.bonds.converged()?;
    wait_for_taps(&agent, "uplink0")?;
    let first = agent.incidents(1, patience(30))?.swap_remove(0);
    let renamed = first.events("uplink0", "renamed")?;
    assert!(renamed.iter().any(|entry| entry["from"] == "slave0"), "{:#}", first.json);
    std::thread::sleep(patience(2));
    let known = agent.incidents(1, patience(30))?.len();
    let sent = Traffic::send(&lab.bonds.router, bond(), "--count 60 --rate 300 --flows 16")?;
    agent.trigger("under its new name")?;
    let all = agent.incidents(known + 1, patience(30))?;
    let last = &all[all.len() - 1];
    assert_eq!(through_slaves(last, &["uplink0", "slave1"], &sent), sent.total.packets);
    assert!(!last.found("uplink0", EGRESS, sent.stream).is_empty(), "nothing went through the renamed slave");
    Ok(())
}

#[test]
fn a_slave_that_is_taken_out_is_no_longer_recorded() -> Result<()> {
    let lab = Lab::lacp()?;
    let mut agent = lab.launch(OPTIONS).start()?;
    lab.bonds.router.ip("link set slave1 nomaster")?;
    let first = agent.incidents(1, patience(30))?.swap_remove(0);
    assert!(first.trigger_kinds()?.iter().any(|kind| kind == "slave-removed"), "{:?}", first.trigger_kinds()?);
    lab.bonds.router.ip("link set slave1 up")?;
    let known = agent.incidents(1, patience(5))?.len();
    let stray = Traffic::send(&lab.bonds.switch, "port1", "--count 50 --rate 300")?;
    assert_eq!(stray.of(Kind::Udp).packets, 50);
    agent.trigger("after the removal")?;
    let all = agent.incidents(known + 1, patience(30))?;
    let last = &all[all.len() - 1];
    assert!(last.found("slave1", INGRESS, stray.stream).is_empty(), "packets of an interface that is not ours any more");
    Ok(())
}
