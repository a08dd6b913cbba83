//! Everything that can wake the agent.

use std::io::{self, IsTerminal};
use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{Signal as UnixSignal, SignalKind, signal};
use tokio::sync::mpsc;

use crate::clock::ClockWatch;
use crate::control::{Call, Server};
use crate::incident::WriteOutcome;
use crate::kernel::rings::{Events, Samples};
use crate::logs::{Logs, News};
use crate::metrics::{self, Scrape};
use crate::netlink::{Monitor, Reason, Received, StatsAnswer};
use crate::probe::{Probes, Report};
use crate::readable::Readable;
use crate::recovery::Report as Recovered;

/// What woke it.
pub enum Input {
    /// A netlink datagram, or the loss of some.
    Netlink(Received),
    /// Something waits in [`Inputs::events`].
    Events,
    /// There is not much room left in [`Inputs::samples`].
    Samples,
    /// The wall clock was set, by so many nanoseconds.
    ClockStep(i64),
    /// Somebody asks something.
    Call(Call),
    /// Somebody reads the metrics.
    Scrape(Scrape),
    /// What became of a probe, or news of whom is probed.
    Probe(Report),
    /// What a log tells.
    Log(News),
    /// What drivers have counted.
    Counted(StatsAnswer),
    /// Why a link has no carrier.
    Reason(Reason),
    /// The writer is done with an incident, or has failed.
    Written(Box<WriteOutcome>),
    /// Something of a recovery was done.
    Recovery(Recovered),
    /// A signal.
    Signal(Signal),
    /// Nothing, for as long as was asked.
    Tick,
}

/// A signal.
pub enum Signal {
    /// SIGTERM, SIGINT, SIGQUIT, or SIGHUP of a terminal that is gone.
    Stop,
    /// SIGHUP from anybody else.
    Reload,
    /// SIGUSR1.
    Trigger,
}

/// Everything that is waited for.
pub struct Inputs {
    /// rtnetlink.
    pub monitor: Monitor,
    /// Carrier edges, and frames that cannot wait.
    pub events: Events,
    /// Samples.
    pub samples: Samples,
    events_ready: Readable,
    samples_ready: Readable,
    /// The wall clock.
    pub clock: ClockWatch,
    /// Probes.
    pub probes: Probes,
    /// Logs that are followed.
    pub logs: Logs,
    counted: mpsc::Receiver<StatsAnswer>,
    reasons: mpsc::UnboundedReceiver<Reason>,
    recovered: mpsc::UnboundedReceiver<Recovered>,
    /// Outcomes of writing.
    pub written: mpsc::UnboundedReceiver<WriteOutcome>,
    server: Server,
    /// Serves metrics.
    pub metrics: Option<metrics::Server>,
    terminate: UnixSignal,
    interrupt: UnixSignal,
    hangup: UnixSignal,
    quit: UnixSignal,
    user1: UnixSignal,
    /// It was started on a terminal.
    terminal: bool,
}

impl Inputs {
    /// Puts them together. Signals are taken from here on.
    #[expect(clippy::too_many_arguments, reason = "each input once, by name")]
    pub fn new(
        monitor: Monitor,
        events: Events,
        samples: Samples,
        server: Server,
        clock: ClockWatch,
        probes: Probes,
        logs: Logs,
        counted: mpsc::Receiver<StatsAnswer>,
        reasons: mpsc::UnboundedReceiver<Reason>,
        written: mpsc::UnboundedReceiver<WriteOutcome>,
        recovered: mpsc::UnboundedReceiver<Recovered>,
    ) -> io::Result<Self> {
        Ok(Self {
            events_ready: Readable::watch(&events)?,
            samples_ready: Readable::watch(&samples)?,
            monitor,
            events,
            samples,
            clock,
            probes,
            logs,
            server,
            metrics: None,
            counted,
            reasons,
            written,
            recovered,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            quit: signal(SignalKind::quit())?,
            user1: signal(SignalKind::user_defined1())?,
            terminal: io::stderr().is_terminal(),
        })
    }

    /// The next input; [`Input::Tick`] after `patience`.
    ///
    /// # Errors
    /// When netlink or the event loop fails.
    pub async fn next(&mut self, patience: Duration) -> anyhow::Result<Input> {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => Ok(Input::Signal(Signal::Stop)),
            _ = self.interrupt.recv() => Ok(Input::Signal(Signal::Stop)),
            // Where the terminal is gone, perhaps with the very link, what is recorded must not go with it.
            _ = self.hangup.recv() => {
                let gone = self.terminal && !io::stderr().is_terminal();
                Ok(Input::Signal(if gone { Signal::Stop } else { Signal::Reload }))
            }
            _ = self.quit.recv() => Ok(Input::Signal(Signal::Stop)),
            guard = self.events_ready.ready() => {
                guard.context("events")?.clear_ready();
                Ok(Input::Events)
            }
            guard = self.samples_ready.ready() => {
                guard.context("samples")?.clear_ready();
                Ok(Input::Samples)
            }
            received = self.monitor.receive() => Ok(Input::Netlink(received.context("rtnetlink")?)),
            step = self.clock.stepped() => Ok(Input::ClockStep(step.context("clock")?)),
            Some(counted) = self.counted.recv() => Ok(Input::Counted(counted)),
            Some(reason) = self.reasons.recv() => Ok(Input::Reason(reason)),
            // After netlink: the kernel told of a change before it told that the change is made.
            Some(report) = self.recovered.recv() => Ok(Input::Recovery(report)),
            Some(outcome) = self.written.recv() => Ok(Input::Written(Box::new(outcome))),
            _ = self.user1.recv() => Ok(Input::Signal(Signal::Trigger)),
            report = self.probes.next() => Ok(Input::Probe(report)),
            news = self.logs.next() => Ok(Input::Log(news)),
            Some(call) = self.server.call() => Ok(Input::Call(call)),
            Some(scrape) = scraped(&mut self.metrics) => Ok(Input::Scrape(scrape)),
            () = tokio::time::sleep(patience) => Ok(Input::Tick),
        }
    }
}

/// The next reader of metrics; none comes where they are not served.
async fn scraped(server: &mut Option<metrics::Server>) -> Option<Scrape> {
    match server {
        Some(server) => server.scrape().await,
        None => std::future::pending().await,
    }
}
