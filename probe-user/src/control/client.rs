//! Asks a running agent.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{LONGEST_LINE, Reply, Request};

/// Why an agent did not answer.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Nobody listens.
    #[error(
        "no agent runs here: nobody listens on {0} (start one with `linkprobe run`, or name another with --instance or --run-dir)"
    )]
    NoAgent(PathBuf),
    /// The socket may not be opened.
    #[error("{0}: permission denied (the agent answers root only)")]
    Denied(PathBuf),
    /// The connection failed.
    #[error("{path}: {source}")]
    Io {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The answer is not one: an agent of another version?
    #[error("{path}: not an answer of this version of linkprobe: {source}")]
    Garbled {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// It listens, and does not answer.
    #[error("{0}: the agent does not answer: it is stopped, or very busy")]
    Silent(PathBuf),
    /// The agent refused.
    #[error("the agent refused: {0}")]
    Refused(String),
}

/// Sends one request to the agent behind `path` and waits up to 10 s for its answer.
///
/// # Errors
/// See [`ControlError`].
pub fn request(path: &Path, request: &Request) -> Result<serde_json::Value, ControlError> {
    let io = |source| ControlError::Io { path: path.into(), source };
    let mut stream = UnixStream::connect(path).map_err(|e| match e.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => ControlError::NoAgent(path.into()),
        ErrorKind::PermissionDenied => ControlError::Denied(path.into()),
        _ => io(e),
    })?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).map_err(io)?;
    let mut line = serde_json::to_vec(request).map_err(|source| ControlError::Garbled { path: path.into(), source })?;
    line.push(b'\n');
    stream.write_all(&line).map_err(io)?;
    let mut answer = String::new();
    BufReader::new(stream.take(LONGEST_LINE)).read_line(&mut answer).map_err(|e| match e.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => ControlError::Silent(path.into()),
        _ => io(e),
    })?;
    if answer.is_empty() {
        return Err(ControlError::Silent(path.into()));
    }
    match serde_json::from_str(&answer) {
        Ok(Reply::Ok(value)) => Ok(value),
        Ok(Reply::Error(text)) => Err(ControlError::Refused(text)),
        Err(source) => Err(ControlError::Garbled { path: path.into(), source }),
    }
}
