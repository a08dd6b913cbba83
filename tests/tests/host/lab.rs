//! What most tests begin with.

use anyhow::{Context, Result};
use linkprobe_tests::harness::{Launch, Netns, Scratch, Veth, json};
use serde_json::Value;

/// `epb_flags` of what a tap receives.
pub const INGRESS: u32 = 1;
/// `epb_flags` of what a tap transmits.
pub const EGRESS: u32 = 2;

/// Two namespaces with a veth pair: the agent's end is `wan0`, the other one is `far0`.
pub struct Lab {
    /// Where the agent runs.
    pub near: Netns,
    /// The other side.
    pub far: Netns,
    /// For files.
    pub scratch: Scratch,
}

impl Lab {
    /// Makes one.
    pub fn new() -> Result<Lab> {
        let lab = Lab { near: Netns::new("near")?, far: Netns::new("far")?, scratch: Scratch::new("lab")? };
        Veth::new(1, (&lab.near, "wan0"), (&lab.far, "far0"))?;
        Ok(lab)
    }

    /// An agent in the near namespace.
    pub fn launch<'a>(&'a self, options: &'a str) -> Launch<'a> {
        Launch::new(&self.near, &self.scratch, options)
    }
}

/// A link in `linkprobe status --json`.
pub fn status_link<'a>(status: &'a Value, name: &str) -> Result<&'a Value> {
    json::list(status, "/links")?.iter().find(|link| link["name"] == name).with_context(|| format!("no {name} in {status:#}"))
}

/// A tap in `linkprobe status --json`.
pub fn status_tap<'a>(status: &'a Value, name: &str, direction: &str) -> Result<&'a Value> {
    let mut taps = json::list(status, "/taps")?.iter();
    taps.find(|tap| tap["interface"] == name && tap["direction"] == direction)
        .with_context(|| format!("no tap {name} {direction} in {status:#}"))
}
