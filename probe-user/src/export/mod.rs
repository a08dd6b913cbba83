//! What is sent out: events, traffic and samples, to receivers that may be slow or gone.

mod sflow;
pub mod spec;

pub use sflow::{CollectorStatus, Sflow, SflowConfig, SflowStatus};
