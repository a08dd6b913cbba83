//! LACP that fails while every carrier stays.

use anyhow::{Context, Result};
use linkprobe_tests::harness::wait::{patience, until_true};
use linkprobe_tests::harness::{Agent, Incident, Netns, json};
use serde_json::Value;

use crate::lab::{Lab, bond};

/// A window that is long enough for the way back.
const OPTIONS: &str = "--bond bond0 --before 10s --after 10s --cooldown 0s --memory 8MiB --snaplen 512";

/// Drops LACPDUs on a link, `egress` or `ingress`; nothing else.
fn drop_lacpdus(side: &Netns, link: &str, direction: &str) -> Result<()> {
    side.exec(&format!("tc qdisc add dev {link} clsact"))?;
    side.exec(&format!("tc filter add dev {link} {direction} protocol 0x8809 matchall action drop"))?;
    Ok(())
}

/// The two rows of LACP's table.
fn slaves(agent: &Agent) -> Result<Vec<Value>> {
    Ok(json::list(&agent.status()?, "/lacp")?.to_vec())
}

/// Waits until both slaves are in a phase.
fn wait_for(agent: &Agent, phase: &str) -> Result<()> {
    let all = || {
        let slaves = slaves(agent)?;
        Ok(slaves.len() == 2 && slaves.iter().all(|slave| slave["phase"] == phase))
    };
    until_true(&format!("LACP is {phase}"), patience(10), all).with_context(|| format!("{:#?}\n{}", slaves(agent), agent.log()))
}

/// An agent that has heard both ends of both slaves.
fn heard(lab: &Lab) -> Result<Agent> {
    let agent = lab.launch(OPTIONS).start()?;
    let both = || Ok(slaves(&agent)?.iter().all(|slave| slave["ours"]["seen"] != 0 && slave["partner"]["seen"] != 0));
    until_true("LACPDUs of both ends", patience(10), both).with_context(|| agent.log())?;
    wait_for(&agent, "working")?;
    Ok(agent)
}

/// Texts of the triggers of one kind.
fn texts(incident: &Incident, kind: &str) -> Result<Vec<String>> {
    let fired = json::list(&incident.json, "/triggers")?.iter().filter(|trigger| trigger["kind"] == kind);
    fired.map(|trigger| Ok(json::text(trigger, "/text")?.to_owned())).collect()
}

/// What the bonding driver and the taps counted on a slave, in order.
fn counted(incident: &Incident, slave: &str) -> Result<Vec<[u64; 4]>> {
    let events = incident.events(slave, "lacp-counters")?;
    let counts = |event: &&Value| {
        let number = |pointer| json::number(event, pointer);
        Ok([number("/counters/sent")?, number("/seen_sent")?, number("/counters/received")?, number("/seen_received")?])
    };
    events.iter().map(counts).collect()
}

#[test]
fn a_partner_whose_lacpdus_stop_is_found_though_the_bonds_carrier_stays_and_so_is_its_return() -> Result<()> {
    let lab = Lab::lacp()?;
    let mut agent = heard(&lab)?;
    for port in ["port0", "port1"] {
        drop_lacpdus(&lab.bonds.switch, port, "egress")?;
    }
    until_true("an incident", patience(5), || Ok(agent.log().contains("LACP no longer works"))).with_context(|| agent.log())?;
    wait_for(&agent, "failed")?;
    assert!(slaves(&agent)?.iter().all(|slave| slave["partner"]["silent"] == true), "{:#?}", slaves(&agent)?);
    let table = agent.ask("status")?.out;
    assert!(table.contains("SILENT"), "{table}");
    assert!(lab.bonds.carrier(bond())?, "a plain bond keeps its carrier");
    // the kernel is asked a moment after the failure, and what it counted tells something only while it lasts
    let asked = || Ok(["slave0", "slave1"].iter().all(|slave| agent.log().contains(&format!("{slave}: LACPDUs in "))));
    until_true("the kernel's counters", patience(5), asked).with_context(|| agent.log())?;
    for port in ["port0", "port1"] {
        lab.bonds.switch.exec(&format!("tc qdisc del dev {port} clsact"))?;
    }
    wait_for(&agent, "working")?;
    let incident = agent.incident(patience(40))?;
    let down = texts(&incident, "lacp-down")?;
    assert_eq!(down.len(), 2, "{down:?}");
    assert!(down.iter().all(|text| text.contains("the partner sent no LACPDU for 3.0 s")), "{down:?}");
    assert_eq!(texts(&incident, "lacp-up")?.len(), 2, "{}", incident.report);
    assert!(incident.carrier(bond())?.is_empty(), "{}", incident.report);
    for slave in ["slave0", "slave1"] {
        // the kernel's own view, which it tells only when it is asked
        let states = incident.events(slave, "attribute")?;
        assert!(states.iter().any(|entry| entry["name"] == "actor port state"), "{}", incident.report);
        let counted = counted(&incident, slave)?;
        assert!(counted.iter().any(|[sent, seen, ..]| *sent > 0 && *seen > 0), "{counted:?}\n{}", incident.report);
    }
    println!("{table}\n{}", incident.report);
    Ok(())
}

#[test]
fn lacpdus_of_ours_that_do_not_arrive_are_told_apart_from_those_that_are_not_sent() -> Result<()> {
    let lab = Lab::lacp()?;
    let mut agent = heard(&lab)?;
    drop_lacpdus(&lab.bonds.switch, "port0", "ingress")?;
    let incident = agent.incidents(1, patience(40))?.swap_remove(0);
    let down = texts(&incident, "lacp-down")?;
    assert_eq!(down.len(), 1, "{down:?}");
    assert!(down[0].starts_with("slave0: LACP no longer works: the partner is expired"), "{down:?}");
    // the partner sends less often once it takes us for gone; we never stop
    let silence = incident.events("slave0", "lacp-silence")?;
    assert!(silence.iter().all(|entry| entry["direction"] == "ingress"), "{silence:?}");
    let counted = counted(&incident, "slave0")?;
    let near = |a: u64, b: u64| a.abs_diff(b) <= 1;
    assert!(counted.iter().any(|[sent, ..]| *sent > 0), "{counted:?}");
    assert!(counted.iter().all(|[sent, seen, got, came]| near(*sent, *seen) && near(*got, *came)), "{counted:?}");
    println!("{}", incident.report);
    Ok(())
}

#[test]
fn a_partner_with_another_system_is_named() -> Result<()> {
    let lab = Lab::lacp()?;
    let mut agent = heard(&lab)?;
    lab.bonds.switch.ip("link set bond0 type bond ad_actor_system 02:00:00:00:be:ef")?;
    let incident = agent.incidents(1, patience(40))?.swap_remove(0);
    let partner = texts(&incident, "lacp-partner")?;
    assert_eq!(partner.len(), 2, "{}", incident.report);
    assert!(partner.iter().all(|text| text.contains("another partner answers: system 02:00:00:00:be:ef, was ")), "{partner:?}");
    println!("{}", incident.report);
    Ok(())
}

#[test]
fn a_carrier_that_goes_and_comes_is_no_failure_of_lacp() -> Result<()> {
    let lab = Lab::lacp()?;
    let mut agent = heard(&lab)?;
    lab.port(0, false)?;
    until_true("the carrier is gone", patience(5), || Ok(!lab.bonds.carrier("slave0")?))?;
    lab.port(0, true)?;
    lab.bonds.converged()?;
    wait_for(&agent, "working")?;
    let incident = agent.incident(patience(40))?;
    let kinds = incident.trigger_kinds()?;
    assert!(kinds.iter().any(|kind| kind == "slave-down") && !kinds.iter().any(|kind| kind.starts_with("lacp")), "{kinds:?}");
    Ok(())
}
