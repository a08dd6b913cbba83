//! What is sent out of a real bond: to whom a slave belongs, and what was found.

use std::fs;

use anyhow::{Context, Result};
use linkprobe_tests::harness::metrics::{free_port, get, sum};
use linkprobe_tests::harness::wait::{patience, until_true};
use serde_json::Value;

use crate::lab::{Lab, OPTIONS, bond};

#[test]
fn figures_of_a_bond_and_of_its_slaves_stand_apart_and_lacp_is_told_of_both_ends() -> Result<()> {
    let lab = Lab::lacp()?;
    let (address, path) = (free_port(&lab.bonds.router)?, lab.scratch.path().join("sar.txt"));
    let options = format!("{OPTIONS} --metrics {address} --sar file:{} --traffic-interval 1s", path.display());
    let mut agent = lab.launch(&options).start()?;
    let scrape = || Ok::<_, anyhow::Error>(get(&lab.bonds.router, address, "/metrics", "")?.1);
    let working = [("phase", "working"), ("role", "slave")];
    until_true("LACP works on both slaves", patience(30), || Ok(sum(&scrape()?, "linkprobe_lacp_phase", &working) == Some(2.0)))?;
    let text = scrape()?;
    for slave in ["slave0", "slave1"] {
        for end in ["ours", "partner"] {
            let distributing = [("interface", slave), ("bond", bond()), ("end", end), ("bit", "distributing")];
            assert_eq!(sum(&text, "linkprobe_lacp_state", &distributing), Some(1.0), "{slave} {end}\n{text}");
        }
    }
    let driver = sum(&text, "linkprobe_lacp_driver_pdus_total", &[("interface", "slave0")]);
    assert!(driver.is_some_and(|count| count > 0.0), "{text}");
    assert_eq!(sum(&text, "linkprobe_link_up", &[("interface", bond()), ("role", "bond")]), Some(1.0), "{text}");
    let lines = |name: &str| {
        let text = fs::read_to_string(&path).unwrap_or_default();
        text.lines().filter(|line| line.split_whitespace().nth(1) == Some(name)).count()
    };
    until_true("each link has lines of its own", patience(20), || {
        Ok([bond(), "slave0", "slave1"].iter().all(|name| lines(name) > 2))
    })?;
    assert!(agent.stop()?.success());
    Ok(())
}

#[test]
fn a_slave_s_fall_is_told_with_its_bond_and_then_with_what_was_found() -> Result<()> {
    let lab = Lab::lacp()?;
    let path = lab.scratch.path().join("events.json");
    let options = format!("{OPTIONS} --json file:{}?level=debug&traffic=off", path.display());
    let mut agent = lab.launch(&options).start()?;
    lab.port(0, false)?;
    let incident = agent.incidents(1, patience(30))?.swap_remove(0);
    lab.port(0, true)?;
    let documents = || -> Result<Vec<Value>> {
        let text = fs::read_to_string(&path)?;
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(|line| serde_json::from_str(line).context("a document")).collect()
    };
    let back = |document: &Value| document["event"]["action"] == "carrier" && document["linkprobe"]["tone"] == "recovery";
    until_true("the carrier is back", patience(20), || Ok(documents()?.iter().any(back)))?;
    assert!(agent.stop()?.success());
    let documents = documents()?;
    let of = |action: &str| documents.iter().filter(|document| document["event"]["action"] == action).collect::<Vec<_>>();
    let lost = of("carrier")[0];
    let told = &lost["linkprobe"];
    assert_eq!((&told["bond"], &told["slave"], &told["tone"]), (&bond().into(), &"slave0".into(), &"failure".into()), "{lost:#}");
    assert_eq!(told["incident"]["id"], incident.id().as_str(), "what opened the incident belongs to it: {lost:#}");
    assert_eq!((&lost["log"]["level"], &lost["event"]["outcome"]), (&"warning".into(), &"failure".into()));
    let opened = of("incident-opened")[0];
    assert_eq!((&opened["linkprobe"]["trigger"], &opened["linkprobe"]["bond"]), (&"slave-down".into(), &bond().into()));
    let chain = incident.json["verdict"]["chain"].as_array().context("a chain")?;
    let mine = |document: &&&Value| document["linkprobe"]["incident"]["id"] == incident.id().as_str();
    let written = of("incident-written");
    let written = written.iter().find(mine).context("the incident is told")?;
    assert_eq!(written["linkprobe"]["finding"]["kind"], chain[0]["kind"], "{written:#}");
    let findings = of("finding");
    let kinds: Vec<&Value> = findings.iter().filter(mine).map(|document| &document["linkprobe"]["finding"]["kind"]).collect();
    assert_eq!(kinds, chain.iter().map(|finding| &finding["kind"]).collect::<Vec<_>>());
    assert!(kinds.contains(&&"carrier-loss".into()), "{kinds:?}");
    Ok(())
}
