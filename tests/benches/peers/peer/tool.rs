//! A capturing tool as a child process.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use linkprobe_tests::harness::command::signal;
use linkprobe_tests::harness::wait::until;
use linkprobe_tests::peers::said::Said;

use super::{Outcome, Running, files_below};

/// Longest that a tool may take to start, or to end: one that is behind writes what it holds first.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a tool is started and understood.
pub struct Tool {
    /// The command; its files go below `dir`.
    pub command: Command,
    /// Where its files go.
    pub dir: PathBuf,
    /// It captures when it has said this.
    pub ready: &'static str,
    /// The signal that ends it.
    pub end: libc::c_int,
    /// Understands what it says at its end.
    pub said: fn(&str) -> Said,
}

struct Capturing {
    child: Child,
    log: PathBuf,
    dir: PathBuf,
    end: libc::c_int,
    said: fn(&str) -> Said,
}

impl Tool {
    /// Starts it.
    ///
    /// # Errors
    /// With what it said.
    pub fn start(mut self) -> Result<Box<dyn Running>> {
        let files = self.dir.join("files");
        fs::create_dir_all(&files)?;
        let log = self.dir.join("said");
        let out = File::create(&log)?;
        let err = out.try_clone()?;
        let child = self.command.stdin(Stdio::null()).stdout(out).stderr(err).spawn();
        let child = child.with_context(|| format!("cannot start {:?}", self.command.get_program()))?;
        let mut running = Box::new(Capturing { child, log, dir: files, end: self.end, said: self.said });
        let ready = until(&format!("{:?} captures", self.command.get_program()), PATIENCE, || {
            if let Some(status) = running.child.try_wait()? {
                bail!("it ended with {status}");
            }
            Ok(running.text().contains(self.ready).then_some(()))
        });
        ready.with_context(|| running.text())?;
        Ok(running)
    }
}

impl Capturing {
    fn text(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Running for Capturing {
    fn pid(&self) -> Option<u32> {
        Some(self.child.id())
    }

    fn finish(mut self: Box<Self>) -> Result<Outcome> {
        let start = Instant::now();
        signal(self.child.id(), self.end)?;
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            if start.elapsed() > PATIENCE {
                bail!("it did not end:\n{}", self.text());
            }
            thread::sleep(Duration::from_micros(200));
        };
        let ready = start.elapsed();
        // some end by the signal that they have handled
        if !status.success() && status.signal() != Some(self.end) {
            bail!("it ended with {status}:\n{}", self.text());
        }
        let said = (self.said)(&self.text());
        let (files, bytes) = files_below(&self.dir)?;
        Ok(Outcome { files, bytes, counted: said.captured, said_lost: said.lost, ready, ..Outcome::default() })
    }
}

impl Drop for Capturing {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Where a tool's files go, for its command line.
pub fn file(dir: &Path, name: &str) -> PathBuf {
    dir.join("files").join(name)
}
