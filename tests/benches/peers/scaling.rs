//! Two pairs, two generators on two CPUs: whether what is recorded on one CPU slows down the other.

use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use linkprobe_tests::live::{Length, Order, send};
use linkprobe_tests::peers::stats::Spread;
use serde_json::{Value, json};

use crate::bed::{Bed, FAR};
use crate::peer::{EMPTY, LINKPROBE, Peer, all};

/// Packets a second, flat out with one generator and with two, for the empty program and for Linkprobe.
///
/// # Errors
/// What does not work.
pub fn measure(rounds: usize, length: Duration, cpus: &[usize]) -> Result<Value> {
    let beds = [Bed::new("scale")?, Bed::new("scale")?];
    let peers: Vec<Box<dyn Peer>> = all().into_iter().filter(|peer| [EMPTY, LINKPROBE].contains(&peer.name())).collect();
    let mut runs: Vec<[Vec<f64>; 2]> = peers.iter().map(|_| Default::default()).collect();
    for round in 0..rounds {
        for (peer, runs) in peers.iter().zip(&mut runs) {
            let dirs = [0, 1].map(|i| beds[i].scratch.path().join(format!("{round}-{}", peer.name().len())));
            let mut running = Vec::new();
            for (bed, dir) in beds.iter().zip(&dirs) {
                std::fs::create_dir_all(dir)?;
                running.push(peer.start(bed, dir)?);
            }
            thread::sleep(Duration::from_millis(200));
            runs[0].push(together(&beds[..1], cpus, length)?);
            runs[1].push(together(&beds, cpus, length)?);
            drop(running);
            dirs.iter().try_for_each(|dir: &std::path::PathBuf| std::fs::remove_dir_all(Path::new(dir)))?;
        }
    }
    let rows = peers.iter().zip(&runs).map(|(peer, [one, two])| {
        json!({
            "peer": peer.name(), "one": Spread::of(one.iter().copied()), "two": Spread::of(two.iter().copied()),
            "speedup": Spread::paired(two, one, |two, one| two / one),
        })
    });
    Ok(json!({ "cpus": cpus.len(), "rows": rows.collect::<Vec<_>>() }))
}

/// Packets a second that arrive at all beds together, each fed from a CPU of its own.
fn together(beds: &[Bed], cpus: &[usize], length: Duration) -> Result<f64> {
    let rates = thread::scope(|scope| {
        let feed = |(i, bed)| {
            let cpu = cpus[i % cpus.len()];
            scope.spawn(move || one(bed, cpu, length))
        };
        let workers: Vec<_> = beds.iter().enumerate().map(feed).collect();
        let ended = workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        ended.collect::<Result<Vec<f64>>>()
    })?;
    Ok(rates.iter().sum())
}

fn one(bed: &Bed, cpu: usize, length: Duration) -> Result<f64> {
    let before = bed.arrived()?;
    let order = Order { netns: &bed.far, link: FAR, cpu, size: Some(60), mark: 1, rate: None, length: Length::Time(length) };
    let sent = send(order)?;
    Ok((bed.arrived()? - before) as f64 / (sent.ns as f64 / 1e9))
}
