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
mod json;
pub mod list;
mod packets;
pub mod pcapng;
mod report;
pub mod source;
pub mod store;
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
pub use source::{RecorderSource, Source};
pub use wall::incident_id;
pub use writer::{WriteOutcome, Writer, WriterConfig};
