//! The thread that writes incidents: jobs in, outcomes out; nobody waits for a disk.
//!
//! What it holds is bounded by the number of incidents and by bytes. A failed one is tried again, with longer and longer pauses, while
//! others go on; after the last attempt it is given up and counted as lost.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};
use std::{io, thread};

use super::capture::Captured;
use super::cleanup::{Cleaned, Retention, remove_leftovers, retain};
use super::directory::{Job, WriteError, WrittenIncident, write};
use crate::kernel::load::give_back_heap;

/// Bytes of packets from which on free memory is given back: it takes a while, and of less nobody would notice.
const LARGE: u64 = 1 << 20;

/// Where and how incidents are written.
#[derive(Clone, Debug)]
pub struct WriterConfig {
    /// Directory of the incidents.
    pub dir: PathBuf,
    /// What is kept of the earlier ones.
    pub retention: Retention,
    /// Most incidents held, those that are to be tried again included.
    pub max_jobs: usize,
    /// Most bytes of packets held; an incident beyond it is written without its packets, and says so.
    pub max_bytes: u64,
    /// Pauses between the attempts: one more attempt than there are pauses.
    pub pauses: Vec<Duration>,
}

impl WriterConfig {
    /// Writes into `dir`; holds four incidents and twice `capture_limit`, and tries for about six minutes.
    pub fn new(dir: PathBuf, retention: Retention, capture_limit: u64) -> Self {
        let pauses = [1, 2, 5, 10, 20, 30, 60, 60, 90, 90].map(Duration::from_secs).to_vec();
        Self { dir, retention, max_jobs: 4, max_bytes: capture_limit.saturating_mul(2), pauses }
    }
}

/// What became of an incident.
#[derive(Debug)]
pub enum WriteOutcome {
    /// It is on disk.
    Written {
        /// What was written.
        incident: Box<WrittenIncident>,
        /// What had to go for it.
        cleaned: Cleaned,
    },
    /// It could not be written, and will be tried again: an alarm.
    Retrying {
        /// Its id.
        id: String,
        /// Why.
        error: WriteError,
        /// Until the next attempt.
        pause: Duration,
    },
    /// It is given up: an alarm, and a loss to count.
    Lost {
        /// Its id.
        id: String,
        /// Why.
        reason: String,
    },
    /// What a crash had left in the directory is gone (or not: see its errors). Told once, at the start, if there was any.
    Leftovers(Cleaned),
}

/// Called on the writer's thread with every outcome, or where a job is refused. It must not block.
pub type OnOutcome = Arc<dyn Fn(WriteOutcome) + Send + Sync>;

/// The way in. Cheap to clone; the thread ends when the last one is gone and everything is written or given up.
#[derive(Clone)]
pub struct Writer {
    jobs: Sender<Message>,
    held: Arc<Held>,
    config: Arc<WriterConfig>,
    on_outcome: OnOutcome,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("config", &self.config).field("held", &self.held).finish_non_exhaustive()
    }
}

/// What the thread is told.
enum Message {
    Job(Box<Job>),
    Config(Arc<WriterConfig>),
}

/// What is held now.
#[derive(Debug, Default)]
struct Held {
    jobs: AtomicUsize,
    bytes: AtomicU64,
}

impl Writer {
    /// Starts the thread.
    ///
    /// # Errors
    /// When there can be no further thread.
    pub fn start(
        config: WriterConfig,
        on_outcome: impl Fn(WriteOutcome) + Send + Sync + 'static,
    ) -> io::Result<(Self, JoinHandle<()>)> {
        let (jobs, inbox) = channel();
        let config = Arc::new(config);
        let held = Arc::new(Held::default());
        let on_outcome: OnOutcome = Arc::new(on_outcome);
        let thread = Thread {
            config: Arc::clone(&config),
            held: Arc::clone(&held),
            on_outcome: Arc::clone(&on_outcome),
            waiting: VecDeque::new(),
            closing: false,
        };
        let handle = thread::Builder::new().name("incidents".to_owned()).spawn(move || thread.run(&inbox))?;
        Ok((Self { jobs, held, config, on_outcome }, handle))
    }

    /// From now on another configuration, also for incidents that wait to be tried again.
    pub fn configure(&mut self, config: WriterConfig) {
        self.config = Arc::new(config);
        // The thread ends only with the last writer.
        let _ = self.jobs.send(Message::Config(Arc::clone(&self.config)));
    }

    /// Hands an incident over. Never blocks: what there is no room for is refused, and told as [`WriteOutcome::Lost`].
    pub fn submit(&self, mut job: Job) {
        if self.held.jobs.fetch_add(1, Ordering::Relaxed) >= self.config.max_jobs {
            self.held.jobs.fetch_sub(1, Ordering::Relaxed);
            let reason = format!("{} incidents wait to be written", self.config.max_jobs);
            return (self.on_outcome)(WriteOutcome::Lost { id: job.incident.id, reason });
        }
        let bytes = job.captured.bytes();
        let room = |held: u64| held.checked_add(bytes).filter(|sum| *sum <= self.config.max_bytes);
        if self.held.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).is_err() {
            job.losses.push(("capture-bytes-not-held".to_owned(), bytes));
            job.captured = Captured { limited: true, looked: true, ..Captured::default() };
        }
        let id = job.incident.id.clone();
        if self.jobs.send(Message::Job(Box::new(job))).is_err() {
            (self.on_outcome)(WriteOutcome::Lost { id, reason: "the thread that writes incidents is gone".to_owned() });
        }
    }
}

struct Thread {
    config: Arc<WriterConfig>,
    held: Arc<Held>,
    on_outcome: OnOutcome,
    waiting: VecDeque<Waiting>,
    closing: bool,
}

struct Waiting {
    job: Box<Job>,
    attempts: usize,
    due: Instant,
}

impl Thread {
    fn run(mut self, inbox: &Receiver<Message>) {
        let leftovers = remove_leftovers(&self.config.dir);
        if !leftovers.removed.is_empty() || !leftovers.errors.is_empty() {
            (self.on_outcome)(WriteOutcome::Leftovers(leftovers));
        }
        loop {
            let next = self.waiting.iter().map(|waiting| waiting.due).min();
            let pause = next.map_or(Duration::from_secs(3600), |due| due.saturating_duration_since(Instant::now()));
            match inbox.recv_timeout(pause) {
                Ok(Message::Config(config)) => self.config = config,
                Ok(Message::Job(job)) => self.attempt(Waiting { job, attempts: 0, due: Instant::now() }),
                Err(RecvTimeoutError::Timeout) => self.attempt_due(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        // The agent stops: one last attempt for each.
        self.closing = true;
        while let Some(waiting) = self.waiting.pop_front() {
            self.attempt(waiting);
        }
    }

    fn attempt_due(&mut self) {
        let now = Instant::now();
        for _ in 0..self.waiting.len() {
            match self.waiting.pop_front() {
                Some(waiting) if waiting.due <= now => self.attempt(waiting),
                Some(waiting) => self.waiting.push_back(waiting),
                None => return,
            }
        }
    }

    fn attempt(&mut self, waiting: Waiting) {
        let id = waiting.job.incident.id.clone();
        let error = match write(&self.config.dir, &waiting.job) {
            Ok(incident) => {
                self.release(&waiting.job);
                let large = waiting.job.captured.bytes() >= LARGE;
                drop(waiting);
                let cleaned = retain(&self.config.dir, self.config.retention, &incident.id, SystemTime::now());
                (self.on_outcome)(WriteOutcome::Written { incident: Box::new(incident), cleaned });
                if large {
                    // Packets and their index took megabytes for a moment: glibc would keep them.
                    give_back_heap();
                }
                return;
            }
            Err(error) => error,
        };
        match self.config.pauses.get(waiting.attempts) {
            Some(&pause) if !self.closing => {
                self.waiting.push_back(Waiting { job: waiting.job, attempts: waiting.attempts + 1, due: Instant::now() + pause });
                (self.on_outcome)(WriteOutcome::Retrying { id, error, pause });
            }
            _ => {
                self.release(&waiting.job);
                let reason = format!("{error} (after {} attempts)", waiting.attempts + 1);
                (self.on_outcome)(WriteOutcome::Lost { id, reason });
            }
        }
    }

    fn release(&self, job: &Job) {
        self.held.jobs.fetch_sub(1, Ordering::Relaxed);
        self.held.bytes.fetch_sub(job.captured.bytes(), Ordering::Relaxed);
    }
}
