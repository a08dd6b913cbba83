//! All receivers of events and traffic. Each has a queue and a worker of its own: one that is slow or gone holds up nobody.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use probe_core::notice::Notice;
use serde_json::Value;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, timeout_at};

use super::about::About;
use super::format::Encoder;
use super::queue::{BOUNDS, Bounds, Queue, Urgency};
use super::shared::{Shared, add, read};
use super::spec::{Format, SinkSpec, Transport};
use super::status::SinkStatus;
use super::worker::{DISK, NETWORK, Timing, Worker};
use crate::config::Config;

/// A worker ends by itself before that; only a disk that hangs does not let it.
const LONGEST_END: Duration = Duration::from_secs(3);

/// The receivers.
#[derive(Debug)]
pub struct Sinks {
    about: About,
    sinks: Vec<Sink>,
    /// What receivers lost that a changed configuration does not have any more.
    gone: u64,
    alarms: Vec<String>,
}

/// One receiver.
#[derive(Debug)]
pub struct Sink {
    format: Format,
    spec: SinkSpec,
    encoder: Arc<Encoder>,
    shared: Arc<Shared>,
    queue: Queue,
    /// Dropped with the sink: the worker's time to end begins.
    _closing: watch::Sender<()>,
    done: oneshot::Receiver<()>,
}

impl Sinks {
    /// Starts a worker for each receiver of the configuration: a task on this runtime, and for files a thread.
    ///
    /// # Errors
    /// When there can be no further thread.
    pub fn start(config: &Config, about: About) -> io::Result<Self> {
        let mut sinks = Self { about, sinks: Vec::new(), gone: 0, alarms: Vec::new() };
        sinks.change(config)?;
        Ok(sinks)
    }

    /// Takes another configuration: receivers that stay as they are keep their connections and queues, others end after what they hold is
    /// sent, or some seconds.
    ///
    /// # Errors
    /// When there can be no further thread: then everything is as before.
    pub fn change(&mut self, config: &Config) -> io::Result<()> {
        let lists = [
            (Format::Syslog, config.syslog.as_slice()),
            (Format::Json, config.json.as_slice()),
            (Format::Sar, config.sar.as_slice()),
            (Format::Text, config.event_log.as_slice()),
        ];
        let wanted: Vec<(Format, &SinkSpec)> =
            lists.into_iter().flat_map(|(format, specs)| specs.iter().map(move |spec| (format, spec))).collect();
        let mut fresh = Vec::new();
        for (format, spec) in &wanted {
            if !self.sinks.iter().any(|sink| sink.is(*format, spec)) {
                fresh.push(Sink::start(*format, spec, self.about.clone(), BOUNDS, timing(spec))?);
            }
        }
        let (stay, go) = self.sinks.drain(..).partition(|sink| wanted.iter().any(|(format, spec)| sink.is(*format, spec)));
        self.sinks = stay;
        self.sinks.extend(fresh);
        self.gone += go.iter().map(|sink: &Sink| read(&sink.shared.dropped)).sum::<u64>();
        Ok(())
    }

    /// Whether nobody is told anything.
    pub fn is_empty(&self) -> bool {
        self.sinks.is_empty()
    }

    /// Tells what happened to all whose level lets it pass. Never waits.
    pub fn tell(&mut self, notice: &Notice) {
        for sink in &mut self.sinks {
            if sink.tell(notice) {
                self.alarms.push(sink.full());
            }
        }
    }

    /// Whether anybody takes sar's lines.
    pub fn wants_sar(&self) -> bool {
        self.sinks.iter().any(|sink| sink.format == Format::Sar)
    }

    /// Whether anybody takes documents about traffic.
    pub fn wants_documents(&self) -> bool {
        self.sinks.iter().any(Sink::takes_documents)
    }

    /// Whether anybody takes traffic in one form or another.
    pub fn wants_traffic(&self) -> bool {
        self.wants_sar() || self.wants_documents()
    }

    /// Sends a block of sar's lines that is about a time, in nanoseconds since 1970. Never waits.
    pub fn sar(&mut self, block: &str, at_ns: u64) {
        for sink in self.sinks.iter_mut().filter(|sink| sink.format == Format::Sar) {
            for message in sink.encoder.lines(block, at_ns) {
                sink.queue.push(message, Urgency::Traffic);
            }
        }
    }

    /// Sends documents about traffic at a time, in nanoseconds since 1970. Who tells, the time and the schema are put into each, where it
    /// does not say them itself. Never waits.
    pub fn documents(&mut self, documents: &[Value], at_ns: u64) {
        for sink in self.sinks.iter_mut().filter(|sink| sink.takes_documents()) {
            for document in documents {
                match sink.encoder.document(document, at_ns) {
                    Some(message) => {
                        sink.queue.push(message, Urgency::Traffic);
                    }
                    None => sink.shared.lose(at_ns),
                }
            }
        }
    }

    /// What the timeline should say of receivers: that messages are lost, or a file cannot be written. Each is told once.
    pub fn alarms(&mut self) -> Vec<String> {
        let left = self.sinks.iter().filter_map(Sink::take_alarm);
        self.alarms.drain(..).chain(left).collect()
    }

    /// Numbers for `linkprobe status`.
    pub fn status(&self) -> Vec<SinkStatus> {
        self.sinks.iter().map(Sink::status).collect()
    }

    /// Numbers for the list of losses, by name.
    pub fn losses(&self) -> Vec<(String, u64)> {
        let each = self.sinks.iter().flat_map(|sink| {
            let counts = [("messages-dropped", &sink.shared.dropped), ("messages-cut", &sink.shared.truncated)];
            counts.map(|(what, count)| (format!("{what} ({})", sink.name()), read(count)))
        });
        let gone = ("messages-dropped (receivers of an earlier configuration)".to_owned(), self.gone);
        each.chain((self.gone > 0).then_some(gone)).collect()
    }

    /// Sends what is left, for two seconds at most. What is not sent then is in the log.
    pub async fn stop(self) {
        // All of them begin to end before any is waited for.
        let ends: Vec<(String, Ending)> = self.sinks.into_iter().map(|sink| (sink.name(), sink.end())).collect();
        let deadline = Instant::now() + LONGEST_END;
        for (name, end) in ends {
            if !end.by(deadline).await {
                log::warn!("{name} does not end: its disk hangs");
            }
        }
    }
}

/// A worker that sends what is left.
struct Ending(oneshot::Receiver<()>);

impl Ending {
    /// Waits for it until then; whether it has ended.
    async fn by(self, deadline: Instant) -> bool {
        timeout_at(deadline, self.0).await.is_ok()
    }
}

impl Sink {
    /// Starts its worker.
    ///
    /// # Errors
    /// When there can be no further thread.
    pub fn start(format: Format, spec: &SinkSpec, about: About, bounds: Bounds, timing: Timing) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let encoder = Encoder::new(format, &spec.transport, about);
        let encoder = if spec.old_syslog { encoder.with_old_syslog(&spec.transport) } else { encoder };
        let encoder = Arc::new(encoder);
        let (queue, messages) = Queue::new(bounds, Arc::clone(&shared), Arc::clone(&encoder));
        let (closing, closed) = watch::channel(());
        let (ended, done) = oneshot::channel();
        let worker = Worker {
            name: format!("{} {}", name(format), spec.transport),
            spec: spec.clone(),
            timing,
            messages,
            shared: Arc::clone(&shared),
            encoder: Arc::clone(&encoder),
            pending: VecDeque::new(),
            in_flight: VecDeque::new(),
            closing: closed,
        };
        let work = async move {
            worker.run().await;
            // Nobody waits for it unless the agent stops.
            let _ = ended.send(());
        };
        if matches!(spec.transport, Transport::File(_)) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
            let thread = std::thread::Builder::new().name("event-file".into()).stack_size(256 << 10);
            thread.spawn(move || runtime.block_on(work))?;
        } else {
            tokio::spawn(work);
        }
        Ok(Self { format, spec: spec.clone(), encoder, shared, queue, _closing: closing, done })
    }

    /// Tells what happened, if its level lets it pass. Never waits. True when this is the first that finds no room.
    pub fn tell(&mut self, notice: &Notice) -> bool {
        if self.format == Format::Sar || notice.level > self.spec.level {
            return false;
        }
        let (message, cut) = self.encoder.notice(notice, self.shared.number());
        if cut {
            add(&self.shared.truncated, 1);
        }
        self.queue.push(message, Urgency::Event)
    }

    /// Something for the timeline, once.
    pub fn take_alarm(&self) -> Option<String> {
        self.shared.take_alarm()
    }

    /// No more comes: the worker sends what is left.
    fn end(self) -> Ending {
        // Queue and signal go with the rest of it.
        Ending(self.done)
    }

    /// Ends it; whether it did so in time.
    #[cfg(test)]
    pub async fn stop(self) -> bool {
        self.end().by(Instant::now() + LONGEST_END).await
    }

    fn is(&self, format: Format, spec: &SinkSpec) -> bool {
        self.format == format && self.spec == *spec
    }

    fn takes_documents(&self) -> bool {
        self.format == Format::Json && self.spec.traffic
    }

    fn name(&self) -> String {
        format!("{} {}", name(self.format), self.spec.transport)
    }

    fn full(&self) -> String {
        let why = self.shared.state().1.map(|error| format!(": {error}")).unwrap_or_default();
        format!("{}: its queue is full, messages are lost{why}", self.name())
    }

    /// Numbers for `linkprobe status`.
    pub fn status(&self) -> SinkStatus {
        let shared = &self.shared;
        let (connected, last_error) = shared.state();
        SinkStatus {
            kind: name(self.format).into(),
            to: self.spec.transport.to_string(),
            level: (self.format != Format::Sar).then(|| self.spec.level.to_string()),
            connected,
            sent: read(&shared.sent),
            bytes: read(&shared.bytes),
            resent: read(&shared.resent),
            dropped: read(&shared.dropped),
            truncated: read(&shared.truncated),
            errors: read(&shared.errors),
            queued: read(&shared.queued),
            queued_bytes: read(&shared.queued_bytes),
            last_error,
        }
    }
}

fn timing(spec: &SinkSpec) -> Timing {
    if matches!(spec.transport, Transport::File(_)) { DISK } else { NETWORK }
}

/// A format by the key that it has in the configuration.
fn name(format: Format) -> &'static str {
    match format {
        Format::Syslog => "syslog",
        Format::Json => "json",
        Format::Sar => "sar",
        Format::Text => "event-log",
    }
}
