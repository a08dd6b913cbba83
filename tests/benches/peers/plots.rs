//! The plots that the README shows.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use linkprobe_tests::peers::plot::Chart;
use linkprobe_tests::peers::stats::Spread;
use serde_json::Value;

use crate::peer::{EMPTY, LINKPROBE};
use crate::results::Row;

type Groups = Vec<(String, Vec<(String, Spread)>)>;

/// Writes `bench-*.svg` to a directory.
///
/// # Errors
/// The system's.
pub fn write(dir: &Path, rows: &[Row], incident: &[Row], events: Option<&Value>, machine: &str) -> Result<()> {
    let at = |note: &str| format!("{note} On {}.", machine.split(';').next().unwrap_or_default());
    let kernel = groups(rows, |row| (row.peer != EMPTY).then_some(row.over_empty_ns));
    save(
        dir,
        "bench-kernel",
        "What a packet costs the kernel",
        &at("Nanoseconds of CPU over an empty XDP program."),
        false,
        kernel,
    )?;
    let process = groups(rows, |row| row.process_ns);
    save(
        dir,
        "bench-process",
        "What a packet costs the capturing process",
        &at("Nanoseconds of CPU, logarithmic."),
        true,
        process,
    )?;
    let lost = groups(rows, |row| row.lost_percent);
    save(dir, "bench-lost", "Packets that are not in the file", &at("Percent of those that came."), false, lost)?;
    let disk = groups(incident, |row| row.bytes);
    save(dir, "bench-disk", "The storm of the reference incident on the disk", &at("Bytes, logarithmic."), true, disk)?;
    if let Some(events) = events.map(|events| &events[0]) {
        let rows = events["rows"].as_array().into_iter().flatten();
        let bar = |row: &Value, name: &str| {
            let value = row[name].as_f64()?;
            Some((
                row["who"].as_str()?.replace("linkprobe", LINKPROBE),
                Spread { median: value, low: value, high: value, count: 1 },
            ))
        };
        let rows: Vec<&Value> = rows.collect();
        let group = |title: &str, name: &str| (title.to_owned(), rows.iter().filter_map(|row| bar(row, name)).collect());
        let groups = vec![group("median", "p50_ms"), group("95 of 100", "p95_ms")];
        let note = at("Milliseconds from a carrier's flip until it is known, logarithmic; of those that were seen.");
        save(dir, "bench-events", "How soon a carrier's flip is known", &note, true, groups)?;
    }
    Ok(())
}

fn save(dir: &Path, name: &str, title: &str, note: &str, log: bool, groups: Groups) -> Result<()> {
    if groups.is_empty() {
        return Ok(());
    }
    let path = dir.join(format!("{name}.svg"));
    fs::write(&path, Chart { title, note, log, ours: LINKPROBE, groups }.svg()).with_context(|| path.display().to_string())
}

/// Peers by load; what there is nothing of is left out.
fn groups(rows: &[Row], pick: impl Fn(&Row) -> Option<Spread>) -> Groups {
    let mut groups: Groups = Vec::new();
    for row in rows {
        let Some(spread) = pick(row) else { continue };
        match groups.last_mut().filter(|(load, _)| load == row.load) {
            Some((_, bars)) => bars.push((row.peer.to_owned(), spread)),
            None => groups.push((row.load.to_owned(), vec![(row.peer.to_owned(), spread)])),
        }
    }
    groups
}
