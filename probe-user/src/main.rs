//! `linkprobe`: parse, do, exit code.

use std::process::ExitCode;

use clap::Parser;
use probe_user::cli::{Cli, Command};
use probe_user::config::ConfigErrors;
use probe_user::{agent, analyze, commands, incident};

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Run(args) => agent::run(&args),
        Command::Check(args) => commands::check::run(&args),
        Command::Watch(args) => commands::watch::run(&args),
        Command::Status(args) => commands::status::run(&args),
        Command::Incidents(args) => incident::run(&args),
        Command::Trigger(args) => commands::trigger::run(&args),
        Command::Reload(args) => commands::reload::run(&args),
        Command::Analyze(args) => analyze::run(&args),
        Command::Doctor(args) => commands::doctor::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads the output has seen enough: `linkprobe watch | head`.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("linkprobe: {}", in_words(&error));
            ExitCode::from(if error.is::<ConfigErrors>() { 2 } else { 1 })
        }
    }
}

/// The error and its causes in one line. A cause that the line says already is not said again: many libraries repeat theirs.
fn in_words(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |text, cause| match text.as_str() {
        "" => cause,
        said if said.contains(&cause) => text,
        _ => format!("{text}: {cause}"),
    })
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe))
}
