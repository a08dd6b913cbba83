//! Probes: asks targets by ICMP, ARP and neighbour discovery, and tells what became of each question.
//!
//! One task finds out whom to ask ([`manager`]): the configured targets and the next hops of the routing table. Each target has a
//! task of its own ([`target`]) with a socket that receives nothing but answers to its questions. All run on the agent's one
//! thread; none of them blocks. When to ask and what counts as an answer is decided by [`probe_core::reach`].

mod filter;
mod manager;
mod names;
mod socket;
mod sys;
mod target;
#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use probe_core::reach::{ProbeSample, Target, TargetSpec};
use probe_core::table::Watched;
use tokio::sync::mpsc;

/// Reports that wait for the agent at most: minutes of all probes.
const MOST_WAITING: usize = 4096;

/// What is to be probed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProbeConfig {
    /// Configured targets.
    pub targets: Vec<TargetSpec>,
    /// Find the next hops of the watched links in the routing table.
    pub next_hops: bool,
    /// The watched links.
    pub watched: Watched,
    /// Time between two questions to a target.
    pub interval: Duration,
    /// Time in which an answer counts.
    pub timeout: Duration,
}

/// What the probes tell.
#[derive(Debug)]
pub enum Report {
    /// These are probed from now on.
    Targets(Vec<Target>),
    /// The outcome of one question.
    Sample(ProbeSample),
    /// Something is wrong.
    Alarm(String),
}

/// What was received and is no answer, and what was lost on the way to the agent.
#[derive(Debug, Default)]
struct Counters {
    late: AtomicU64,
    malformed: AtomicU64,
    lost: AtomicU64,
}

/// The running probes.
pub struct Probes {
    reports: mpsc::Receiver<Report>,
    counters: Arc<Counters>,
}

impl Probes {
    /// Starts them, in a tokio runtime. Where there is nothing to probe, nothing runs.
    ///
    /// # Errors
    /// When the kernel refuses a netlink socket.
    pub fn start(config: ProbeConfig) -> io::Result<Self> {
        let (sender, reports) = mpsc::channel(MOST_WAITING);
        let counters = Arc::new(Counters::default());
        let reporter = Reporter { sender, counters: Arc::clone(&counters) };
        if config.next_hops || !config.targets.is_empty() {
            manager::start(config, reporter)?;
        }
        Ok(Self { reports, counters })
    }

    /// The next report; waits for ever where there is nothing to probe. Safe to drop before it is ready.
    pub async fn next(&mut self) -> Report {
        match self.reports.recv().await {
            Some(report) => report,
            None => std::future::pending().await,
        }
    }

    /// Numbers for the list of losses, by name.
    pub fn losses(&self) -> [(&'static str, u64); 3] {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        [
            ("probe-answers-late", read(&self.counters.late)),
            ("probe-answers-malformed", read(&self.counters.malformed)),
            ("probe-reports-lost", read(&self.counters.lost)),
        ]
    }
}

/// The tasks' way to the agent.
#[derive(Clone)]
struct Reporter {
    sender: mpsc::Sender<Report>,
    counters: Arc<Counters>,
}

impl Reporter {
    /// Tells of a question. Where the agent does not keep up it is counted: questions do not wait for it.
    fn sample(&self, sample: ProbeSample) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.sender.try_send(Report::Sample(sample)) {
            self.counters.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Tells something that must not be lost. False when the agent has ended.
    async fn tell(&self, report: Report) -> bool {
        self.sender.send(report).await.is_ok()
    }

    fn late(&self, count: u64) {
        self.counters.late.fetch_add(count, Ordering::Relaxed);
    }

    fn malformed(&self) {
        self.counters.malformed.fetch_add(1, Ordering::Relaxed);
    }
}
