//! What `linkprobe status` shows, as it goes over the control socket and into `--json`.

use serde::{Deserialize, Serialize};

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
    /// Names that it waits for.
    pub waiting: Vec<String>,
    /// Where it sees frames.
    pub taps: Vec<TapStatus>,
    /// How far back the recorder reaches, by lane.
    pub recorder: RecorderStatus,
    /// Incidents since the start.
    pub incidents: IncidentStatus,
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
