//! What comes out: a directory like an incident's, and a summary.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use probe_common::recorder::MAX_SNAPLEN;
use probe_core::filter::Filter;
use probe_core::incident::Closed;
use probe_core::time::WallOffset;
use serde_json::json;

use super::args::{AnalyzeArgs, Named};
use super::replay::Replayed;
use crate::incident::directory::write;
use crate::incident::{Job, WrittenIncident, wall};
use crate::text::print;

/// Where it goes.
#[derive(Debug)]
pub struct Target {
    parent: PathBuf,
    name: String,
    json: bool,
    filter: Option<Filter>,
}

impl Target {
    /// As the command line says.
    ///
    /// # Errors
    /// For a directory that is there already, or whose name will not do.
    pub fn new(args: &AnalyzeArgs, files: &[Named]) -> anyhow::Result<Self> {
        let filter = args.filter.clone();
        let Some(out) = &args.out else {
            let stem = files.first().map_or_else(String::new, Named::stem);
            let name = format!("linkprobe-analysis-{}", stem.replace(|c| !allowed(c), "_"));
            return Ok(Self { parent: PathBuf::from("."), name: name.chars().take(100).collect(), json: args.json, filter });
        };
        ensure!(!out.exists(), "{}: it is there already: name another directory with --out", out.display());
        let name = out.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let good = !name.is_empty() && !name.starts_with(['.', '-']) && name.chars().all(allowed) && name.len() <= 128;
        ensure!(good, "{}: a directory's name here has ASCII letters, digits, '.', '_' and '-'", out.display());
        let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok(Self { parent: parent.to_owned(), name: name.to_owned(), json: args.json, filter })
    }

    /// Writes everything, and says what it is.
    ///
    /// # Errors
    /// When there was no packet, or the system refuses.
    pub fn write(&self, replayed: Replayed, inferred: Vec<String>, problems: &[String]) -> anyhow::Result<()> {
        let Replayed { incident, taps, captured, packets, span, losses, notes, .. } = replayed;
        let Some(mut incident) = incident else { bail!("there is no packet to analyse") };
        let notes: Vec<String> = inferred.into_iter().chain(notes).collect();
        incident.id.clone_from(&self.name);
        incident.taps = taps;
        incident.host = "captures".to_owned();
        incident.kernel = "not known".to_owned();
        incident.closed = Closed::Quiet;
        incident.verdict.missing.extend(notes.iter().cloned());
        let unread =
            problems.iter().map(|problem| format!("what follows in a file that could not be read to its end: {problem}"));
        incident.verdict.missing.extend(unread);
        // Stamps are those of the files: nanoseconds since 1970.
        let (snaplen, filter) = (MAX_SNAPLEN as u32, self.filter.clone());
        let job = Job { incident, captured, wall: WallOffset(0), losses, snaplen, filter };
        let written = write(&self.parent, &job).context("the analysis could not be written")?;
        if self.json {
            return self.print_json(&written, packets, span, &notes, problems);
        }
        let (from, to) = span;
        let mut text = format!(
            "{packets} packets from {} to {} ({})\n{} of them in capture.pcapng, {} bytes\n",
            wall::long(from),
            wall::long(to),
            wall::seconds(to - from),
            written.capture.packets,
            written.capture.file_bytes
        );
        if written.capture.filter.is_some() {
            text.push_str(&format!("{} packets left out by the filter\n", written.capture.filtered()));
        }
        for note in &notes {
            text.push_str(&format!("note: {note}\n"));
        }
        text.push_str(&format!("\n{}\n\nwritten to {}\n", written.headline, written.path.display()));
        print(&text)
    }

    fn print_json(
        &self,
        written: &WrittenIncident,
        packets: u64,
        (from, to): (u64, u64),
        notes: &[String],
        problems: &[String],
    ) -> anyhow::Result<()> {
        let value = json!({
            "directory": written.path,
            "headline": written.headline,
            "packets": packets,
            "from": wall::rfc3339(from),
            "to": wall::rfc3339(to),
            "capture": { "packets": written.capture.packets, "bytes": written.capture.file_bytes,
                "filter": written.capture.filter, "filtered": written.capture.filtered() },
            "bytes": written.bytes,
            "notes": notes,
            "problems": problems,
        });
        print(&format!("{value:#}\n"))
    }
}

fn allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}
