//! `incident.json`: everything but the packets, for programs. `version` is raised when a field changes its meaning or goes.
//!
//! Of links in captures nobody told a state: what is not known of them is null.
//!
//! `normal` is what was usual in the hour before the window, by link and direction, beside the same of the window; null where nothing
//! is known of that time.
//!
//! Every time is `{"mono_ns": …, "wall": "RFC 3339"}`, but for the long series, whose form [`series`] tells.

use probe_core::incident::Incident;
use probe_core::link::LinkState;
use probe_core::time::{Mono, WallOffset};
use probe_core::timeline::What;
use probe_core::verdict::Verdict;
use serde_json::{Value, json};

use super::file::CaptureSummary;
use super::{normal, series, wall, words};

/// Version of the format.
pub const VERSION: u64 = 1;

/// The document.
///
/// # Errors
/// None that can happen with the types as they are: all of them have text as their keys.
pub fn document(
    incident: &Incident,
    capture: &CaptureSummary,
    wall: WallOffset,
    losses: &[(String, u64)],
) -> Result<Value, serde_json::Error> {
    let time = |at: Mono| json!({ "mono_ns": at.0, "wall": wall::rfc3339(wall.wall_ns(at)) });
    let mut triggers = Vec::new();
    for trigger in &incident.triggers {
        let mut value = serde_json::to_value(trigger)?;
        value["at"] = time(trigger.at);
        triggers.push(value);
    }
    let mut timeline = Vec::new();
    let mut clock_steps = Vec::new();
    for entry in &incident.timeline {
        let mut value = serde_json::to_value(entry)?;
        value["at"] = time(entry.at);
        // The words of some events stand in `text` already, without the link: here the line is whole.
        value["text"] = Value::String(words::line(entry));
        value["tone"] = serde_json::to_value(entry.tone())?;
        timeline.push(value);
        if let What::ClockStep { step_ns } = entry.what {
            clock_steps.push(json!({ "at": time(entry.at), "step_ns": step_ns }));
        }
    }
    let mut taps = Vec::new();
    for tap in &incident.taps {
        let mut value = serde_json::to_value(tap)?;
        value["losses"] = counts(&tap.losses);
        value["name"] = Value::String(words::tap_name(tap));
        taps.push(value);
    }
    let mut summary = serde_json::to_value(capture)?;
    summary["file"] = Value::String("capture.pcapng".to_owned());
    summary["missing"] = capture.taps.iter().map(|tap| capture.missing(tap)).sum::<u64>().into();
    summary["filtered"] = capture.filtered().into();
    summary["whole"] = capture.is_whole().into();
    summary["complete_from"] = {
        let [control, bulk] = capture.complete_from.map(|from| from.map(time));
        json!({ "control": control, "bulk": bulk })
    };
    Ok(json!({
        "version": VERSION,
        "id": incident.id,
        "headline": words::headline(incident),
        "program": concat!("linkprobe ", env!("CARGO_PKG_VERSION")),
        "host": incident.host,
        "kernel": incident.kernel,
        "window": {
            "from": time(incident.from),
            "to": time(incident.to),
            "ns": incident.to.since(incident.from),
            "closed": incident.closed,
        },
        "verdict": verdict(&incident.verdict, &time)?,
        "triggers": triggers,
        "timeline": timeline,
        "timeline_lost": incident.timeline_lost,
        "links_before": links(&incident.links_before, incident)?,
        "links_after": links(&incident.links_after, incident)?,
        "taps": taps,
        "series": series::series(incident, &time),
        "normal": normal::document(incident.normal.as_ref(), &time)?,
        "repeats": series::repeats(incident, &time)?,
        "drops": incident.drops,
        "capture": summary,
        "losses": counts(losses),
        "clock_steps": clock_steps,
    }))
}

/// Links. Of those in captures only what they are to each other is known, by inference: a state would be made up.
fn links(links: &[LinkState], incident: &Incident) -> Result<Value, serde_json::Error> {
    const INFERRED: [&str; 8] = ["ifindex", "name", "mac", "master", "kind", "bond", "slave", "mode"];
    fn forget(value: &mut Value) {
        for (name, value) in value.as_object_mut().into_iter().flatten() {
            match (INFERRED.contains(&name.as_str()), value.is_object()) {
                (true, true) => forget(value),
                (true, false) => {}
                (false, _) => *value = Value::Null,
            }
        }
    }
    let mut value = serde_json::to_value(links)?;
    if incident.is_from_captures() {
        value.as_array_mut().into_iter().flatten().for_each(forget);
    }
    Ok(value)
}

/// The verdict, its times as all others.
fn verdict(verdict: &Verdict, time: &impl Fn(Mono) -> Value) -> Result<Value, serde_json::Error> {
    let mut value = serde_json::to_value(verdict)?;
    for (name, findings) in [("chain", &verdict.chain), ("others", &verdict.others)] {
        for (place, finding) in findings.iter().enumerate() {
            let json = &mut value[name][place];
            json["at"] = time(finding.at);
            json["until"] = finding.until.map_or(Value::Null, time);
            for (place, evidence) in finding.evidence.iter().enumerate() {
                if let Some(at) = evidence.at() {
                    json["evidence"][place]["at"] = time(at);
                }
            }
        }
    }
    Ok(value)
}

fn counts(named: &[(String, u64)]) -> Value {
    named.iter().map(|(name, count)| (name.clone(), Value::from(*count))).collect::<serde_json::Map<_, _>>().into()
}
