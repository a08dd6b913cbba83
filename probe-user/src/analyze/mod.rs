//! `linkprobe analyze`: old captures, told to the engine as if they happened now.
//!
//! Files are read twice: a first look finds names, addresses and bonds ([`scout`]), then all packets are replayed in the order of
//! their time ([`merge`], [`replay`]). Both are streams: memory does not depend on the size of the files. What comes out is an incident
//! like a running agent's ([`output`]).

mod args;
mod clock;
pub mod input;
mod interrupt;
mod keep;
mod merge;
pub mod open;
mod output;
mod progress;
mod replay;
mod scout;
#[cfg(test)]
mod tests;
mod zstd;

use anyhow::bail;
use probe_core::replay::{Wanted, plan};

pub use args::AnalyzeArgs;

/// Runs the command.
///
/// # Errors
/// When there is nothing to analyse, or one file could not be read to its end: what could be read is analysed before that is told.
pub fn run(args: &AnalyzeArgs) -> anyhow::Result<()> {
    let files = args.files()?;
    let target = output::Target::new(args, &files)?;
    let interrupt = interrupt::Interrupt::watch()?;
    let (count, total) = (files.len(), files.iter().map(args::Named::size).sum());
    let (sources, scout, mut problems) = {
        let position = open::Position::default();
        let _progress = progress::Progress::start(&position, scout::share(&files), "first look");
        scout::look(files, &position, &interrupt)
    };
    let wanted = Wanted { macs: args.mac.clone(), bonds: args.bond.clone() };
    let plan = plan(&scout, &wanted);
    let replayed = replay::replay(sources, &plan, args, total, &interrupt);
    if interrupt.is_asked() {
        bail!("interrupted: nothing was written");
    }
    problems.extend(replayed.problems.iter().cloned());
    problems.iter().for_each(|problem| eprintln!("linkprobe: {problem}"));
    target.write(replayed, plan.notes, &problems)?;
    match problems.len() {
        0 => Ok(()),
        wrong => bail!("{wrong} of {count} files could not be read to the end"),
    }
}
