//! What is sent out of a real bond: to whom a slave belongs, and what was found.

use std::fs;

use anyhow::{Context, Result};
use linkprobe_tests::harness::wait::{patience, until_true};
use serde_json::Value;

use crate::lab::{Lab, OPTIONS, bond};

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
