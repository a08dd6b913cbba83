//! The way of an incident through the agent: a trigger starts a capture; the window's end hands capture and incident to the writer.

use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use probe_core::filter::Filter;
use probe_core::flight::Opened;
use probe_core::incident::Incident;
use probe_core::past::Before;
use probe_core::time::Mono;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::status::IncidentStatus;
use crate::clock;
use crate::config::Config;
use crate::incident::filtered::Filtered;
use crate::incident::source::Source;
use crate::incident::{
    CaptureHandle, CaptureWindow, Job, RecorderSource, Retention, WriteOutcome, Writer, WriterConfig, WrittenIncident,
    incident_id,
};
use crate::kernel::Recorder;

/// How long a stopping agent waits for its last incident.
const LAST_WRITE: Duration = Duration::from_secs(10);

/// The open incident, the writer, and their numbers.
pub struct Incidents {
    recorder: Recorder,
    writer: Option<Writer>,
    thread: Option<JoinHandle<()>>,
    open: Option<Open>,
    limit: u64,
    /// Which ordinary packets are wanted; `None` for all.
    filter: Option<Filter>,
    snaplen: u32,
    status: IncidentStatus,
}

struct Open {
    id: String,
    capture: Option<CaptureHandle>,
}

impl Incidents {
    /// Starts the writer. Its outcomes come through the receiver.
    pub fn start(config: &Config, recorder: Recorder) -> anyhow::Result<(Self, mpsc::UnboundedReceiver<WriteOutcome>)> {
        // Few outcomes come, and the loop takes each at once: the channel needs no bound.
        let (sender, outcomes) = mpsc::unbounded_channel();
        let (writer, thread) = Writer::start(writer_config(config), move |outcome| {
            // The agent has stopped listening when it stops.
            let _ = sender.send(outcome);
        })
        .context("writer")?;
        let status = IncidentStatus { directory: config.incidents.display().to_string(), ..IncidentStatus::default() };
        let incidents = Self {
            recorder,
            writer: Some(writer),
            thread: Some(thread),
            open: None,
            limit: config.capture_limit,
            filter: config.filter.clone(),
            snaplen: config.snaplen.max(config.control_snaplen),
            status,
        };
        Ok((incidents, outcomes))
    }

    /// From the next incident on another limit and filter; what is written goes to another place and is kept as it is said there.
    pub fn configure(&mut self, config: &Config) {
        self.limit = config.capture_limit;
        self.filter.clone_from(&config.filter);
        self.status.directory = config.incidents.display().to_string();
        if let Some(writer) = &mut self.writer {
            writer.configure(writer_config(config));
        }
    }

    /// A trigger fired: copies the recorder, at once and on another thread.
    ///
    /// # Errors
    /// When there can be no further thread; the incident is then written without packets.
    pub fn open(&mut self, opened: &Opened) -> anyhow::Result<()> {
        let id = incident_id(clock::wall_offset().wall_ns(opened.at));
        let window = CaptureWindow { from: opened.from, trigger: opened.at, until: opened.until, limit: self.limit };
        let recorder = Box::new(RecorderSource::new(self.recorder.clone()));
        let source: Box<dyn Source> = match &self.filter {
            Some(filter) => Box::new(Filtered::new(recorder, filter.clone())),
            None => recorder,
        };
        let (capture, result) = match CaptureHandle::start(source, window, clock::now) {
            Ok(capture) => (Some(capture), Ok(())),
            Err(error) => (None, Err(error).context("incident without packets: no thread for the capture")),
        };
        log::warn!("incident {id} opens: {}", opened.text);
        self.status.opened += 1;
        self.status.open = Some(id.clone());
        self.open = Some(Open { id, capture });
        result
    }

    /// The open incident goes on; what it is about lies near `trigger`.
    pub fn extend(&self, trigger: Mono, until: Mono) {
        if let Some(capture) = self.open.as_ref().and_then(|open| open.capture.as_ref()) {
            capture.extend(Some(trigger), until);
        }
    }

    /// The window has ended: hands everything to the writer, from the capture's own thread. There it is found out, too, what was normal
    /// `before`.
    pub fn close(&mut self, mut incident: Incident, before: Before, losses: Vec<(String, u64)>) {
        let Some(open) = self.open.take() else { return };
        self.status.open = None;
        let Some(writer) = self.writer.clone() else { return };
        let (wall, snaplen, filter) = (clock::wall_offset(), self.snaplen, self.filter.clone());
        incident.id = open.id;
        self.status.waiting += 1;
        let submit = move |captured| {
            incident.normal = before.normal();
            writer.submit(Job { incident, captured, wall, losses, snaplen, filter });
        };
        match open.capture {
            Some(capture) => drop(capture.finish(submit)),
            None => submit(crate::incident::Captured::default()),
        }
    }

    /// Takes note of what became of an incident. Returns what is wrong, if anything is: an alarm.
    pub fn outcome(&mut self, outcome: WriteOutcome) -> Option<String> {
        match outcome {
            WriteOutcome::Written { incident, cleaned } => {
                let capture = &incident.capture;
                log::warn!(
                    "incident {} is written: {}; {} packets, {} bytes in {}",
                    incident.id,
                    incident.headline,
                    capture.packets,
                    incident.bytes,
                    incident.path.display()
                );
                self.settle();
                self.status.written += 1;
                self.status.last = Some(incident.id);
                if self.status.waiting == 0 {
                    self.status.alarm = None;
                }
                self.tell(&cleaned.removed, &cleaned.errors)
            }
            WriteOutcome::Retrying { id, error, pause } => {
                let alarm = format!("incident {id} cannot be written ({error}); next attempt in {} s", pause.as_secs());
                self.status.alarm = Some(alarm.clone());
                Some(alarm)
            }
            WriteOutcome::Lost { id, reason } => {
                self.settle();
                self.status.lost += 1;
                let alarm = format!("incident {id} is lost: {reason}");
                self.status.alarm = Some(alarm.clone());
                Some(alarm)
            }
            WriteOutcome::Leftovers(cleaned) => self.tell(&cleaned.removed, &cleaned.errors),
        }
    }

    /// Numbers for `linkprobe status`.
    pub fn status(&self) -> IncidentStatus {
        self.status.clone()
    }

    /// Id of the open incident.
    pub fn open_id(&self) -> Option<&str> {
        self.open.as_ref().map(|open| open.id.as_str())
    }

    /// What `linkprobe trigger` is told.
    pub fn answer_to_trigger(&self) -> Value {
        let id = self.status.open.as_deref().unwrap_or_default();
        let text = format!("incident {id} will be written to {} when its window ends", self.status.directory);
        json!({ "incident": id, "directory": self.status.directory, "text": text })
    }

    /// Waits until everything is written or given up, but not for ever: a disk may hang. Returns how many were lost then.
    /// `written` is told of each that is on disk.
    pub async fn finish(
        &mut self,
        outcomes: &mut mpsc::UnboundedReceiver<WriteOutcome>,
        mut written: impl FnMut(&WrittenIncident),
    ) -> u64 {
        let lost_before = self.status.lost;
        self.writer = None;
        let last = async {
            while self.status.waiting > 0 {
                let Some(outcome) = outcomes.recv().await else { return };
                if let WriteOutcome::Written { incident, .. } = &outcome {
                    written(incident);
                }
                if let Some(alarm) = self.outcome(outcome) {
                    log::error!("{alarm}");
                }
            }
        };
        if tokio::time::timeout(LAST_WRITE, last).await.is_err() {
            log::error!("{} incidents are not written after {} s: lost", self.status.waiting, LAST_WRITE.as_secs());
        } else if let Some(thread) = self.thread.take() {
            // It has nothing left to do.
            let _ = thread.join();
        }
        self.status.lost - lost_before + self.status.waiting
    }

    fn settle(&mut self) {
        self.status.waiting = self.status.waiting.saturating_sub(1);
    }

    fn tell(&self, removed: &[String], errors: &[String]) -> Option<String> {
        if !removed.is_empty() {
            log::info!("removed from {}: {}", self.status.directory, removed.join(", "));
        }
        (!errors.is_empty()).then(|| errors.join("; "))
    }
}

fn writer_config(config: &Config) -> WriterConfig {
    let retention = Retention { incidents: config.keep_incidents, bytes: config.keep_bytes, days: config.keep_days };
    WriterConfig::new(config.incidents.clone(), retention, config.capture_limit)
}
