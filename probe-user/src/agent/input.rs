//! Everything that can wake the agent.

use std::io;
use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{Signal as UnixSignal, SignalKind, signal};
use tokio::sync::mpsc;

use crate::clock::ClockWatch;
use crate::control::{Call, Server};
use crate::incident::WriteOutcome;
use crate::kernel::rings::{Events, Samples};
use crate::netlink::{Monitor, Received};
use crate::readable::Readable;

/// What woke it.
pub enum Input {
    /// A netlink datagram, or the loss of some.
    Netlink(Received),
    /// Carrier edges wait in [`Inputs::events`].
    Edges,
    /// The wall clock was set, by so many nanoseconds.
    ClockStep(i64),
    /// Somebody asks something.
    Call(Call),
    /// The writer is done with an incident, or has failed.
    Written(Box<WriteOutcome>),
    /// A signal.
    Signal(Signal),
    /// Nothing, for as long as was asked.
    Tick,
}

/// A signal.
pub enum Signal {
    /// SIGTERM, SIGINT, SIGHUP or SIGQUIT.
    Stop,
    /// SIGUSR1.
    Trigger,
}

/// Everything that is waited for.
pub struct Inputs {
    /// rtnetlink.
    pub monitor: Monitor,
    /// Carrier edges.
    pub events: Events,
    /// Samples; nothing waits for them.
    pub samples: Samples,
    events_ready: Readable,
    /// The wall clock.
    pub clock: ClockWatch,
    /// Outcomes of writing.
    pub written: mpsc::UnboundedReceiver<WriteOutcome>,
    server: Server,
    terminate: UnixSignal,
    interrupt: UnixSignal,
    hangup: UnixSignal,
    quit: UnixSignal,
    user1: UnixSignal,
}

impl Inputs {
    /// Puts them together. Signals are taken from here on.
    pub fn new(
        monitor: Monitor,
        events: Events,
        samples: Samples,
        server: Server,
        clock: ClockWatch,
        written: mpsc::UnboundedReceiver<WriteOutcome>,
    ) -> io::Result<Self> {
        Ok(Self {
            events_ready: Readable::watch(&events)?,
            monitor,
            events,
            samples,
            clock,
            server,
            written,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            quit: signal(SignalKind::quit())?,
            user1: signal(SignalKind::user_defined1())?,
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
            // The terminal is gone, perhaps with the very link: what is recorded must not go with it.
            _ = self.hangup.recv() => Ok(Input::Signal(Signal::Stop)),
            _ = self.quit.recv() => Ok(Input::Signal(Signal::Stop)),
            guard = self.events_ready.ready() => {
                guard.context("events")?.clear_ready();
                Ok(Input::Edges)
            }
            received = self.monitor.receive() => Ok(Input::Netlink(received.context("rtnetlink")?)),
            step = self.clock.stepped() => Ok(Input::ClockStep(step.context("clock")?)),
            Some(outcome) = self.written.recv() => Ok(Input::Written(Box::new(outcome))),
            _ = self.user1.recv() => Ok(Input::Signal(Signal::Trigger)),
            Some(call) = self.server.call() => Ok(Input::Call(call)),
            () = tokio::time::sleep(patience) => Ok(Input::Tick),
        }
    }
}
