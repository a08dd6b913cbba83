//! The goals, each with what was measured. A missed one fails nothing: it is told.

use serde::Serialize;
use serde_json::Value;

use crate::results::{Row, ours};
use crate::{INCIDENT, durable, events, peer};

/// Most process CPU, in parts of that of tcpdump -s128.
const PROCESS: f64 = 1.0 / 20.0;
/// Most bytes on the disk for the reference incident, in parts of tcpdump's.
const DISK: f64 = 1.0 / 100.0;

/// A goal and what became of it.
#[derive(Clone, Debug, Serialize)]
pub struct Goal {
    /// What it is about.
    pub what: String,
    /// What was aimed at.
    pub goal: String,
    /// What was measured.
    pub measured: String,
    /// Whether it is met; `None` when it was not measured.
    pub met: Option<bool>,
}

impl Goal {
    /// In a word.
    pub fn verdict(&self) -> &'static str {
        match self.met {
            Some(true) => "met",
            Some(false) => "MISSED",
            None => "not measured",
        }
    }
}

/// All of them.
pub fn goals(rows: &[Row], incident: &[Row], events: Option<&Value>, durable: Option<&Value>) -> Vec<Goal> {
    let mut goals = Vec::new();
    let mut rates: Vec<&str> = Vec::new();
    for row in rows {
        let rate = rate_of(row.load);
        if !rates.contains(&rate) {
            rates.push(rate);
        }
    }
    for rate in &rates {
        goals.push(process(rows, rate));
    }
    if let Some(first) = incident.first() {
        goals.push(process(incident, first.load));
    }
    goals.push(lost(rows));
    goals.push(counted(rows));
    for rate in &rates {
        goals.push(kernel(rows, rate));
    }
    goals.push(disk(incident));
    goals.push(detection(events));
    goals.push(durably(durable));
    goals
}

/// What stands before the size in a load's name.
fn rate_of(load: &str) -> &str {
    load.split_once(',').map_or(load, |(rate, _)| rate)
}

fn process(rows: &[Row], rate: &str) -> Goal {
    let at = ours(rows).filter(|row| rate_of(row.load) == rate);
    let ratios: Vec<f64> = at.filter_map(|row| Some(row.process_to_tcpdump?.median)).collect();
    let worst = ratios.iter().copied().fold(f64::NAN, f64::max);
    Goal {
        what: format!("process CPU per packet, {rate}"),
        goal: "at most 1/20 of tcpdump -s128".to_owned(),
        measured: if ratios.is_empty() {
            String::new()
        } else {
            format!("1/{:.0} ({})", 1.0 / worst, process_note(rate, ratios.len()))
        },
        met: (!ratios.is_empty()).then_some(worst <= PROCESS),
    }
}

/// A storm opens an incident, whose capture and files are most of what the process does then, however many packets the storm has.
fn process_note(rate: &str, count: usize) -> &'static str {
    match rate {
        "storm" => "with the incident that it opens",
        INCIDENT => "with its files",
        _ => sizes(count),
    }
}

fn kernel(rows: &[Row], rate: &str) -> Goal {
    let at = ours(rows).filter(|row| rate_of(row.load) == rate);
    let ratios: Vec<f64> = at.filter_map(|row| Some(row.over_empty_to_tcpdump?.median)).collect();
    let worst = ratios.iter().copied().fold(f64::NAN, f64::max);
    Goal {
        what: format!("kernel cost over the empty program, {rate}"),
        goal: "at most that of tcpdump's socket".to_owned(),
        measured: if ratios.is_empty() { String::new() } else { format!("{worst:.2} of it ({})", sizes(ratios.len())) },
        met: (!ratios.is_empty()).then_some(worst <= 1.0),
    }
}

fn sizes(count: usize) -> &'static str {
    if count > 1 { "worst size" } else { "one size" }
}

fn lost(rows: &[Row]) -> Goal {
    let most: Vec<u64> = ours(rows).filter_map(|row| row.lost_most).collect();
    let worst = most.iter().max();
    Goal {
        what: "packets lost within the window".to_owned(),
        goal: "none".to_owned(),
        measured: worst.map_or_else(String::new, |worst| format!("{worst} in the worst round of {} loads", most.len())),
        met: worst.map(|worst| *worst == 0),
    }
}

fn counted(rows: &[Row]) -> Goal {
    let wrong: Vec<usize> = ours(rows).filter_map(|row| row.miscounted_rounds).collect();
    let fastest = ours(rows).map(|row| row.rate.median).fold(0.0, f64::max);
    Goal {
        what: "packets counted, up to the fastest rate".to_owned(),
        goal: "every one".to_owned(),
        measured: match wrong.iter().sum::<usize>() {
            0 => format!("every one, up to {fastest:.0} a second"),
            rounds => format!("another number than came in {rounds} measurements"),
        },
        met: (!wrong.is_empty()).then(|| wrong.iter().all(|rounds| *rounds == 0)),
    }
}

fn disk(incident: &[Row]) -> Goal {
    let bytes = |peer: &str| Some(incident.iter().find(|row| row.peer == peer)?.bytes?.median);
    let ratio = bytes(peer::LINKPROBE).zip(bytes(peer::TCPDUMP)).map(|(own, other)| own / other);
    Goal {
        what: "disk for the reference incident's packets".to_owned(),
        goal: "at most 1/100 of tcpdump -G".to_owned(),
        measured: ratio.map_or_else(String::new, |ratio| format!("1/{:.0}", 1.0 / ratio)),
        met: ratio.map(|ratio| ratio <= DISK),
    }
}

fn detection(events: Option<&Value>) -> Goal {
    let told = events.map(|events| &events[0]["rows"][0]);
    let p95 = told.and_then(|told| told["p95_ms"].as_f64());
    let share = told.and_then(|told| told["share"].as_f64()).unwrap_or(0.0);
    Goal {
        what: "a slave's carrier flip told to a collector, p95".to_owned(),
        goal: format!("at most {} ms", events::GOAL_MS),
        measured: p95.map_or_else(String::new, |p95| format!("{p95:.2} ms, {:.1} % of the flips", share * 100.0)),
        met: events.map(|_| share >= 0.95 && p95.is_some_and(|p95| p95 <= events::GOAL_MS)),
    }
}

fn durably(durable: Option<&Value>) -> Goal {
    let ratio = durable.and_then(|durable| durable["ratio"]["median"].as_f64());
    Goal {
        what: "trigger to durable files, less the window".to_owned(),
        goal: format!("at most {} × the fsync floor", durable::GOAL),
        measured: ratio.map_or_else(String::new, |ratio| format!("{ratio:.2} × the floor")),
        met: ratio.map(|ratio| ratio <= durable::GOAL),
    }
}
