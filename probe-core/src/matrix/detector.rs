//! Looks at each second of the matrix, and tells what is odd.

use std::collections::BTreeMap;

use super::blackout::{Egress, Ingress};
use super::ghosts::Ghosts;
use super::rate::Rate;
use super::{Cell, Second};
use crate::direction::Direction;
use crate::time::Mono;
use crate::timeline::{LinkName, What};

/// Something odd: [`What::Ghosts`], [`What::Blackout`] or [`What::Rate`].
#[derive(Clone, Debug, PartialEq)]
pub struct Odd {
    /// When it began: the end of the last second in which all was well.
    pub at: Mono,
    /// The link.
    pub link: LinkName,
    /// What.
    pub what: What,
}

/// What is remembered of each link.
#[derive(Clone, Debug, Default)]
pub struct Detector {
    links: BTreeMap<u32, Watch>,
    bonds: BTreeMap<u32, Ghosts>,
}

#[derive(Clone, Debug, Default)]
struct Watch {
    egress: Egress,
    ingress: Ingress,
    rate_in: Rate,
    rate_out: Rate,
}

impl Detector {
    /// Whether a blackout goes on at a link.
    pub fn is_blacked_out(&self, ifindex: u32, direction: Direction) -> bool {
        self.links.get(&ifindex).is_some_and(|watch| match direction {
            Direction::Egress => watch.egress.is_blackout(),
            Direction::Ingress => watch.ingress.is_blackout(),
        })
    }

    /// Takes the next second. `up` tells of an index whether the link has its carrier and is set up: without, it is no wonder that
    /// nothing passes.
    pub fn second(&mut self, second: &Second, up: impl Fn(u32) -> bool) -> Vec<Odd> {
        let there = |ifindex: &u32| second.cells.iter().any(|cell| cell.link.ifindex == *ifindex);
        self.links.retain(|ifindex, _| there(ifindex));
        self.bonds.retain(|ifindex, _| there(ifindex));
        let mut odd = Vec::new();
        for cell in &second.cells {
            let watch = self.links.entry(cell.link.ifindex).or_default();
            let mut tell = |told: Option<(Mono, What)>| {
                odd.extend(told.map(|(at, what)| Odd { at, link: cell.link.clone(), what }));
            };
            let up = up(cell.link.ifindex);
            // A bond has no wire of its own: when it has no slave to send on it drops, and says so.
            let is_bond = second.cells.iter().any(|other| other.master == cell.link.ifindex);
            tell(watch.egress.second(second, cell, up && !is_bond));
            tell(watch.ingress.second(second, cell, up));
            tell(watch.rate_in.second(second, Direction::Ingress, cell.ingress));
            tell(watch.rate_out.second(second, Direction::Egress, cell.egress));
        }
        for bond in &second.cells {
            let slaves: Vec<&Cell> = second.cells.iter().filter(|cell| cell.master == bond.link.ifindex).collect();
            if slaves.is_empty() {
                continue;
            }
            let ghosts = self.bonds.entry(bond.link.ifindex).or_default();
            let told = ghosts.second(second, bond, &slaves);
            odd.extend(told.map(|(at, what)| Odd { at, link: bond.link.clone(), what }));
        }
        odd
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::testing::{cell, hellos, second, sent};

    /// What is told of seconds 1 to `to`, each with its number and its words.
    fn told(to: u64, cells: impl Fn(u64) -> Vec<Cell>) -> Vec<(u64, u64, String)> {
        let mut detector = Detector::default();
        let mut told = Vec::new();
        for number in 1..=to {
            for odd in detector.second(&second(number, cells(number)), |_| true) {
                told.push((number, odd.at.0 / 1_000_000_000, format!("{}: {}", odd.link.name, odd.what)));
            }
        }
        told
    }

    /// The reference incident: ten thousand copies of a packet from the bond to its slave, and nothing reaches the wire.
    #[test]
    fn transmit_that_is_blocked_below_the_taps_is_a_blackout_of_the_slaves_and_receiving_goes_on() {
        let told = told(40, |s| {
            let (out, wire) = if s > 20 { (10_000, 0) } else { (40, 40) };
            let slave = |n| hellos(1, sent(wire, cell(n, 10, 30, out)));
            vec![slave(1), sent(20 + wire, slave(2)), sent(2 * wire, cell(10, 0, 50, out * 2))]
        });
        let kinds: Vec<(u64, u64, &str)> = told.iter().map(|(s, at, text)| (*s, *at, text.as_str())).collect();
        let of_slave = "link1: egress blackout: 30000 packets handed over in 3.0 s, 0 of them sent and 0 dropped by the driver";
        assert!(kinds.contains(&(23, 20, of_slave)), "{kinds:#?}");
        assert!(!kinds.iter().any(|(_, _, text)| text.starts_with("link10: egress")), "{kinds:#?}");
        assert!(!kinds.iter().any(|(_, _, text)| text.contains("ingress")), "{kinds:#?}");
        let ghosts = kinds.iter().find(|(_, _, text)| text.contains("ghost")).expect("ghosts");
        assert_eq!(ghosts.1, 20);
    }

    /// A minute of heavy ordinary traffic that starts and stops: nothing that opens an incident.
    #[test]
    fn heavy_traffic_that_starts_and_stops_is_neither_a_blackout_nor_a_ghost() {
        let told = told(300, |s| {
            let busy = (100..160).contains(&s);
            let (in_, out) = if busy { (90_000 + s * 7, 120_000 - s * 11) } else { (2, s % 2) };
            // Taps and drivers are read one after the other: some packets fall between.
            let skew = if busy { (s % 3) * 1000 } else { s % 2 };
            let slave = |n| hellos(1, sent(out.saturating_sub(skew), cell(n, 10, in_, out)));
            vec![slave(1), slave(2), cell(10, 0, in_ * 2, out * 2)]
        });
        let opens: Vec<_> = told.iter().filter(|(_, _, text)| !text.contains("are usual")).collect();
        assert_eq!(opens, Vec::<&(u64, u64, String)>::new());
    }
}
