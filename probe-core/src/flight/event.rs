//! What goes into the engine, and what comes out.

use crate::direction::Direction;
use crate::drops::DropTotal;
use crate::incident::Incident;
use crate::lacp::LacpCounters;
use crate::link::LinkState;
use crate::matrix::Second;
use crate::netlink::LinkMessage;
use crate::reach::{ProbeSample, Target};
use crate::recovery::Step;
use crate::repeat::RepeatSeen;
use crate::table::Role;
use crate::time::Mono;
use crate::timeline::{Entry, LinkName, Source};

/// Something that happened, or was asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The first dump of all links. What it shows was so before the agent, and fires nothing.
    Start {
        /// Every link of the namespace.
        links: Vec<LinkState>,
    },
    /// A message about a link. [`LinkMessage::New`] and [`LinkMessage::Del`] are taken, the others are the agent's to act on.
    Link {
        /// [`Source::Netlink`] for a notification, [`Source::Resync`] for the answer to a question about this link.
        source: Source,
        /// The message.
        message: LinkMessage,
    },
    /// The kernel turned a carrier on or off. Before handing over a message, hand over every edge that is there: an edge is
    /// made before the message that counts it is sent, so that its exact time is kept.
    Edge {
        /// When, by the kernel's stamp.
        at: Mono,
        /// The link.
        ifindex: u32,
        /// On.
        up: bool,
    },
    /// A dump of all links after messages were lost.
    Resync {
        /// Why, in words.
        reason: String,
        /// Every link of the namespace.
        links: Vec<LinkState>,
    },
    /// A LACPDU passed a tap of a slave.
    Lacpdu {
        /// When, by the kernel's stamp.
        at: Mono,
        /// The slave.
        ifindex: u32,
        /// Egress: ours; ingress: the partner's.
        direction: Direction,
        /// The frame's first bytes.
        frame: Vec<u8>,
    },
    /// The answer to [`Action::AskLink`], beside the link's message: what the bonding driver counted at a slave.
    LacpCounters {
        /// The slave.
        ifindex: u32,
        /// Since it was enslaved.
        counters: LacpCounters,
    },
    /// A storm of copies of one frame begins, or has doubled: the copy that shows it. Its link's name may be empty: the engine knows it by
    /// its index.
    Repeat(Box<RepeatSeen>),
    /// What is probed from now on: all of it. What is known of targets that stay is kept.
    Targets(Vec<Target>),
    /// How often the frames that repeat themselves have come by now, once a second while there are any; without their bytes.
    Repeats(Vec<RepeatSeen>),
    /// A probe was answered, or lost.
    Probe(ProbeSample),
    /// What every tap and driver counted in the last second.
    Second(Second),
    /// What the kernel dropped since the last of these events.
    Drops(Vec<DropTotal>),
    /// A line of a log matched a pattern.
    Log {
        /// When it was written, or read.
        at: Mono,
        /// `kernel`, or the file's path.
        file: String,
        /// The pattern tells of a failure; false: of a recovery.
        failure: bool,
        /// The pattern is a trigger.
        fires: bool,
        /// Name of the pattern.
        pattern: String,
        /// The line.
        line: String,
    },
    /// The answer to [`Action::AskReason`], where there is one.
    LinkReason {
        /// The link.
        ifindex: u32,
        /// In words.
        reason: String,
    },
    /// The wall clock was set.
    ClockStep {
        /// By how much, nanoseconds; positive is forward.
        step_ns: i64,
    },
    /// Somebody asks for an incident.
    Manual {
        /// Why, in words.
        reason: String,
    },
    /// A tap was attached.
    TapAttached {
        /// The link.
        ifindex: u32,
        /// Hook and direction.
        tap: String,
    },
    /// A tap is gone.
    TapDetached {
        /// The link as it was called: it may be gone too.
        link: LinkName,
        /// Hook and direction.
        tap: String,
    },
    /// A step of a recovery: it goes on the timeline.
    Recovery {
        /// The bond or the slave.
        link: Option<LinkName>,
        /// Which.
        step: Step,
        /// It only would be done.
        dry_run: bool,
        /// In words.
        text: String,
    },
    /// What happens to this slave from now on is the doing of a recovery: it opens no incident.
    Hold {
        /// The slave.
        slave: LinkName,
        /// ifindex of its bond.
        bond: u32,
    },
    /// It is no longer. `out`: the slave could not be put back.
    Free {
        /// The slave.
        slave: LinkName,
        /// It is not in its bond.
        out: bool,
    },
    /// Something is wrong with Linkprobe itself.
    Alarm {
        /// In words.
        text: String,
    },
    /// Time has passed: [`super::Flight::next_deadline`].
    Tick,
    /// The agent stops: an open incident ends now.
    Stop,
}

/// Something to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Attach the taps of a link.
    Attach {
        /// The link.
        link: Box<LinkState>,
        /// Why it is watched, which decides the hooks.
        role: Role,
    },
    /// Take the taps of a link away.
    Detach {
        /// The link, as it was called.
        link: LinkName,
        /// The link is gone from this namespace, and its taps with it.
        gone: bool,
    },
    /// An incident opens: copy the recorder now.
    Open(Opened),
    /// The open incident goes on for longer.
    Extend {
        /// Its end, as far as is known.
        until: Mono,
    },
    /// The open incident has ended. Its id, taps, host and kernel are the agent's to fill in.
    Close(Box<Incident>),
    /// Ask the kernel for a slave or its bond as it is now, and for a slave's LACPDU counters: [`Event::Link`] from
    /// [`Source::Resync`], and [`Event::LacpCounters`].
    AskLink {
        /// The link.
        ifindex: u32,
    },
    /// Ask a link's driver why it has no carrier: [`Event::LinkReason`].
    AskReason {
        /// The link.
        ifindex: u32,
    },
    /// An entry was added to the timeline.
    Report(Entry),
}

/// An incident that opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Number of the incident since the agent's start, from 1.
    pub number: u64,
    /// When its first trigger's cause happened.
    pub at: Mono,
    /// Start of its window.
    pub from: Mono,
    /// End of its window, as far as is known.
    pub until: Mono,
    /// Name of its first trigger.
    pub kind: &'static str,
    /// The link that it is about.
    pub link: Option<LinkName>,
    /// In words.
    pub text: String,
}
