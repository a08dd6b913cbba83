//! Totals for the metrics, and each interval's traffic for its receivers.

use probe_core::time::SECOND;
use probe_core::traffic::{Interval, Totals, block};

use super::Agent;
use super::start::ns;
use crate::clock;
use crate::export::traffic::{EARLY, documents, times};

/// What was carried.
#[derive(Default)]
pub(super) struct Traffic {
    /// Until now.
    pub totals: Totals,
    /// When that was, nanoseconds since 1970.
    wall_ns: u64,
    /// Until the present interval began.
    base: Option<Base>,
}

/// The beginning of an interval.
struct Base {
    totals: Totals,
    /// When it was, nanoseconds since 1970, as it was told: the next interval begins where this one ended, to the nanosecond.
    wall_ns: u64,
    /// Of the intervals since 1970, the one that it lies in: intervals begin and end where the wall clock shows a multiple of their length.
    number: u64,
}

impl Agent {
    /// Takes what was counted last, and sends what an interval carried that has ended with it.
    pub(super) fn traffic(&mut self) {
        let Some(latest) = &self.counting.latest else { return };
        self.traffic.totals.take(latest);
        let wall_ns = clock::wall_offset().wall_ns(latest.at);
        self.traffic.wall_ns = wall_ns;
        if !self.teller.sinks.wants_traffic() {
            self.traffic.base = None;
            return;
        }
        let number = wall_ns.saturating_add(EARLY) / ns(self.config.traffic_interval).max(SECOND);
        // Also when the clock was set back.
        if self.traffic.base.as_ref().is_none_or(|base| base.number != number) {
            self.send_traffic();
            self.traffic.base = Some(Base { totals: self.traffic.totals.clone(), wall_ns, number });
        }
    }

    /// Sends what was carried since the interval began.
    pub(super) fn send_traffic(&mut self) {
        let Some(base) = &self.traffic.base else { return };
        let interval = Interval::between(&base.totals, &self.traffic.totals);
        if interval.ns() == 0 {
            return;
        }
        let (sinks, end_ns) = (&mut self.teller.sinks, self.traffic.wall_ns);
        let wall_ns = [base.wall_ns, end_ns];
        if sinks.wants_sar() {
            sinks.sar(&block(&interval, &times(wall_ns)), end_ns);
        }
        if sinks.wants_documents() {
            sinks.documents(&documents(&interval, wall_ns), end_ns);
        }
    }
}
