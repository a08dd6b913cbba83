//! The machine's two clocks, and word of the moment when the wall clock is set.

use std::io;
use std::os::fd::OwnedFd;

use probe_core::time::{Mono, WallOffset};
use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime, timerfd_create,
    timerfd_settime,
};

use crate::readable::Readable;

/// Steps smaller than this are the clock's ordinary discipline: 1 ms.
const STEP: u64 = 1_000_000;

fn nanos(t: Timespec) -> i64 {
    t.tv_sec.saturating_mul(1_000_000_000).saturating_add(t.tv_nsec)
}

/// Now, on the clock that records are stamped with.
pub fn now() -> Mono {
    Mono(nanos(clock_gettime(ClockId::Monotonic)).unsigned_abs())
}

/// What to add to a [`Mono`] to get the wall clock, as of now.
pub fn wall_offset() -> WallOffset {
    // The reading of the wall clock lies between two of the other: their middle is its time to within their distance.
    let before = nanos(clock_gettime(ClockId::Monotonic));
    let wall = nanos(clock_gettime(ClockId::Realtime));
    let after = nanos(clock_gettime(ClockId::Monotonic));
    WallOffset(wall - before - (after - before) / 2)
}

/// Tells when somebody sets the wall clock (a timer with `TFD_TIMER_CANCEL_ON_SET`).
pub struct ClockWatch {
    timer: OwnedFd,
    readable: Readable,
    offset: WallOffset,
}

impl ClockWatch {
    /// Starts watching.
    ///
    /// # Errors
    /// When the kernel refuses a timer, or outside a tokio runtime.
    pub fn start() -> io::Result<Self> {
        let timer = timerfd_create(TimerfdClockId::Realtime, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        arm(&timer)?;
        let readable = Readable::watch(&timer)?;
        Ok(Self { timer, readable, offset: wall_offset() })
    }

    /// The offset as of now; small drift (NTP's slewing) is followed here, so that it never looks like a step.
    pub fn offset(&mut self) -> WallOffset {
        let now = wall_offset();
        if now.0.abs_diff(self.offset.0) < STEP {
            self.offset = now;
        }
        now
    }

    /// Waits for a step of at least 1 ms and gives it in nanoseconds, positive for forward. Safe to drop before it is ready.
    ///
    /// # Errors
    /// When the timer fails.
    pub async fn stepped(&mut self) -> io::Result<i64> {
        loop {
            let mut guard = self.readable.ready().await?;
            // The read fails with ECANCELED once per setting of the clock; the timer itself never expires.
            let _ = rustix::io::read(&self.timer, &mut [0u8; 8]);
            guard.clear_ready();
            arm(&self.timer)?;
            let now = wall_offset();
            let step = now.0 - self.offset.0;
            self.offset = now;
            if step.unsigned_abs() >= STEP {
                return Ok(step);
            }
        }
    }
}

fn arm(timer: &OwnedFd) -> io::Result<()> {
    let far = Timespec { tv_sec: i64::from(u32::MAX), tv_nsec: 0 };
    let never = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: far };
    timerfd_settime(timer, TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET, &never)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wall_clock_is_the_monotonic_clock_plus_the_offset() {
        let wall = wall_offset().wall_ns(now());
        let system = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_nanos();
        assert!(system.abs_diff(u128::from(wall)) < 50_000_000);
    }
}
