//! What the loop and the worker of one receiver both know: numbers, and what did not get through.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use probe_core::notice::Dropped;

/// Numbers of one receiver. The lock is held for the length of an assignment.
#[derive(Debug, Default)]
pub struct Shared {
    /// Messages that were handed to the system, those that were sent anew included.
    pub sent: AtomicU64,
    /// Bytes of them.
    pub bytes: AtomicU64,
    /// Messages that were sent anew because a connection broke.
    pub resent: AtomicU64,
    /// Messages that never go out.
    pub dropped: AtomicU64,
    /// Messages whose text was cut.
    pub truncated: AtomicU64,
    /// Connections that failed, broke or were refused; writes that failed.
    pub errors: AtomicU64,
    /// Messages that wait.
    pub queued: AtomicU64,
    /// Bytes of them.
    pub queued_bytes: AtomicU64,
    /// Messages that were made: each has its number.
    numbers: AtomicU64,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    connected: bool,
    last_error: Option<String>,
    lost: Dropped,
    alarm: Option<String>,
}

/// Adds to a counter.
pub fn add(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}

/// Reads a counter.
pub fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

impl Shared {
    /// The next message's number, from 0.
    pub fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// A message of so many bytes waits no longer.
    pub fn taken(&self, bytes: u64) {
        self.queued.fetch_sub(1, Ordering::Relaxed);
        self.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Takes note of a message that never goes out, and was about that time.
    pub fn lose(&self, at_ns: u64) {
        add(&self.dropped, 1);
        self.give_back(Dropped { messages: 1, first_ns: at_ns, last_ns: at_ns });
    }

    /// What was lost since it was taken last, if anything was.
    pub fn take_lost(&self) -> Option<Dropped> {
        let lost = std::mem::take(&mut self.inner().lost);
        (lost.messages > 0).then_some(lost)
    }

    /// Puts back what could not be told.
    pub fn give_back(&self, other: Dropped) {
        let mut inner = self.inner();
        let lost = &mut inner.lost;
        *lost = if lost.messages == 0 {
            other
        } else {
            Dropped {
                messages: lost.messages + other.messages,
                first_ns: lost.first_ns.min(other.first_ns),
                last_ns: lost.last_ns.max(other.last_ns),
            }
        };
    }

    /// A connection is there. True when it was missed before.
    pub fn connected(&self) -> bool {
        let mut inner = self.inner();
        let missed = !inner.connected && inner.last_error.is_some();
        inner.connected = true;
        missed
    }

    /// None is there, and why. True when there was one, or this is the first failure.
    pub fn failed(&self, error: &str) -> bool {
        add(&self.errors, 1);
        let mut inner = self.inner();
        let news = inner.connected || inner.last_error.is_none();
        inner.connected = false;
        inner.last_error = Some(error.to_owned());
        news
    }

    /// Whether a connection is there, and what went wrong last.
    pub fn state(&self) -> (bool, Option<String>) {
        let inner = self.inner();
        (inner.connected, inner.last_error.clone())
    }

    /// Leaves something for the agent's timeline.
    pub fn alarm(&self, text: String) {
        self.inner().alarm = Some(text);
    }

    /// Takes it.
    pub fn take_alarm(&self) -> Option<String> {
        self.inner().alarm.take()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Nothing that holds the lock can leave it half done.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lost_is_told_once_with_its_first_and_last_time() {
        let shared = Shared::default();
        assert_eq!(shared.take_lost(), None);
        for at in [7, 5, 9] {
            shared.lose(at);
        }
        let lost = Dropped { messages: 3, first_ns: 5, last_ns: 9 };
        assert_eq!((shared.take_lost(), shared.take_lost()), (Some(lost), None));
        shared.give_back(lost);
        shared.lose(11);
        assert_eq!(shared.take_lost(), Some(Dropped { messages: 4, first_ns: 5, last_ns: 11 }));
        assert_eq!(read(&shared.dropped), 4, "what is told is no further loss");
    }

    #[test]
    fn a_failure_is_news_when_there_was_a_connection_or_no_failure_before() {
        let shared = Shared::default();
        assert!(shared.failed("refused"));
        assert!(!shared.failed("refused"));
        assert!(shared.connected() && !shared.connected());
        assert!(shared.failed("gone"));
        assert_eq!(shared.state(), (false, Some("gone".to_owned())));
    }
}
