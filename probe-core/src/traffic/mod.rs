//! What the watched links have carried: everything that taps and drivers counted, at one moment. What is exported is made of it.

mod snapshot;

pub use snapshot::{LinkSnapshot, Snapshot, TapSnapshot};
