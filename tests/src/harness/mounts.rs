//! A mount namespace with a BPF file system of its own.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use super::netns::enter;

/// A mount namespace in which `/sys/fs/bpf` is a new BPF file system: what is pinned there outlives a process, and is gone with this
/// value. The machine's own mounts stay as they are.
#[derive(Debug)]
pub struct Mounts {
    holder: Child,
    file: File,
}

impl Mounts {
    /// Makes one.
    ///
    /// # Errors
    /// When mounting is refused.
    pub fn with_bpffs() -> Result<Mounts> {
        Mounts::new("mount -t bpf bpf /sys/fs/bpf")
    }

    /// Makes one without any BPF file system at `/sys/fs/bpf`.
    ///
    /// # Errors
    /// When mounting is refused.
    pub fn without_bpffs() -> Result<Mounts> {
        Mounts::new("mount -t tmpfs tmpfs /sys/fs/bpf")
    }

    /// Makes one in which the shell ran `script`.
    ///
    /// # Errors
    /// When the script fails.
    pub fn new(script: &str) -> Result<Mounts> {
        // `read` ends when its standard input is closed: so with this process at the latest
        let script = format!("{script} && echo mounted && read wait");
        let mut holder = Command::new("unshare")
            .args(["--mount", "--propagation", "private", "sh", "-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("unshare")?;
        let mut line = String::new();
        let out = holder.stdout.take().context("no standard output")?;
        BufReader::new(out).read_line(&mut line)?;
        if line.trim() != "mounted" {
            let _ = holder.wait();
            bail!("mounting failed: {script}");
        }
        let file = File::open(format!("/proc/{}/ns/mnt", holder.id()))?;
        Ok(Mounts { holder, file })
    }

    /// The way to its `path` (absolute) from outside.
    pub fn reach(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{path}", self.holder.id()))
    }

    /// Makes `command` run in it.
    pub fn apply(&self, command: &mut Command) {
        let fd = self.file.as_raw_fd();
        // SAFETY: the closure only makes one system call, between fork and exec. The descriptor is open as long as `self` is.
        unsafe { command.pre_exec(move || enter(fd, libc::CLONE_NEWNS)) };
    }
}

impl Drop for Mounts {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        let _ = self.holder.wait();
    }
}
