//! xdpdump of xdp-tools: an XDP program of its own that copies 128 bytes of each packet into a perf ring.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use linkprobe_tests::peers::said;

use super::tool::{self, Tool};
use super::{Peer, Running, SOON};
use crate::bed::{Bed, NEAR};

pub struct Xdpdump;

impl Peer for Xdpdump {
    fn name(&self) -> &'static str {
        "xdpdump -s128"
    }

    fn program(&self) -> Option<&'static str> {
        Some("xdpdump")
    }

    fn drain(&self) -> Duration {
        SOON
    }

    fn start(&self, bed: &Bed, dir: &Path) -> Result<Box<dyn Running>> {
        let mut command = bed.near.command("xdpdump");
        command.args(["-i", NEAR, "--load-xdp-program", "-s", "128", "-w"]).arg(tool::file(dir, "dump.pcapng"));
        Tool { command, dir: dir.to_owned(), ready: "listening on", end: libc::SIGINT, said: said::xdpdump }.start()
    }
}
