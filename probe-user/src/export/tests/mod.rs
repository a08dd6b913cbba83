//! Receivers of the test, and what becomes of them: one that is slow, one that dies, one that comes back.

mod datagrams;
mod files;
mod streams;

use std::time::Duration;

use probe_core::notice::Notice;

use super::about::About;
use super::queue::Bounds;
use super::sinks::Sink;
use super::spec::{Format, SinkSpec};
use super::status::SinkStatus;
use super::worker::{NETWORK, Timing};

/// Patience for what takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// A worker's patience, shortened.
const QUICK: Timing = Timing {
    connect: Duration::from_secs(2),
    write: Duration::from_millis(300),
    pauses: [Duration::from_millis(20), Duration::from_millis(100)],
    stable: Duration::from_millis(50),
    ..NETWORK
};

fn about() -> About {
    About { host: "router".to_owned(), instance: "default".to_owned(), pid: 77, version: "0.1.0", started_ns: 1 }
}

fn sink(format: Format, to: &str, messages: usize) -> Sink {
    let spec = SinkSpec::parse(to, format).expect("a receiver");
    Sink::start(format, &spec, about(), Bounds { messages, bytes: 4 << 20 }, QUICK).expect("a worker")
}

/// A notice that says its number.
fn numbered(number: usize) -> Notice {
    Notice::of_start(1_000_000_000 * number as u64, format!("number {number} {}", "x".repeat(900)))
}

/// Waits until the status is as wanted.
async fn until(sink: &Sink, what: &str, is_so: impl Fn(&SinkStatus) -> bool) -> SinkStatus {
    let started = std::time::Instant::now();
    loop {
        let status = sink.status();
        if is_so(&status) {
            return status;
        }
        assert!(started.elapsed() < PATIENCE, "not in time: {what}: {status:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The number that a message says.
fn number_of(message: &str) -> Option<usize> {
    message.split("number ").nth(1)?.split(' ').next()?.parse().ok()
}
