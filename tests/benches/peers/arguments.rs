//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Parser;

use crate::STORM_RATE;
use crate::cell::Load;
use crate::peer::{EMPTY, all};
use crate::table::REFERENCE;

/// What Linkprobe costs and loses beside tcpdump, dumpcap and xdpdump.
#[derive(Parser)]
pub struct Arguments {
    /// Fewer loads, peers and rounds, and shorter: within five minutes.
    #[arg(long)]
    pub quick: bool,
    /// Rounds; the medians are shown [default: 5, quick: 3].
    #[arg(long)]
    rounds: Option<usize>,
    /// Seconds of each measurement [default: 0.7].
    #[arg(long)]
    seconds: Option<f64>,
    /// Only this peer, beside the empty program; may be given several times. Leaves out what is not about peers.
    #[arg(long, value_name = "PEER")]
    pub only: Vec<String>,
    /// Only the loads whose names contain this.
    #[arg(long, value_name = "TEXT")]
    load: Option<String>,
    /// Write the plots, bench-*.svg, to this directory (from the project's own on).
    #[arg(long, value_name = "DIR")]
    pub plots: Option<PathBuf>,
    /// Only compare the generators.
    #[arg(long)]
    pub generators: bool,
    /// Only measure from trigger to durable files.
    #[arg(long)]
    pub durable: bool,
    /// For the gaps between carrier flips.
    #[arg(long, default_value_t = 2017)]
    pub seed: u64,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// cargo adds this.
    #[arg(long, hide = true)]
    bench: bool,
}

/// Sizes are those on the wire, with FCS.
const LOADS: [Load; 10] = [
    Load { name: "10k/s, 64 bytes", rate: Some(10_000), size: Some(64) },
    Load { name: "10k/s, 512 bytes", rate: Some(10_000), size: Some(512) },
    Load { name: "10k/s, 1500 bytes", rate: Some(10_000), size: Some(1500) },
    Load { name: "100k/s, 64 bytes", rate: Some(100_000), size: Some(64) },
    Load { name: "100k/s, 512 bytes", rate: Some(100_000), size: Some(512) },
    Load { name: "100k/s, 1500 bytes", rate: Some(100_000), size: Some(1500) },
    Load { name: "flat out, 64 bytes", rate: None, size: Some(64) },
    Load { name: "flat out, 512 bytes", rate: None, size: Some(512) },
    Load { name: "flat out, 1500 bytes", rate: None, size: Some(1500) },
    Load { name: "storm, 370k/s", rate: Some(STORM_RATE), size: None },
];
/// Those of a quick run.
const QUICK: [&str; 4] = ["100k/s, 512 bytes", "flat out, 64 bytes", "flat out, 1500 bytes", "storm, 370k/s"];
/// Peers that a quick run leaves out: the others of the same tool cost less.
const LONG: [&str; 2] = ["tcpdump", "dumpcap"];

impl Arguments {
    /// Refuses what makes no sense.
    ///
    /// # Errors
    /// With what would.
    pub fn check(&self) -> Result<()> {
        ensure!(self.rounds() > 0 && self.seconds() > 0.05, "a bench needs rounds and seconds");
        let names: Vec<&str> = all().iter().map(|peer| peer.name()).collect();
        for only in &self.only {
            ensure!(names.contains(&only.as_str()), "no peer is called {only:?}; there are {}", names.join(", "));
        }
        ensure!(!self.loads().is_empty(), "no load has that in its name");
        Ok(())
    }

    /// Rounds.
    pub fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 3 } else { 5 })
    }

    fn seconds(&self) -> f64 {
        // with what Linkprobe has to drain (0.3) a whole second: in each, the agent does once what it does each second
        self.seconds.unwrap_or(0.7)
    }

    /// Of a measurement.
    pub fn length(&self) -> Duration {
        Duration::from_secs_f64(self.seconds())
    }

    /// The loads.
    pub fn loads(&self) -> Vec<Load> {
        let named = |load: &Load| self.load.as_ref().is_none_or(|text| load.name.contains(text.as_str()));
        LOADS.into_iter().filter(|load| !self.quick || QUICK.contains(&load.name)).filter(named).collect()
    }

    /// Whether a peer takes part in the comparison.
    pub fn wants(&self, peer: &str) -> bool {
        if !self.only.is_empty() {
            return peer == EMPTY || self.only.iter().any(|only| only == peer);
        }
        !self.quick || !LONG.contains(&peer)
    }

    /// Packets of the storm whose bytes on the disk are compared: all of the reference incident's, or a tenth.
    pub fn storm(&self) -> u64 {
        if self.quick { REFERENCE / 10 } else { REFERENCE }
    }

    /// How long the carrier flips, on each of two links.
    pub fn flips(&self) -> Duration {
        Duration::from_secs(if self.quick { 15 } else { 45 })
    }

    /// Incidents that are written beside their floor.
    pub fn incidents(&self) -> usize {
        if self.quick { 7 } else { 21 }
    }
}
