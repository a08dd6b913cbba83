//! Events that are sent out: to a real syslog daemon, to a collector that misbehaves, into files.

mod collector;
mod dashboard;
mod event_log;
mod syslog;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use linkprobe_tests::harness::Agent;
use linkprobe_tests::harness::json;
use serde_json::Value;

use crate::lab::Lab;

/// Makes so many events at once: changes of an attribute of `wan0`. They end with an MTU of `last`.
fn flood(lab: &Lab, count: u32, last: u32) -> Result<()> {
    let file = lab.scratch.path().join("batch");
    let line = |number: u32| format!("link set wan0 mtu {}\n", if number + 1 == count { last } else { 1300 + number % 2 });
    fs::write(&file, (0..count).map(line).collect::<String>())?;
    let batch = format!("-batch {}", file.display());
    lab.near.ip(&batch).map(|_| ())
}

/// A receiver in `linkprobe status --json`.
fn receiver(agent: &Agent, kind: &str) -> Result<Value> {
    let status = agent.status()?;
    let found = json::list(&status, "/sinks")?.iter().find(|sink| sink["kind"] == kind).cloned();
    found.with_context(|| format!("no {kind} in {status:#}"))
}

/// The documents of a file of JSON lines.
fn documents(path: &Path) -> Result<Vec<Value>> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| serde_json::from_str(line).with_context(|| line.to_owned())).collect()
}
