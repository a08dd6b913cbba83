//! Waiting for something, with a limit.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Asks every 20 ms until `ready` gives a value.
///
/// # Errors
/// That of `ready`; or, after `limit`, that `what` did not happen.
pub fn until<T>(what: &str, limit: Duration, mut ready: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let start = Instant::now();
    loop {
        if let Some(value) = ready()? {
            return Ok(value);
        }
        if start.elapsed() > limit {
            bail!("{what}: not within {:.1} s", limit.as_secs_f64());
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Asks until `ready` holds.
///
/// # Errors
/// See [`until`].
pub fn until_true(what: &str, limit: Duration, mut ready: impl FnMut() -> Result<bool>) -> Result<()> {
    until(what, limit, || Ok(ready()?.then_some(())))
}

/// `seconds`, made longer where the machine is emulated: `LINKPROBE_TEST_PATIENCE` is the factor (1 when it is not set).
pub fn patience(seconds: u64) -> Duration {
    let factor = std::env::var("LINKPROBE_TEST_PATIENCE").ok().and_then(|text| text.parse().ok()).unwrap_or(1u64);
    Duration::from_secs(seconds * factor.max(1))
}
