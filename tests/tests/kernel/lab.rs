//! What these tests share: a veth pair in two namespaces, a loaded kernel side, and what it recorded.

use std::{
    sync::atomic::AtomicBool,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use linkprobe_tests::{
    harness::{Netns, Scratch, Veth},
    traffic::{Kind, Numbers, Plan, run::Run},
};
use probe_common::{
    counters::TapCounters,
    recorder::{MAX_SNAPLEN, RecordHeader},
    tap::direction,
};
use probe_core::record::records;
use probe_user::kernel::{HookChoice, Kernel, KernelConfig, LinkToTap};

/// Name of the watched end.
pub const NEAR: &str = "near0";
/// Name of the other end.
pub const FAR: &str = "far0";

/// A recorded frame.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub header: RecordHeader,
    pub bytes: Vec<u8>,
}

/// Two namespaces and the pair between them.
pub struct Lab {
    pub near: Netns,
    pub far: Netns,
    pub scratch: Scratch,
    _veth: Veth,
}

impl Lab {
    pub fn new() -> Result<Lab> {
        let (near, far) = (Netns::new("kernel-near")?, Netns::new("kernel-far")?);
        let veth = Veth::new(1, (&near, NEAR), (&far, FAR))?;
        Ok(Lab { near, far, scratch: Scratch::new("kernel")?, _veth: veth })
    }

    /// Everything recorded whole.
    pub fn config(&self) -> KernelConfig {
        KernelConfig {
            snaplen: MAX_SNAPLEN as u32,
            control_snaplen: MAX_SNAPLEN as u32,
            memory_bytes: 16 << 20,
            ..KernelConfig::default()
        }
    }

    /// The watched end, for [`Kernel::attach`].
    pub fn link(&self, ingress: HookChoice) -> Result<LinkToTap> {
        let ifindex = ifindex(&self.near, NEAR)?;
        Ok(LinkToTap { ifindex, name: NEAR.into(), master: 0, ingress, egress: true })
    }

    /// Sends `count` frames of a kind into the watched end.
    pub fn send_in(&self, kind: Kind, count: u64) -> Result<Numbers> {
        self.far.run(|| run(FAR, kind, count))?
    }

    /// Sends `count` frames of a kind out of the watched end.
    pub fn send_out(&self, kind: Kind, count: u64) -> Result<Numbers> {
        self.near.run(|| run(NEAR, kind, count))?
    }
}

fn run(interface: &str, kind: Kind, count: u64) -> Result<Numbers> {
    let run = Run {
        interface: interface.into(),
        kinds: vec![kind],
        plan: Plan::default(),
        count: Some(count),
        duration: None,
        rate: None,
        burst: 16,
        bypass: false,
    };
    run.go(&AtomicBool::new(false))
}

pub fn ifindex(netns: &Netns, name: &str) -> Result<u32> {
    let text = netns.ip(&format!("-o link show dev {name}"))?;
    text.split(':').next().and_then(|index| index.trim().parse().ok()).context("no index")
}

/// Counters of the interface's tap in a direction, once they have reached `packets` (or a second has passed).
pub fn counters(kernel: &Kernel, way: u8, packets: u64) -> Result<TapCounters> {
    let tap = kernel.taps().find(|tap| tap.direction == way).context("no such tap")?.id;
    let end = Instant::now() + Duration::from_secs(1);
    loop {
        let counters = kernel.counters_of(tap)?;
        if counters.total().packets >= packets || Instant::now() > end {
            return Ok(counters);
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// Every frame that the recorder holds of the tap in a direction.
pub fn recorded(kernel: &Kernel, way: u8) -> Result<Vec<Recorded>> {
    let tap = kernel.taps().find(|tap| tap.direction == way).context("no such tap")?.id;
    let mut found = Vec::new();
    for block in kernel.recorder().snapshot(0).blocks {
        for record in records(&block.bytes) {
            let record = record?;
            if record.header.tap == tap {
                found.push(Recorded { header: record.header, bytes: record.bytes.to_vec() });
            }
        }
    }
    Ok(found)
}

/// The direction's name, for messages.
pub fn name_of(way: u8) -> &'static str {
    if way == direction::INGRESS { "ingress" } else { "egress" }
}

/// That nothing was lost.
pub fn nothing_lost(counters: &TapCounters) -> Result<()> {
    let losses = counters.losses;
    let lost = losses.record_busy + losses.record_unreadable + losses.samples_lost + losses.parse_limit;
    ensure!(lost == 0, "{losses:?}");
    Ok(())
}
