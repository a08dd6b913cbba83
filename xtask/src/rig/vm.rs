//! One run of one guest.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};

use super::payload::unpack_disk;
use super::qemu::{self, Size};
use super::{Kernel, Payload, Rig, saved};
use crate::exec::{line, quiet};
use crate::{paths, ui};

/// The exit code of a run that took too long.
pub const TIMED_OUT: u8 = 124;
/// The space for what the guest brings back; the file is sparse.
const OUT_BYTES: u64 = 2 << 30;

/// What to boot, and how.
#[derive(Clone, Debug)]
pub struct Vm<'a> {
    rig: &'a Rig,
    kernel: Kernel,
    size: Size,
    timeout: Option<Duration>,
    shell: bool,
    saved: bool,
    out: Option<(String, PathBuf)>,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// the command's exit code; [`TIMED_OUT`] when it took too long
    pub code: u8,
    /// the kernel's log, kept when the run failed
    pub klog: Option<PathBuf>,
}

impl<'a> Vm<'a> {
    /// A guest with this kernel, 2 processors, 1 GiB and 2 minutes.
    pub fn new(rig: &'a Rig, kernel: Kernel) -> Self {
        let size = Size { memory: 1024, cpus: 2 };
        Self { rig, kernel, size, timeout: Some(Duration::from_secs(120)), shell: false, saved: true, out: None }
    }

    /// Another size: memory in MiB, processors.
    pub fn size(mut self, memory: u32, cpus: u32) -> Self {
        self.size = Size { memory, cpus };
        self
    }

    /// The time after which the guest is ended.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The command gets our terminal, and all the time that it wants.
    pub fn shell(mut self, shell: bool) -> Self {
        self.shell = shell;
        self
    }

    /// Always boot, even if a saved state could be restored.
    pub fn boot_only(mut self, boot: bool) -> Self {
        self.saved = !boot;
        self
    }

    /// Brings the guest's directory `from` back to `to` after the command.
    pub fn bring_back(mut self, from: &str, to: &Path) -> Self {
        self.out = Some((from.to_owned(), to.to_path_buf()));
        self
    }

    /// Runs the payload's command; its output goes to `live` as it comes (a shell's goes to our terminal).
    ///
    /// # Errors
    /// When the guest cannot be started, or dies before the command has ended.
    pub fn run(&self, payload: &Payload, live: &mut dyn Write) -> Result<Outcome> {
        let work = Scratch::new(self.kernel)?;
        let archive = payload.archive(&self.settings())?;
        let disk = work.path("out.raw");
        if self.out.is_some() {
            File::create(&disk).and_then(|file| file.set_len(OUT_BYTES)).context("cannot make the disk out")?;
        }
        // a saved state is for the common case: it has no terminal
        let state = if self.saved && !self.shell { saved::state(self.rig, self.kernel, self.size) } else { None };
        let mut outcome = None;
        if let Some(state) = state {
            let mut qemu = self.qemu(&work, saved::APPEND)?;
            saved::restore(&mut qemu, &state, &self.rig.boot(self.kernel).base, &work.path("in.raw"), &archive)?;
            qemu::disk(&mut qemu, "back", &if self.out.is_some() { disk.clone() } else { work.empty_disk()? });
            match self.finish(&work, qemu, live) {
                Ok(done) => outcome = Some(done),
                Err(error) if work.never_started() => {
                    ui::note(&format!("the saved guest did not come up, booting instead: {error:#}"));
                    saved::forget(&state);
                }
                Err(error) => return Err(error),
            }
        }
        let outcome = match outcome {
            Some(outcome) => outcome,
            None => self.boot(&work, &archive, &disk, live)?,
        };
        if let Some((_, to)) = &self.out {
            unpack_disk(&disk, to).context("cannot unpack what the guest brought back")?;
        }
        Ok(outcome)
    }

    fn boot(&self, work: &Scratch, archive: &[u8], disk: &Path, live: &mut dyn Write) -> Result<Outcome> {
        let initrd = work.path("initrd");
        let mut bytes = fs::read(self.rig.boot(self.kernel).base).context("cannot read the base initramfs")?;
        bytes.extend_from_slice(archive);
        fs::write(&initrd, bytes).context("cannot write the initramfs")?;
        let mut qemu = self.qemu(work, "")?;
        qemu.arg("-initrd").arg(&initrd);
        if self.out.is_some() {
            qemu::disk(&mut qemu, "back", disk);
        }
        self.finish(work, qemu, live)
    }

    fn qemu(&self, work: &Scratch, append: &str) -> Result<Command> {
        let _ = fs::remove_file(work.klog());
        qemu::command(self.rig, self.kernel, self.size, "stdio,signal=off", &work.klog(), append)
    }

    fn finish(&self, work: &Scratch, qemu: Command, live: &mut dyn Write) -> Result<Outcome> {
        let mut child = self.spawn(qemu)?;
        let terminal = self.shell.then(RawTerminal::new);
        let streamed = stream(&mut child, live);
        let status = child.wait().context("lost qemu")?;
        drop(terminal);
        streamed?;
        let klog = fs::read(work.klog()).unwrap_or_default();
        let klog = String::from_utf8_lossy(&klog).into_owned();
        // `timeout` ends with 124, or 137 when it had to kill
        if self.limit().is_some() && matches!(status.code(), Some(124 | 137)) {
            return Ok(Outcome { code: TIMED_OUT, klog: Some(work.keep_klog(self.kernel)?) });
        }
        let Some(code) = mark(&klog, "RIG_CODE=") else {
            let kept = work.keep_klog(self.kernel)?;
            let tail: Vec<&str> = klog.lines().rev().take(15).collect();
            let tail: Vec<&str> = tail.into_iter().rev().collect();
            bail!(
                "the guest ended without a result ({status}); its kernel's log is {}, and ends:\n{}",
                kept.display(),
                tail.join("\n")
            );
        };
        let klog = if code == 0 { None } else { Some(work.keep_klog(self.kernel)?) };
        Ok(Outcome { code, klog })
    }

    fn limit(&self) -> Option<Duration> {
        self.timeout.filter(|_| !self.shell)
    }

    fn spawn(&self, qemu: Command) -> Result<Child> {
        // under `timeout`, so that no guest outlives its time even if we are killed
        let mut command = match self.limit() {
            Some(limit) => {
                let mut command = Command::new("timeout");
                command.args(["--foreground", "--kill-after=5", &limit.as_secs().max(1).to_string()]);
                command.arg(qemu.get_program()).args(qemu.get_args());
                for (name, value) in qemu.get_envs() {
                    command.env(name, value.unwrap_or_default());
                }
                command
            }
            None => qemu,
        };
        let (stdin, stdout) = if self.shell { (Stdio::inherit(), Stdio::inherit()) } else { (Stdio::null(), Stdio::piped()) };
        command.stdin(stdin).stdout(stdout).spawn().with_context(|| format!("cannot start {}", line(&command)))
    }

    /// What the guest's init reads.
    fn settings(&self) -> String {
        let out = self.out.as_ref().map_or("", |(from, _)| from.as_str());
        let size = if self.shell { quiet(Command::new("stty").args(["-F", "/dev/tty", "size"])).ok() } else { None };
        let size = size.unwrap_or_default();
        let (rows, columns) = size.trim().split_once(' ').unwrap_or(("24", "80"));
        let shell = u8::from(self.shell);
        format!("RIG_SHELL={shell}\nRIG_OUT={}\nRIG_ROWS={rows}\nRIG_COLUMNS={columns}\n", super::quote(out))
    }
}

/// Copies the child's output to `live` as it comes. An output that cannot be written is no reason to stop.
fn stream(child: &mut Child, live: &mut dyn Write) -> Result<()> {
    let Some(mut pipe) = child.stdout.take() else { return Ok(()) };
    let mut chunk = [0; 16384];
    loop {
        let count = pipe.read(&mut chunk).context("cannot read the guest's output")?;
        if count == 0 {
            return Ok(());
        }
        let _ = live.write_all(&chunk[..count]).and_then(|()| live.flush());
    }
}

/// The number behind the last `name` in the kernel's log, at a line's end.
fn mark(klog: &str, name: &str) -> Option<u8> {
    klog.lines().rev().find_map(|line| line.trim().split_once(name)?.1.parse().ok())
}

/// A directory for one run, removed at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(kernel: Kernel) -> Result<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let dir = std::env::temp_dir().join(format!("linkprobe-rig-{kernel}-{}-{now:x}", std::process::id()));
        fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        Ok(Self(dir))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn klog(&self) -> PathBuf {
        self.path("klog")
    }

    fn never_started(&self) -> bool {
        fs::read(self.klog()).is_ok_and(|klog| !String::from_utf8_lossy(&klog).contains("RIG_READY="))
    }

    fn empty_disk(&self) -> Result<PathBuf> {
        let disk = self.path("empty.raw");
        File::create(&disk).and_then(|file| file.set_len(OUT_BYTES)).context("cannot make an empty disk")?;
        Ok(disk)
    }

    fn keep_klog(&self, kernel: Kernel) -> Result<PathBuf> {
        let dir = paths::target().join("rig");
        fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let kept = dir.join(format!("klog-{kernel}"));
        fs::copy(self.klog(), &kept).context("cannot keep the kernel's log")?;
        Ok(kept)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Our terminal passes every key to the guest until this is dropped.
struct RawTerminal(Option<String>);

impl RawTerminal {
    fn new() -> Self {
        let before = quiet(Command::new("stty").args(["-F", "/dev/tty", "-g"])).ok();
        if before.is_some() {
            let _ = quiet(Command::new("stty").args(["-F", "/dev/tty", "raw", "-echo"]));
        }
        Self(before)
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = quiet(Command::new("stty").args(["-F", "/dev/tty", before.trim()]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_is_the_last_mark_in_the_log() {
        let klog = "[ 1.0] x\n[ 3.0] RIG_CODE=1\r\n[ 3.1] RIG_DONE=3.1\r\n[ 3.1] RIG_CODE=7\r\n";
        assert_eq!(mark(klog, "RIG_CODE="), Some(7));
        assert_eq!(mark("panic", "RIG_CODE="), None);
    }
}
