//! Metrics as Prometheus and its like read them: one model, two formats.

mod encode;
mod family;
mod labels;
mod negotiate;

pub use encode::{Format, encode};
pub use family::{Family, Kind, Number, Sample};
pub use labels::Labels;
