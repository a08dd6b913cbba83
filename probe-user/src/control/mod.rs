//! The agent's unix socket: one line of JSON asks, one line of JSON answers, and the connection is closed.

mod client;
mod server;

pub use client::{ControlError, request};
pub use server::{Call, Server};

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// All that `linkprobe status` shows.
    Status,
    /// Read the configuration again.
    Reload,
    /// What links were like, and carried, in the last while: what `linkprobe status --since` shows.
    History {
        /// Seconds.
        since_s: u64,
    },
    /// Fire the manual trigger.
    Trigger {
        /// Why, in the operator's words.
        reason: String,
    },
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// Done; the value is what was asked for.
    Ok(serde_json::Value),
    /// Not done, and why.
    Error(String),
}

/// Longest line of either side, bytes.
const LONGEST_LINE: u64 = 4 << 20;

/// Path of an instance's socket.
pub fn socket_path(run_dir: &Path, instance: &str) -> PathBuf {
    run_dir.join(format!("{instance}.sock"))
}
