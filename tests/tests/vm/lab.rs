//! What most tests begin with.

use anyhow::{Context, Result};
use linkprobe_tests::harness::bond::{BOND, Mode};
use linkprobe_tests::harness::wait::{patience, until_true};
use linkprobe_tests::harness::{Agent, Bonds, Launch, Scratch, json};

/// `epb_flags` of what a tap receives.
pub const INGRESS: u32 = 1;
/// `epb_flags` of what a tap transmits.
pub const EGRESS: u32 = 2;

/// Short windows: everything takes longer here.
pub const OPTIONS: &str = "--bond bond0 --before 5s --after 1s --cooldown 0s --memory 8MiB --snaplen 512";

/// A bond with its partner, converged.
pub struct Lab {
    /// Both sides.
    pub bonds: Bonds,
    /// For files.
    pub scratch: Scratch,
}

impl Lab {
    /// A bond with LACP.
    pub fn lacp() -> Result<Lab> {
        Ok(Lab { bonds: Bonds::new(Mode::Lacp)?, scratch: Scratch::new("vm")? })
    }

    /// A bond with one active slave.
    pub fn active_backup() -> Result<Lab> {
        Ok(Lab { bonds: Bonds::new(Mode::ActiveBackup)?, scratch: Scratch::new("vm")? })
    }

    /// An agent on the router's side.
    pub fn launch<'a>(&'a self, options: &'a str) -> Launch<'a> {
        Launch::new(&self.bonds.router, &self.scratch, options)
    }

    /// Sets a port of the switch down, or up: the slave on our side loses its carrier, or gets it.
    pub fn port(&self, number: u8, up: bool) -> Result<()> {
        self.bonds.switch.ip(&format!("link set port{number} {}", if up { "up" } else { "down" }))?;
        Ok(())
    }
}

/// Whether the agent has a tap on a link, in a direction (ingress, egress).
pub fn has_tap(agent: &Agent, link: &str, direction: &str) -> Result<bool> {
    let status = agent.status()?;
    Ok(json::list(&status, "/taps")?.iter().any(|tap| tap["interface"] == link && tap["direction"] == direction))
}

/// Waits until the agent has both taps on a link.
pub fn wait_for_taps(agent: &Agent, link: &str) -> Result<()> {
    let both = || Ok(has_tap(agent, link, "ingress")? && has_tap(agent, link, "egress")?);
    until_true(&format!("taps on {link}"), patience(20), both).with_context(|| agent.log())
}

/// The kernel's release as major and minor number.
pub fn kernel() -> Result<(u32, u32)> {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let mut numbers = release.split(['.', '-']).map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => Ok((major, minor)),
        _ => anyhow::bail!("no release: {release}"),
    }
}

/// The bond's name.
pub const fn bond() -> &'static str {
    BOND
}
