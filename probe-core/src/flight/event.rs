//! What goes into the engine, and what comes out.

use crate::incident::Incident;
use crate::link::LinkState;
use crate::netlink::LinkMessage;
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
