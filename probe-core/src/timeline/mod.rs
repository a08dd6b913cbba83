//! The timeline: everything that happened, in order of time.

mod store;

use serde::Serialize;

pub use store::Timeline;

use crate::link::{MiiStatus, OperState};
use crate::time::Mono;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// When.
    pub at: Mono,
    /// The link that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<LinkName>,
    /// How the time is known.
    pub source: Source,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// A link, as it was called at that time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LinkName {
    /// Index of the interface.
    pub ifindex: u32,
    /// Its name.
    pub name: String,
}

/// How an entry's time is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// Stamped in the kernel, at the instruction.
    Kernel,
    /// When a netlink message arrived: later than the cause, by up to a second for a plain link.
    Netlink,
    /// When a dump found it: at some time since the dump or message before.
    Resync,
    /// The agent itself.
    Agent,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum What {
    /// A link was there for the first time (at the start, or since).
    Appeared {
        /// True at the agent's start.
        initial: bool,
    },
    /// A link is gone.
    Vanished,
    /// A link has another name.
    Renamed {
        /// The name before.
        from: String,
    },
    /// Set up or down by the administrator.
    Admin {
        /// `IFF_UP`.
        up: bool,
    },
    /// The carrier came or went.
    Carrier {
        /// It came.
        up: bool,
        /// Flips up and down since the last known state that nobody reported on their own (0, 0 when every one is here).
        unseen_ups: u32,
        /// See `unseen_ups`.
        unseen_downs: u32,
    },
    /// The carrier went and came between two messages: only the counters tell.
    Flaps {
        /// Times that it came.
        ups: u32,
        /// Times that it went.
        downs: u32,
    },
    /// Operational state.
    Oper {
        /// Before.
        from: OperState,
        /// Now.
        to: OperState,
    },
    /// Put into a bond or bridge, or taken out.
    Master {
        /// Name of the master before.
        from: Option<String>,
        /// Name of the master now.
        to: Option<String>,
    },
    /// A bond's monitor sees a slave differently.
    SlaveMii {
        /// Before.
        from: MiiStatus,
        /// Now.
        to: MiiStatus,
    },
    /// A slave became active or backup.
    SlaveActive {
        /// Active.
        active: bool,
    },
    /// Any other attribute changed: MTU, MAC, aggregator, LACP state bits, active slave…
    Attribute {
        /// Its name.
        name: &'static str,
        /// Before.
        from: String,
        /// Now.
        to: String,
    },
    /// Messages were lost: what happened in between is known from the next dump only.
    Gap {
        /// Why.
        reason: String,
    },
    /// The wall clock was set.
    ClockStep {
        /// By how much, nanoseconds; positive is forward.
        step_ns: i64,
    },
    /// A tap was attached.
    TapAttached {
        /// Hook and direction.
        tap: String,
    },
    /// A tap is gone.
    TapDetached {
        /// Hook and direction.
        tap: String,
    },
    /// A trigger fired.
    Trigger {
        /// Which.
        kind: &'static str,
        /// In words.
        text: String,
    },
    /// Something is wrong with Linkprobe itself.
    Alarm {
        /// In words.
        text: String,
    },
}
