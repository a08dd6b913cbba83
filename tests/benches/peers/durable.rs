//! From the trigger to a file that survives a power cut, beside the least that the disk takes for the same bytes.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use linkprobe_tests::live::{Length, Order, send};
use linkprobe_tests::peers::stats::Spread;
use serde_json::{Value, json};

use crate::bed::{Bed, FAR};
use crate::cell::SENDING;
use crate::peer::{Linkprobe, files_below};

/// Goal: no more than so many times the floor.
pub const GOAL: f64 = 1.5;

/// Writes incidents, each after a second of 10,000 packets/s, and each beside the same bytes written by hand.
///
/// # Errors
/// What does not work.
pub fn measure(rounds: usize) -> Result<Value> {
    let bed = Bed::new("durable")?;
    let dir = bed.scratch.path().join("agent");
    fs::create_dir_all(&dir)?;
    let linkprobe =
        Linkprobe { options: "--hook xdp --before 2s --after 100ms --cooldown 1ms", after: Duration::from_millis(100) };
    let running = linkprobe.launch(&bed, &dir)?;
    let (mut took, mut floors, mut ratios, mut sizes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        let length = Length::Time(Duration::from_secs(1));
        send(Order {
            netns: &bed.far,
            link: FAR,
            cpu: SENDING,
            size: Some(508),
            mark: round as u64,
            rate: Some(10_000),
            length,
        })?;
        let (incident, time) = running.incident()?;
        let floor = floor(&incident, running.incidents())?;
        took.push(time.as_secs_f64() * 1e3);
        floors.push(floor.as_secs_f64() * 1e3);
        ratios.push(time.as_secs_f64() / floor.as_secs_f64());
        sizes.push(files_below(&incident)?.1 as f64);
    }
    let [took, floors, ratio, size] = [took, floors, ratios, sizes].map(Spread::of);
    Ok(json!({
        "rounds": rounds, "bytes": size.median, "after_window_ms": took, "floor_ms": floors, "ratio": ratio,
    }))
}

/// Writes the files of an incident again: beside, synced, renamed, as nobody can do it with less. The time is that until they stand
/// under their name, as it is for the incident; both then sync the directory above as well.
fn floor(incident: &Path, parent: &Path) -> Result<Duration> {
    let mut files = Vec::new();
    for file in files_below(incident)?.0 {
        files.push((file.file_name().context("a file without a name")?.to_owned(), fs::read(&file)?));
    }
    let (beside, last) = (parent.join(".floor"), parent.join(".floor-done"));
    let start = Instant::now();
    fs::create_dir(&beside)?;
    for (name, bytes) in &files {
        let mut file = File::create(beside.join(name))?;
        file.write_all(bytes)?;
        file.sync_all()?;
    }
    File::open(&beside)?.sync_all()?;
    fs::rename(&beside, &last)?;
    let took = start.elapsed();
    File::open(parent)?.sync_all()?;
    fs::remove_dir_all(&last)?;
    Ok(took)
}
