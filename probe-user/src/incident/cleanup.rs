//! What is removed: old incidents, and what a crash left behind. Only what is certainly ours.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::{FlockOperation, flock};

use super::directory::{DELETED, DOCUMENT, PARTIAL};
use super::wall::is_incident_id;

/// What is kept; 0 stands for no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Incidents.
    pub incidents: u32,
    /// Bytes of all of them.
    pub bytes: u64,
    /// Days.
    pub days: u32,
}

/// What was removed, and what could not be.
#[derive(Debug, Default)]
pub struct Cleaned {
    /// Names of directories that are gone.
    pub removed: Vec<String>,
    /// What went wrong.
    pub errors: Vec<String>,
}

struct Kept {
    name: String,
    path: PathBuf,
    bytes: u64,
    modified: SystemTime,
}

/// Removes the oldest incidents in `dir` until the rest is within the limits. `spare` is the one just written: it stays.
pub fn retain(dir: &Path, retention: Retention, spare: &str, now: SystemTime) -> Cleaned {
    let mut cleaned = Cleaned::default();
    let mut kept = match incidents(dir) {
        Ok(kept) => kept,
        Err(error) => {
            cleaned.errors.push(format!("{}: {error}", dir.display()));
            return cleaned;
        }
    };
    kept.sort_by(|a, b| (a.name == spare, a.modified, &a.name).cmp(&(b.name == spare, b.modified, &b.name)));
    let mut bytes: u64 = kept.iter().map(|incident| incident.bytes).sum();
    let mut count = kept.len();
    let longest = Duration::from_secs(u64::from(retention.days) * 86_400);
    for incident in kept.iter().filter(|incident| incident.name != spare) {
        let too_many = retention.incidents > 0 && count > retention.incidents as usize;
        let too_large = retention.bytes > 0 && bytes > retention.bytes;
        let too_old = retention.days > 0 && now.duration_since(incident.modified).is_ok_and(|age| age > longest);
        if !(too_many || too_large || too_old) {
            continue;
        }
        match remove(dir, incident) {
            Ok(()) => {
                count -= 1;
                bytes = bytes.saturating_sub(incident.bytes);
                cleaned.removed.push(incident.name.clone());
            }
            Err(error) => cleaned.errors.push(format!("{}: {error}", incident.path.display())),
        }
    }
    cleaned
}

/// Removes what a crash left unfinished in `dir`; what another agent is writing stays.
pub fn remove_leftovers(dir: &Path) -> Cleaned {
    let mut cleaned = Cleaned::default();
    let Ok(entries) = fs::read_dir(dir) else { return cleaned };
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let ours = name.starts_with('.') && (name.ends_with(PARTIAL) || name.ends_with(DELETED));
        if !ours || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        match remove_unlocked(&entry.path()) {
            Ok(()) => cleaned.removed.push(name),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => cleaned.errors.push(format!("{}: {error}", entry.path().display())),
        }
    }
    cleaned
}

/// Removes a directory, if there is one, that nobody has locked.
pub(super) fn remove_unlocked(path: &Path) -> io::Result<()> {
    let handle = match File::open(path) {
        Ok(handle) => handle,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    match flock(&handle, FlockOperation::NonBlockingLockExclusive) {
        Err(error) if error == rustix::io::Errno::WOULDBLOCK => Err(error.into()),
        _ => fs::remove_dir_all(path),
    }
}

fn incidents(dir: &Path) -> io::Result<Vec<Kept>> {
    let mut kept = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        // A name that is not UTF-8 is not ours; a symbolic link is no directory here.
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = entry.path();
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) || !is_ours(&name, &path) {
            continue;
        }
        let (bytes, modified) = size_and_time(&path);
        kept.push(Kept { name, path, bytes, modified });
    }
    Ok(kept)
}

/// True for a directory that Linkprobe wrote: by its name, and by the document in it or nothing that speaks against it.
fn is_ours(name: &str, path: &Path) -> bool {
    if name.starts_with('.') {
        return false;
    }
    is_incident_id(name) || super::list::Summary::read(&path.join(DOCUMENT)).is_ok_and(|summary| summary.id == name)
}

fn size_and_time(path: &Path) -> (u64, SystemTime) {
    let mut bytes = 0;
    let mut modified = fs::metadata(path).and_then(|meta| meta.modified()).unwrap_or_else(|_| SystemTime::now());
    for entry in fs::read_dir(path).into_iter().flatten().filter_map(Result::ok) {
        let Ok(meta) = entry.metadata() else { continue };
        bytes += meta.len();
        if entry.file_name() == OsStr::new(DOCUMENT) {
            modified = meta.modified().unwrap_or(modified);
        }
    }
    (bytes, modified)
}

/// Out of sight first: a directory that is half removed must not look like an incident.
fn remove(dir: &Path, incident: &Kept) -> io::Result<()> {
    let hidden = dir.join(format!(".{}{DELETED}", incident.name));
    fs::rename(&incident.path, &hidden)?;
    fs::remove_dir_all(&hidden)
}
