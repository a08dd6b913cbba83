//! Metrics over HTTP, for Prometheus and whatever reads its formats.
//!
//! Who asks gets what the agent knows at that moment: [`Server`] hands the question to the event loop, as the control socket does, and the
//! loop answers with a [`Reading`], which is made into text outside of it. While nobody asks, nothing is made. Questions that come within
//! [`server::FRESH`] of one another share one answer, so that no number of readers costs the loop more than a few readings a second.

mod families;
mod page;
mod process;
mod reading;
pub mod server;
#[cfg(test)]
mod tests;

pub use families::families;
pub use process::Process;
pub use reading::{Reading, Tones};
pub use server::{Scrape, Server};
