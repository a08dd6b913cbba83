//! A line on the terminal that says how far it is; nothing where standard error is none.

use std::io::{IsTerminal, Write, stderr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::open::Position;

/// Time between two looks.
const STEP: Duration = Duration::from_millis(100);
/// Columns of the bar.
const BAR: usize = 30;

/// Draws until it is dropped; the line is taken away then.
#[derive(Debug)]
pub struct Progress {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    /// Of `total` bytes, of which so many are read as `position` says; `what` they are read for.
    pub fn start(position: &Position, total: u64, what: &'static str) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        if !stderr().is_terminal() {
            return Self { over, thread: None };
        }
        let (position, ended) = (Arc::clone(position), Arc::clone(&over));
        let draw = move || {
            let start = Instant::now();
            while !ended.load(Ordering::Relaxed) {
                thread::sleep(STEP);
                let text = line(what, position.load(Ordering::Relaxed), total, start.elapsed());
                // A terminal that is gone changes nothing about the analysis.
                let _ = write!(stderr(), "\r{text}\x1b[K");
            }
            let _ = write!(stderr(), "\r\x1b[K");
        };
        let thread = thread::Builder::new().name("progress".to_owned()).spawn(draw).ok();
        Self { over, thread }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// `all packets  [######        ]  42 %  1.2 of 2.9 GB  812 MB/s  2 s left`
fn line(what: &str, done: u64, total: u64, elapsed: Duration) -> String {
    let done = done.min(total);
    let share = done as f64 / total.max(1) as f64;
    let rate = done as f64 / elapsed.as_secs_f64().max(1e-3);
    let filled = (share * BAR as f64) as usize;
    let left = if rate > 0.0 { (total - done) as f64 / rate } else { 0.0 };
    format!(
        "{what:<11}  [{}{}] {:3.0} %  {:.2} of {:.2} GB  {:.0} MB/s  {left:.0} s left",
        "#".repeat(filled),
        " ".repeat(BAR - filled),
        share * 100.0,
        done as f64 / 1e9,
        total as f64 / 1e9,
        rate / 1e6
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_far_how_fast_and_how_long() {
        let text = line("first look", 1_500_000_000, 3_000_000_000, Duration::from_secs(3));
        assert_eq!(text, "first look   [###############               ]  50 %  1.50 of 3.00 GB  500 MB/s  3 s left");
        assert!(line("all packets", 0, 0, Duration::ZERO).contains("  0 %"));
        assert!(line("all packets", 9, 5, Duration::from_secs(1)).contains("100 %"), "a file that grew");
    }
}
