//! JSON by the names of the Elastic Common Schema, so that what is stored needs no mapping. What the schema has no name for is under
//! `linkprobe`. Objects are nested: every store takes them, dotted names not all.

use probe_core::notice::{Notice, event};
use probe_core::tone::Tone;
use probe_core::verdict::FindingKind;
use serde_json::{Map, Value, json};

use super::super::about::About;
use crate::incident::wall;

/// Version of the schema.
pub const VERSION: &str = "8.17.0";

/// A notice. `number` counts the receiver's messages: with the agent's start it is an id that comes once.
pub fn notice(notice: &Notice, text: &str, about: &About, number: u64) -> Value {
    let mut what = json!({
        "kind": kind(notice),
        "category": [category(notice)],
        "type": [type_of(notice)],
        "action": notice.event,
        "severity": notice.level.number(),
        "outcome": outcome(notice.tone),
        "id": format!("{:x}-{:x}-{number}", about.started_ns, about.pid),
        "dataset": "linkprobe.events",
    });
    let found = notice.finding;
    if let Some(reason) = found.and_then(|found| found.kind).map(FindingKind::name).or(notice.trigger) {
        what["reason"] = reason.into();
    }
    let mut own = Map::new();
    own.insert("tone".to_owned(), notice.tone.name().into());
    if let Some(id) = &notice.incident {
        own.insert("incident".to_owned(), json!({ "id": id }));
    }
    for (name, value) in [("bond", &notice.place.bond), ("slave", &notice.place.slave)] {
        if let Some(value) = value {
            own.insert(name.to_owned(), value.as_str().into());
        }
    }
    if let Some(trigger) = notice.trigger {
        own.insert("trigger".to_owned(), trigger.into());
    }
    if let Some(found) = found {
        let mut finding = json!({ "severity": found.severity.name(), "confidence": found.confidence.name() });
        if let Some(kind) = found.kind {
            finding["kind"] = kind.name().into();
        }
        own.insert("finding".to_owned(), finding);
    }
    if let Some(dropped) = notice.dropped {
        let times = [dropped.first_ns, dropped.last_ns].map(wall::rfc3339_utc);
        own.insert("dropped".to_owned(), json!({ "messages": dropped.messages, "from": times[0], "to": times[1] }));
    }
    let mut document = json!({
        "message": text,
        "log": { "level": notice.level.name(), "logger": "linkprobe" },
        "event": what,
        "linkprobe": own,
    });
    if let Some(link) = notice.link.as_ref().filter(|link| !link.name.is_empty()) {
        let interface = json!({ "id": link.ifindex.to_string(), "name": link.name });
        document["observer"] = json!({ "ingress": { "interface": interface } });
    }
    complete(&document, about, notice.wall_ns)
}

/// A document with what stands in each: time, schema, host, agent, module. What it says itself stays.
pub fn complete(document: &Value, about: &About, at_ns: u64) -> Value {
    let mut whole = json!({
        "@timestamp": wall::rfc3339_utc(at_ns),
        "ecs": { "version": VERSION },
        "host": { "name": about.host, "hostname": about.host },
        "agent": { "name": about.instance, "type": "linkprobe", "version": about.version },
        "process": { "pid": about.pid },
        "observer": { "hostname": about.host, "product": "linkprobe" },
        "event": { "module": "linkprobe" },
    });
    merge(&mut whole, document);
    whole
}

/// Puts `other` over `value`, objects into objects.
fn merge(value: &mut Value, other: &Value) {
    match (value, other) {
        (Value::Object(value), Value::Object(other)) => {
            for (name, other) in other {
                merge(value.entry(name.as_str()).or_insert(Value::Null), other);
            }
        }
        (value, other) => *value = other.clone(),
    }
}

/// An alert where a rule of ours found something bad; else an event.
fn kind(notice: &Notice) -> &'static str {
    let judged = notice.trigger.is_some() || notice.finding.is_some();
    if judged && notice.tone == Tone::Failure { "alert" } else { "event" }
}

/// Of the agent itself, or of the network.
fn category(notice: &Notice) -> &'static str {
    match notice.event {
        event::AGENT_STARTED | event::AGENT_STOPPED | event::MESSAGES_DROPPED | "alarm" | "tap-attached" | "tap-detached" => {
            "process"
        }
        _ => "network",
    }
}

/// One that the schema allows for its category.
fn type_of(notice: &Notice) -> &'static str {
    match (notice.event, notice.tone) {
        (event::AGENT_STARTED, _) => "start",
        (event::AGENT_STOPPED, _) => "end",
        ("carrier" | "oper" | "admin" | "vanished" | "slave-mii", Tone::Failure) => "end",
        ("carrier" | "oper" | "admin" | "slave-mii", Tone::Recovery) => "start",
        _ => "info",
    }
}

fn outcome(tone: Tone) -> &'static str {
    match tone {
        Tone::Failure => "failure",
        Tone::Recovery => "success",
        Tone::Note => "unknown",
    }
}
