//! What is sent out: events, traffic and samples, to receivers that may be slow or gone.
//!
//! [`Sinks`] has a bounded queue for each receiver of events, and a worker that empties it: a task for those of the network, a thread for
//! files. What finds no room is counted, and the receiver is told when it is back.

pub mod about;
mod backoff;
mod connection;
mod file;
pub mod format;
mod loss;
mod outstanding;
mod queue;
mod sflow;
mod shared;
mod sinks;
pub mod spec;
pub mod status;
#[cfg(test)]
mod tests;
pub mod traffic;
mod worker;

pub use about::About;
pub use sflow::{CollectorStatus, Sflow, SflowConfig, SflowStatus};
pub use sinks::Sinks;
