//! What everything is measured on: a veth pair across two namespaces, frames sent into the far end, captured at the near one.

use std::fs;

use anyhow::{Context, Result};
use linkprobe_tests::harness::{Netns, Scratch, Veth, command};

/// The end that is captured on.
pub const NEAR: &str = "wan0";
/// The end that is sent into.
pub const FAR: &str = "far0";

/// A classic BPF program of one instruction, in tc's words: `return TC_ACT_STOLEN`.
const STOLEN: &str = "1,6 0 0 4";

/// A veth pair, and a directory for what is captured.
pub struct Bed {
    /// Where the peers run.
    pub near: Netns,
    /// Where the frames come from.
    pub far: Netns,
    /// Removed at the end.
    pub scratch: Scratch,
}

/// How the kernel takes the near end's carrier (linkwatch_urgent_event in net/core/link_watch.c).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// As a bond's slave, or a link on top of another one: what happens to it is told at once.
    Stacked,
    /// As a plain interface: told once a second, so what lasted shorter is only counted.
    Plain,
}

impl Bed {
    /// Makes one. The near end takes frames without buffers whether or not there is a program on it: its GRO is on throughout, so that
    /// all that changes from peer to peer is the peer.
    ///
    /// # Errors
    /// What `ip` and `ethtool` say.
    pub fn new(label: &str) -> Result<Self> {
        Self::with(label, Port::Stacked)
    }

    /// The same, with a near end of either sort.
    ///
    /// # Errors
    /// See [`Self::new`].
    pub fn with(label: &str, port: Port) -> Result<Self> {
        let bed = Self { near: Netns::new(label)?, far: Netns::new(label)?, scratch: Scratch::new(label)? };
        if port == Port::Stacked {
            // A link is taken for one on top of another when its number is not that of its other end: so that of the far end is made to differ.
            bed.far.ip("link add pad0 type veth peer name pad1")?;
        }
        Veth::new(1, (&bed.near, NEAR), (&bed.far, FAR))?;
        // as on a wire; an XDP program that takes no frame of several buffers does not attach to a larger one
        for (netns, link) in [(&bed.near, NEAR), (&bed.far, FAR)] {
            netns.ip(&format!("link set {link} mtu 1500"))?;
        }
        bed.near.exec(&format!("ethtool -K {NEAR} gro on")).context("ethtool (from Debian's package of that name)")?;
        // Behind the taps a frame is taken out as one is that is routed on: used up, not dropped. Nobody's frames would be dropped by the
        // stack, one by one, and what watches drops would look at each.
        bed.near.exec(&format!("tc qdisc add dev {NEAR} clsact")).context("the qdisc clsact")?;
        let filter = ["filter", "add", "dev", NEAR, "ingress", "protocol", "all", "bpf", "bytecode", STOLEN, "direct-action"];
        command::succeed(bed.near.command("tc").args(filter)).context("a filter that takes all frames")?;
        Ok(bed)
    }

    /// Packets that the near end has taken so far, before any program or socket.
    ///
    /// # Errors
    /// When the link is gone.
    pub fn arrived(&self) -> Result<u64> {
        let text = self.near.run(|| fs::read_to_string("/proc/thread-self/net/dev"))??;
        let line = text.lines().find_map(|line| line.trim_start().strip_prefix(NEAR)?.strip_prefix(':'));
        // received: bytes, packets
        let packets = line.context("no counters of the link")?.split_whitespace().nth(1);
        packets.context("the counters are cut off")?.parse().context("a counter that is no number")
    }
}
