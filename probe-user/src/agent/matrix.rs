//! Once a second: what taps and drivers have counted, for the tap matrix and for the counts of an incident's window.

use std::io;
use std::time::Duration;

use probe_common::tap::direction;
use probe_core::counts::Moment;
use probe_core::flight::Event;
use probe_core::link::LinkStats;
use probe_core::matrix::{Cell, Count, LinkTotals, Readings, TapTotal};
use probe_core::table::{Link, Role};
use probe_core::time::{Mono, SECOND};
use probe_core::timeline::LinkName;

use super::Agent;
use super::status::{MatrixRow, MatrixStatus, Passed};
use crate::netlink::{StatsAnswer, StatsAsker};

/// What is needed to read once a second.
pub(super) struct Counting {
    drivers: StatsAsker,
    /// What the taps had counted when the drivers were asked, and when that was.
    waiting: Option<(Mono, Vec<LinkTotals>)>,
    readings: Readings,
    /// Number of the last question to the drivers.
    round: u64,
    /// When it is to be read next.
    due: Mono,
    /// Why drivers could not be asked, as it was told last.
    error: Option<String>,
}

impl Counting {
    /// Reads from now on; drivers are asked through this.
    pub fn new(drivers: StatsAsker) -> Self {
        Self { drivers, waiting: None, readings: Readings::default(), round: 0, due: Mono(0), error: None }
    }

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
        let indexes: Vec<u32> = links.iter().map(|totals| totals.link.ifindex).collect();
        if self.history.is_due(now) {
            self.history.push(Moment { at: now, taps, losses: self.own_losses() });
        }
        // Drivers that have not answered within a second are not waited for.
        self.take_drivers(Ok(Vec::new()));
        // The taps were read first: what passes now is counted by the driver and by no tap, which can be no ghost.
        self.counting.round += 1;
        let asked = self.counting.drivers.ask(self.counting.round, &indexes);
        self.counting.waiting = Some((now, links));
        if !asked {
            self.take_drivers(Err(io::Error::new(io::ErrorKind::TimedOut, "no answer yet")));
        }
    }

    /// The drivers have answered.
    pub(super) fn counted(&mut self, answer: StatsAnswer) {
        // An answer that came too late would be set beside what the taps counted since.
        if answer.round == self.counting.round {
            self.take_drivers(answer.counted);
        }
    }

    /// Hands over what was counted until the drivers were asked, with what they said.
    fn take_drivers(&mut self, drivers: io::Result<Vec<(u32, LinkStats)>>) {
        let Some((at, mut links)) = self.counting.waiting.take() else { return };
        let error = drivers.as_ref().err().map(ToString::to_string);
        if let Some(error) = error.as_ref().filter(|error| Some(*error) != self.counting.error.as_ref()) {
            log::warn!("drivers' counters: {error}; the tap matrix goes on without them");
        }
        self.counting.error = error;
        for (ifindex, stats) in drivers.unwrap_or_default() {
            if let Some(totals) = links.iter_mut().find(|totals| totals.link.ifindex == ifindex) {
                totals.driver = Some(stats);
            }
        }
        if let Some(second) = self.counting.readings.second(at, links) {
            self.handle(Event::Second(second));
        }
    }

    /// What the taps of the watched links have counted so far.
    fn totals(&self, taps: &[(u16, probe_common::counters::TapCounters)]) -> Vec<LinkTotals> {
        let tap = |ifindex: u32, way: u8| {
            let tap = self.kernel.taps().find(|tap| tap.ifindex == ifindex && tap.direction == way)?;
            let (_, counters) = taps.iter().find(|(id, _)| *id == tap.id)?;
            Some(TapTotal::of(tap.id, counters))
        };
        let totals = |(link, role): (&Link, Role)| LinkTotals {
            link: LinkName { ifindex: link.state.ifindex, name: link.state.name.clone() },
            master: if let Role::Slave { master } = role { master } else { 0 },
            ingress: tap(link.state.ifindex, direction::INGRESS),
            egress: tap(link.state.ifindex, direction::EGRESS),
            driver: None,
        };
        self.flight.table().watched().map(totals).collect()
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
