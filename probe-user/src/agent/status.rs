//! What `linkprobe status` shows, as it goes over the control socket and into `--json`.

use probe_core::recovery::RecoveryStatus;
use serde::{Deserialize, Serialize};

use super::lacp::LacpStatus;
use crate::export::SflowStatus;
use crate::export::status::SinkStatus;

/// Everything about a running agent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Version of linkprobe.
    pub version: String,
    /// Name of the agent.
    pub instance: String,
    /// Its process.
    pub pid: u32,
    /// Seconds since it started.
    pub uptime_s: f64,
    /// What it watches.
    pub links: Vec<LinkStatus>,
    /// LACP of the slaves, both ends.
    #[serde(default)]
    pub lacp: Vec<LacpStatus>,
    /// Names that it waits for.
    pub waiting: Vec<String>,
    /// What it probes: next hops first, then the targets in the order of the configuration.
    #[serde(default)]
    pub targets: Vec<TargetStatus>,
    /// Where it sees frames.
    pub taps: Vec<TapStatus>,
    /// Storms of copies of one frame that go on.
    pub storms: Vec<StormStatus>,
    /// What the kernel dropped of the watched links since the start, most first.
    pub drops: Vec<DropStatus>,
    /// Whether drops are counted, or why not.
    pub drop_reasons: String,
    /// What passed in the last second, at taps and by the drivers' own counters.
    #[serde(default)]
    pub matrix: MatrixStatus,
    /// How much history of seconds and states there is (`linkprobe status --since`).
    #[serde(default)]
    pub history: super::history::HistoryExtent,
    /// How far back the recorder reaches, by lane.
    pub recorder: RecorderStatus,
    /// Samples to flow collectors; `None` where there are no collectors.
    #[serde(default)]
    pub sflow: Option<SflowStatus>,
    /// Incidents since the start.
    pub incidents: IncidentStatus,
    /// Recoveries.
    #[serde(default)]
    pub recovery: RecoveryStatus,
    /// Receivers of events and traffic.
    #[serde(default)]
    pub sinks: Vec<SinkStatus>,
    /// Every loss, by name: also those that are zero.
    pub losses: Vec<Loss>,
    /// Whether carrier edges come from the kernel itself, or why not.
    pub carrier_edges: String,
    /// What did not go as it should.
    pub notes: Vec<String>,
}

/// One link.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LinkStatus {
    /// Name.
    pub name: String,
    /// Interface index.
    pub ifindex: u32,
    /// bond, slave or interface.
    pub role: String,
    /// Name of its bond.
    pub master: Option<String>,
    /// Set up by the administrator.
    pub admin_up: bool,
    /// Carrier.
    pub carrier: bool,
    /// Operational state.
    pub operstate: String,
    /// What the bond's monitor says of a slave: up, down…; active or backup beside it.
    pub slave_state: Option<String>,
    /// Seconds since carrier or operational state changed; `None` when they have not since the agent started.
    pub age_s: Option<f64>,
    /// Changes since the kernel made the link.
    pub changes: u64,
}

/// One target.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TargetStatus {
    /// Name.
    pub name: String,
    /// icmp, arp or nd.
    pub method: String,
    /// The interface that it is asked on, when it is asked on a certain one.
    pub interface: Option<String>,
    /// It was found in the routing table.
    pub next_hop: bool,
    /// up, down, never (not answered since the start) or unknown.
    pub state: String,
    /// Whether the last probe was answered.
    pub answered: Option<bool>,
    /// Lost among the last n.
    pub lost: u32,
    /// Number of those.
    pub of: u32,
    /// Probes since the target is known.
    pub probes: u64,
    /// Lost, of all.
    pub lost_of_all: u64,
    /// Of the last answer, milliseconds.
    pub rtt_ms: Option<f64>,
    /// Why the last probe could not be sent.
    pub send_error: Option<String>,
}

/// One tap.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TapStatus {
    /// Tap id, as in the records.
    pub tap: u16,
    /// Interface.
    pub interface: String,
    /// Its index.
    pub ifindex: u32,
    /// ingress or egress.
    pub direction: String,
    /// xdp, xdp-generic, tcx or clsact.
    pub hook: String,
    /// Why this hook.
    pub why: String,
    /// Packets of all classes.
    pub packets: u64,
    /// Bytes of all classes.
    pub bytes: u64,
    /// By class; those that counted nothing are left out.
    pub classes: Vec<ClassStatus>,
    /// Records written.
    pub recorded: u64,
    /// Samples taken.
    pub samples: u64,
    /// One packet in so many is sampled now; 0 for none.
    #[serde(default)]
    pub sample_rate: u32,
    /// Frames that were counted instead of recorded: copies of others.
    pub repeats: u64,
}

/// Drops of one reason at one place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DropStatus {
    /// Interface.
    pub interface: String,
    /// The kernel's name of the reason.
    pub reason: String,
    /// The function that dropped; empty where it is not known.
    pub place: String,
    /// How many.
    pub packets: u64,
}

/// A storm of copies of one frame that goes on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StormStatus {
    /// Interface.
    pub interface: String,
    /// ingress or egress.
    pub direction: String,
    /// What the frame is, in words.
    pub what: String,
    /// Copies so far.
    pub copies: u64,
    /// Copies per second, lately.
    pub rate: u64,
}

/// One class at one tap.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClassStatus {
    /// Name.
    pub class: String,
    /// Frames as the hook saw them.
    pub packets: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Packets that they are on the wire.
    pub segments: u64,
}

/// The tap matrix of the last second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MatrixStatus {
    /// Its length: about 1; 0 before there is any.
    pub seconds: f64,
    /// Each bond before its slaves, then the others.
    pub rows: Vec<MatrixRow>,
}

/// One link in the tap matrix. What is not known is `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MatrixRow {
    /// Interface.
    pub interface: String,
    /// Name of its bond.
    pub master: Option<String>,
    /// At the ingress tap.
    pub ingress: Option<Passed>,
    /// At the egress tap.
    pub egress: Option<Passed>,
    /// Received, by the driver.
    pub driver_rx: Option<Passed>,
    /// Transmitted, by the driver.
    pub driver_tx: Option<Passed>,
    /// Received and lost, by the driver.
    pub driver_rx_lost: Option<u64>,
    /// Lost on transmission, by the driver.
    pub driver_tx_lost: Option<u64>,
}

/// What passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Passed {
    /// Packets on the wire.
    pub packets: u64,
    /// Frames as the tap saw them: a GSO packet is one.
    pub frames: u64,
    /// Bytes of them.
    pub bytes: u64,
}

/// The recorder.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RecorderStatus {
    /// Its memory in bytes.
    pub memory_bytes: u64,
    /// CPUs that it is divided among.
    pub cpus: u32,
    /// control, then bulk.
    pub lanes: Vec<LaneStatus>,
}

/// One lane of the recorder.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LaneStatus {
    /// control or bulk.
    pub lane: String,
    /// Seconds since the oldest frame that it holds.
    pub depth_s: f64,
    /// True when nothing was overwritten yet: it holds everything since the start.
    pub everything: bool,
}

/// Incidents since the start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct IncidentStatus {
    /// Where they are written.
    pub directory: String,
    /// Id of the one that is open.
    pub open: Option<String>,
    /// Opened.
    pub opened: u64,
    /// Written.
    pub written: u64,
    /// Waiting to be written, or to be tried again.
    pub waiting: u64,
    /// Given up.
    pub lost: u64,
    /// Id of the last one that was written.
    pub last: Option<String>,
    /// What is wrong with writing now.
    pub alarm: Option<String>,
}

/// One loss counter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Loss {
    /// Where: a tap (`eth1 ingress`), netlink, events, timeline, incidents.
    pub place: String,
    /// What.
    pub name: String,
    /// How often.
    pub count: u64,
}
