//! The dashboard of the documentation asks only what Prometheus understands.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use linkprobe_tests::harness::{Scratch, command, json};
use serde_json::Value;

const DASHBOARD: &str = include_str!("../../../../docs/grafana-linkprobe.json");

/// Expressions for Prometheus, of panels and annotations.
fn expressions(dashboard: &Value) -> Result<Vec<String>> {
    let panels = json::list(dashboard, "/panels")?.iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().cloned().unwrap_or_default());
    let all = targets.chain(json::list(dashboard, "/annotations/list")?.iter().cloned());
    let prometheus = all.filter(|target| target["datasource"]["uid"] == "${prometheus}");
    let text = |target: Value| target["expr"].as_str().map(str::to_owned).context("no expression");
    prometheus.map(text).collect()
}

#[test]
fn every_expression_of_the_dashboard_is_understood_by_prometheus() -> Result<()> {
    let dashboard: Value = serde_json::from_str(DASHBOARD)?;
    let expressions = expressions(&dashboard)?;
    assert!(expressions.len() > 15, "{expressions:#?}");
    let rules: Vec<Value> = expressions
        .iter()
        .enumerate()
        .map(|(number, text)| {
            // What Grafana puts in.
            let text = text.replace("$__rate_interval", "1m").replace("$instance", ".*").replace("$bond", ".*");
            assert!(!text.contains('$') && text.contains("instance=~"), "{text}");
            serde_json::json!({ "record": format!("test:rule{number}"), "expr": text })
        })
        .collect();
    let scratch = Scratch::new("dashboard")?;
    let file = scratch.path().join("rules.yaml");
    // JSON is YAML.
    fs::write(&file, serde_json::json!({ "groups": [{ "name": "dashboard", "rules": rules }] }).to_string())?;
    let said = command::succeed(Command::new("promtool").args(["check", "rules"]).arg(&file))?;
    assert!(said.contains(&format!("{} rules found", expressions.len())), "{said}");
    Ok(())
}

/// Failures are one colour, recoveries another, and each has its annotation.
#[test]
fn bombs_and_stars_are_annotations() -> Result<()> {
    let dashboard: Value = serde_json::from_str(DASHBOARD)?;
    let list = json::list(&dashboard, "/annotations/list")?;
    for (tone, sign, colour) in [("failure", "💣", "red"), ("recovery", "★", "green")] {
        let found =
            list.iter().find(|annotation| annotation["titleFormat"].as_str().is_some_and(|title| title.starts_with(sign)));
        let found = found.with_context(|| format!("no {sign}"))?;
        assert_eq!((&found["enable"], &found["iconColor"]), (&true.into(), &colour.into()));
        assert!(found["expr"].as_str().is_some_and(|text| text.contains(&format!("tone=\"{tone}\""))), "{found:#}");
    }
    Ok(())
}
