//! Incidents: captured, written, kept and read.
//!
//! A trigger starts a [`capture::CaptureHandle`]; when the window has ended its packets and the [`Incident`] become a
//! [`directory::Job`], which the [`writer::Writer`] turns into a directory. [`list`] reads them back for the command line.
//!
//! [`Incident`]: probe_core::incident::Incident

pub mod capture;
pub mod cleanup;
pub mod directory;
mod file;
pub mod filtered;
mod json;
mod judgement;
pub mod list;
mod lost;
mod normal;
mod order;
mod packets;
pub mod page;
pub mod pcapng;
mod report;
mod series;
pub mod source;
pub mod store;
mod story;
mod table;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod wall;
mod words;
pub mod writer;

pub use capture::{CaptureHandle, CaptureWindow, Captured};
pub use cleanup::{Cleaned, Retention};
pub use directory::{Job, WriteError, WrittenIncident};
pub use file::{CaptureSummary, TapCapture};
pub use list::{IncidentsArgs, run};
pub use lost::Lost;
pub use source::{RecorderSource, Source};
pub use wall::incident_id;
pub use writer::{WriteOutcome, Writer, WriterConfig};
