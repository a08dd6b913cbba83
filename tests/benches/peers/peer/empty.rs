//! An XDP program that lets everything pass: what a hook costs by itself.

use std::path::Path;

use anyhow::Result;
use linkprobe_tests::harness::programs::{Foreign, Hook};

use super::{EMPTY, Outcome, Peer, Running};
use crate::bed::{Bed, NEAR};

pub struct Empty;

struct Attached(#[expect(dead_code, reason = "detached when it is dropped")] Foreign);

impl Peer for Empty {
    fn name(&self) -> &'static str {
        EMPTY
    }

    fn start(&self, bed: &Bed, _: &Path) -> Result<Box<dyn Running>> {
        Ok(Box::new(Attached(Foreign::attach(&bed.near, NEAR, Hook::Xdp)?)))
    }
}

impl Running for Attached {
    fn finish(self: Box<Self>) -> Result<Outcome> {
        Ok(Outcome::default())
    }
}
