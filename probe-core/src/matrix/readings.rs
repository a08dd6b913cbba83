//! From what taps and drivers have counted so far to what they counted in a second.

use std::collections::BTreeMap;

use probe_common::class::id;
use probe_common::counters::TapCounters;

use super::{Cell, Count, Driver, Second};
use crate::link::LinkStats;
use crate::time::Mono;
use crate::timeline::LinkName;

/// Classes that the other end sends by itself, again and again: when they stop, it is not for want of anybody who asks. VRRP and
/// HSRP are none of them: their routers fall silent when another one takes over.
pub(crate) const HELLOS: [u8; 6] = [id::LACP, id::LLDP, id::STP, id::OSPF, id::BFD, id::ISIS];
/// Longest time between two readings that is still a second of the matrix, nanoseconds: after a longer one (the machine slept, or
/// the agent did not get to run) the sum would be taken for a burst.
const LONGEST: u64 = 30 * crate::time::SECOND;

/// What a tap has counted since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TapTotal {
    /// Tap id: another one began at 0.
    pub tap: u16,
    /// All classes together.
    pub count: Count,
    /// Frames of the classes that come by themselves.
    pub hellos: u64,
}

impl TapTotal {
    /// Of the counters of a tap.
    pub fn of(tap: u16, counters: &TapCounters) -> Self {
        let total = counters.total();
        let hellos = HELLOS.into_iter().filter_map(|class| counters.classes.get(usize::from(class)));
        Self {
            tap,
            count: Count { packets: total.segments, frames: total.packets, bytes: total.bytes },
            hellos: hellos.map(|class| class.packets).sum(),
        }
    }
}

/// What was counted of one link so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkTotals {
    /// The link.
    pub link: LinkName,
    /// Interface index of its bond; 0 where it has none.
    pub master: u32,
    /// Its ingress tap.
    pub ingress: Option<TapTotal>,
    /// Its egress tap.
    pub egress: Option<TapTotal>,
    /// Its driver.
    pub driver: Option<LinkStats>,
}

/// The last reading, to take the next one's differences from.
#[derive(Clone, Debug, Default)]
pub struct Readings {
    last: Option<(Mono, BTreeMap<u32, LinkTotals>)>,
}

impl Readings {
    /// Takes a reading made at `at`; returns what was counted since the one before it. Whatever was not there then, or began anew,
    /// has no count in it.
    pub fn second(&mut self, at: Mono, links: Vec<LinkTotals>) -> Option<Second> {
        let now: BTreeMap<u32, LinkTotals> = links.into_iter().map(|totals| (totals.link.ifindex, totals)).collect();
        let (before_at, before) = self.last.replace((at, now.clone()))?;
        let ns = at.since(before_at);
        if ns == 0 || ns > LONGEST {
            return None;
        }
        let cells = now.into_values().map(|totals| cell(before.get(&totals.link.ifindex), totals)).collect();
        Some(Second { at, ns, cells })
    }
}

fn cell(before: Option<&LinkTotals>, now: LinkTotals) -> Cell {
    let ingress = tap(before.and_then(|before| before.ingress), now.ingress);
    let egress = tap(before.and_then(|before| before.egress), now.egress);
    Cell {
        link: now.link,
        master: now.master,
        ingress: ingress.map(|(count, _)| count),
        egress: egress.map(|(count, _)| count),
        hellos: ingress.map_or(0, |(_, hellos)| hellos),
        driver: driver(before.and_then(|before| before.driver), now.driver),
    }
}

fn tap(before: Option<TapTotal>, now: Option<TapTotal>) -> Option<(Count, u64)> {
    let (before, now) = (before?, now?);
    let count = count(before.count, now.count).filter(|_| before.tap == now.tap)?;
    Some((count, now.hellos.saturating_sub(before.hellos)))
}

/// `None` when any of them went back: the counters began at 0 again.
fn count(before: Count, now: Count) -> Option<Count> {
    Some(Count {
        packets: now.packets.checked_sub(before.packets)?,
        frames: now.frames.checked_sub(before.frames)?,
        bytes: now.bytes.checked_sub(before.bytes)?,
    })
}

fn driver(before: Option<LinkStats>, now: Option<LinkStats>) -> Option<Driver> {
    let (before, now) = (before?, now?);
    let received = |stats: LinkStats| Count { packets: stats.rx_packets, frames: stats.rx_packets, bytes: stats.rx_bytes };
    let sent = |stats: LinkStats| Count { packets: stats.tx_packets, frames: stats.tx_packets, bytes: stats.tx_bytes };
    let rx_lost = |stats: LinkStats| stats.rx_errors.wrapping_add(stats.rx_dropped).wrapping_add(stats.rx_missed);
    let tx_lost = |stats: LinkStats| stats.tx_errors.wrapping_add(stats.tx_dropped);
    Some(Driver {
        rx: count(received(before), received(now))?,
        tx: count(sent(before), sent(now))?,
        // Some drivers count one loss under another name later: that is no reset.
        rx_lost: rx_lost(now).saturating_sub(rx_lost(before)),
        tx_lost: tx_lost(now).saturating_sub(tx_lost(before)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::at;
    use probe_common::counters::ClassCount;

    fn total(tap: u16, packets: u64) -> Option<TapTotal> {
        let count = Count { packets: packets * 2, frames: packets, bytes: packets * 60 };
        Some(TapTotal { tap, count, hellos: packets / 10 })
    }

    fn totals(ifindex: u32, ingress: Option<TapTotal>, tx: u64) -> LinkTotals {
        let driver = Some(LinkStats { tx_packets: tx, tx_bytes: tx * 60, tx_dropped: tx / 2, ..LinkStats::default() });
        let link = LinkName { ifindex, name: format!("eth{ifindex}") };
        LinkTotals { link, master: 10, ingress, egress: None, driver }
    }

    #[test]
    fn a_second_is_the_difference_of_two_readings() {
        let mut readings = Readings::default();
        assert_eq!(readings.second(at(1000), vec![totals(1, total(3, 1000), 50)]), None);
        let second = readings.second(at(2010), vec![totals(1, total(3, 1100), 80)]).expect("a second");
        assert_eq!((second.at, second.ns), (at(2010), 1_010_000_000));
        let cell = &second.cells[0];
        assert_eq!(cell.ingress, Some(Count { packets: 200, frames: 100, bytes: 6000 }));
        assert_eq!((cell.egress, cell.hellos, cell.master), (None, 10, 10));
        let driver = cell.driver.expect("a driver");
        assert_eq!((driver.tx.packets, driver.tx.bytes, driver.tx_lost, driver.rx_lost), (30, 1800, 15, 0));
    }

    #[test]
    fn what_began_anew_or_was_not_there_has_no_count() {
        let mut readings = Readings::default();
        readings.second(at(1000), vec![totals(1, total(3, 1000), 50), totals(2, total(4, 9), 9), totals(5, None, 9)]);
        let links =
            vec![totals(1, total(3, 10), 20), totals(2, total(7, 20), 9), totals(5, total(8, 99), 9), totals(6, total(9, 5), 5)];
        let second = readings.second(at(2000), links).expect("a second");
        let told: Vec<_> = second.cells.iter().map(|cell| (cell.link.ifindex, cell.ingress, cell.driver.is_some())).collect();
        let expected = [(1, None, false), (2, None, true), (5, None, true), (6, None, false)];
        assert_eq!(told, expected, "fewer than before; another tap; a new tap; a new link");
    }

    #[test]
    fn a_link_that_is_gone_has_no_cell_and_one_that_comes_back_begins_anew() {
        let mut readings = Readings::default();
        readings.second(at(1000), vec![totals(1, total(3, 1000), 50)]);
        assert_eq!(readings.second(at(2000), vec![]).expect("a second").cells, []);
        let back = readings.second(at(3000), vec![totals(1, total(3, 2000), 100)]).expect("a second");
        assert_eq!((back.cells[0].ingress, back.cells[0].driver), (None, None));
    }

    #[test]
    fn a_reading_after_a_long_sleep_is_no_second() {
        let mut readings = Readings::default();
        readings.second(at(1000), vec![totals(1, total(3, 1000), 50)]);
        assert_eq!(readings.second(at(61_000), vec![totals(1, total(3, 9000), 90)]), None);
        assert!(readings.second(at(62_000), vec![totals(1, total(3, 9001), 90)]).is_some());
    }

    #[test]
    fn a_taps_total_tells_packets_frames_and_hellos_apart() {
        let mut counters = TapCounters::ZERO;
        counters.classes[usize::from(id::TCP4)] = ClassCount { packets: 10, bytes: 15_000, segments: 80 };
        counters.classes[usize::from(id::LACP)] = ClassCount { packets: 2, bytes: 248, segments: 2 };
        let total = TapTotal::of(4, &counters);
        assert_eq!((total.tap, total.hellos), (4, 2));
        assert_eq!(total.count, Count { packets: 82, frames: 12, bytes: 15_248 });
    }
}
