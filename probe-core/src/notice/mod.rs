//! Notices: what is told to collectors about one thing that happened, whatever the format and the way.
//!
//! Each entry of the timeline is one, and so are an incident that opens or is written, each finding of its verdict, and what concerns
//! the agent itself. A level stands on each, so that every collector can have its own.

mod make;
mod places;
mod weigh;

pub use places::{Place, Places};

use crate::level::Level;
use crate::timeline::LinkName;
use crate::tone::Tone;
use crate::verdict::{Confidence, FindingKind, Severity};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// When: nanoseconds since 1970, UTC.
    pub wall_ns: u64,
    /// How bad.
    pub level: Level,
    /// Bad news or good.
    pub tone: Tone,
    /// What: for an entry of the timeline its name in incident.json ([`crate::timeline::What::name`]); else one of [`event`]. At most 32
    /// letters and hyphens.
    pub event: &'static str,
    /// The link that it is about.
    pub link: Option<LinkName>,
    /// The bond and the slave that it concerns.
    pub place: Place,
    /// Id of the incident that it belongs to.
    pub incident: Option<String>,
    /// The trigger, where it tells of one.
    pub trigger: Option<&'static str>,
    /// What was found, where it tells of a finding or a verdict.
    pub finding: Option<Found>,
    /// Messages that a collector did not get, where it tells of those.
    pub dropped: Option<Dropped>,
    /// In words, one line.
    pub text: String,
}

/// What was found, in short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// What.
    pub kind: Option<FindingKind>,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
}

/// Messages that did not get to a collector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// How many.
    pub messages: u64,
    /// When the first of them was to be sent: nanoseconds since 1970.
    pub first_ns: u64,
    /// When the last of them was.
    pub last_ns: u64,
}

/// Names of the notices that are no entries of the timeline.
pub mod event {
    /// An incident opens.
    pub const INCIDENT_OPENED: &str = "incident-opened";
    /// An incident is on disk; with its verdict.
    pub const INCIDENT_WRITTEN: &str = "incident-written";
    /// A finding of the verdict, with the time at which it began.
    pub const FINDING: &str = "finding";
    /// The agent records.
    pub const AGENT_STARTED: &str = "agent-started";
    /// The agent stops.
    pub const AGENT_STOPPED: &str = "agent-stopped";
    /// A collector did not get all messages.
    pub const MESSAGES_DROPPED: &str = "messages-dropped";
}
