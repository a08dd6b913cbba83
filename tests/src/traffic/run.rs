//! A run of the generator: which frames, how many, how fast.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::frame::{Built, Plan, build};
use super::kind::Kind;
use super::numbers::{Moment, Numbers};
use super::sender::Sender;

/// What a run sends.
#[derive(Clone, Debug)]
pub struct Run {
    /// Interface of the calling thread's network namespace.
    pub interface: String,
    /// Kinds, in turn from burst to burst.
    pub kinds: Vec<Kind>,
    /// What the frames have in common.
    pub plan: Plan,
    /// Frames in all; no limit when `None`.
    pub count: Option<u64>,
    /// Time in all; no limit when `None`.
    pub duration: Option<Duration>,
    /// Frames a second; as fast as it goes when `None`.
    pub rate: Option<u32>,
    /// Frames sent back to back.
    pub burst: usize,
    /// Past the qdisc, and so past programs on tc egress.
    pub bypass: bool,
}

/// One kind under way.
struct Lane {
    kind: Kind,
    sender: Sender,
    next: u64,
    frames: Vec<Vec<u8>>,
    built: Vec<Built>,
}

impl Run {
    /// Sends until count or duration is reached, or `stop` is set, and tells what was sent.
    ///
    /// An interface that is down is waited for: refusals are counted, and the frame is tried again.
    ///
    /// # Errors
    /// A plan that cannot be built; an interface that is not there or goes away; a frame that the interface cannot take (EMSGSIZE).
    pub fn go(&self, stop: &AtomicBool) -> Result<Numbers> {
        if self.kinds.is_empty() || self.burst == 0 || self.rate == Some(0) {
            bail!("a run needs a kind, and a burst and a rate above 0");
        }
        let mut lanes = self.kinds.iter().map(|kind| self.lane(*kind)).collect::<Result<Vec<_>>>()?;
        let mut numbers = Numbers { interface: self.interface.clone(), stream: self.plan.stream, ..Numbers::default() };
        let start = Instant::now();
        let mut sent = 0;
        for turn in 0.. {
            let left = self.count.map_or(u64::MAX, |count| count.saturating_sub(sent));
            let over = |now: Instant| self.duration.is_some_and(|limit| now.duration_since(start) >= limit);
            if left == 0 || over(Instant::now()) || stop.load(Ordering::Relaxed) {
                break;
            }
            let lane = &mut lanes[turn % self.kinds.len()];
            let size = self.burst.min(usize::try_from(left).unwrap_or(usize::MAX));
            lane.fill(&self.plan, size);
            let mut done = 0;
            while done < size {
                let before = Moment::now();
                match lane.sender.send(&lane.frames[done..size]) {
                    Ok(count) => {
                        let counts = numbers.kinds.entry(lane.kind).or_default();
                        lane.built[done..done + count].iter().for_each(|frame| counts.add(*frame));
                        counts.at(before, Moment::now());
                        done += count;
                    }
                    Err(error) => {
                        let name = errno_name(&error).with_context(|| format!("{}: {error}", self.interface))?;
                        *numbers.refused.entry(name.to_owned()).or_default() += 1;
                        if over(Instant::now()) || stop.load(Ordering::Relaxed) {
                            break;
                        }
                        if lane.kind.is_storm() && name == "ENOBUFS" {
                            // a storm does not care what becomes of it
                            done += 1;
                            continue;
                        }
                        // not much more often than it is asked to send: taps see every attempt
                        let pause = self.rate.map_or(0, |rate| 1_000_000 / u64::from(rate)).clamp(200, 100_000);
                        thread::sleep(Duration::from_micros(pause));
                    }
                }
            }
            lane.next += lane.built[..done].iter().map(|frame| frame.marks).sum::<u64>();
            sent += done as u64;
            self.wait(start, sent);
        }
        numbers.finish();
        Ok(numbers)
    }

    fn lane(&self, kind: Kind) -> Result<Lane> {
        self.plan.check(kind)?;
        let sender = match kind {
            Kind::GsoUdp => Sender::udp(&self.interface, self.plan.size_of(kind) - 42),
            _ => Sender::open(&self.interface, kind == Kind::Gso, self.bypass),
        };
        let sender = sender.with_context(|| format!("cannot send on {}", self.interface))?;
        Ok(Lane { kind, sender, next: 0, frames: vec![Vec::new(); self.burst], built: Vec::new() })
    }

    /// Sleeps until the frame after `sent` is due. A sender that fell behind catches up.
    fn wait(&self, start: Instant, sent: u64) {
        let Some(rate) = self.rate else { return };
        let due = start + Duration::from_nanos((u128::from(sent) * 1_000_000_000 / u128::from(rate)) as u64);
        if let Some(rest) = due.checked_duration_since(Instant::now()) {
            thread::sleep(rest);
        }
    }
}

impl Lane {
    fn fill(&mut self, plan: &Plan, size: usize) {
        let mut seq = self.next;
        // a storm's frame never changes
        if self.kind.is_constant() && self.built.len() >= size {
            return;
        }
        self.built.clear();
        for frame in &mut self.frames[..size] {
            let built = build(plan, self.kind, seq, frame);
            seq += built.marks;
            self.built.push(built);
        }
    }
}

/// The name of an error after which the frame may be tried again.
fn errno_name(error: &std::io::Error) -> Option<&'static str> {
    Some(match error.raw_os_error()? {
        libc::ENOBUFS => "ENOBUFS",
        libc::EAGAIN => "EAGAIN",
        libc::EINTR => "EINTR",
        libc::ENETDOWN => "ENETDOWN",
        _ => return None,
    })
}
