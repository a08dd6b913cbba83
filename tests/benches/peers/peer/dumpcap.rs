//! dumpcap, Wireshark's capturing program: of whole packets into one file, and of 128 bytes of each into a ring of files.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use linkprobe_tests::peers::said;

use super::tool::{self, Tool};
use super::{Peer, Running, SOON};
use crate::bed::{Bed, NEAR};

pub struct Dumpcap {
    name: &'static str,
    options: &'static [&'static str],
}

/// Whole packets.
pub const WHOLE: Dumpcap = Dumpcap { name: "dumpcap", options: &[] };
/// 128 bytes of each, into a ring: eight files of 256 MB, which hold all of a measurement, so that what is missing was lost.
pub const RING: Dumpcap = Dumpcap { name: "dumpcap -s128 -b", options: &["-s", "128", "-b", "filesize:256000", "-b", "files:8"] };

impl Peer for Dumpcap {
    fn name(&self) -> &'static str {
        self.name
    }

    fn program(&self) -> Option<&'static str> {
        Some("dumpcap")
    }

    /// It has the kernel hand its packets over after a quarter of a second.
    fn drain(&self) -> Duration {
        2 * SOON
    }

    fn start(&self, bed: &Bed, dir: &Path) -> Result<Box<dyn Running>> {
        let mut command = bed.near.command("dumpcap");
        command.args(["-q", "-i", NEAR]).args(self.options).arg("-w").arg(tool::file(dir, "ring.pcapng"));
        Tool { command, dir: dir.to_owned(), ready: "File: ", end: libc::SIGINT, said: said::dumpcap }.start()
    }
}
