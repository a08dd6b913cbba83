//! One measurement: a peer, a rate, a size.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use linkprobe_tests::live::{Length, Order, cpu, send};
use linkprobe_tests::peers::records::{self, Records};

use crate::bed::{Bed, FAR};
use crate::peer::Peer;

/// CPU of the generator and of the softirq that it feeds. The peers and everything else have the other.
pub const SENDING: usize = 0;
/// See [`SENDING`].
pub const CAPTURING: usize = 1;
/// A rate and a size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// Name of both.
    pub name: &'static str,
    /// Frames a second; flat out when `None`.
    pub rate: Option<u32>,
    /// Bytes of a frame with FCS; the storm when `None`.
    pub size: Option<usize>,
}

/// What one measurement gave.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sample {
    /// Packets that reached the near end.
    pub packets: u64,
    /// Packets that the pair itself had no room for: no peer could have seen them.
    pub unseen: u64,
    /// Packets a second.
    pub rate: f64,
    /// CPU time of sender and softirq for a packet, nanoseconds.
    pub kernel_ns: f64,
    /// CPU time of the peer's process for a packet, nanoseconds.
    pub process_ns: Option<f64>,
    /// Packets that the peer counted.
    pub counted: Option<u64>,
    /// Packets that are not in its file, and should be.
    pub lost: Option<u64>,
    /// Packets that it says it lost.
    pub said_lost: Option<u64>,
    /// Bytes of its files.
    pub bytes: Option<u64>,
    /// Most resident memory, bytes.
    pub memory: Option<u64>,
    /// Packets behind the last one that is in its file.
    pub tail: Option<u64>,
    /// From asking for the file until it was there.
    pub ready: Duration,
}

/// Measures once.
///
/// # Errors
/// What does not work; a peer's own losses are no error.
pub fn measure(bed: &Bed, peer: &dyn Peer, load: Load, length: Length, drain: Duration) -> Result<Sample> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mark = u64::from(std::process::id()) << 32 | NEXT.fetch_add(1, Ordering::Relaxed);
    let dir = bed.scratch.path().join(format!("cell-{}", mark & 0xffff_ffff));
    fs::create_dir_all(&dir)?;
    let sample = within(bed, peer, load, length, drain, mark, &dir).with_context(|| format!("{} at {}", peer.name(), load.name));
    // hundreds of megabytes may be on their way to the disk still: they need not get there
    fs::remove_dir_all(&dir)?;
    sample
}

fn within(
    bed: &Bed,
    peer: &dyn Peer,
    load: Load,
    length: Length,
    drain: Duration,
    mark: u64,
    dir: &std::path::Path,
) -> Result<Sample> {
    let running = peer.start(bed, dir)?;
    let pid = running.pid();
    let process_before = pid.map(settled).transpose()?;
    let before = bed.arrived()?;
    let size = load.size.map(|size| size - 4);
    let order = Order { netns: &bed.far, link: FAR, cpu: SENDING, size, mark, rate: load.rate, length };
    let sent = send(order)?;
    let packets = bed.arrived()? - before;
    if pid.is_some() {
        thread::sleep(drain);
    }
    let process = pid.map(cpu::of_process).transpose()?.zip(process_before).map(|(now, before)| now.saturating_sub(before));
    let memory = pid.map(highest_memory).transpose()?;
    let outcome = running.finish()?;
    let mut found: Option<Records> = None;
    for file in &outcome.files {
        let records = records::count(file, mark, outcome.from_ns)?;
        found = Some(found.map_or(records, |found| found.and(records)));
    }
    let per_packet = |ns: u64| ns as f64 / packets.max(1) as f64;
    let lost = found.map(|found| match (load.size, found.numbers) {
        // of a window only what follows its first packet
        (Some(_), Some((first, _))) if outcome.window => packets.saturating_sub(first + found.marked),
        (Some(_), _) => packets.saturating_sub(found.marked),
        // a storm's copies are told by their count, or kept
        (None, _) if outcome.window => packets.saturating_sub(outcome.counted.unwrap_or(0)),
        (None, _) => packets.saturating_sub(found.all),
    });
    Ok(Sample {
        packets,
        unseen: sent.frames.saturating_sub(packets),
        tail: found.and_then(|found| Some(sent.frames.saturating_sub(found.numbers?.1 + 1))),
        rate: packets as f64 / (sent.ns.max(1) as f64 / 1e9),
        kernel_ns: per_packet(sent.cpu_ns),
        process_ns: process.map(per_packet),
        counted: outcome.counted,
        lost,
        said_lost: outcome.said_lost,
        bytes: found.is_some().then_some(outcome.bytes),
        memory,
        ready: outcome.ready,
    })
}

/// Waits until a process has done what its start leaves to do; its CPU time then. Nothing comes to it yet.
fn settled(pid: u32) -> Result<u64> {
    let mut before = cpu::of_process(pid)?;
    for _ in 0..40 {
        thread::sleep(Duration::from_millis(100));
        let now = cpu::of_process(pid)?;
        if now.saturating_sub(before) < 1_000_000 {
            return Ok(now);
        }
        before = now;
    }
    Ok(before)
}

/// The most memory that a process had resident, bytes; what it shares with the kernel and looks at (rings) is in it.
fn highest_memory(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("the process is gone")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse::<u64>()? * 1024)
}
