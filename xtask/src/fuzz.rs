//! `cargo xtask fuzz`: the fuzz targets, for longer than the tests do.

use std::process::Command;

use anyhow::Result;

use crate::{exec, paths, ui};

/// Fuzz every parser of untrusted input, each for some seconds.
///
/// What makes one panic is kept in a file; the message says how to run it again.
#[derive(clap::Args)]
pub struct Args {
    /// Seconds for each target
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Where the random numbers begin [default: the time]
    #[arg(long)]
    seed: Option<u64>,
    /// Only targets with this in their test's name: frames, lacpdus, netlink, answers, routes, logs, flights, recorder, captures, packed,
    /// filters, configuration
    target: Option<String>,
}

/// Runs the verb.
///
/// # Errors
/// The exit code of the tests.
pub fn main(args: &Args) -> Result<()> {
    let now = std::time::UNIX_EPOCH.elapsed().map_or(1, |since| since.as_secs());
    let seed = args.seed.unwrap_or(now);
    ui::loud(&format!("fuzz, seed {seed}"), || {
        let mut cargo = Command::new("cargo");
        cargo.current_dir(paths::repo()).args(["test", "-p", "linkprobe-tests", "--test", "fuzz", "--"]).args(&args.target);
        cargo.arg("--nocapture").env("LINKPROBE_FUZZ_SECONDS", args.seconds.to_string());
        exec::run(cargo.env("LINKPROBE_FUZZ_SEED", seed.to_string()))
    })
}
