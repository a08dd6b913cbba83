//! A bond that goes down, in every way that it can.

use anyhow::Result;
use linkprobe_tests::harness::wait::patience;
use linkprobe_tests::harness::{Agent, Incident, Traffic};

use crate::lab::{INGRESS, Lab, OPTIONS, bond};

/// The incident that is about the bond's fall: the first one, which later triggers have joined.
fn fall(agent: &mut Agent) -> Result<Incident> {
    let incident = agent.incidents(1, patience(30))?.swap_remove(0);
    let kinds = incident.trigger_kinds()?;
    assert!(kinds.iter().any(|kind| kind == "bond-down"), "{kinds:?}\n{}\n{}", incident.report, agent.log());
    Ok(incident)
}

/// Holds that the bond's last word in the incident is that its carrier is gone, and that its packets of before are there.
fn tells_the_fall(incident: &Incident, sent: &linkprobe_tests::traffic::Numbers) -> Result<()> {
    let edges = incident.carrier(bond())?;
    assert_eq!(edges.last().map(|edge| edge.up), Some(false), "{:#}", incident.json);
    assert!(incident.in_order()?, "{:#}", incident.json);
    incident.equals_sent(bond(), INGRESS, sent)?;
    let names: Vec<&str> = incident.capture.interfaces.iter().map(|interface| interface.name.as_str()).collect();
    for name in [bond(), "slave0", "slave1"] {
        assert_eq!(names.iter().filter(|found| **found == name).count(), 2, "two taps on {name}: {names:?}");
    }
    assert!(incident.report.contains(bond()), "{}", incident.report);
    Ok(())
}

#[test]
fn both_slaves_lose_carrier_and_the_bond_falls_after_them() -> Result<()> {
    let lab = Lab::lacp()?;
    let options = OPTIONS.replace("--before 5s", "--before 30s");
    let mut agent = lab.launch(&options).start()?;
    // long enough for LACPDUs, one a second, to pass both ways
    let sent = Traffic::send(&lab.bonds.switch, bond(), "--kind udp,vlan --count 40 --rate 10 --flows 8")?;
    lab.port(0, false)?;
    lab.port(1, false)?;
    let incident = fall(&mut agent)?;
    tells_the_fall(&incident, &sent)?;
    let kinds = incident.trigger_kinds()?;
    assert_eq!(kinds.iter().filter(|kind| *kind == "slave-down").count(), 2, "{kinds:?}");
    let fell = incident.carrier(bond())?.pop().expect("an edge").mono_ns;
    for slave in ["slave0", "slave1"] {
        let cut = incident.carrier(slave)?;
        assert_eq!(cut.iter().map(|edge| edge.up).collect::<Vec<_>>(), [false], "{:#}", incident.json);
        assert!(cut[0].mono_ns <= fell, "{slave} went after the bond: {:#}", incident.json);
    }
    // LACPDUs of both sides from before the cut
    let lacp = |direction: u32| {
        let slave = |name| incident.capture.of(name, direction).filter(|packet| packet.data[12..15] == [0x88, 0x09, 1]).count();
        slave("slave0") + slave("slave1")
    };
    assert!(lacp(INGRESS) > 0 && lacp(crate::lab::EGRESS) > 0, "no LACPDUs in the capture");
    Ok(())
}

#[test]
fn the_bond_falls_when_its_slaves_are_taken_out() -> Result<()> {
    let lab = Lab::lacp()?;
    let mut agent = lab.launch(OPTIONS).start()?;
    let sent = Traffic::send(&lab.bonds.switch, bond(), "--count 40 --rate 200 --flows 8")?;
    lab.bonds.router.ip("link set slave0 nomaster")?;
    lab.bonds.router.ip("link set slave1 nomaster")?;
    let incident = fall(&mut agent)?;
    tells_the_fall(&incident, &sent)?;
    let kinds = incident.trigger_kinds()?;
    assert!(kinds.iter().any(|kind| kind == "slave-removed"), "{kinds:?}");
    for slave in ["slave0", "slave1"] {
        let out = incident.events(slave, "master")?;
        assert!(out.iter().any(|entry| entry["from"] == bond() && entry["to"].is_null()), "{slave}: {:#}", incident.json);
    }
    Ok(())
}

#[test]
fn a_bond_that_is_set_down_is_told_as_an_administrators_deed() -> Result<()> {
    let lab = Lab::lacp()?;
    let mut agent = lab.launch(OPTIONS).start()?;
    let sent = Traffic::send(&lab.bonds.switch, bond(), "--count 40 --rate 200")?;
    lab.bonds.router.ip("link set bond0 down")?;
    let incident = fall(&mut agent)?;
    incident.equals_sent(bond(), INGRESS, &sent)?;
    let admin = incident.events(bond(), "admin")?;
    assert_eq!(admin.iter().map(|entry| entry["up"] == false).collect::<Vec<_>>(), [true], "{:#}", incident.json);
    Ok(())
}

#[test]
fn the_loss_of_one_slave_is_an_incident_and_not_the_bonds_fall() -> Result<()> {
    let lab = Lab::lacp()?;
    let options = format!("{OPTIONS} --min-slaves 2");
    let mut agent = lab.launch(&options).start()?;
    lab.port(0, false)?;
    let incident = agent.incidents(1, patience(30))?.swap_remove(0);
    let kinds = incident.trigger_kinds()?;
    assert!(kinds.iter().any(|kind| kind == "slave-down"), "{kinds:?}");
    assert!(kinds.iter().any(|kind| kind == "min-slaves"), "{kinds:?}");
    assert!(!kinds.iter().any(|kind| kind == "bond-down"), "{kinds:?}");
    assert_eq!(incident.carrier("slave0")?.iter().map(|edge| edge.up).collect::<Vec<_>>(), [false]);
    assert!(incident.carrier("slave1")?.is_empty());
    assert!(incident.carrier(bond())?.is_empty());
    assert!(lab.bonds.carrier(bond())?);
    Ok(())
}

#[test]
fn a_bond_that_comes_back_is_told_with_its_way_back() -> Result<()> {
    let lab = Lab::lacp()?;
    let mut agent = lab.launch("--bond bond0 --before 5s --after 8s --cooldown 0s --memory 8MiB --snaplen 512").start()?;
    lab.port(0, false)?;
    lab.port(1, false)?;
    linkprobe_tests::harness::wait::until_true("the bond is down", patience(10), || Ok(!lab.bonds.carrier(bond())?))?;
    lab.port(0, true)?;
    lab.port(1, true)?;
    lab.bonds.converged()?;
    let incident = fall(&mut agent)?;
    let kinds = incident.trigger_kinds()?;
    assert!(kinds.iter().any(|kind| kind == "bond-up"), "{kinds:?}");
    let edges: Vec<bool> = incident.carrier(bond())?.iter().map(|edge| edge.up).collect();
    assert_eq!(edges, [false, true], "{:#}", incident.json);
    Ok(())
}

#[test]
fn an_active_backup_bond_changes_over_and_says_so() -> Result<()> {
    let lab = Lab::active_backup()?;
    let mut agent = lab.launch(OPTIONS).start()?;
    lab.port(0, false)?;
    let incident = agent.incidents(1, patience(30))?.swap_remove(0);
    let kinds = incident.trigger_kinds()?;
    assert!(kinds.iter().any(|kind| kind == "slave-down"), "{kinds:?}");
    assert!(!kinds.iter().any(|kind| kind == "bond-down"), "{kinds:?}");
    let over = incident.events("slave1", "slave-active")?;
    assert!(over.iter().any(|entry| entry["active"] == true), "{:#}", incident.json);
    Ok(())
}
