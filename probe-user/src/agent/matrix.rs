//! Once a second: what taps and drivers have counted, for the tap matrix and for the counts of an incident's window.

use std::time::Duration;

use probe_common::tap::direction;
use probe_core::counts::Moment;
use probe_core::flight::Event;
use probe_core::matrix::{Cell, Count, LinkTotals, Readings, TapTotal};
use probe_core::table::Role;
use probe_core::time::{Mono, SECOND};
use probe_core::timeline::LinkName;

use super::Agent;
use super::status::{MatrixRow, MatrixStatus, Passed};
use crate::netlink::Stats;

/// What is needed to read once a second.
#[derive(Default)]
pub(super) struct Counting {
    stats: Stats,
    readings: Readings,
    /// When it is to be read next.
    due: Mono,
    /// Why drivers could not be asked, as it was told last.
    error: Option<String>,
}

impl Counting {
    /// Time from `now` to the next reading.
    pub fn due_in(&self, now: Mono) -> Duration {
        Duration::from_nanos(self.due.since(now))
    }
}

impl Agent {
    /// Reads what is due, and hands over what was counted since the last time.
    pub(super) fn count(&mut self, now: Mono) {
        if now < self.counting.due {
            return;
        }
        // In step, unless steps were missed.
        let next = self.counting.due.plus(SECOND);
        self.counting.due = if next > now { next } else { now.plus(SECOND) };
        self.repeats();
        self.drops(now);
        let taps = match self.kernel.counters() {
            Ok(taps) => taps,
            Err(error) => return log::error!("counters: {error}"),
        };
        let links = self.totals(&taps);
        if self.history.is_due(now) {
            self.history.push(Moment { at: now, taps, losses: self.own_losses() });
        }
        if let Some(second) = self.counting.readings.second(now, links) {
            self.handle(Event::Second(second));
        }
    }

    fn totals(&mut self, taps: &[(u16, probe_common::counters::TapCounters)]) -> Vec<LinkTotals> {
        let watched: Vec<(LinkName, u32)> = self
            .flight
            .table()
            .watched()
            .map(|(link, role)| {
                let master = if let Role::Slave { master } = role { master } else { 0 };
                (LinkName { ifindex: link.state.ifindex, name: link.state.name.clone() }, master)
            })
            .collect();
        let indexes: Vec<u32> = watched.iter().map(|(link, _)| link.ifindex).collect();
        // The taps were read first: what passes now is counted by the driver and by no tap, which can be no ghost.
        let drivers = self.counting.stats.of(&indexes);
        let error = drivers.as_ref().err().map(ToString::to_string);
        if let Some(error) = error.as_ref().filter(|_| error != self.counting.error) {
            log::warn!("drivers' counters: {error}; the tap matrix goes on without them");
        }
        self.counting.error = error;
        let drivers = drivers.unwrap_or_default();
        let tap = |ifindex: u32, way: u8| {
            let tap = self.kernel.taps().find(|tap| tap.ifindex == ifindex && tap.direction == way)?;
            let (_, counters) = taps.iter().find(|(id, _)| *id == tap.id)?;
            Some(TapTotal::of(tap.id, counters))
        };
        let totals = |(link, master): (LinkName, u32)| LinkTotals {
            ingress: tap(link.ifindex, direction::INGRESS),
            egress: tap(link.ifindex, direction::EGRESS),
            driver: drivers.iter().find(|(ifindex, _)| *ifindex == link.ifindex).map(|(_, stats)| *stats),
            master,
            link,
        };
        watched.into_iter().map(totals).collect()
    }

    pub(super) fn matrix_status(&self) -> MatrixStatus {
        let Some(second) = self.flight.last_second() else { return MatrixStatus::default() };
        let table = self.flight.table();
        let cell = |ifindex: u32| second.cells.iter().find(|cell| cell.link.ifindex == ifindex);
        let row = |cell: &Cell| MatrixRow {
            interface: cell.link.name.clone(),
            master: (cell.master != 0).then(|| table.name_of(cell.master)),
            ingress: cell.ingress.map(passed),
            egress: cell.egress.map(passed),
            driver_rx: cell.driver.map(|driver| passed(driver.rx)),
            driver_tx: cell.driver.map(|driver| passed(driver.tx)),
            driver_rx_lost: cell.driver.map(|driver| driver.rx_lost),
            driver_tx_lost: cell.driver.map(|driver| driver.tx_lost),
        };
        let rows = table.watched().filter_map(|(link, _)| cell(link.state.ifindex)).map(row).collect();
        MatrixStatus { seconds: second.ns as f64 / SECOND as f64, rows }
    }
}

fn passed(count: Count) -> Passed {
    Passed { packets: count.packets, frames: count.frames, bytes: count.bytes }
}
