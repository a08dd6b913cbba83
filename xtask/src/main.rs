//! Linkprobe's developer commands: set up, build, run, test, bench, and the VM rig. `cargo xtask --help` tells more.
#![forbid(unsafe_code)]

mod bench;
mod build;
mod exec;
mod fuzz;
mod paths;
mod rig;
mod rig_command;
mod run;
mod setup;
mod test;
mod tidy;
mod toolchain;
mod ui;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Linkprobe's developer commands.
///
/// On a fresh Debian machine with rustup's stable toolchain and a C compiler, as root, `cargo xtask run` does everything:
/// it sets up what is missing, builds, boots a VM with a real bond, breaks it, and shows the incident.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", after_help = CACHE)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

const CACHE: &str = "What takes long to make (bpf-linker, qemu, kernels) is kept in $LINKPROBE_TOOLS, else \
$XDG_CACHE_HOME/linkprobe, else ~/.cache/linkprobe, and shared by all checkouts. Deleting it is safe.";

#[derive(Subcommand)]
enum Verb {
    Setup(setup::Args),
    Build(build::Args),
    Run(run::Args),
    Test(test::Args),
    Bench(bench::Args),
    Fuzz(fuzz::Args),
    Rig(rig_command::Args),
}

fn main() -> ExitCode {
    match dispatch(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let code = error.downcast_ref::<exec::ExitWith>().map_or(1, |ended| ended.0);
            // a bare exit code was explained by whoever ended with it
            if !error.is::<exec::ExitWith>() || error.chain().count() > 1 {
                eprintln!("{} {error:#}", ui::verdict(false, "error:"));
            }
            ExitCode::from(code)
        }
    }
}

fn dispatch(cli: Cli) -> Result<()> {
    match cli.verb {
        Verb::Setup(args) => setup::main(&args),
        Verb::Build(args) => build::main(&args),
        Verb::Run(args) => run::main(&args),
        Verb::Test(args) => test::main(&args),
        Verb::Bench(args) => bench::main(&args),
        Verb::Fuzz(args) => fuzz::main(&args),
        Verb::Rig(args) => rig_command::main(&args),
    }
}
