//! `linkprobe incidents`: what there is, and the report of one. Directories that are broken or not ours are told, and passed over.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};

use super::directory::{DELETED, DOCUMENT, PAGE, PARTIAL, REPORT};
use super::table::Table;
use super::{wall, words};
use crate::config::default_incidents;
use crate::recovery::keep;

/// Largest document and report that are read, bytes.
const LARGEST: u64 = 256 << 20;

/// Options of `linkprobe incidents`.
#[derive(Args, Clone, Debug)]
pub struct IncidentsArgs {
    /// What to do [default: list]
    #[command(subcommand)]
    pub command: Option<IncidentsCommand>,
    /// Directory of the incidents [default: /var/lib/linkprobe/incidents]
    #[arg(long, global = true, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Print JSON: the list as an array, or the incident's own document
    #[arg(long, global = true)]
    pub json: bool,
}

/// What `linkprobe incidents` does.
#[derive(Subcommand, Clone, Debug)]
pub enum IncidentsCommand {
    /// List incidents, the oldest first
    List,
    /// Print the report of one
    Show {
        /// Its id, the beginning of it as far as it is unique, or `last`
        #[arg(value_name = "ID")]
        id: String,
    },
}

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// What it is about.
        path: PathBuf,
        /// The answer.
        source: io::Error,
    },
    /// No incident is called so.
    #[error("no incident in {} is called {id:?}; `linkprobe incidents` lists what there is", dir.display())]
    Unknown {
        /// What was asked for.
        id: String,
        /// Where.
        dir: PathBuf,
    },
    /// Several are.
    #[error("{id:?} is the beginning of several incidents: {}", candidates.join(", "))]
    Ambiguous {
        /// What was asked for.
        id: String,
        /// What it may be.
        candidates: Vec<String>,
    },
    /// There is none.
    #[error("{}: no incidents", dir.display())]
    None {
        /// Where.
        dir: PathBuf,
    },
    /// The list could not be printed.
    #[error("cannot print: {0}")]
    Print(#[source] io::Error),
}

/// What a list shows of an incident, read from its document. What later versions add is passed over.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Summary {
    /// Version of the document.
    pub version: u64,
    /// Id.
    pub id: String,
    /// What it is, in one line.
    #[serde(default)]
    pub headline: String,
    /// Its window.
    pub window: Window,
    /// What fired.
    #[serde(default)]
    pub triggers: Vec<Trigger>,
    /// What got into its capture.
    #[serde(default)]
    pub capture: Capture,
}

/// A window.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Window {
    /// Its length, nanoseconds.
    pub ns: u64,
}

/// A trigger.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Trigger {
    /// When.
    pub at: Time,
    /// Which.
    pub kind: String,
    /// The link that it is about.
    pub link: Option<Link>,
}

/// A time.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Time {
    /// RFC 3339.
    pub wall: String,
}

/// A link.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Link {
    /// Its name.
    pub name: String,
}

/// Packets.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Capture {
    /// How many.
    pub packets: u64,
    /// Bytes of their file.
    pub file_bytes: u64,
    /// How many are not in the file.
    pub missing: u64,
}

impl Summary {
    /// Reads a document.
    ///
    /// # Errors
    /// When it cannot be read, or is none that this version understands.
    pub fn read(document: &Path) -> io::Result<Self> {
        let file = File::open(document)?;
        let summary: Self = serde_json::from_reader(io::BufReader::new(file.take(LARGEST)))?;
        if summary.version == super::json::VERSION {
            Ok(summary)
        } else {
            Err(io::Error::other(format!("version {} is not known here", summary.version)))
        }
    }
}

/// Runs `linkprobe incidents` on standard output, remarks go to standard error.
///
/// # Errors
/// See [`ListError`].
pub fn run(args: &IncidentsArgs) -> anyhow::Result<()> {
    Ok(print(args, &mut io::stdout().lock(), &mut io::stderr().lock())?)
}

/// Answers `linkprobe incidents`: the answer goes to `out`, remarks on what was passed over to `remarks`.
///
/// # Errors
/// See [`ListError`].
pub fn print(args: &IncidentsArgs, out: &mut impl Write, remarks: &mut impl Write) -> Result<(), ListError> {
    let dir = args.dir.clone().unwrap_or_else(default_incidents);
    match &args.command {
        None | Some(IncidentsCommand::List) => list(&dir, args.json, out, remarks),
        Some(IncidentsCommand::Show { id }) => show(&dir, id, args.json, out),
    }
}

fn list(dir: &Path, json: bool, out: &mut impl Write, remarks: &mut impl Write) -> Result<(), ListError> {
    let mut summaries = Vec::new();
    for name in names(dir)? {
        match Summary::read(&dir.join(&name).join(DOCUMENT)) {
            Ok(summary) => summaries.push((name, summary)),
            Err(error) => {
                let _ = writeln!(remarks, "{}: not an incident that can be read: {error}", words::one_line(&name));
            }
        }
    }
    let text = if json {
        let all: Vec<&Summary> = summaries.iter().map(|(_, summary)| summary).collect();
        format!("{:#}\n", serde_json::json!(all))
    } else if summaries.is_empty() {
        format!("no incidents in {}\n", words::one_line(&dir.display().to_string()))
    } else {
        table(&summaries)
    };
    out.write_all(text.as_bytes()).map_err(ListError::Print)
}

fn table(summaries: &[(String, Summary)]) -> String {
    let mut table = Table::new(&["id", "when", "length", "first trigger", "links", "packets", "missing", "size"], 5);
    for (name, summary) in summaries {
        let mut links: Vec<&str> = Vec::new();
        for link in summary.triggers.iter().filter_map(|trigger| trigger.link.as_ref()) {
            if !links.contains(&link.name.as_str()) {
                links.push(&link.name);
            }
        }
        let first = summary.triggers.first();
        table.row(vec![
            words::one_line(name),
            first.map_or_else(String::new, |trigger| short_time(&trigger.at.wall)),
            wall::seconds(summary.window.ns),
            first.map_or_else(String::new, |trigger| words::one_line(&trigger.kind)),
            words::one_line(&links.join(",")),
            summary.capture.packets.to_string(),
            summary.capture.missing.to_string(),
            size(summary.capture.file_bytes),
        ]);
    }
    let rendered = table.render(400);
    let mut lines = rendered.lines();
    let mut out = String::new();
    let mut line = |text: &str| {
        out.push_str(text);
        out.push('\n');
    };
    lines.next().into_iter().for_each(&mut line);
    // What it was stands below each: it is too long for a column.
    for (text, (_, summary)) in lines.zip(summaries) {
        line(text);
        if !summary.headline.is_empty() {
            line(&format!("    {}", words::one_line(&summary.headline)));
        }
    }
    out
}

/// `2017-12-05 14:12:51` of RFC 3339, as it was written: in the zone of then.
fn short_time(rfc3339: &str) -> String {
    words::one_line(&rfc3339.chars().take(19).collect::<String>().replace('T', " "))
}

fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{} kB", bytes / 1000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

fn show(dir: &Path, id: &str, json: bool, out: &mut impl Write) -> Result<(), ListError> {
    let name = find(dir, id)?;
    let path = dir.join(&name).join(if json { DOCUMENT } else { REPORT });
    let mut bytes = Vec::new();
    let read = File::open(&path).and_then(|file| file.take(LARGEST).read_to_end(&mut bytes));
    read.map_err(|source| ListError::Io { path, source })?;
    // The file may be anybody's: nothing in it must steer the terminal.
    let text: String =
        String::from_utf8_lossy(&bytes).chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect();
    let recoveries = if json { String::new() } else { recoveries(&dir.join(&name)) };
    let page = dir.join(&name).join(PAGE);
    // Incidents of earlier versions have none.
    let hint = if !json && page.is_file() {
        format!("\nFor a browser: {}\n", words::one_line(&page.display().to_string()))
    } else {
        String::new()
    };
    let all = [text.as_str(), &recoveries, &hint].concat();
    out.write_all(all.as_bytes()).map_err(ListError::Print)
}

/// What became of recoveries for an incident, in words.
fn recoveries(directory: &Path) -> String {
    let text = match keep::read(directory) {
        Ok(all) => keep::words(&all),
        Err(error) => format!("\n{}: {error}\n", keep::RECOVERY),
    };
    text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect()
}

/// The name of the directory that `id` means.
fn find(dir: &Path, id: &str) -> Result<String, ListError> {
    let names = names(dir)?;
    if names.iter().any(|name| name == id) {
        return Ok(id.to_owned());
    }
    if id == "last" {
        return names.last().cloned().ok_or_else(|| ListError::None { dir: dir.to_owned() });
    }
    let candidates: Vec<String> = names.into_iter().filter(|name| !id.is_empty() && name.starts_with(id)).collect();
    match candidates.as_slice() {
        [] => Err(ListError::Unknown { id: id.to_owned(), dir: dir.to_owned() }),
        [only] => Ok(only.clone()),
        _ => Err(ListError::Ambiguous { id: id.to_owned(), candidates }),
    }
}

/// Names of the directories in `dir`, sorted: that is by time. Unfinished ones are left out.
fn names(dir: &Path) -> Result<Vec<String>, ListError> {
    let failed = |source| ListError::Io { path: dir.to_owned(), source };
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let unfinished = name.starts_with('.') && (name.ends_with(PARTIAL) || name.ends_with(DELETED));
        if !unfinished && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
