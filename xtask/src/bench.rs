//! `cargo xtask bench`: the measurements, on the machine's own kernel.

use std::process::Command;

use anyhow::{Result, ensure};

use crate::exec::{self, is_root};
use crate::{build, paths, toolchain, ui};

/// Measure: what Linkprobe costs and loses beside its peers, what the kernel programs cost a packet, what the agent costs the machine.
///
/// Needs root, and measures on this machine's kernel (rates in the VM rig mean nothing). Nothing here fails because of a time that was
/// measured.
#[derive(clap::Args)]
pub struct Args {
    /// What to measure [default: peers, quickly]
    #[arg(value_enum)]
    what: Option<What>,
    /// Ends within five minutes, once everything is built (peers only; the others are short anyway)
    #[arg(long)]
    quick: bool,
    /// Passed on to the bench
    #[arg(last = true, value_name = "ARGS")]
    rest: Vec<String>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum What {
    /// Cost, losses, disk and time beside tcpdump, dumpcap and xdpdump, which it installs from Debian; 20 minutes
    Peers,
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
    let what = args.what.unwrap_or(What::Peers);
    ensure!(is_root() || matches!(what, What::Analyze), "the bench loads kernel programs: run it as root");
    toolchain::ensure()?;
    if matches!(what, What::Peers) {
        toolchain::ensure_peers();
    }
    let programs = build::programs()?;
    let name = match what {
        What::Peers => "peers",
        What::Kernel => "kernel",
        What::Agent => "agent",
        What::Analyze => "analyze",
    };
    ui::loud(&format!("bench {name}"), || {
        let mut cargo = Command::new("cargo");
        cargo.current_dir(paths::repo()).args(["bench", "-p", "linkprobe-tests", "--bench", name, "--"]);
        // who does not say what he wants to measure has not got twenty minutes
        let quick =
            matches!(what, What::Peers) && (args.quick || args.what.is_none()) && !args.rest.iter().any(|word| word == "--quick");
        cargo.args(quick.then_some("--quick")).args(&args.rest);
        exec::run(cargo.env("LINKPROBE_BIN", programs.linkprobe).env("LINKPROBE_TRAFFIC_BIN", programs.traffic))
    })
}
