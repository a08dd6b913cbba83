//! What `linkprobe status` shows of a receiver.

use serde::{Deserialize, Serialize};

/// One receiver of events or traffic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinkStatus {
    /// Key of the configuration: syslog, json, sar, event-log.
    pub kind: String,
    /// Where to, as in the configuration.
    pub to: String,
    /// Events that are at least as bad are sent; none for what takes no events.
    pub level: Option<String>,
    /// A connection is there, or the last message was taken.
    pub connected: bool,
    /// Messages that were handed to the system, those that were sent anew included.
    pub sent: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Messages that were sent anew because a connection broke.
    pub resent: u64,
    /// Messages that it will never get.
    pub dropped: u64,
    /// Messages whose text was cut.
    pub truncated: u64,
    /// Connections that failed or broke, writes that failed.
    pub errors: u64,
    /// Messages that wait.
    pub queued: u64,
    /// Bytes of them.
    pub queued_bytes: u64,
    /// What went wrong last.
    pub last_error: Option<String>,
}
