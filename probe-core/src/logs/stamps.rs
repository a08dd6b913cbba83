//! When a record of the kernel's log was written, by the stamp that it carries.

use crate::time::{Mono, SECOND};

/// Records are read at once, or some seconds late where a file system holds the reader up. What seems older has a stamp that tells nothing.
const OLDEST: u64 = 10 * SECOND;
/// The clocks drift apart by at most one in so many (500 parts per million, the most that a clock is disciplined by).
const DRIFT: u64 = 2000;

/// How far the clock of the stamps is behind ours, as far as the records tell.
///
/// The kernel stamps by a clock of the CPU (`local_clock`, microseconds since the boot) that nobody disciplines: a second or so a day from
/// `CLOCK_MONOTONIC`, so that a stamp by itself is worth little. But no record is read before it was written: the least time that was
/// seen between stamp and reading is the distance of the clocks, as nearly as the quickest reading was quick.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stamps {
    /// Nanoseconds, and when that was known.
    distance: Option<(i128, Mono)>,
}

impl Stamps {
    /// When a record was written that was read at `read`. Never later than that; and `read` itself where the stamp tells nothing, as
    /// the first one does.
    pub fn written(&mut self, read: Mono, stamp_us: u64) -> Mono {
        let seen = i128::from(read.0) - i128::from(stamp_us) * 1000;
        let known = self.distance.map(|(known, at)| known + i128::from(read.since(at) / DRIFT));
        let distance = known.map_or(seen, |known| known.min(seen));
        let late = u64::try_from(seen - distance).ok().filter(|late| *late <= OLDEST);
        // A clock that jumped begins anew.
        self.distance = Some((if late.is_some() { distance } else { seen }, read));
        read.minus(late.unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::at;

    #[test]
    fn what_is_read_late_has_the_time_of_its_writing_whatever_the_distance_of_the_clocks() {
        for behind in [0, 3_000_000, 40_000_000] {
            let mut stamps = Stamps::default();
            let mut written = |read: u64, wrote: u64| stamps.written(at(read), wrote * 1000 + 90_000_000 - behind);
            assert_eq!(written(100_000, 10_000), at(100_000), "nothing is known yet");
            assert_eq!(written(101_000, 11_000), at(101_000));
            let late = written(105_000, 12_000);
            assert!(late.since(at(102_000)) <= 3_000_000, "{late:?}");
        }
    }

    #[test]
    fn a_quicker_reading_tells_the_distance_better() {
        let mut stamps = Stamps::default();
        assert_eq!(stamps.written(at(5_400), 5_000_000), at(5_400));
        assert_eq!(stamps.written(at(5_450), 5_449_000), at(5_450));
        assert_eq!(stamps.written(at(6_800), 6_500_000).0 / 1_000_000, 6_501);
    }

    #[test]
    fn clocks_that_drift_apart_make_no_record_old_or_of_the_future() {
        for ppm in [-200_i64, -20, 20, 200] {
            let mut stamps = Stamps::default();
            // a record each hour for a month, read within a millisecond
            for hour in 0..24 * 31 {
                let read = Mono(3600 * SECOND * (hour + 1));
                let drift = i64::try_from(read.0 / 1_000_000).expect("small") * ppm;
                let stamp = read.0.checked_add_signed(-drift).expect("small") / 1000 - 1000;
                let written = stamps.written(read, stamp);
                assert!(written <= read && read.since(written) <= 1_001_000, "{ppm} {hour}");
            }
        }
    }

    #[test]
    fn a_stamp_that_is_far_off_tells_nothing_and_the_next_ones_do_again() {
        let mut stamps = Stamps::default();
        assert_eq!(stamps.written(at(20_000), 20_000_000), at(20_000));
        assert_eq!(stamps.written(at(21_000), 1_000_000), at(21_000), "20 s old");
        assert_eq!(stamps.written(at(22_000), 22_000_000), at(22_000), "of the future");
        assert_eq!(stamps.written(at(24_000), 23_000_000).0 / 1_000_000, 23_001);
        for odd in [0, u64::MAX] {
            assert_eq!(stamps.written(at(30_000), odd), at(30_000));
            assert_eq!(stamps.written(Mono(0), odd), Mono(0));
        }
    }
}
