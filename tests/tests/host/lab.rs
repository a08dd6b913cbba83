//! What most tests begin with.

use anyhow::Result;
use linkprobe_tests::harness::{Launch, Netns, Scratch, Veth};

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
