//! Seconds for tests.

use super::{Cell, Count, Driver, Second};
use crate::time::{Mono, SECOND};
use crate::timeline::LinkName;

pub fn count(packets: u64) -> Count {
    Count { packets, frames: packets, bytes: packets * 100 }
}

/// A link whose driver counted what the taps did: so many packets in and out.
pub fn cell(ifindex: u32, master: u32, ingress: u64, egress: u64) -> Cell {
    let driver = Driver { rx: count(ingress), tx: count(egress), ..Driver::default() };
    Cell {
        link: LinkName { ifindex, name: format!("link{ifindex}") },
        master,
        ingress: Some(count(ingress)),
        egress: Some(count(egress)),
        hellos: 0,
        driver: Some(driver),
    }
}

/// The link when its driver sent so many.
pub fn sent(tx: u64, cell: Cell) -> Cell {
    Cell { driver: cell.driver.map(|driver| Driver { tx: count(tx), ..driver }), ..cell }
}

/// The link with so many hellos among what it received.
pub fn hellos(hellos: u64, cell: Cell) -> Cell {
    Cell { hellos, ..cell }
}

/// The second that ends at `number` seconds.
pub fn second(number: u64, cells: Vec<Cell>) -> Second {
    Second { at: Mono(number * SECOND), ns: SECOND, cells }
}
