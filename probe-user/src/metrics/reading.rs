//! What the event loop hands over to be made into metrics.

use probe_core::flight;
use probe_core::tone::Tone;
use probe_core::traffic::Totals;

use crate::agent::status::{IncidentStatus, RecorderStatus};
use crate::export::SflowStatus;
use crate::export::status::SinkStatus;

/// Everything that the agent knows, at one moment.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Name of the agent.
    pub instance: String,
    /// Seconds since it started.
    pub uptime_s: f64,
    /// What the engine knows.
    pub flight: flight::Status,
    /// What taps and drivers have counted.
    pub totals: Totals,
    /// Seconds since that was read; `None` before it was.
    pub totals_age_s: Option<f64>,
    /// Entries of the timeline since the start.
    pub tones: Tones,
    /// The recorder.
    pub recorder: RecorderStatus,
    /// Incidents.
    pub incidents: IncidentStatus,
    /// Receivers of events and traffic.
    pub sinks: Vec<SinkStatus>,
    /// sFlow; `None` where there are no collectors.
    pub sflow: Option<SflowStatus>,
    /// Losses of the agent itself, by name.
    pub losses: Vec<(String, u64)>,
}

/// Entries of the timeline by their tone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tones {
    /// Something broke.
    pub failures: u64,
    /// Something works again.
    pub recoveries: u64,
    /// Neither.
    pub notes: u64,
}

impl Tones {
    /// Counts one more.
    pub fn count(&mut self, tone: Tone) {
        match tone {
            Tone::Failure => self.failures += 1,
            Tone::Recovery => self.recoveries += 1,
            Tone::Note => self.notes += 1,
        }
    }
}
