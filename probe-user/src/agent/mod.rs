//! `linkprobe run`: the agent. One thread, one loop over a closed set of inputs ([`input::Input`]); what they mean is decided by
//! [`probe_core::flight::Flight`], and what it asks for is done in [`act`].

mod act;
mod drops;
mod events;
pub mod history;
mod incidents;
mod input;
pub mod lacp;
mod logging;
mod matrix;
mod metrics;
mod past;
mod recovery;
mod reload;
mod report;
mod samples;
mod start;
pub mod status;
mod tell;
mod traffic;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use probe_core::counts::{CountHistory, Moment};
use probe_core::flight::{Action, Event, Flight};
use probe_core::logs::Pattern;
use probe_core::netlink::{LinkMessage, decode};
use probe_core::table::Role;
use probe_core::time::Mono;
use probe_core::timeline::{LinkName, Source};
use serde_json::json;

use crate::clock;
use crate::config::{Config, RunArgs};
use crate::control::{Call, Reply, Request};
use crate::export::Sflow;
use crate::kernel::Kernel;
use crate::kernel::load::{Diagnostics, one_heap};
use crate::kernel::lock::Lock;
use crate::logs::News;
use crate::metrics::Tones;
use crate::netlink::{ReasonAsker, Received, links};
use crate::probe::Report;
use incidents::Incidents;
use input::{Input, Inputs, Signal};
use matrix::Counting;

/// Longest time between two rounds of housekeeping: retries, and what is due each second anyway. To wake is most of what an idle agent costs.
const TICK: Duration = Duration::from_secs(1);
/// The same while collectors get samples, which should be there within a second.
const SAMPLING_TICK: Duration = Duration::from_millis(500);

/// Runs until it is told to stop.
///
/// # Errors
/// What is wrong with the configuration (a [`crate::config::ConfigErrors`]), or what kept the agent from starting.
pub fn run(args: &RunArgs) -> anyhow::Result<()> {
    let config = Config::resolve(args)?;
    logging::start(&config.log);
    one_heap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("event loop")?;
    let ended = runtime.block_on(async {
        let (mut agent, mut inputs) = start::start(args.clone(), config)?;
        agent.announce();
        let result = agent.record(&mut inputs).await;
        agent.stop(&mut inputs).await.and(result)
    });
    // A resolver that waits for a name server is not waited for.
    runtime.shutdown_background();
    ended
}

/// The running agent.
struct Agent {
    /// As it was started, for reading the configuration again.
    args: RunArgs,
    config: Config,
    started: Mono,
    kernel: Kernel,
    flight: Flight,
    incidents: Incidents,
    /// What the taps had counted at moments of the recent past.
    history: CountHistory,
    /// One for each thread that reads the history of seconds and states, and one more.
    past_readers: Arc<()>,
    /// Asks drivers why links have no carrier.
    reasons: ReasonAsker,
    /// What reads them, and the drivers', once a second.
    counting: Counting,
    /// The moment at which the open incident's window begins.
    base: Option<Moment>,
    losses: Losses,
    /// What the links have carried.
    traffic: traffic::Traffic,
    /// Entries of the timeline, counted.
    tones: Tones,
    /// Tells the receivers of events.
    teller: tell::Teller,
    /// What the kernel had dropped.
    dropped: drops::Dropped,
    /// Puts bonds back, and runs the operator's command.
    recoverer: recovery::Recoverer,
    /// Sends samples and counters to flow collectors, where there are any.
    sflow: Option<Sflow>,
    /// Interfaces whose taps could not be attached: it is tried again.
    untapped: Vec<Untapped>,
    /// Why all links have to be asked for, when they could not be yet.
    resync_due: Option<&'static str>,
    /// What the kernel programs say of themselves, at log level trace.
    diagnostics: Option<Diagnostics>,
    /// No other agent has this name: the control socket is ours.
    _lock: Lock,
}

/// An interface that should have taps and has none.
struct Untapped {
    link: LinkName,
    role: Role,
    why: String,
    /// Of the last attempt.
    at: Mono,
}

/// Losses that happen in the agent itself.
#[derive(Debug, Default)]
struct Losses {
    /// Times that the netlink socket overflowed.
    netlink_overruns: u64,
    /// Netlink messages that could not be understood.
    netlink_undecodable: u64,
    /// Entries of the EVENTS ring buffer that could not be understood.
    events_malformed: u64,
    /// Entries of the SAMPLES ring buffer that could not be understood.
    samples_malformed: u64,
    /// Of probes and logs, by name.
    others: Vec<(&'static str, u64)>,
    /// Of those before them, which ended when the configuration changed.
    ended: BTreeMap<&'static str, u64>,
}

impl Losses {
    /// What counted these ends, and its successor begins at 0.
    fn end(&mut self, counted: &[(&'static str, u64)]) {
        for (name, count) in counted {
            *self.ended.entry(name).or_default() += count;
        }
    }

    /// What the present probes and logs count.
    fn set_others(&mut self, counted: impl Iterator<Item = (&'static str, u64)>) {
        let ended = |name| self.ended.get(name).copied().unwrap_or(0);
        self.others = counted.map(|(name, count)| (name, count + ended(name))).collect();
    }
}

impl Agent {
    async fn record(&mut self, inputs: &mut Inputs) -> anyhow::Result<()> {
        loop {
            let now = clock::now();
            let tick = if self.sflow.is_some() { SAMPLING_TICK } else { TICK };
            let deadline = self.flight.next_deadline().map_or(tick, |at| Duration::from_nanos(at.since(now)));
            let patience = deadline.min(self.counting.due_in(now)).min(self.recoverer.due_in(now)).min(tick);
            let input = inputs.next(patience).await?;
            // The kernel's own events first: an edge was made before the message that tells of it, and has the exact time.
            self.kernel_events(inputs);
            match input {
                Input::Events | Input::Samples | Input::Tick => self.handle(Event::Tick),
                Input::Netlink(received) => self.netlink(received, inputs),
                Input::ClockStep(step_ns) => self.handle(Event::ClockStep { step_ns }),
                Input::Call(call) => self.answer(call, inputs),
                Input::Scrape(scrape) => self.scraped(scrape),
                Input::Log(News::Alarm(text)) => self.handle(Event::Alarm { text }),
                Input::Log(News::Line { at, file, pattern, line }) => {
                    let Pattern { name, failure, fires, .. } = pattern;
                    self.handle(Event::Log { at, file, failure, fires, pattern: name, line });
                }
                Input::Probe(report) => self.handle(match report {
                    Report::Targets(targets) => Event::Targets(targets),
                    Report::Sample(sample) => Event::Probe(sample),
                    Report::Alarm(text) => Event::Alarm { text },
                }),
                Input::Counted(answer) => self.counted(answer),
                Input::Reason((ifindex, reason)) => self.handle(Event::LinkReason { ifindex, reason }),
                Input::Written(outcome) => self.written(*outcome),
                Input::Recovery(report) => self.recovery_report(report),
                Input::Signal(Signal::Trigger) => self.handle(Event::Manual { reason: "SIGUSR1".into() }),
                Input::Signal(Signal::Reload) => match self.reload(inputs) {
                    Ok(keys) => log::info!("SIGHUP: {}", reloaded(&keys)),
                    Err(error) => self.handle(Event::Alarm { text: format!("SIGHUP: nothing was changed: {error:#}") }),
                },
                Input::Signal(Signal::Stop) => return Ok(()),
            }
            self.recovery_look();
            self.housekeeping(inputs);
        }
    }

    /// Hands an event to the engine and does what it asks for. What fails there is an event again.
    fn handle(&mut self, event: Event) {
        let actions = self.flight.handle(clock::now(), event);
        self.do_all(actions);
    }

    fn do_all(&mut self, actions: Vec<Action>) {
        let open_before = self.incidents.open_id().map(str::to_owned);
        let mut actions = VecDeque::from(actions);
        while let Some(action) = actions.pop_front() {
            for event in self.act(action) {
                actions.extend(self.flight.handle(clock::now(), event));
            }
        }
        self.teller.tell(self.flight.table(), self.incidents.open_id().or(open_before.as_deref()));
    }

    fn netlink(&mut self, received: Received, inputs: &mut Inputs) {
        let Received::Datagram(datagram) = received else {
            self.losses.netlink_overruns += 1;
            // What still waits in the socket is older than the dump, and worth its times; an overrun is reported once.
            inputs.monitor.drain(|datagram| self.messages(datagram));
            self.resync_due = Some("the netlink socket overflowed");
            return;
        };
        self.messages(&datagram);
    }

    fn messages(&mut self, datagram: &[u8]) {
        for decoded in decode(datagram) {
            match decoded.message {
                Ok(message @ (LinkMessage::New(_) | LinkMessage::Del { .. })) => {
                    self.handle(Event::Link { source: Source::Netlink, message });
                }
                Ok(_) => {}
                Err(error) => {
                    self.losses.netlink_undecodable += 1;
                    log::warn!("{error}");
                }
            }
        }
    }

    /// Asks for all links again when messages were lost. Where the kernel does not answer it stays due.
    fn resync(&mut self) {
        let Some(reason) = self.resync_due else { return };
        match links() {
            Ok(found) => {
                self.resync_due = None;
                self.losses.netlink_undecodable += found.undecodable.len() as u64;
                self.handle(Event::Resync { reason: reason.into(), links: found.links });
            }
            Err(error) => log::error!("{reason}, and links cannot be asked for: {error}; trying again"),
        }
    }

    fn answer(&mut self, call: Call, inputs: &mut Inputs) {
        let reply = match call.request {
            Request::History { since_s } => return self.history(Duration::from_secs(since_s), call.reply),
            Request::Status => self.status().and_then(|status| Ok(serde_json::to_value(status)?)),
            Request::Reload => Ok(match self.reload(inputs) {
                Ok(keys) => {
                    log::info!("{}", reloaded(&keys));
                    json!({ "changed": keys })
                }
                Err(error) => {
                    let refused = format!("{error:#}");
                    log::error!("the configuration was read again, and nothing was changed: {refused}");
                    json!({ "changed": [], "refused": refused.lines().collect::<Vec<_>>() })
                }
            }),
            Request::Trigger { reason } => {
                self.handle(Event::Manual { reason });
                Ok(self.incidents.answer_to_trigger())
            }
        };
        // A client that has gone away takes no answer.
        let _ = call.reply.send(reply.map_or_else(|error| Reply::Error(format!("{error:#}")), Reply::Ok));
    }

    /// What is due now and then, however busy the loop is.
    fn housekeeping(&mut self, inputs: &mut Inputs) {
        let now = clock::now();
        inputs.clock.offset();
        self.resync();
        self.retry_taps(now);
        if let Some(diagnostics) = &mut self.diagnostics {
            diagnostics.flush();
        }
        self.samples(&mut inputs.samples);
        self.losses.samples_malformed = inputs.samples.malformed();
        for text in self.teller.sinks.alarms() {
            self.handle(Event::Alarm { text });
        }
        let sflow = Sflow::losses(self.sflow.as_ref());
        self.losses.set_others(
            inputs.probes.losses().into_iter().chain(inputs.logs.losses()).chain(sflow).chain([self.recoverer.losses()]),
        );
        self.count(now);
    }

    /// Ends the open incident, waits for the writer, and takes everything out of the kernel.
    ///
    /// # Errors
    /// When an incident could not be written.
    async fn stop(mut self, inputs: &mut Inputs) -> anyhow::Result<()> {
        self.samples(&mut inputs.samples);
        if let Some(mut sflow) = self.sflow.take() {
            sflow.finish(clock::now());
        }
        self.stop_recovery(inputs).await;
        self.handle(Event::Stop);
        let lost = self.incidents.finish(&mut inputs.written, |incident| self.teller.written(incident)).await;
        self.send_traffic();
        self.teller.stopped();
        self.kernel.shutdown();
        self.teller.sinks.stop().await;
        log::info!("stopped");
        ensure!(lost == 0, "incidents that could not be written: {lost}");
        Ok(())
    }
}

/// What is told of a configuration that was read again.
fn reloaded(keys: &[&str]) -> String {
    match keys {
        [] => "the configuration was read again: nothing is another than before".to_owned(),
        keys => format!("the configuration was read again; changed: {}", keys.join(", ")),
    }
}
