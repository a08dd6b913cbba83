//! What can go wrong on the kernel side, with what it is about.

use std::{io, path::PathBuf};

/// An error of the kernel side.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// A snap length out of its limits.
    #[error("{name} {value} is not between {min} and {max} bytes")]
    Snaplen {
        /// Which.
        name: &'static str,
        /// As given.
        value: u32,
        /// Least.
        min: u32,
        /// Most.
        max: u32,
    },
    /// A sampling rate that is too large.
    #[error("sampling 1 in {value} frames: at most 1 in {max}")]
    SampleRate {
        /// As given.
        value: u32,
        /// Most.
        max: u32,
    },
    /// The recorder would be too small to work.
    #[error("{memory_bytes} bytes of recorder are too few: {cpus} CPUs need at least {minimum_bytes}")]
    TooLittleMemory {
        /// As given.
        memory_bytes: u64,
        /// Least for this machine.
        minimum_bytes: u64,
        /// CPUs that need blocks.
        cpus: u32,
    },
    /// The recorder would be larger than a map can be.
    #[error("{memory_bytes} bytes of recorder are more than a map can hold")]
    TooMuchMemory {
        /// As given.
        memory_bytes: u64,
    },
    /// The programs or maps could not be made.
    #[error("cannot load the kernel programs{hint}: {source}")]
    Load {
        /// What is missing, where it is known; begins with a space.
        hint: String,
        /// From the loader.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// One program was refused.
    #[error("the kernel refuses program {program}{hint}: {source}")]
    Program {
        /// Name.
        program: &'static str,
        /// What is missing, where it is known; begins with a space.
        hint: String,
        /// From the loader.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A map could not be read, written or mapped.
    #[error("map {map}: {source}")]
    Map {
        /// Name.
        map: &'static str,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There is no such interface.
    #[error("interface {name} (index {ifindex}) does not exist")]
    NoInterface {
        /// Name as known to the caller.
        name: String,
        /// Index.
        ifindex: u32,
    },
    /// Frames of the interface do not begin with an Ethernet header.
    #[error("interface {name} is not an Ethernet interface (hardware type {hardware})")]
    NotEthernet {
        /// Name.
        name: String,
        /// ARPHRD number.
        hardware: u16,
    },
    /// A hook could not be attached.
    #[error("cannot attach {hook} to {name}: {source}")]
    Attach {
        /// Interface.
        name: String,
        /// Hook, in words.
        hook: &'static str,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The interface has taps already.
    #[error("interface {name} is watched already")]
    AlreadyAttached {
        /// Interface.
        name: String,
    },
    /// Two watched interfaces would share a slot.
    #[error(
        "interfaces with the indexes {ifindex} and {other} cannot be watched by one agent: they differ by a multiple of 65536"
    )]
    SlotCollision {
        /// The new one.
        ifindex: u32,
        /// The one that is watched.
        other: u32,
    },
    /// Every tap id is in use or still named by records.
    #[error("more than {max} taps: the recorder still holds frames of all earlier ones")]
    TooManyTaps {
        /// Most.
        max: usize,
    },
    /// Another agent watches this.
    #[error("{what} is in use by another linkprobe{}", .pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default())]
    InUse {
        /// Interface, or pin directory.
        what: String,
        /// The other agent, where its lock names it.
        pid: Option<u32>,
    },
    /// A file or directory could not be used.
    #[error("{}: {source}", path.display())]
    File {
        /// Path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A netlink request failed.
    #[error("netlink, {what}: {source}")]
    Netlink {
        /// What was asked.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
}

impl KernelError {
    pub(super) fn map(map: &'static str) -> impl FnOnce(aya::maps::MapError) -> Self {
        move |error| Self::Map { map, source: error.into() }
    }
}
