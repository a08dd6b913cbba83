//! Once a second: what taps and drivers have counted, for the tap matrix and for the counts of an incident's window.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use probe_common::counters::TapCounters;
use probe_common::tap::direction;
use probe_core::counts::Moment;
use probe_core::flight::Event;
use probe_core::lacp::LacpCounters;
use probe_core::link::LinkStats;
use probe_core::matrix::{Cell, Count, LinkTotals, Readings, TapTotal};
use probe_core::table::{Link, Role};
use probe_core::time::{Mono, SECOND, WallOffset};
use probe_core::timeline::LinkName;
use probe_core::traffic::{LinkSnapshot, Snapshot, TapSnapshot};

use super::Agent;
use super::status::{MatrixRow, MatrixStatus, Passed};
use crate::clock;
use crate::export::traffic::EARLY;
use crate::netlink::{Question, StatsAnswer, StatsAsker};

/// What is needed to read once a second.
pub(super) struct Counting {
    drivers: StatsAsker,
    /// What the taps had counted when the drivers were asked, and when that was.
    waiting: Option<Snapshot>,
    /// The newest one that is complete: what is exported is made of it.
    pub latest: Option<Snapshot>,
    /// Speeds as drivers said last, by interface index.
    speeds: BTreeMap<u32, Option<u64>>,
    /// What the bonding driver counted of LACP at each slave, by interface index, when it was asked last.
    pub lacp: BTreeMap<u32, LacpCounters>,
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
        let (waiting, latest, speeds, lacp) = (None, None, BTreeMap::new(), BTreeMap::new());
        Self { drivers, waiting, latest, speeds, lacp, readings: Readings::default(), round: 0, due: Mono(0), error: None }
    }

    /// The link's speed in bits per second, as its driver said last; `None` when it was not asked yet.
    pub fn speed_bps(&self, ifindex: u32) -> Option<Option<u64>> {
        self.speeds.get(&ifindex).copied()
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
        self.counting.due = next_second(now, clock::wall_offset());
        self.repeats();
        self.drops(now);
        let taps = match self.kernel.counters() {
            Ok(taps) => taps,
            Err(error) => return log::error!("counters: {error}"),
        };
        let snapshot = self.snapshot(now, &taps);
        let links: Vec<_> = snapshot.links.iter().map(|link| (link.link.ifindex, link.link.name.clone())).collect();
        if self.history.is_due(now) {
            self.history.push(Moment { at: now, taps, losses: self.own_losses() });
        }
        // Drivers that have not answered within a second are not waited for.
        self.take_drivers(Ok(Vec::new()));
        // The taps were read first: what passes now is counted by the driver and by no tap, which can be no ghost.
        self.counting.round += 1;
        let has_lacp = |link: &Link| link.state.slave.as_ref().is_some_and(|slave| slave.aggregator_id.is_some());
        let slaves = self.flight.table().watched().filter(|(link, _)| has_lacp(link)).map(|(link, _)| link.state.ifindex);
        let question = Question { round: self.counting.round, links, slaves: slaves.collect() };
        let asked = self.counting.drivers.ask(question);
        self.counting.waiting = Some(snapshot);
        if !asked {
            self.take_drivers(Err(io::Error::new(io::ErrorKind::TimedOut, "no answer yet")));
        }
    }

    /// The drivers have answered.
    pub(super) fn counted(&mut self, answer: StatsAnswer) {
        for (ifindex, speed) in answer.speeds.into_iter().flatten() {
            self.counting.speeds.insert(ifindex, speed);
        }
        if let Some(lacp) = answer.lacp {
            self.counting.lacp = lacp.into_iter().collect();
        }
        // An answer that came too late would be set beside what the taps counted since.
        if answer.round == self.counting.round {
            self.take_drivers(answer.counted);
        }
    }

    /// Hands over what was counted until the drivers were asked, with what they said.
    fn take_drivers(&mut self, drivers: io::Result<Vec<(u32, LinkStats)>>) {
        let Some(mut snapshot) = self.counting.waiting.take() else { return };
        let error = drivers.as_ref().err().map(ToString::to_string);
        if let Some(error) = error.as_ref().filter(|error| Some(*error) != self.counting.error.as_ref()) {
            log::warn!("drivers' counters: {error}; the tap matrix goes on without them");
        }
        self.counting.error = error;
        // A speed may have come with the same answer.
        for link in &mut snapshot.links {
            link.speed_bps = self.counting.speeds.get(&link.link.ifindex).copied().flatten();
        }
        for (ifindex, stats) in drivers.unwrap_or_default() {
            if let Some(link) = snapshot.links.iter_mut().find(|link| link.link.ifindex == ifindex) {
                link.driver = Some(stats);
            }
        }
        let second = self.counting.readings.second(snapshot.at, snapshot.links.iter().map(totals).collect());
        self.counting.latest = Some(snapshot);
        self.set_rates();
        self.traffic();
        if let Some(second) = second {
            self.handle(Event::Second(second));
        }
    }

    /// What the taps of the watched links have counted so far.
    fn snapshot(&self, at: Mono, taps: &[(u16, TapCounters)]) -> Snapshot {
        let tap = |ifindex: u32, way: u8| {
            let tap = self.kernel.taps().find(|tap| tap.ifindex == ifindex && tap.direction == way)?;
            let (_, counters) = taps.iter().find(|(id, _)| *id == tap.id)?;
            Some(TapSnapshot { tap: tap.id, counters: *counters })
        };
        let table = self.flight.table();
        let snapshot = |(link, role): (&Link, Role)| {
            let ifindex = link.state.ifindex;
            let master = if let Role::Slave { master } = role { Some(master) } else { None };
            LinkSnapshot {
                link: LinkName { ifindex, name: link.state.name.clone() },
                role,
                master: master.map(|ifindex| LinkName { ifindex, name: table.name_of(ifindex) }),
                ingress: tap(ifindex, direction::INGRESS),
                egress: tap(ifindex, direction::EGRESS),
                driver: None,
                speed_bps: self.counting.speeds.get(&ifindex).copied().flatten(),
            }
        };
        Snapshot { at, links: table.watched().map(snapshot).collect() }
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

/// When it is to be read after `now`: when the wall clock shows a whole second, so that what is told of a second is what others tell of it
/// too. That is at least a tenth of a second later, and so never twice for one second of a clock that is slewed.
fn next_second(now: Mono, offset: WallOffset) -> Mono {
    let wall_ns = offset.wall_ns(now);
    let whole = (wall_ns.saturating_add(SECOND + EARLY) / SECOND).saturating_mul(SECOND);
    now.plus(whole.saturating_sub(wall_ns))
}

/// What the tap matrix needs of it.
fn totals(link: &LinkSnapshot) -> LinkTotals {
    let tap = |tap: &TapSnapshot| TapTotal::of(tap.tap, &tap.counters);
    LinkTotals {
        link: link.link.clone(),
        master: link.master.as_ref().map_or(0, |master| master.ifindex),
        ingress: link.ingress.as_ref().map(tap),
        egress: link.egress.as_ref().map(tap),
        driver: link.driver,
    }
}

fn passed(count: Count) -> Passed {
    Passed { packets: count.packets, frames: count.frames, bytes: count.bytes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_when_the_wall_clock_shows_a_whole_second() {
        let offset = WallOffset(1_512_450_000_250_000_000);
        for (now_ms, next_ms) in [(0, 750), (649, 750), (650, 1750), (750, 1750), (752, 1750), (1_649, 1750)] {
            let at = |ms: u64| Mono(ms * 1_000_000);
            assert_eq!(next_second(at(now_ms), offset), at(next_ms), "{now_ms} ms");
        }
    }
}
