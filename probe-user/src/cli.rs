//! The command line.

use clap::{Parser, Subcommand};

use crate::analyze::AnalyzeArgs;
use crate::commands::{doctor::DoctorArgs, reload::ReloadArgs, status::StatusArgs, trigger::TriggerArgs, watch::WatchArgs};
use crate::config::{CheckArgs, RunArgs};
use crate::incident::IncidentsArgs;

/// A flight recorder for the links of Linux routers
///
/// Linkprobe records the packets of a bond and its slaves in the kernel, at next to no cost. When a link breaks it writes one
/// incident: the packets just before and after, and everything that changed, in order.
#[derive(Parser, Debug)]
#[command(name = "linkprobe", version, propagate_version = true)]
#[command(after_help = "Start with:  linkprobe doctor bond0       what this machine can do, and which hooks would be used
             linkprobe run --bond bond0   record, and write incidents to /var/lib/linkprobe/incidents
             linkprobe incidents          what has been written

Exit codes: 0 done, 1 failed, 2 wrong usage.")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Record, watch, and write an incident when something breaks
    Run(Box<RunArgs>),
    /// Check a configuration file and print what would be in effect
    Check(CheckArgs),
    /// Print a row for each link at every change, as CSV or JSON
    Watch(WatchArgs),
    /// Show what a running agent sees, holds and has lost
    Status(StatusArgs),
    /// List incidents, or show one
    Incidents(IncidentsArgs),
    /// Have a running agent write an incident now
    Trigger(TriggerArgs),
    /// Have a running agent read its configuration file again
    ///
    /// So does SIGHUP. All or nothing: when anything is wrong with the file, or needs a restart, it is said and nothing is changed.
    Reload(ReloadArgs),
    /// Say what happened in old captures, pcap or pcapng, of any size
    Analyze(AnalyzeArgs),
    /// Show what this kernel and each interface can do, and which hook will be used and why
    Doctor(DoctorArgs),
}
