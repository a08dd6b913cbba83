//! `linkprobe`: parse, do, exit code.

use std::process::ExitCode;

use clap::Parser;
use probe_user::cli::{Cli, Command};
use probe_user::config::ConfigErrors;
use probe_user::{agent, commands, incident};

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Run(args) => agent::run(&args),
        Command::Check(args) => commands::check::run(&args),
        Command::Watch(args) => commands::watch::run(&args),
        Command::Status(args) => commands::status::run(&args),
        Command::Incidents(args) => incident::run(&args),
        Command::Trigger(args) => commands::trigger::run(&args),
        Command::Doctor(args) => commands::doctor::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads the output has seen enough: `linkprobe watch | head`.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("linkprobe: {error:#}");
            ExitCode::from(if error.is::<ConfigErrors>() { 2 } else { 1 })
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe))
}
