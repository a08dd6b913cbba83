//! Follows the kernel's log and named files, and tells of the lines that match a pattern.
//!
//! A thread of its own reads them: files cannot be waited for, and a file system that hangs must not hold up the agent. What a
//! line means is decided by [`probe_core::logs`].

mod file;
mod kernel;
#[cfg(test)]
mod tests;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use probe_core::logs::{Pattern, Patterns};
use probe_core::time::Mono;
use tokio::sync::mpsc;

use file::Follower;
use kernel::KernelLog;

/// Time between two looks at the files. The kernel's log is read at once.
const PAUSE: Duration = Duration::from_millis(250);
/// The same when there are no files: then only the agent's end has to be noticed.
const LONG_PAUSE: Duration = Duration::from_secs(2);
/// News that wait for the agent at most.
const MOST_WAITING: usize = 1024;

/// What is to be followed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LogConfig {
    /// Files.
    pub files: Vec<PathBuf>,
    /// The kernel's log.
    pub kernel: bool,
    /// What is looked for, before the default patterns.
    pub patterns: Vec<Pattern>,
}

/// What the logs tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A line that matched.
    Line {
        /// When it was written, as far as the kernel's log tells; a line of a file: when it was read.
        at: Mono,
        /// `kernel`, or the file's path.
        file: String,
        /// The pattern.
        pattern: Pattern,
        /// The line.
        line: String,
    },
    /// A log cannot be read, or can be again.
    Alarm(String),
}

/// What was not looked at, or did not reach the agent.
#[derive(Debug, Default)]
struct Counters {
    kernel_gaps: AtomicU64,
    cut: AtomicU64,
    skipped: AtomicU64,
    lost: AtomicU64,
}

/// The logs that are followed.
pub struct Logs {
    news: mpsc::Receiver<News>,
    counters: Arc<Counters>,
}

impl Logs {
    /// Starts to follow: the kernel's log and the files that are there from their ends on.
    ///
    /// # Errors
    /// When there can be no further thread, or the patterns do not compile.
    pub fn start(config: &LogConfig) -> io::Result<Self> {
        let (sender, news) = mpsc::channel(MOST_WAITING);
        let counters = Arc::new(Counters::default());
        if config.kernel || !config.files.is_empty() {
            let patterns = Patterns::new(&config.patterns).map_err(io::Error::other)?;
            let reporter = Reporter { patterns, sender, counters: Arc::clone(&counters) };
            let kernel = if config.kernel { open_kernel() } else { None };
            let files = config.files.iter().cloned().map(Follower::start).collect();
            let reader = Reader { kernel, files, reporter };
            std::thread::Builder::new().name("logs".into()).stack_size(256 << 10).spawn(move || reader.run())?;
        }
        Ok(Self { news, counters })
    }

    /// The next line or alarm; waits for ever where nothing is followed. Safe to drop before it is ready.
    pub async fn next(&mut self) -> News {
        match self.news.recv().await {
            Some(news) => news,
            None => std::future::pending().await,
        }
    }

    /// Numbers for the list of losses, by name.
    pub fn losses(&self) -> [(&'static str, u64); 4] {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        [
            ("kernel-log-gaps", read(&self.counters.kernel_gaps)),
            ("log-lines-cut", read(&self.counters.cut)),
            ("log-bytes-skipped", read(&self.counters.skipped)),
            ("log-news-lost", read(&self.counters.lost)),
        ]
    }
}

fn open_kernel() -> Option<KernelLog> {
    match KernelLog::open() {
        Ok(log) => Some(log),
        Err(error) => {
            // No alarm: in a container there is none, and what matters comes by netlink.
            log::info!("the kernel's log is not followed: {}: {error}", kernel::PATH);
            None
        }
    }
}

/// The thread.
struct Reader {
    kernel: Option<KernelLog>,
    files: Vec<Follower>,
    reporter: Reporter,
}

impl Reader {
    fn run(mut self) {
        while !self.reporter.sender.is_closed() {
            if let Some(kernel) = &mut self.kernel
                && let Err(error) = kernel.read(&mut self.reporter)
            {
                self.reporter.tell(News::Alarm(format!("the kernel's log is no longer followed: {}: {error}", kernel::PATH)));
                self.kernel = None;
            }
            for file in &mut self.files {
                file.poll(&mut self.reporter);
            }
            match &self.kernel {
                Some(kernel) => kernel.wait(if self.files.is_empty() { LONG_PAUSE } else { PAUSE }),
                None if self.files.is_empty() => return,
                None => std::thread::sleep(PAUSE),
            }
        }
    }
}

/// The thread's way to the agent.
struct Reporter {
    patterns: Patterns,
    sender: mpsc::Sender<News>,
    counters: Arc<Counters>,
}

impl Reporter {
    /// Looks at a line.
    fn line(&self, at: Mono, file: &str, line: &str) {
        if let Some(pattern) = self.patterns.find(line) {
            self.tell(News::Line { at, file: file.to_owned(), pattern: pattern.clone(), line: line.to_owned() });
        }
    }

    /// Tells it, unless too much waits: then it is counted. A log does not wait.
    fn tell(&self, news: News) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.sender.try_send(news) {
            self.counters.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn count(counter: &AtomicU64, by: u64) {
        counter.fetch_add(by, Ordering::Relaxed);
    }
}
