//! The capture thread: copies the recorder at the trigger, then follows it until the window ends.
//!
//! It sleeps until the kernel says that a quarter of a lane was written ([`Source::bell`]), so that an incident with few packets costs next
//! to nothing however long it is. It holds a bounded number of bytes ([`super::store`]) and never makes the event loop wait. While its memory is full of bulk
//! packets that are nearer to a trigger than the newest ones, it does not even copy those: the cost stays bounded at any rate.

use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use std::{io, thread};

use probe_common::recorder::lane;
use probe_core::record::records;
use probe_core::time::Mono;
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

use super::lost::Lost;
use super::source::{Chunk, Lanes, Missed, Source};
use super::store::Store;

/// Most time between two looks into the recorder, should nothing be heard of it.
const LONGEST: Duration = Duration::from_secs(1);
/// Least time between two copies of the whole recorder, when triggers join in quick succession.
const BETWEEN_SNAPSHOTS: Duration = Duration::from_millis(500);

/// Where and how much to capture.
#[derive(Clone, Copy, Debug)]
pub struct CaptureWindow {
    /// Start of the window.
    pub from: Mono,
    /// The trigger that opened it.
    pub trigger: Mono,
    /// End of the window, as far as it is known now.
    pub until: Mono,
    /// Most bytes of records to hold.
    pub limit: u64,
}

/// What was captured.
#[derive(Debug, Default)]
pub struct Captured {
    /// Records, by CPU, lane and sequence number of their block; some may lie outside the window.
    pub chunks: Vec<Chunk>,
    /// Records that had to go because the limit was reached.
    pub lost: Lost,
    /// Records that the filter does not take, and that had to go for others before anybody looked at them.
    pub passed_over: Lost,
    /// What could not be copied, or was not wanted.
    pub missed: Missed,
    /// True when the limit kept packets out.
    pub limited: bool,
    /// By lane, the recorder held what is before this no more; `None` where it reached back over the whole window.
    pub complete_from: [Option<Mono>; lane::COUNT],
    /// False when the recorder was never looked into: there was no thread for it.
    pub looked: bool,
}

impl Captured {
    /// Bytes of the records.
    pub fn bytes(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.bytes.len() as u64).sum()
    }
}

/// What is done with the capture, on its own thread.
type Deliver = Box<dyn FnOnce(Captured) + Send>;

enum Command {
    Extend { trigger: Option<Mono>, until: Mono },
    Finish { deliver: Deliver },
}

/// A capture that goes on. Dropping it throws the capture away.
#[derive(Debug)]
pub struct CaptureHandle {
    commands: Commands,
    thread: JoinHandle<()>,
}

/// The way to the thread; it wakes at each command, and when there will be no more.
#[derive(Debug)]
struct Commands {
    sender: Option<Sender<Command>>,
    bell: Arc<OwnedFd>,
}

impl Commands {
    /// Gives a command back that nobody takes any more.
    fn send(&self, command: Command) -> Result<(), Command> {
        match &self.sender {
            Some(sender) => sender.send(command).map_err(|unsent| unsent.0)?,
            None => return Err(command),
        }
        self.ring();
        Ok(())
    }

    fn ring(&self) {
        // It fails only where it was rung 2^64 times.
        let _ = rustix::io::write(&self.bell, &1u64.to_ne_bytes());
    }
}

impl Drop for Commands {
    fn drop(&mut self) {
        self.sender = None;
        self.ring();
    }
}

impl CaptureHandle {
    /// Starts a thread that copies the recorder at once, then follows it. `clock` is the clock that records are stamped with.
    ///
    /// # Errors
    /// When there can be no further thread or descriptor.
    pub fn start(source: Box<dyn Source>, window: CaptureWindow, clock: fn() -> Mono) -> io::Result<Self> {
        let (sender, inbox) = channel();
        let bell = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        let heard = Arc::clone(&bell);
        let capture = Capture::new(source, window, clock);
        let thread = thread::Builder::new().name("capture".to_owned()).spawn(move || capture.run(&inbox, &heard))?;
        Ok(Self { commands: Commands { sender: Some(sender), bell }, thread })
    }

    /// The window goes on until `until`; packets near `trigger`, if one joined, are wanted too. Never blocks.
    pub fn extend(&self, trigger: Option<Mono>, until: Mono) {
        // A thread that is gone has panicked: the incident is then written without packets.
        let _ = self.commands.send(Command::Extend { trigger, until });
    }

    /// The window has ended: reads what is left, and calls `deliver` on the capture's thread. Never blocks.
    ///
    /// Were the thread gone, `deliver` would be called here, with nothing in it.
    pub fn finish(self, deliver: impl FnOnce(Captured) + Send + 'static) -> JoinHandle<()> {
        let command = Command::Finish { deliver: Box::new(deliver) };
        if let Err(Command::Finish { deliver }) = self.commands.send(command) {
            deliver(Captured::default());
        }
        self.thread
    }
}

struct Capture {
    source: Box<dyn Source>,
    store: Store,
    from: Mono,
    until: Mono,
    clock: fn() -> Mono,
    missed: Missed,
    /// False while the newest bulk packets are not worth copying.
    bulk: bool,
    snapshot_due: bool,
    last_snapshot: Option<Instant>,
    /// When the recorder was looked into last.
    looked: Mono,
}

impl Capture {
    fn new(source: Box<dyn Source>, window: CaptureWindow, clock: fn() -> Mono) -> Self {
        let limit = usize::try_from(window.limit).unwrap_or(usize::MAX);
        Self {
            source,
            store: Store::new(limit, window.from, window.trigger),
            from: window.from,
            until: window.until,
            clock,
            missed: Missed::default(),
            bulk: true,
            snapshot_due: true,
            last_snapshot: None,
            looked: Mono(0),
        }
    }

    fn run(mut self, inbox: &Receiver<Command>, bell: &OwnedFd) {
        let mut silence = true;
        loop {
            match inbox.try_recv() {
                Ok(Command::Extend { trigger, until }) => self.extend(trigger, until),
                Ok(Command::Finish { deliver }) => {
                    self.look_at_last();
                    let limited = self.limited();
                    let complete_from = self.store.complete_from();
                    let (chunks, lost, passed_over) = self.store.into_parts();
                    let missed = self.missed;
                    return deliver(Captured { chunks, lost, passed_over, missed, limited, complete_from, looked: true });
                }
                Err(TryRecvError::Empty) => {
                    // Once after the window's end, for what came before it.
                    if self.looked <= self.until {
                        self.look(silence);
                    }
                    silence = self.wait(bell);
                }
                Err(TryRecvError::Disconnected) => return,
            }
        }
    }

    /// Until a command comes, or so much was recorded that it should be copied, or there was a long silence: true then.
    fn wait(&self, bell: &OwnedFd) -> bool {
        // After the window nothing is recorded that matters.
        let open = self.looked <= self.until;
        let pause = match self.last_snapshot {
            Some(at) if open && self.snapshot_due => BETWEEN_SNAPSHOTS.saturating_sub(at.elapsed()),
            _ => LONGEST,
        };
        let timeout = Timespec::try_from(pause).ok();
        let mut bells = [bell.as_fd(), self.source.bell()].map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
        let heard = poll(if open { &mut bells[..] } else { &mut bells[..1] }, timeout.as_ref());
        if heard.is_err_and(|error| error != rustix::io::Errno::INTR) {
            // There is no reason why it should; but if it does, it must not take the whole CPU.
            thread::sleep(Duration::from_millis(20));
        }
        let _ = rustix::io::read(bell, &mut [0; size_of::<u64>()]);
        heard == Ok(0)
    }

    fn extend(&mut self, trigger: Option<Mono>, until: Mono) {
        self.until = self.until.max(until);
        if let Some(trigger) = trigger {
            self.store.add_trigger(trigger);
            // What was passed over because no trigger was near may still be in the recorder, and is wanted now.
            self.snapshot_due |= self.limited();
            self.bulk = true;
        }
    }

    /// Looks into the lanes that rang; after a long silence, and after the window's end, into all.
    fn look(&mut self, silence: bool) {
        self.looked = (self.clock)();
        let rang = self.source.quiet();
        let lanes = if silence || self.looked > self.until { Lanes::All } else { rang };
        if self.snapshot_due && self.last_snapshot.is_none_or(|at| at.elapsed() >= BETWEEN_SNAPSHOTS) {
            self.follow(&Lanes::All);
            self.snapshot();
        }
        self.follow(&lanes);
    }

    /// Takes what is missing still: no lane rings for its last few blocks.
    fn look_at_last(&mut self) {
        self.follow(&Lanes::All);
        if self.snapshot_due {
            self.snapshot();
        }
    }

    fn snapshot(&mut self) {
        let store = &mut self.store;
        let missed = self.source.snapshot(self.from, &mut |chunk| store.put_whole(chunk));
        let again = self.last_snapshot.is_some();
        self.snapshot_due = false;
        self.last_snapshot = Some(Instant::now());
        self.note(missed, again);
    }

    fn follow(&mut self, lanes: &Lanes) {
        let (store, until) = (&mut self.store, self.until);
        let (mut taken, mut kept) = (0, 0);
        let missed = self.source.follow(lanes, self.bulk, &mut |chunk| {
            // What came after the window must not push out what is in it.
            if records(&chunk.bytes).next().is_some_and(|first| first.is_ok_and(|first| first.header.at_ns > until.0)) {
                return;
            }
            let bulk = usize::from(chunk.lane == lane::BULK);
            taken += bulk;
            kept += bulk & usize::from(store.append(chunk));
        });
        // Time only goes on: once all of a look was too far from the triggers, so is what follows, until another trigger joins.
        if taken > 0 && kept == 0 {
            self.bulk = false;
        }
        self.note(missed, false);
    }

    fn note(&mut self, missed: Missed, again: bool) {
        for lane in 0..missed.overrun_blocks.len() {
            // A further snapshot passes blocks once more that are here already: what it missed of those is no loss.
            self.missed.overrun_blocks[lane] += if again { 0 } else { missed.overrun_blocks[lane] };
            self.missed.skipped_bytes[lane] += missed.skipped_bytes[lane];
        }
    }

    /// True once the limit kept packets out.
    fn limited(&self) -> bool {
        self.store.evicted() || self.missed.skipped_bytes.iter().any(|&bytes| bytes > 0)
    }
}
