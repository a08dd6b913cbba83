//! Network namespaces.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::thread;

use anyhow::{Context, Result};

use super::command::succeed;
use super::scratch::unique;

/// A named network namespace (ip-netns(8)) without IPv6, so that it sends nothing by itself. Removed at the end.
#[derive(Debug)]
pub struct Netns {
    name: String,
    file: File,
}

impl Netns {
    /// Makes one with a name of its own that contains `label`; its loopback is up.
    ///
    /// # Errors
    /// When it cannot be made: not root, no `ip`.
    pub fn new(label: &str) -> Result<Netns> {
        let name = unique(label);
        succeed(Command::new("ip").args(["netns", "add", &name])).context("network namespaces need root and iproute2")?;
        let file = File::open(format!("/run/netns/{name}")).with_context(|| format!("/run/netns/{name}"))?;
        let netns = Netns { name, file };
        netns.run(|| {
            for which in ["all", "default", "lo"] {
                // absent where the kernel has no IPv6: nothing to turn off then
                let _ = fs::write(format!("/proc/sys/net/ipv6/conf/{which}/disable_ipv6"), "1");
            }
        })?;
        netns.ip("link set lo up")?;
        Ok(netns)
    }

    /// Its name for `ip -n`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A way into it for a thread that outlives this value.
    pub(super) fn file(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// A command that will run in it. The process is the program itself: its id is the program's.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        let fd = self.file.as_raw_fd();
        // SAFETY: the closure only makes one system call, between fork and exec. The descriptor is open as long as `self` is; a
        // command that is started later fails with EBADF, or enters what is open there then: commands do not outlive their namespace.
        unsafe { command.pre_exec(move || enter(fd, libc::CLONE_NEWNET)) };
        command
    }

    /// Runs `ip` in it; `words` are split at spaces.
    ///
    /// # Errors
    /// With what `ip` said.
    pub fn ip(&self, words: &str) -> Result<String> {
        succeed(Command::new("ip").args(["-n", &self.name]).args(words.split_whitespace()))
    }

    /// Runs any program in it; `words` are split at spaces.
    ///
    /// # Errors
    /// With what it said.
    pub fn exec(&self, words: &str) -> Result<String> {
        let mut words = words.split_whitespace();
        let program = words.next().context("no program")?;
        succeed(self.command(program).args(words))
    }

    /// Runs `work` on a thread in it.
    ///
    /// # Errors
    /// When it cannot be entered, or `work` panics.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T> {
        let fd = self.file.as_raw_fd();
        thread::scope(|scope| {
            let worker = scope.spawn(move || {
                enter(fd, libc::CLONE_NEWNET)?;
                io::Result::Ok(work())
            });
            match worker.join() {
                Ok(result) => result.with_context(|| format!("cannot enter {}", self.name)),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }
}

impl Drop for Netns {
    fn drop(&mut self) {
        let _ = succeed(Command::new("ip").args(["netns", "del", &self.name]));
    }
}

/// Moves the calling thread into the namespace behind `fd`.
pub(super) fn enter(fd: libc::c_int, kind: libc::c_int) -> io::Result<()> {
    // SAFETY: setns takes no pointers.
    if unsafe { libc::setns(fd, kind) } == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
