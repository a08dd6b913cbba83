//! Running other programs, with errors that show the command and what it said.

use std::env;
use std::fmt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};

/// An error that only carries an exit code: what went wrong was already shown.
#[derive(Debug)]
pub struct ExitWith(pub u8);

impl fmt::Display for ExitWith {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ended with exit code {}", self.0)
    }
}

impl std::error::Error for ExitWith {}

/// Runs `command` with our own output streams.
///
/// # Errors
/// [`ExitWith`] the command's code when it fails; or that it could not be started.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("cannot start {}", line(command)))?;
    if status.success() {
        return Ok(());
    }
    Err(anyhow::Error::new(ExitWith(code(status))).context(format!("{} failed", line(command))))
}

/// Runs `command` silently and returns its standard output.
///
/// # Errors
/// With the command line and the end of what it printed.
pub fn quiet(command: &mut Command) -> Result<String> {
    let bytes = bytes(command)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// As [`quiet`], for output that is not text.
///
/// # Errors
/// With the command line and the end of what it printed.
pub fn bytes(command: &mut Command) -> Result<Vec<u8>> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {}", line(command)))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.push_str(&String::from_utf8_lossy(&output.stderr));
    let lines: Vec<&str> = said.lines().collect();
    let tail = lines[lines.len().saturating_sub(25)..].join("\n");
    bail!("{} ended with {}:\n{tail}", line(command), output.status)
}

/// The first executable called `name` on PATH, or in the administrator's directories.
pub fn which(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|dir| dir.join(name))
        .find(|file| is_executable(file))
}

/// Whether `file` is a regular file that may be executed.
pub fn is_executable(file: &Path) -> bool {
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// Whether we run as root.
pub fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0)
}

/// The shell's exit code for `status`: 128 + signal for one that was killed.
pub fn code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt;
    let code = status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(code).unwrap_or(1)
}

/// `command` as one line to show.
pub fn line(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|arg| arg.to_string_lossy().into_owned()));
    let line = words.join(" ");
    if line.len() > 300 { format!("{}…", line.chars().take(300).collect::<String>()) } else { line }
}
