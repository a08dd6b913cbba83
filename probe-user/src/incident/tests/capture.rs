//! The capture thread, against a recorder made of memory.

use std::collections::BTreeMap;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use probe_core::record::records;
use rustix::event::{EventfdFlags, eventfd};

use super::super::capture::{CaptureHandle, CaptureWindow};
use super::super::source::{Chunk, Lanes, Missed, Source};
use super::super::testing::{file_bytes, record_bytes};
use super::*;

/// Blocks that each hold one frame; the stamp is the sequence number in seconds.
#[derive(Default)]
struct Memory {
    blocks: BTreeMap<(usize, u64), Chunk>,
    /// Blocks that came since the last look.
    news: Vec<Chunk>,
    /// Lanes that rang: CPU, then lane.
    rang: Vec<(u32, usize)>,
    snapshots: usize,
    /// Bulk frames that were passed over.
    passed: usize,
}

#[derive(Clone)]
struct Fake(Arc<Mutex<Memory>>, Arc<OwnedFd>);

impl Default for Fake {
    fn default() -> Self {
        let bell = eventfd(0, EventfdFlags::NONBLOCK).expect("a descriptor");
        Self(Arc::default(), Arc::new(bell))
    }
}

impl Fake {
    fn record(&self, lane: usize, second: u64) {
        self.record_silently(lane, second);
        self.0.lock().expect("no panic elsewhere").rang.push((0, lane));
        rustix::io::write(&self.1, &1u64.to_ne_bytes()).expect("room");
    }

    /// So little that nobody is woken.
    fn record_silently(&self, lane: usize, second: u64) {
        let new = chunk(0, lane, second, &[(second * SECOND, 1)]);
        let mut memory = self.0.lock().expect("no panic elsewhere");
        memory.blocks.insert((lane, second), new.clone());
        memory.news.push(new);
    }
}

impl Source for Fake {
    fn snapshot(&mut self, since: Mono, sink: &mut dyn FnMut(Chunk)) -> Missed {
        let mut memory = self.0.lock().expect("no panic elsewhere");
        memory.snapshots += 1;
        memory.news.clear();
        let wanted = memory.blocks.values().rev().filter(|block| block.seq * SECOND >= since.0);
        wanted.cloned().for_each(sink);
        Missed::default()
    }

    fn follow(&mut self, lanes: &Lanes, bulk: bool, sink: &mut dyn FnMut(Chunk)) -> Missed {
        let mut memory = self.0.lock().expect("no panic elsewhere");
        let mut missed = Missed::default();
        for block in std::mem::take(&mut memory.news) {
            if matches!(lanes, Lanes::Some(rang) if !rang.contains(&(block.cpu, block.lane))) {
                memory.news.push(block);
            } else if block.lane == lane::BULK && !bulk {
                memory.passed += 1;
                missed.skipped_bytes[lane::BULK] += block.bytes.len() as u64;
            } else {
                sink(block);
            }
        }
        missed
    }

    fn bell(&self) -> BorrowedFd<'_> {
        self.1.as_fd()
    }

    fn quiet(&self) -> Lanes {
        let _ = rustix::io::read(&self.1, &mut [0; 8]);
        Lanes::Some(std::mem::take(&mut self.0.lock().expect("no panic elsewhere").rang))
    }
}

/// A clock that stands in the middle of every window here.
fn clock() -> Mono {
    Mono(1)
}

fn start(fake: &Fake, trigger: u64, frames: usize) -> CaptureHandle {
    let window = CaptureWindow {
        from: Mono(0),
        trigger: Mono(trigger * SECOND),
        until: Mono(u64::MAX),
        limit: (frames * file_bytes()) as u64,
    };
    CaptureHandle::start(Box::new(fake.clone()), window, clock).expect("a thread")
}

/// Waits until the capture has looked at all that was recorded.
fn settle(fake: &Fake) {
    while fake.0.lock().is_ok_and(|memory| memory.snapshots == 0 || !memory.news.is_empty()) {
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn finish(capture: CaptureHandle) -> (Vec<u64>, Captured) {
    let (sender, captured) = channel();
    let thread = capture.finish(move |captured| drop(sender.send(captured)));
    let captured = captured.recv_timeout(Duration::from_secs(10)).expect("delivered");
    thread.join().expect("no panic");
    let mut seconds: Vec<u64> =
        captured.chunks.iter().flat_map(|c| records(&c.bytes)).map(|r| r.expect("whole").header.at_ns / SECOND).collect();
    seconds.sort_unstable();
    (seconds, captured)
}

#[test]
fn history_and_what_follows_are_captured() {
    let fake = Fake::default();
    (1..=5).for_each(|second| fake.record(lane::BULK, second));
    let capture = start(&fake, 5, 100);
    settle(&fake);
    fake.record(lane::CONTROL, 6);
    fake.record(lane::BULK, 7);
    let (seconds, captured) = finish(capture);
    assert_eq!(seconds, [1, 2, 3, 4, 5, 6, 7]);
    assert!(captured.looked && !captured.limited && captured.lost.total() == 0);
}

#[test]
fn a_lane_that_did_not_ring_is_left_alone_until_the_end() {
    let fake = Fake::default();
    fake.record(lane::BULK, 1);
    let capture = start(&fake, 1, 100);
    settle(&fake);
    fake.record_silently(lane::CONTROL, 2);
    fake.record(lane::BULK, 3);
    let waits = || fake.0.lock().expect("no panic elsewhere").news.iter().map(|block| block.seq).collect::<Vec<_>>();
    while waits().contains(&3) {
        std::thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(waits(), [2], "only what rang is read");
    assert_eq!(finish(capture).0, [1, 2, 3]);
}

#[test]
fn at_any_rate_the_memory_is_bounded_and_what_is_far_from_the_trigger_is_not_even_copied() {
    let fake = Fake::default();
    (1..=100).for_each(|second| fake.record(lane::BULK, second));
    let capture = start(&fake, 100, 10);
    settle(&fake);
    for second in 101..=400 {
        fake.record(lane::BULK, second);
        if second % 20 == 0 {
            settle(&fake);
        }
    }
    fake.record(lane::CONTROL, 401);
    let (seconds, captured) = finish(capture);
    assert_eq!(captured.bytes(), 10 * record_bytes() as u64);
    assert!(seconds.contains(&401), "the control lane is followed to the end: {seconds:?}");
    let bulk: Vec<u64> = seconds.into_iter().filter(|second| *second < 400).collect();
    assert!(bulk.iter().all(|second| second.abs_diff(100) <= 5), "{bulk:?}");
    assert!(captured.limited);
    let memory = fake.0.lock().expect("no panic elsewhere");
    let evicted: u64 = captured.lost.total();
    assert_eq!(evicted as usize + memory.passed + bulk.len(), 400, "every frame is kept, evicted or passed over");
    assert!(memory.passed > 200, "{}", memory.passed);
}

#[test]
fn a_trigger_that_joins_brings_back_what_lies_near_it() {
    let fake = Fake::default();
    (1..=100).for_each(|second| fake.record(lane::BULK, second));
    let capture = start(&fake, 100, 10);
    settle(&fake);
    for second in 101..=200 {
        fake.record(lane::BULK, second);
        if second % 10 == 0 {
            settle(&fake);
        }
    }
    // The recorder has been copied less than the shortest time between two copies ago: the second one waits for its turn.
    capture.extend(Some(Mono(200 * SECOND)), Mono(u64::MAX));
    while fake.0.lock().is_ok_and(|memory| memory.snapshots < 2) {
        std::thread::sleep(Duration::from_millis(2));
    }
    let (seconds, _) = finish(capture);
    assert!(seconds.contains(&100) && seconds.contains(&200), "{seconds:?}");
    assert!(seconds.iter().filter(|second| **second > 150).count() >= 3, "{seconds:?}");
}

#[test]
fn after_the_window_nothing_more_is_read() {
    static NOW: AtomicU64 = AtomicU64::new(0);
    let fake = Fake::default();
    fake.record(lane::BULK, 1);
    let window = CaptureWindow { from: Mono(0), trigger: Mono(SECOND), until: Mono(10), limit: 1 << 20 };
    let capture = CaptureHandle::start(Box::new(fake.clone()), window, || Mono(NOW.load(Ordering::Relaxed))).expect("a thread");
    settle(&fake);
    NOW.store(11, Ordering::Relaxed);
    fake.record(lane::BULK, 2);
    // what came before the end is read after it, once
    settle(&fake);
    fake.record(lane::BULK, 3);
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(fake.0.lock().expect("no panic elsewhere").news.len(), 1, "not looked at");
    let (_, captured) = finish(capture);
    assert_eq!(captured.lost.total(), 0, "what came after the window pushes nothing out");
}
