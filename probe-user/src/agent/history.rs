//! What `linkprobe status --since` shows, as it goes over the control socket and into `--json`.

use probe_core::past::Spread;
use serde::{Deserialize, Serialize};

/// The history of some time. Times are RFC 3339 in the system's time zone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// Version of linkprobe.
    pub version: String,
    /// Seconds that were asked for.
    pub asked_s: u64,
    /// Start of what follows: what was asked for, or as far as the history reaches back.
    pub from: String,
    /// Its end: now.
    pub to: String,
    /// How much history there is.
    pub extent: HistoryExtent,
    /// Seconds of it in which counters were read.
    pub known_s: f64,
    /// Times in which they were not, oldest first: the newest of them.
    pub gaps: Vec<Gap>,
    /// All of those.
    pub gaps_total: u64,
    /// Length of a bucket of the series, seconds.
    pub bucket_s: f64,
    /// The links: each bond before its slaves, then the others.
    pub links: Vec<LinkHistory>,
    /// Links for which there was no room here.
    pub links_left_out: u64,
    /// The targets.
    pub targets: Vec<StateHistory>,
    /// Changes of links and targets, the newest last: the newest of them.
    pub changes: Vec<ChangeHistory>,
    /// All changes.
    pub changes_total: u64,
}

/// How much history there is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HistoryExtent {
    /// Seconds since the oldest that is kept.
    pub reaches_s: f64,
    /// Seconds that it may reach back (`history`); 0: none is kept.
    pub wanted_s: f64,
    /// Bytes of memory that it takes.
    pub memory_bytes: u64,
    /// Bytes that it may take (`history-memory`).
    pub memory_limit: u64,
    /// The oldest had to go for want of memory.
    pub memory_full: bool,
}

/// A time in which nothing was counted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Gap {
    /// Its start.
    pub from: String,
    /// Its length, seconds.
    pub s: f64,
}

/// What a link or a target was like.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StateHistory {
    /// Name.
    pub name: String,
    /// At the end, in words; empty where it is not known.
    pub state: String,
    /// Whether that is up.
    pub up: Option<bool>,
    /// For how long it has been so, seconds.
    pub for_s: Option<f64>,
    /// It has been so for longer: as far back as the history reaches.
    pub at_least: bool,
    /// Seconds of which it is known whether it was up.
    pub known_s: f64,
    /// Part of those in which it was up, 0 to 1; `None` where nothing is known.
    pub up_share: Option<f64>,
    /// Changes.
    pub changes: u64,
    /// Those with which it went down.
    pub downs: u64,
}

/// One link.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LinkHistory {
    /// Interface index.
    pub ifindex: u32,
    /// Name of its bond.
    pub master: Option<String>,
    /// What it was like.
    #[serde(flatten)]
    pub states: StateHistory,
    /// What it received; `None` where nobody counted.
    pub rx: Option<WayHistory>,
    /// What it transmitted.
    pub tx: Option<WayHistory>,
}

/// One direction of a link.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WayHistory {
    /// Seconds of which it is known.
    pub known_s: f64,
    /// Packets per second.
    pub packets: Spread,
    /// Bits per second.
    pub bits: Spread,
    /// Packets in all.
    pub total_packets: u64,
    /// Bytes in all.
    pub total_bytes: u64,
    /// Lost by the driver; `None` where it did not tell.
    pub lost: Option<u64>,
    /// By bucket.
    pub series: SeriesHistory,
}

/// A series: lists as long as there are buckets, `null` where nothing is known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SeriesHistory {
    /// Packets per second.
    pub packets: Columns,
    /// Bits per second.
    pub bits: Columns,
}

/// Of the seconds of each bucket.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Columns {
    /// The least.
    pub min: Vec<Option<u64>>,
    /// The mean.
    pub mean: Vec<Option<u64>>,
    /// The most.
    pub max: Vec<Option<u64>>,
}

/// One change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ChangeHistory {
    /// When.
    pub at: String,
    /// Of which link or target.
    pub name: String,
    /// What, in words.
    pub text: String,
    /// failure, recovery or note.
    pub tone: String,
    /// Changes that it stands for: more than 1 where they came faster than they are kept.
    pub count: u16,
}
