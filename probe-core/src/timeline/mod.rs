//! The timeline: everything that happened, in order of time.

mod name;
mod store;

use serde::Serialize;

pub use store::Timeline;

use crate::direction::Direction;
use crate::lacp::{Grown, Lacpdu};
use crate::link::{MiiStatus, OperState};
use crate::reach::Method;
use crate::recovery::Step;
use crate::repeat::RepeatSeen;
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, PartialOrd, Ord)]
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
    /// Why a link has no carrier, as its driver tells (the extended link state).
    LinkReason {
        /// In words.
        reason: String,
    },
    /// A LACPDU says something else than the one before it in the same direction.
    Lacp {
        /// [`Direction::Egress`]: ours; [`Direction::Ingress`]: the partner's.
        direction: Direction,
        /// What the one before said; `None` for the first.
        from: Option<Lacpdu>,
        /// What it says now.
        to: Lacpdu,
    },
    /// LACPDUs stopped in one direction, or came again.
    LacpSilence {
        /// [`Direction::Egress`]: ours; [`Direction::Ingress`]: the partner's.
        direction: Direction,
        /// They stopped.
        silent: bool,
        /// Time since the last one, nanoseconds.
        for_ns: u64,
        /// Time after which three of them are missing, nanoseconds.
        limit_ns: u64,
    },
    /// What the bonding driver and the taps counted at a slave since they were compared last, asked for when LACP changed.
    LacpCounters(Grown),
    /// A probed target no longer answers, or answers again.
    Reach {
        /// The target's name.
        target: String,
        /// How it is asked.
        method: Method,
        /// It answers.
        up: bool,
        /// Lost among the last probes.
        lost: u32,
        /// Number of those last probes.
        of: u32,
        /// Of the last answer, nanoseconds.
        rtt_ns: Option<u64>,
        /// Why probes could not be sent, when that is so.
        send_error: Option<String>,
    },
    /// A frame is repeated like a storm, or the storm is over.
    Storm {
        /// At its onset; false when it is over.
        begins: bool,
        /// The repeat, as far as it went.
        repeat: RepeatSeen,
        /// What the frame is, in words.
        what: String,
        /// Copies per second, lately.
        rate: u64,
    },
    /// More packets left one layer than went into it.
    Ghosts {
        /// Packets at the bond's egress tap.
        bond: u64,
        /// At the egress taps of its slaves.
        slaves: u64,
        /// That the slaves' drivers sent.
        wire: u64,
        /// In so many nanoseconds.
        within_ns: u64,
    },
    /// Packets are handed over and do not reach the wire, or nothing is received any more; or that is over.
    Blackout {
        /// Which way.
        direction: Direction,
        /// It begins.
        begins: bool,
        /// What shows it, in words.
        text: String,
    },
    /// The rate is far from that of the minutes before.
    Rate {
        /// Which way.
        direction: Direction,
        /// Packets per second now.
        now: u64,
        /// Packets per second as usual.
        usual: u64,
    },
    /// The kernel dropped packets of this link.
    Drops {
        /// The kernel's name of the reason.
        reason: String,
        /// The function that dropped; empty where it is not known.
        place: String,
        /// How many.
        packets: u64,
        /// In so many nanoseconds.
        within_ns: u64,
    },
    /// A line of a log matched a pattern.
    Log {
        /// `kernel`, or the file's path.
        file: String,
        /// The pattern tells of a failure; false: of a recovery.
        failure: bool,
        /// Name of the pattern.
        pattern: String,
        /// The line.
        line: String,
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
    /// A step of a recovery, or of the command that is run beside it.
    Recovery {
        /// Which.
        step: Step,
        /// It only would be done.
        dry_run: bool,
        /// In words.
        text: String,
    },
    /// Something is wrong with Linkprobe itself.
    Alarm {
        /// In words.
        text: String,
    },
}
