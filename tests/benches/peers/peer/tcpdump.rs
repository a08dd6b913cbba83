//! tcpdump, of whole packets as it is by default, and of 128 bytes of each; with files that rotate, as one leaves it running.

use std::path::Path;

use anyhow::Result;
use linkprobe_tests::peers::said;

use super::tool::{self, Tool};
use super::{Peer, Running, TCPDUMP, TCPDUMP_CUT};
use crate::bed::{Bed, NEAR};

pub struct Tcpdump {
    name: &'static str,
    /// Bytes kept of a packet; its own default when `None`.
    snap: Option<&'static str>,
}

/// Whole packets.
pub const WHOLE: Tcpdump = Tcpdump { name: TCPDUMP, snap: None };
/// 128 bytes of each.
pub const CUT: Tcpdump = Tcpdump { name: TCPDUMP_CUT, snap: Some("-s128") };

impl Peer for Tcpdump {
    fn name(&self) -> &'static str {
        self.name
    }

    fn program(&self) -> Option<&'static str> {
        Some("tcpdump")
    }

    fn start(&self, bed: &Bed, dir: &Path) -> Result<Box<dyn Running>> {
        let mut command = bed.near.command("tcpdump");
        // as the operator of the reference incident had it: a file each ten minutes
        command.args(["-n", "-i", NEAR, "-G", "600", "-Z", "root"]).args(self.snap).arg("-w");
        command.arg(tool::file(dir, "dump-%s.pcap"));
        Tool { command, dir: dir.to_owned(), ready: "listening on", end: libc::SIGTERM, said: said::tcpdump }.start()
    }
}
