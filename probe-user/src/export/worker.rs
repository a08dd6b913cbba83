//! What takes a receiver's messages from its queue and sends them: connects, waits, sends anew what a connection may not have delivered.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use probe_core::notice::Dropped;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

use super::backoff::Backoff;
use super::connection::Connection;
use super::format::{Encoder, Message};
use super::loss;
use super::shared::{Shared, add};
use super::spec::{SinkSpec, Transport};
use crate::clock;

/// How patient a worker is.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Until a connection is there, its name looked up included.
    pub connect: Duration,
    /// Until a message is written: a peer that takes nothing for so long is stalled.
    pub write: Duration,
    /// First and longest pause between attempts.
    pub pauses: [Duration; 2],
    /// A connection that lasted so long was a good one: the next pause is the first again.
    pub stable: Duration,
    /// Time to send what is left when the agent stops.
    pub drain: Duration,
}

/// Over a network.
pub const NETWORK: Timing = Timing {
    connect: Duration::from_secs(10),
    write: Duration::from_secs(15),
    pauses: [Duration::from_secs(1), Duration::from_secs(60)],
    stable: Duration::from_secs(10),
    drain: Duration::from_secs(2),
};

/// To a disk, which has room again when somebody makes some.
pub const DISK: Timing = Timing { pauses: [Duration::from_secs(1), Duration::from_secs(5)], stable: Duration::ZERO, ..NETWORK };

/// The sending end of one receiver.
#[derive(Debug)]
pub struct Worker {
    /// What it is called in logs and alarms.
    pub name: String,
    /// Where to.
    pub spec: SinkSpec,
    /// How patient.
    pub timing: Timing,
    /// The queue.
    pub messages: mpsc::Receiver<Message>,
    /// Numbers.
    pub shared: Arc<Shared>,
    /// Makes the message about what was lost.
    pub encoder: Arc<Encoder>,
    /// Taken from the queue and not sent, or to be sent anew.
    pub pending: VecDeque<Pending>,
    /// Written, and not known to have arrived: with the count of bytes at its end.
    pub in_flight: VecDeque<(u64, Pending)>,
    /// Closed when the agent stops.
    pub closing: watch::Receiver<()>,
}

/// A message on its way; one about losses gives them back when it is given up.
#[derive(Clone, Debug)]
pub struct Pending {
    message: Message,
    lost: Option<Dropped>,
}

/// Why a connection ended.
enum End {
    /// Everything is sent, and there will be no more.
    Done,
    /// It is of no more use.
    Broken(io::Error),
}

impl Worker {
    /// Sends until the queue is closed and empty, or the time to empty it is over. What is left then is lost, and counted.
    pub async fn run(mut self) {
        let (mut closing, drain) = (self.closing.clone(), self.timing.drain);
        let deadline = async move {
            // It fails when the sender is gone: that is what is waited for.
            let _ = closing.changed().await;
            sleep(drain).await;
        };
        let done = tokio::select! {
            () = self.work() => true,
            () = deadline => false,
        };
        if !done {
            self.give_up();
        }
    }

    async fn work(&mut self) {
        let [least, most] = self.timing.pauses;
        let mut backoff = Backoff::new(least, most);
        loop {
            let opening = Connection::open(&self.spec.transport, self.spec.size, self.spec.files);
            let since = Instant::now();
            let error = match timeout(self.timing.connect, opening).await {
                Ok(Ok(connection)) => match self.serve(connection).await {
                    End::Done => return,
                    End::Broken(error) => error,
                },
                Ok(Err(error)) => error,
                Err(_) => io::Error::new(io::ErrorKind::TimedOut, "no connection in time"),
            };
            if self.messages.is_closed() && self.messages.is_empty() && self.pending.is_empty() {
                return;
            }
            if since.elapsed() >= self.timing.stable {
                backoff.reset();
            }
            self.failed(&error);
            sleep(backoff.pause()).await;
        }
    }

    /// Sends over one connection for as long as it works.
    async fn serve(&mut self, mut connection: Connection) -> End {
        let mut written = 0u64;
        // A datagram or a line of a file tells only when it is sent whether anything takes it.
        let mut proven = matches!(self.spec.transport, Transport::Tcp(_) | Transport::Unix(_));
        if proven {
            self.works();
        }
        let error = loop {
            if written == 0
                && let Some(greeting) = self.encoder.greeting(clock::wall_offset().wall_ns(clock::now()))
            {
                match timeout(self.timing.write, connection.send(&greeting)).await {
                    Ok(Ok(())) => written += greeting.len() as u64,
                    Ok(Err(error)) => break error,
                    Err(_) => break io::Error::new(io::ErrorKind::TimedOut, "the other end takes nothing"),
                }
            }
            self.settle(written, connection.outstanding());
            let next = match self.next() {
                Some(next) => next,
                None => tokio::select! {
                    biased;
                    error = connection.broken() => break error,
                    message = self.messages.recv() => match message {
                        Some(message) => Pending { message, lost: None },
                        None => {
                            connection.finish().await;
                            return End::Done;
                        }
                    },
                },
            };
            let length = next.message.bytes.len() as u64;
            match timeout(self.timing.write, connection.send(&next.message.bytes)).await {
                Ok(Ok(())) => {
                    self.sent(next, &mut written);
                    if !proven {
                        proven = true;
                        self.works();
                    }
                }
                // Longer than the system's datagrams: another connection would not change that.
                Ok(Err(error)) if error.raw_os_error() == Some(libc::EMSGSIZE) => {
                    add(&self.shared.errors, 1);
                    self.shared.taken(length);
                    self.shared.lose(next.message.at_ns);
                }
                Ok(Err(error)) => {
                    self.pending.push_front(next);
                    break error;
                }
                Err(_) => {
                    self.pending.push_front(next);
                    break io::Error::new(io::ErrorKind::TimedOut, "the other end takes nothing");
                }
            }
        };
        self.settle(written, connection.outstanding());
        // What may not have arrived goes first, whole, on the next connection.
        add(&self.shared.resent, self.in_flight.len() as u64);
        while let Some((_, pending)) = self.in_flight.pop_back() {
            add(&self.shared.queued, 1);
            add(&self.shared.queued_bytes, pending.message.bytes.len() as u64);
            self.pending.push_front(pending);
        }
        connection.abandon();
        End::Broken(error)
    }

    /// What goes next, if anything waits: where nothing does, word of what was lost.
    fn next(&mut self) -> Option<Pending> {
        if let Some(pending) = self.pending.pop_front() {
            return Some(pending);
        }
        if let Ok(message) = self.messages.try_recv() {
            return Some(Pending { message, lost: None });
        }
        let (message, lost) = loss::message(&self.shared, &self.encoder)?;
        add(&self.shared.queued, 1);
        add(&self.shared.queued_bytes, message.bytes.len() as u64);
        Some(Pending { message, lost: Some(lost) })
    }

    fn sent(&mut self, pending: Pending, written: &mut u64) {
        let length = pending.message.bytes.len() as u64;
        self.shared.taken(length);
        add(&self.shared.sent, 1);
        add(&self.shared.bytes, length);
        *written += length;
        self.in_flight.push_back((*written, pending));
    }

    /// Forgets what has arrived.
    fn settle(&mut self, written: u64, outstanding: u64) {
        let arrived = written.saturating_sub(outstanding);
        while self.in_flight.front().is_some_and(|(end, _)| *end <= arrived) {
            self.in_flight.pop_front();
        }
    }

    fn works(&self) {
        if self.shared.connected() {
            log::info!("{}: works again", self.name);
        }
    }

    fn failed(&self, error: &io::Error) {
        if self.shared.failed(&error.to_string()) {
            let text = format!("{}: {error}; it is tried again", self.name);
            match self.spec.transport {
                // A disk is ours to look after; a collector is somebody else's, and an alarm when messages are lost.
                Transport::File(_) => self.shared.alarm(text),
                _ => log::warn!("{text}"),
            }
        }
    }

    fn give_up(&mut self) {
        let mut left = 0u64;
        while let Ok(message) = self.messages.try_recv() {
            self.pending.push_back(Pending { message, lost: None });
        }
        for pending in self.pending.drain(..) {
            self.shared.taken(pending.message.bytes.len() as u64);
            match pending.lost {
                Some(lost) => self.shared.give_back(lost),
                None => {
                    left += 1;
                    self.shared.lose(pending.message.at_ns);
                }
            }
        }
        if left > 0 {
            log::warn!("{}: {left} messages were not sent before the end", self.name);
        }
    }
}
