//! Who tells: what stands in every message.

/// The teller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// The host's name.
    pub host: String,
    /// Name of the agent.
    pub instance: String,
    /// Its process.
    pub pid: u32,
    /// Version of linkprobe.
    pub version: &'static str,
    /// When it began to tell: nanoseconds since 1970. With a number behind it, it makes ids that come once.
    pub started_ns: u64,
}

impl About {
    /// This process, as the agent of that name.
    pub fn this(instance: &str, started_ns: u64) -> Self {
        Self {
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            instance: instance.to_owned(),
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION"),
            started_ns,
        }
    }
}
