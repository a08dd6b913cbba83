//! An incident that the agent wrote.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::pcapng::{Capture, Packet};
use crate::traffic::{Kind, Numbers, Verdict, verify};

/// What is in an incident's directory.
#[derive(Clone, Debug)]
pub struct Incident {
    /// The directory.
    pub dir: PathBuf,
    /// `incident.json`.
    pub json: Value,
    /// `report.txt`.
    pub report: String,
    /// `capture.pcapng`.
    pub capture: Capture,
}

/// What of one kind of a sender was recorded at one tap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Records.
    pub packets: u64,
    /// Bytes of their frames, tags included.
    pub bytes: u64,
    /// Marks in them: one per segment.
    pub marks: u64,
    /// Records that were cut off.
    pub cut: u64,
}

/// The directories of whole incidents below `dir`, in the order of their names.
///
/// # Errors
/// The system's.
pub fn list(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(found),
        entries => entries.with_context(|| dir.display().to_string())?,
    };
    for entry in entries {
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if path.is_dir() && !hidden {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

impl Incident {
    /// Reads one, and holds it against what must be true of every incident: its four files are there, stamps never go back in the
    /// capture, no packet of the generator is torn.
    ///
    /// # Errors
    /// With what is not right.
    pub fn read(dir: &Path) -> Result<Incident> {
        let text = |name: &str| fs::read_to_string(dir.join(name)).with_context(|| dir.join(name).display().to_string());
        let json = serde_json::from_str(&text("incident.json")?).context("incident.json")?;
        let report = text("report.txt")?;
        ensure!(text("report.html")?.trim_end().ends_with("</html>"), "{}: report.html has no end", dir.display());
        let capture = Capture::read(&dir.join("capture.pcapng"))?;
        for pair in capture.stamps.windows(2) {
            ensure!(pair[0] <= pair[1], "{}: a stamp goes back from {} to {}", dir.display(), pair[0], pair[1]);
        }
        for (i, packet) in capture.packets.iter().enumerate() {
            if let Verdict::Torn(why) = verify(&packet.data) {
                anyhow::bail!("{}: packet {} is torn: {why}", dir.display(), i + 1);
            }
        }
        Ok(Incident { dir: dir.to_owned(), json, report, capture })
    }

    /// Its name.
    pub fn id(&self) -> String {
        self.dir.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Path of the capture.
    pub fn capture_path(&self) -> PathBuf {
        self.dir.join("capture.pcapng")
    }

    /// Records of the generator's run `stream` at one tap (1 inbound, 2 outbound), by kind.
    pub fn found(&self, link: &str, direction: u32, stream: u32) -> BTreeMap<Kind, Found> {
        let mut found: BTreeMap<Kind, Found> = BTreeMap::new();
        for (packet, verdict) in self.verdicts(link, direction) {
            let (seen, cut) = match verdict {
                Verdict::Whole(seen) => (seen, 0),
                Verdict::Cut(seen) => (seen, 1),
                _ => continue,
            };
            if seen.stream == stream {
                let counts = found.entry(seen.kind).or_default();
                counts.packets += 1;
                counts.bytes += u64::from(packet.length);
                counts.marks += u64::from(seen.marks);
                counts.cut += cut;
            }
        }
        found
    }

    /// The sequence numbers of one kind at one tap, in the order of the file.
    pub fn sequence(&self, link: &str, direction: u32, stream: u32, kind: Kind) -> Vec<u64> {
        let seen = self.verdicts(link, direction).filter_map(|(_, verdict)| match verdict {
            Verdict::Whole(seen) | Verdict::Cut(seen) => Some(seen),
            _ => None,
        });
        seen.filter(|seen| seen.stream == stream && seen.kind == kind).map(|seen| seen.seq).collect()
    }

    /// Holds a tap's records against the sender's numbers: packets and bytes of every kind are equal.
    ///
    /// # Errors
    /// With both sides.
    pub fn equals_sent(&self, link: &str, direction: u32, sent: &Numbers) -> Result<()> {
        let found = self.found(link, direction, sent.stream);
        for (kind, sent) in &sent.kinds {
            let found = found.get(kind).copied().unwrap_or_default();
            ensure!(
                (found.packets, found.bytes) == (sent.packets, sent.bytes),
                "{} at {link} ({direction}): recorded {found:?}, sent {sent:?}",
                kind.name()
            );
        }
        ensure!(found.keys().all(|kind| sent.kinds.contains_key(kind)), "kinds that were not sent: {found:?}");
        Ok(())
    }

    fn verdicts(&self, link: &str, direction: u32) -> impl Iterator<Item = (&Packet, Verdict)> {
        self.capture.of(link, direction).map(|packet| (packet, verify(&packet.data)))
    }
}
