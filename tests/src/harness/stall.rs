//! Whether this machine stood still: under emulation, beside other guests, it does at times, and then LACPDUs that are due each second
//! are late for real.

use std::sync::{Mutex, Once, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Time between two looks at the clock.
const STEP: Duration = Duration::from_millis(20);
/// A look that comes later than this is remembered.
const LATE: Duration = Duration::from_millis(250);

static WATCH: Once = Once::new();
/// When each late look came, and how late.
static STALLS: Mutex<Vec<(Instant, Duration)>> = Mutex::new(Vec::new());

/// Watches from the first call on, for as long as the process lives.
pub fn watch() {
    WATCH.call_once(|| {
        thread::spawn(|| {
            let mut last = Instant::now();
            loop {
                thread::sleep(STEP);
                let now = Instant::now();
                let late = now.duration_since(last).saturating_sub(STEP);
                last = now;
                if late >= LATE {
                    STALLS.lock().unwrap_or_else(PoisonError::into_inner).push((now, late));
                }
            }
        });
    });
}

/// The longest time since `start` that nothing ran; zero when it was not worth noting.
pub fn longest_since(start: Instant) -> Duration {
    let stalls = STALLS.lock().unwrap_or_else(PoisonError::into_inner);
    stalls.iter().filter(|(at, _)| *at >= start).map(|(_, late)| *late).max().unwrap_or_default()
}
