//! `recovery.json`, beside an incident: what became of recoveries for it. The incident itself stays as it was written.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use probe_core::recovery::Record;
use probe_core::time::{Mono, WallOffset};
use serde_json::{Value, json};

use super::state::write_whole;
use crate::incident::wall;

/// Its name.
pub const RECOVERY: &str = "recovery.json";
/// Version of the format: raised when a field changes its meaning or goes.
const VERSION: u64 = 1;
/// Most bytes that are read of it.
const LARGEST: u64 = 4 << 20;
/// Recoveries of one incident that are kept: the newest.
const MOST: usize = 32;

/// Adds a recovery to those of an incident. The file changes whole or not at all.
///
/// # Errors
/// The system's: the incident may have been removed since. Nothing is made then.
pub fn keep(directory: &Path, record: &Record, wall: WallOffset) -> io::Result<()> {
    let path = directory.join(RECOVERY);
    let mut all = read(directory)?;
    all.push(document(record, wall)?);
    let from = all.len().saturating_sub(MOST);
    let value = json!({ "version": VERSION, "recoveries": all[from..] });
    write_whole(&path, format!("{value:#}\n").as_bytes())
}

/// The recoveries of an incident; none where there were none.
///
/// # Errors
/// The system's, and that the file cannot be understood.
pub fn read(directory: &Path) -> io::Result<Vec<Value>> {
    let file = match File::open(directory.join(RECOVERY)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && directory.is_dir() => return Ok(Vec::new()),
        file => file?,
    };
    let mut text = Vec::new();
    file.take(LARGEST).read_to_end(&mut text)?;
    let mut value: Value = serde_json::from_slice(&text)?;
    if value["version"] != VERSION {
        return Err(io::Error::other(format!("version {} is not known here", value["version"])));
    }
    match value["recoveries"].take() {
        Value::Array(all) => Ok(all),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, "there is no list of recoveries in it")),
    }
}

/// Recoveries in words, a line for each step, for whoever reads the report.
pub fn words(recoveries: &[Value]) -> String {
    let mut out = String::new();
    for recovery in recoveries {
        let text = |name: &str| recovery[name].as_str().unwrap_or_default();
        out += &format!("\nRecovery: {} for {} ({})\n", text("outcome"), text("why"), text("mode"));
        for step in recovery["steps"].as_array().into_iter().flatten() {
            let time = step["at"]["wall"].as_str().unwrap_or_default();
            let link = step["link"]["name"].as_str().map_or_else(String::new, |name| format!("{name}: "));
            let time = time.split_once('T').map_or(time, |(_, time)| time);
            let time: String = time.chars().take(15).collect();
            out += &format!("  {time}  {link}{}\n", step["text"].as_str().unwrap_or_default());
        }
    }
    out
}

fn document(record: &Record, offset: WallOffset) -> io::Result<Value> {
    let time = |at: Mono| json!({ "mono_ns": at.0, "wall": wall::rfc3339(offset.wall_ns(at)) });
    let mut value = serde_json::to_value(record)?;
    value["from"] = time(record.from);
    value["to"] = time(record.to);
    for (place, step) in record.steps.iter().enumerate() {
        value["steps"][place]["at"] = time(step.at);
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use probe_core::recovery::{Done, Outcome, RecoverMode, Step};
    use probe_core::timeline::LinkName;

    fn record(outcome: Outcome) -> Record {
        let link = Some(LinkName { ifindex: 3, name: "eth1".to_owned() });
        let step = Done { at: Mono(5), link, step: Step::Takes, text: "is taken out of bond0".to_owned() };
        Record {
            incident: "x".to_owned(),
            directory: String::new(),
            why: "tx-blackout".to_owned(),
            bond: "bond0".to_owned(),
            mode: RecoverMode::On,
            outcome,
            from: Mono(4),
            to: Mono(9),
            steps: vec![step],
        }
    }

    #[test]
    fn each_recovery_of_an_incident_is_added_with_its_steps_and_times() {
        let dir = tempfile::tempdir().expect("a directory");
        for outcome in [Outcome::Refused, Outcome::Recovered] {
            keep(dir.path(), &record(outcome), WallOffset(0)).expect("room");
        }
        let all = read(dir.path()).expect("a file");
        assert_eq!((all.len(), &all[1]["outcome"], &all[0]["mode"]), (2, &json!("recovered"), &json!("on")));
        assert_eq!(all[0]["steps"][0]["step"], "takes");
        assert_eq!(all[0]["steps"][0]["at"]["mono_ns"], 5);
        let words = words(&all);
        assert!(words.contains("Recovery: recovered for tx-blackout (on)\n"), "{words}");
        assert!(words.contains("  eth1: is taken out of bond0\n"), "{words}");
    }

    #[test]
    fn an_incident_that_is_gone_is_not_made_again() {
        let dir = tempfile::tempdir().expect("a directory");
        let gone = dir.path().join("gone");
        assert!(keep(&gone, &record(Outcome::Done), WallOffset(0)).is_err());
        assert!(!gone.exists());
    }

    #[test]
    fn a_file_that_nobody_can_understand_is_told_and_kept() {
        let dir = tempfile::tempdir().expect("a directory");
        for text in ["{", "{\"version\":9,\"recoveries\":[]}", "{\"version\":1}"] {
            std::fs::write(dir.path().join(RECOVERY), text).expect("room");
            assert!(keep(dir.path(), &record(Outcome::Done), WallOffset(0)).is_err(), "{text}");
            assert_eq!(std::fs::read_to_string(dir.path().join(RECOVERY)).expect("a file"), text);
        }
    }
}
