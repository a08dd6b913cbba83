//! `cargo xtask bench`: the measurements, on the machine's own kernel.

use std::process::Command;

use anyhow::{Result, ensure};

use crate::exec::{self, is_root};
use crate::{build, paths, toolchain, ui};

/// Measure: what the kernel programs cost a packet, or what the agent costs the machine.
///
/// Needs root, and measures on this machine's kernel (rates in the VM rig mean nothing).
#[derive(clap::Args)]
pub struct Args {
    /// What to measure
    #[arg(value_enum)]
    what: What,
    /// Passed on to the bench
    #[arg(last = true, value_name = "ARGS")]
    rest: Vec<String>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum What {
    /// Nanoseconds a packet and stage, by BPF_PROG_TEST_RUN, against an empty program
    Kernel,
    /// The agent's processor time and memory at several packet rates
    Agent,
    /// How fast `linkprobe analyze` reads a storm's dump, beside tshark; needs no root
    Analyze,
}

/// Runs the verb.
///
/// # Errors
/// The bench's exit code.
pub fn main(args: &Args) -> Result<()> {
    ensure!(is_root() || matches!(args.what, What::Analyze), "the bench loads kernel programs: run it as root");
    toolchain::ensure()?;
    let programs = build::programs()?;
    let name = match args.what {
        What::Kernel => "kernel",
        What::Agent => "agent",
        What::Analyze => "analyze",
    };
    ui::loud(&format!("bench {name}"), || {
        let mut cargo = Command::new("cargo");
        cargo.current_dir(paths::repo()).args(["bench", "-p", "linkprobe-tests", "--bench", name, "--"]).args(&args.rest);
        exec::run(cargo.env("LINKPROBE_BIN", programs.linkprobe).env("LINKPROBE_TRAFFIC_BIN", programs.traffic))
    })
}
