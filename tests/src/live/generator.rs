//! Sends at a rate, or flat out, on one CPU.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::cpu::{self, Softirqd};
use super::{Program, frames};
use crate::harness::Netns;

/// How often a paced sender sends: at 100,000 a second 200 frames come in a row.
const TICK: Duration = Duration::from_millis(2);
/// Frames of one system call flat out: a few ten milliseconds.
const FLAT_OUT: u32 = 20_000;

/// Set by a signal handler: every generator ends at once.
pub static STOP: AtomicBool = AtomicBool::new(false);

/// What is to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// From where.
    pub netns: &'a Netns,
    /// The link that the frames leave by.
    pub link: &'a str,
    /// On which CPU.
    pub cpu: usize,
    /// Bytes of a frame without FCS; the storm of the reference incident when `None`.
    pub size: Option<usize>,
    /// What the frames carry.
    pub mark: u64,
    /// Frames a second; as fast as it goes when `None`.
    pub rate: Option<u32>,
    /// How long.
    pub length: Length,
}

/// When a run ends.
#[derive(Clone, Copy, Debug)]
pub enum Length {
    /// After so long.
    Time(Duration),
    /// After so many frames.
    Frames(u64),
}

/// What became of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sent {
    /// Frames that were handed to the link.
    pub frames: u64,
    /// Nanoseconds from the first to the last.
    pub ns: u64,
    /// CPU time of the sender, and of the softirq that received what it sent: it runs at the end of each batch, on the same CPU and mostly
    /// on the sender's account, the rest on ksoftirqd's. Nanoseconds.
    pub cpu_ns: u64,
    /// The sender's own part of that.
    pub sender_ns: u64,
    /// `CLOCK_MONOTONIC` after the last frame, nanoseconds.
    pub end_ns: u64,
}

/// Sends.
///
/// # Errors
/// What the kernel refuses; or that a signal ended it.
pub fn send(order: Order<'_>) -> Result<Sent> {
    order.netns.run(|| on_this_thread(order))?
}

fn on_this_thread(order: Order<'_>) -> Result<Sent> {
    cpu::pin(0, order.cpu).with_context(|| format!("CPU {}", order.cpu))?;
    let mut lanes = Vec::new();
    match order.size {
        Some(size) => {
            let program = Program::numbering(order.link).context("the sending program")?;
            lanes.push((program, frames::numbered(size, order.mark), 1));
        }
        None => {
            for (frame, share) in frames::storm() {
                lanes.push((Program::plain(order.link).context("the sending program")?, frame, share));
            }
        }
    }
    let softirqd = Softirqd::of(order.cpu);
    let (cpu_before, kernel_before) = (cpu::of_this_thread(), softirqd.cpu_ns());
    let (start, mut sent) = (Instant::now(), 0u64);
    let shares: u32 = lanes.iter().map(|(.., share)| share).sum();
    loop {
        if STOP.load(Ordering::Relaxed) {
            anyhow::bail!("ended by a signal");
        }
        let elapsed = start.elapsed();
        let left = match order.length {
            Length::Time(limit) if elapsed >= limit => 0,
            Length::Time(_) => u64::MAX,
            Length::Frames(all) => all.saturating_sub(sent),
        };
        if left == 0 {
            break;
        }
        let due = order.rate.map_or(u64::from(FLAT_OUT), |rate| due(rate, elapsed + TICK).saturating_sub(sent));
        let turn = u32::try_from(due.min(left)).unwrap_or(u32::MAX).min(FLAT_OUT);
        sent += turn_of(&lanes, turn, shares)?;
        if let Some(rate) = order.rate {
            let next = Duration::from_nanos(sent * 1_000_000_000 / u64::from(rate));
            // a sender that fell behind catches up
            thread::sleep(next.saturating_sub(start.elapsed()).min(TICK));
        }
    }
    let ns = start.elapsed().as_nanos() as u64;
    let end_ns = cpu::monotonic();
    let sender_ns = cpu::of_this_thread() - cpu_before;
    let cpu_ns = sender_ns + softirqd.cpu_ns().saturating_sub(kernel_before);
    Ok(Sent { frames: sent, ns, cpu_ns, sender_ns, end_ns })
}

/// Frames that are to be sent by a time, at a rate.
fn due(rate: u32, elapsed: Duration) -> u64 {
    u64::try_from(u128::from(rate) * elapsed.as_nanos() / 1_000_000_000).unwrap_or(u64::MAX)
}

/// Sends `count` frames, of each lane by its share.
fn turn_of(lanes: &[(Program, Vec<u8>, u32)], count: u32, shares: u32) -> Result<u64> {
    let mut left = count;
    for (i, (program, frame, share)) in lanes.iter().enumerate() {
        let part = if i + 1 == lanes.len() { left } else { (count * share / shares).min(left) };
        if part > 0 {
            again(|| program.send(frame, part)).context("BPF_PROG_TEST_RUN with live frames (Linux 5.18 and later)")?;
        }
        left -= part;
    }
    Ok(u64::from(count))
}

/// The kernel gives up at a signal before it has begun or in the midst: only the first can be tried again, and nobody sends us others.
fn again(mut call: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted && !STOP.load(Ordering::Relaxed) => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_follows_the_clock_and_not_the_ticks() {
        assert_eq!(due(10_000, Duration::from_millis(2)), 20);
        assert_eq!(due(100_000, Duration::from_millis(2500)), 250_000);
        assert_eq!(due(3, Duration::from_millis(999)), 2);
    }
}
