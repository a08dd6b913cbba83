//! What the watched links have carried: everything that taps and drivers counted, at one moment, in total, and over a time. What is exported
//! is made of it.

mod difference;
mod interval;
mod sar;
mod snapshot;
#[cfg(test)]
mod tests;
mod totals;

pub use interval::{DriverInterval, Interval, LinkInterval, sum};
pub use sar::{Banner, Times, banner, block};
pub use snapshot::{LinkSnapshot, Snapshot, TapSnapshot};
pub use totals::{DriverTotal, LinkTotal, TapTotals, Totals};
