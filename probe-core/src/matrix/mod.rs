//! The tap matrix: per second, what each tap and each driver counted of each link, and what is odd about it.

mod blackout;
mod detector;
mod ghosts;
mod history;
mod rate;
mod readings;
#[cfg(test)]
pub(crate) mod testing;

pub use detector::{Detector, Odd};
pub use history::Seconds;
pub(crate) use readings::HELLOS;
pub use readings::{LinkTotals, Readings, TapTotal};
use serde::Serialize;

use crate::time::Mono;
use crate::timeline::LinkName;

/// Packets and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// Packets on the wire (a GSO frame is many).
    pub packets: u64,
    /// Frames as they were handed over (a GSO frame is one). Drivers count one or the other, and do not say which: theirs is `packets`.
    pub frames: u64,
    /// Bytes of the frames as the tap saw them.
    pub bytes: u64,
}

/// What the driver counted (IFLA_STATS64).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Driver {
    /// Received.
    pub rx: Count,
    /// Transmitted.
    pub tx: Count,
    /// Receive drops and errors of any kind.
    pub rx_lost: u64,
    /// Transmit drops and errors of any kind.
    pub tx_lost: u64,
}

/// One link in one second: differences, not totals.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// The link.
    pub link: LinkName,
    /// Interface index of its bond; 0 where it has none.
    pub master: u32,
    /// At the ingress tap; `None` where there is none.
    pub ingress: Option<Count>,
    /// At the egress tap; `None` where there is none.
    pub egress: Option<Count>,
    /// Of the frames at the ingress tap, those that come by themselves while the other end lives: LACPDUs, spanning tree, LLDP,
    /// hellos of routing protocols.
    pub hellos: u64,
    /// By the driver; `None` where the kernel did not tell.
    pub driver: Option<Driver>,
}

/// All watched links in one second.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Second {
    /// Its end.
    pub at: Mono,
    /// Its length in nanoseconds: about a second; more in a very long incident, where neighbours were put together.
    pub ns: u64,
    /// By link.
    pub cells: Vec<Cell>,
}
