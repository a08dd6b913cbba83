//! Running a program to its end.

use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};

/// What a program gave back.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// Runs a program to its end, whatever its exit code.
///
/// # Errors
/// When it cannot be started.
pub fn end(command: &mut Command) -> Result<Ended> {
    let Output { status, stdout, stderr } =
        command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {command:?}"))?;
    Ok(Ended {
        code: status.code(),
        out: String::from_utf8_lossy(&stdout).into_owned(),
        err: String::from_utf8_lossy(&stderr).into_owned(),
    })
}

/// Runs a program that must succeed, and returns its standard output.
///
/// # Errors
/// When it cannot be started, or fails: with what it said.
pub fn succeed(command: &mut Command) -> Result<String> {
    let ended = end(command)?;
    if ended.code != Some(0) {
        bail!("{command:?} ended with {:?}:\n{}{}", ended.code, ended.out, ended.err);
    }
    Ok(ended.out)
}

/// Sends a signal to one process.
///
/// # Errors
/// The system's: the process is gone.
pub fn signal(pid: u32, signal: libc::c_int) -> Result<()> {
    let pid = libc::pid_t::try_from(pid)?;
    // SAFETY: kill takes no pointers.
    if unsafe { libc::kill(pid, signal) } != 0 {
        bail!("signal {signal} to {pid}: {}", std::io::Error::last_os_error());
    }
    Ok(())
}
