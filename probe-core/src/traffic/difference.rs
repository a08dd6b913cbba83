//! What counters have counted between two readings, and two counts together. A counter that went back has counted nothing: no number here is
//! ever negative or a burst that nobody sent.

use probe_common::counters::{ClassCount, TapCounters, TapLosses};

use crate::link::LinkStats;

/// Makes a value of the given fields, each the saturating difference of two.
macro_rules! less {
    ($after:expr, $before:expr, $type:ident { $($field:ident),* $(,)? }) => {
        $type { $($field: $after.$field.saturating_sub($before.$field)),* }
    };
}

/// What a tap counted. What is no counter but state is left at zero.
pub fn tap(after: &TapCounters, before: &TapCounters) -> TapCounters {
    let mut classes = after.classes;
    for (class, before) in classes.iter_mut().zip(&before.classes) {
        *class = less!(class, before, ClassCount { packets, bytes, segments });
    }
    let losses = less!(
        after.losses,
        before.losses,
        TapLosses { record_busy, record_unreadable, truncated, samples_lost, parse_limit, events_limited }
    );
    let lane = |after: [u64; 2], before: [u64; 2]| [0, 1].map(|lane: usize| after[lane].saturating_sub(before[lane]));
    TapCounters {
        classes,
        losses,
        samples: after.samples.saturating_sub(before.samples),
        recorded: lane(after.recorded, before.recorded),
        recorded_bytes: lane(after.recorded_bytes, before.recorded_bytes),
        repeats: after.repeats.saturating_sub(before.repeats),
        ..TapCounters::ZERO
    }
}

/// Whether a tap has counted less than before: it is another one, which began at 0.
pub fn began_anew(after: &TapCounters, before: &TapCounters) -> bool {
    after.classes.iter().zip(&before.classes).any(|(after, before)| after.packets < before.packets)
}

/// What a driver counted.
pub fn driver(after: &LinkStats, before: &LinkStats) -> LinkStats {
    less!(
        after,
        before,
        LinkStats {
            rx_packets,
            tx_packets,
            rx_bytes,
            tx_bytes,
            rx_errors,
            tx_errors,
            rx_dropped,
            tx_dropped,
            multicast,
            collisions,
            rx_length_errors,
            rx_over_errors,
            rx_crc_errors,
            rx_frame_errors,
            rx_fifo_errors,
            rx_missed,
            tx_aborted_errors,
            tx_carrier_errors,
            tx_fifo_errors,
            tx_heartbeat_errors,
            tx_window_errors,
            rx_compressed,
            tx_compressed,
        }
    )
}
