//! Ghost packets: more leaves one layer than reaches the next.

use std::collections::VecDeque;

use super::{Cell, Driver, Second};
use crate::time::{Mono, SECOND};
use crate::timeline::What;

/// Seconds that are added up: counts of one second may be off by what passed while they were read.
const SPAN: usize = 3;
/// Fewest packets that must be missing in that time.
const FEWEST: u64 = 30;
/// Time without any after which they are told again, nanoseconds.
const REST: u64 = 5 * SECOND;

/// One bond's egress, from layer to layer.
#[derive(Clone, Debug, Default)]
pub struct Ghosts {
    last: VecDeque<Layers>,
    /// When packets were missing last, if that was told.
    seen: Option<Mono>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Layers {
    from: Mono,
    ns: u64,
    bond: u64,
    slaves: u64,
    wire: u64,
}

impl Ghosts {
    /// Takes a second; returns when ghosts began to show, and their numbers.
    pub fn second(&mut self, second: &Second, bond: &Cell, slaves: &[&Cell]) -> Option<(Mono, What)> {
        let Some(now) = layers(second, bond, slaves) else {
            // A slave without counts: what it took is not known, and may be what is missing.
            self.last.clear();
            return None;
        };
        self.last.push_back(now);
        if self.last.len() > SPAN {
            self.last.pop_front();
        }
        let sum = self.last.iter().fold(Layers::default(), |sum, one| Layers {
            bond: sum.bond + one.bond,
            slaves: sum.slaves + one.slaves,
            wire: sum.wire + one.wire,
            ns: sum.ns.saturating_add(one.ns),
            from: sum.from,
        });
        let single = self.last.iter().filter(|one| missing(one) > 0).count();
        if missing(&sum) < FEWEST || single < 2 {
            self.seen = self.seen.filter(|seen| second.at.since(*seen) < REST);
            return None;
        }
        let known = self.seen.replace(second.at).is_some();
        let from = self.last.iter().find(|one| missing(one) > 0).map_or(second.at, |one| one.from);
        let what = What::Ghosts { bond: sum.bond, slaves: sum.slaves, wire: sum.wire, within_ns: sum.ns };
        (!known).then_some((from, what))
    }
}

/// Frames, because that is what can be compared everywhere: a frame may be cut into several on its way down, and never becomes less.
/// A driver counts frames or packets.
fn layers(second: &Second, bond: &Cell, slaves: &[&Cell]) -> Option<Layers> {
    let sent = |driver: Driver| driver.tx.packets.saturating_add(driver.tx_lost);
    // What a bond without a slave to send on drops, it counts: that is no ghost.
    let dropped = bond.driver.map_or(0, |driver| driver.tx_lost);
    let bond = bond.egress?.frames.saturating_sub(dropped);
    let mut layers = Layers { from: second.at.minus(second.ns), ns: second.ns, bond, slaves: 0, wire: 0 };
    for slave in slaves {
        layers.slaves += slave.egress?.frames;
        layers.wire += sent(slave.driver?);
    }
    Some(layers)
}

/// Packets that went into one layer and did not come to the next, beyond a fifth: readings are not of one instant.
fn missing(layers: &Layers) -> u64 {
    let beyond = |above: u64, below: u64| above.saturating_sub(below).saturating_sub(above / 5);
    beyond(layers.bond, layers.slaves).max(beyond(layers.slaves, layers.wire))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::testing::{cell, second, sent};

    /// The seconds in which ghosts are told, of bond packets and of what two slaves' taps and drivers count, by second.
    fn told(seconds: &[(u64, u64, u64)]) -> Vec<u64> {
        let mut ghosts = Ghosts::default();
        let mut told = Vec::new();
        for (number, (bond, slaves, wire)) in (1..).zip(seconds) {
            let (one, two) = (sent(*wire, cell(1, 10, 0, *slaves)), cell(2, 10, 0, 0));
            let now = second(number, Vec::new());
            told.extend(ghosts.second(&now, &cell(10, 0, 0, *bond), &[&one, &two]).map(|_| number));
        }
        told
    }

    #[test]
    fn packets_that_the_bond_made_and_no_slave_got_are_told_once() {
        let mut seconds = vec![(100, 103, 103); 5];
        seconds.extend([(900, 100, 100); 10]);
        assert_eq!(told(&seconds), [7]);
    }

    #[test]
    fn packets_that_never_reached_the_wire_are_told_again_after_a_rest() {
        let mut seconds = vec![(900, 900, 200); 4];
        seconds.extend([(900, 900, 900); 9]);
        seconds.extend([(900, 900, 200); 4]);
        assert_eq!(told(&seconds), [2, 15]);
    }

    #[test]
    fn what_falls_between_two_readings_and_slaves_that_send_more_are_no_ghosts() {
        let skewed = [(1000, 700, 1000), (1000, 1300, 900), (1000, 1000, 1100), (20, 0, 20), (5, 25, 5)];
        assert_eq!(told(&skewed), Vec::<u64>::new());
        assert_eq!(told(&[(100, 500, 4000); 20]), Vec::<u64>::new(), "segments, LACPDUs, broadcast mode");
        assert_eq!(told(&[(8, 0, 0); 20]), Vec::<u64>::new(), "too few to say");
    }

    #[test]
    fn what_the_bond_counts_as_dropped_is_no_ghost() {
        let mut ghosts = Ghosts::default();
        for number in 1..20 {
            let mut bond = sent(4, cell(10, 0, 0, 900));
            bond.driver.as_mut().expect("a driver").tx_lost = 896;
            assert_eq!(ghosts.second(&second(number, Vec::new()), &bond, &[&cell(1, 10, 0, 4)]), None);
        }
    }

    #[test]
    fn a_slave_without_counts_hides_what_is_missing() {
        let mut ghosts = Ghosts::default();
        let unknown = Cell { egress: None, ..cell(2, 10, 0, 0) };
        for number in 1..20 {
            let one = cell(1, 10, 0, 100);
            assert_eq!(ghosts.second(&second(number, Vec::new()), &cell(10, 0, 0, 9000), &[&one, &unknown]), None);
        }
    }
}
