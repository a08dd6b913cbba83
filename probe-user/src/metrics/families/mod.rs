//! A reading as metrics. Names and units by the conventions of OpenMetrics: base units, `_total` on what only grows.

mod agent;
mod driver;
mod lacp;
mod links;
mod places;
mod probes;
mod sinks;
mod taps;

use probe_core::metrics::Family;

use super::{Process, Reading};
use places::Places;

/// All metrics of a reading.
pub fn families(reading: &Reading, process: Process) -> Vec<Family> {
    let places = Places::new(reading);
    let mut all = agent::general(reading, process);
    all.extend(links::families(reading, &places));
    all.extend(driver::families(&reading.totals, &places));
    all.extend(taps::families(&reading.totals, &places));
    all.extend(lacp::families(&reading.flight.lacp, &places));
    all.extend(probes::families(&reading.flight.targets));
    all.extend(agent::recording(reading));
    all.extend(agent::happened(reading, &places));
    all.extend(sinks::families(&reading.sinks));
    all.extend(reading.sflow.iter().flat_map(sinks::sflow));
    all
}
