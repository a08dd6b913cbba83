//! The interleaved rounds.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use linkprobe_tests::live::Length;
use linkprobe_tests::live::generator::STOP;

use crate::arguments::Arguments;
use crate::bed::Bed;
use crate::cell::{self, Load, Sample};
use crate::peer::{LINKPROBE, Peer, all};
use crate::results::{Row, Samples, rows};

/// Measures every peer at every load, round by round.
///
/// # Errors
/// When the bed cannot be made, or a signal came. A peer that fails is told and goes without that measurement.
pub fn compare(arguments: &Arguments, loads: &[Load]) -> Result<Vec<Row>> {
    let bed = Bed::new("peers")?;
    let peers = present(|name| arguments.wants(name), true);
    let names: Vec<&'static str> = peers.iter().map(|peer| peer.name()).collect();
    let mut samples: Vec<Samples> = loads.iter().map(|_| Samples::new()).collect();
    for round in 0..arguments.rounds() {
        let start = Instant::now();
        for (load, samples) in loads.iter().zip(&mut samples) {
            for (number, peer) in peers.iter().enumerate() {
                let sample = measure(&bed, peer.as_ref(), *load, Length::Time(arguments.length()), None)?;
                samples.entry(number).or_default().push(sample);
            }
        }
        eprintln!("round {} of {}: {:.0} s", round + 1, arguments.rounds(), start.elapsed().as_secs_f64());
    }
    Ok(loads.iter().zip(&samples).flat_map(|(load, samples)| rows(*load, &names, samples)).collect())
}

/// Measures, at one load, every peer that writes files, with `linkprobe` in the place of the ordinary one. `drain`: how long a peer has
/// to take what waits for it; its own time when `None`.
///
/// # Errors
/// See [`compare`].
pub fn once(
    arguments: &Arguments,
    linkprobe: &dyn Peer,
    load: Load,
    length: Length,
    drain: Option<Duration>,
    rounds: usize,
) -> Result<Vec<Row>> {
    eprintln!("{}", load.name);
    let bed = Bed::new("once")?;
    let wanted = |name: &str| arguments.only.is_empty() || arguments.wants(name);
    let others = present(|name| name != LINKPROBE && wanted(name), false);
    let mut peers: Vec<&dyn Peer> = others.iter().map(AsRef::as_ref).filter(|peer| peer.program().is_some()).collect();
    if wanted(LINKPROBE) {
        peers.insert(0, linkprobe);
    }
    let names: Vec<&'static str> = peers.iter().map(|peer| peer.name()).collect();
    let mut samples = Samples::new();
    for _ in 0..rounds {
        for (number, peer) in peers.iter().enumerate() {
            samples.entry(number).or_default().push(measure(&bed, *peer, load, length, drain)?);
        }
    }
    Ok(rows(load, &names, &samples))
}

/// One measurement; `None` when the peer failed, which is told.
fn measure(bed: &Bed, peer: &dyn Peer, load: Load, length: Length, drain: Option<Duration>) -> Result<Option<Sample>> {
    match cell::measure(bed, peer, load, length, drain.unwrap_or_else(|| peer.drain())) {
        Ok(sample) => Ok(Some(sample)),
        Err(error) if STOP.load(Ordering::Relaxed) => bail!("ended by a signal: {error:#}"),
        Err(error) => {
            eprintln!("no measurement of this round: {error:#}");
            Ok(None)
        }
    }
}

/// The peers that are wanted, as far as their programs are there; `tell`: who is left out for that is told.
fn present(wanted: impl Fn(&str) -> bool, tell: bool) -> Vec<Box<dyn Peer>> {
    let mut peers = all();
    peers.retain(|peer| {
        let missing = peer.program().filter(|program| !is_there(program));
        if let Some(program) = missing.filter(|_| tell && wanted(peer.name())) {
            eprintln!("{} is left out: there is no {program}", peer.name());
        }
        missing.is_none() && wanted(peer.name())
    });
    peers
}

fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}
