//! The peers, each in a file of its own. A further one is a file with a [`Peer`], and a line in [`all`].

mod dumpcap;
mod empty;
mod linkprobe;
mod nothing;
mod tcpdump;
mod tool;
mod xdpdump;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::bed::Bed;
pub use linkprobe::Linkprobe;

/// Something that is compared.
pub trait Peer: Sync {
    /// Its name in tables, and for `--only`.
    fn name(&self) -> &'static str;

    /// The program that it needs; `None` where it needs none.
    fn program(&self) -> Option<&'static str> {
        None
    }

    /// Time that it is given to take what waits for it, before it is ended. libpcap hands a block over when it is full, or after a time:
    /// a second by tcpdump's choice.
    fn drain(&self) -> Duration {
        Duration::from_millis(1100)
    }

    /// Starts it at the near end of the pair. Its files go to `dir`. It captures when this returns.
    ///
    /// # Errors
    /// What it says.
    fn start(&self, bed: &Bed, dir: &Path) -> Result<Box<dyn Running>>;
}

/// A peer that runs. It is ended with the value.
pub trait Running {
    /// Its process; `None` where there is nothing but a program in the kernel.
    fn pid(&self) -> Option<u32> {
        None
    }

    /// Ends it as its user would who has seen a fault: he wants a file that he can open.
    ///
    /// # Errors
    /// What it says.
    fn finish(self: Box<Self>) -> Result<Outcome>;
}

/// What a peer has at its end.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Its capture files. Peers that capture nothing have none.
    pub files: Vec<PathBuf>,
    /// Bytes of all that it wrote to the disk.
    pub bytes: u64,
    /// Packets that it counted.
    pub counted: Option<u64>,
    /// Packets that it says it lost.
    pub said_lost: Option<u64>,
    /// From when on it says that its file is complete, nanoseconds since 1970.
    pub from_ns: u64,
    /// From asking for the file until all of it could be opened.
    pub ready: Duration,
    /// It keeps a window that ends at the fault, and says from when on: what is older is no loss.
    pub window: bool,
}

/// All peers, in the order of the tables. The first is what the others' kernel cost is held against.
pub fn all() -> Vec<Box<dyn Peer>> {
    vec![
        Box::new(empty::Empty),
        Box::new(nothing::Nothing),
        Box::new(Linkprobe::default()),
        Box::new(tcpdump::WHOLE),
        Box::new(tcpdump::CUT),
        Box::new(dumpcap::WHOLE),
        Box::new(dumpcap::RING),
        Box::new(xdpdump::Xdpdump),
    ]
}

/// The [`Peer::drain`] of a peer that fetches its packets as they come, or reads none.
const SOON: Duration = Duration::from_millis(300);

/// Name of the empty program.
pub const EMPTY: &str = "empty program";
/// Name of Linkprobe.
pub const LINKPROBE: &str = "linkprobe";
/// Name of the peer that most goals are about.
pub const TCPDUMP_CUT: &str = "tcpdump -s128";
/// Name of the peer that the goal of disk is about.
pub const TCPDUMP: &str = "tcpdump";

/// The regular files below a directory, and their bytes.
///
/// # Errors
/// The system's.
pub fn files_below(dir: &Path) -> Result<(Vec<PathBuf>, u64)> {
    let (mut files, mut bytes) = (Vec::new(), 0);
    for entry in std::fs::read_dir(dir).with_context(|| dir.display().to_string())? {
        let path = entry?.path();
        let meta = path.metadata()?;
        if meta.is_dir() {
            let (more, further) = files_below(&path)?;
            files.extend(more);
            bytes += further;
        } else {
            bytes += meta.len();
            files.push(path);
        }
    }
    files.sort();
    Ok((files, bytes))
}
