//! sFlow version 5 (sflow_version_5.txt, and sflow_lag.txt of sflow.org): which samples there are, and their bytes.
//!
//! [`Exporter`] makes datagrams of what the taps sample and of what is counted; who sends them is not its concern.

mod counters;
mod datagram;
mod exporter;
mod flow;
mod interface;
mod xdr;

pub use datagram::MAX_DATAGRAM;
pub use exporter::{Config, Exporter, Made};
pub use interface::{Interface, Kind, LagPort};
