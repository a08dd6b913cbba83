//! An incident on disk: a directory that appears whole or not at all.
//!
//! It is written beside, under a name that begins with a dot, every file and the directory synced, then renamed, then the parent
//! synced. What is unfinished goes away again, also on a full disk, so that a failure does not keep the disk full.
//!
//! Each file is on its way to the disk while the next one is made, and all are waited for at the end: a journalling file system commits
//! once then, not once for each of them.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use probe_core::filter::Filter;
use probe_core::incident::{Incident, Trigger};
use probe_core::time::WallOffset;
use probe_core::verdict::Verdict;
use rustix::fs::{FlockOperation, flock};

use super::capture::Captured;
use super::file::{CaptureSummary, write_capture};
use super::judgement::judgement;
use super::order::Order;
use super::{json, page, report, words};

/// The packets.
pub const CAPTURE: &str = "capture.pcapng";
/// Everything else, for programs.
pub const DOCUMENT: &str = "incident.json";
/// Everything else, for people.
pub const REPORT: &str = "report.txt";
/// The same and the document, for people with a browser.
pub const PAGE: &str = "report.html";

/// How a directory is called while it is written: a dot, the id, and this.
pub const PARTIAL: &str = ".linkprobe-partial";
/// How it is called while it is removed.
pub const DELETED: &str = ".linkprobe-deleted";

/// Names tried for one id before it is given up.
const MOST_NAMES: u32 = 1000;

/// Everything that is written of an incident.
#[derive(Debug)]
pub struct Job {
    /// The incident; its id names the directory.
    pub incident: Incident,
    /// Its packets.
    pub captured: Captured,
    /// Turns every time in it into the wall clock's: one offset, so that stamps never go backwards.
    pub wall: WallOffset,
    /// Losses of the agent in the window that no tap is to blame for, by name.
    pub losses: Vec<(String, u64)>,
    /// Longest snap length in use, bytes.
    pub snaplen: u32,
    /// Which ordinary packets get into the capture; `None` for all.
    pub filter: Option<Filter>,
}

/// An incident that is safe on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenIncident {
    /// Its id: with a number behind it where another incident had the same.
    pub id: String,
    /// The verdict in one line.
    pub headline: String,
    /// Why it happened.
    pub verdict: Verdict,
    /// What fired.
    pub triggers: Vec<Trigger>,
    /// What turned its times into the wall clock's.
    pub wall: WallOffset,
    /// Its directory.
    pub path: PathBuf,
    /// Bytes of all its files.
    pub bytes: u64,
    /// What got into the capture.
    pub capture: CaptureSummary,
}

/// Why an incident could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Its id cannot be the name of a directory.
    #[error("{id:?} cannot be the name of an incident's directory")]
    Id {
        /// The id.
        id: String,
    },
    /// Every name that was tried is taken.
    #[error("{}: there are {MOST_NAMES} incidents of this name", path.display())]
    Names {
        /// The last one.
        path: PathBuf,
    },
    /// The system refused.
    #[error("{}: {action}: {source}", path.display())]
    Io {
        /// What it is about.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// The answer.
        source: io::Error,
    },
}

impl WriteError {
    /// True when the disk or a quota is full.
    pub fn is_full(&self) -> bool {
        let Self::Io { source, .. } = self else { return false };
        matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    }
}

/// Gives an [`io::Error`] its place.
pub(super) fn at<'a>(path: &'a Path, action: &'static str) -> impl Fn(io::Error) -> WriteError + 'a {
    move |source| WriteError::Io { path: path.to_owned(), action, source }
}

/// Writes an incident into a directory of its own under `dir`, which is made if it is not there.
///
/// # Errors
/// When the system refuses; nothing is left behind then, as far as it can be removed.
pub fn write(dir: &Path, job: &Job) -> Result<WrittenIncident, WriteError> {
    check_id(&job.incident.id)?;
    DirBuilder::new().recursive(true).mode(0o750).create(dir).map_err(at(dir, "cannot be made"))?;
    let (id, path) = free_name(dir, &job.incident.id)?;
    let partial = Partial::make(dir.join(format!(".{id}{PARTIAL}")))?;
    let order = Order::new(&job.incident, &job.captured, job.wall, job.filter.as_ref());
    let (verdict, unjudged) = judgement(&job.incident, &job.captured, &order);
    let losses: Vec<(String, u64)> = job.losses.iter().cloned().chain(unjudged).collect();
    let incident = &Incident { id: id.clone(), verdict, ..job.incident.clone() };
    let mut files = Files::default();
    let capture = files.capture(partial.path.join(CAPTURE), incident, &order, job)?;
    let document = partial.path.join(DOCUMENT);
    let value = json::document(incident, &capture, job.wall, &losses).map_err(|e| at(&document, "cannot be made")(e.into()))?;
    files.text(document, &format!("{value:#}\n"))?;
    files.text(partial.path.join(REPORT), &report::report(incident, &capture, job.wall, &losses))?;
    files.text(partial.path.join(PAGE), &page::page(&value))?;
    let bytes = files.sync()?;
    partial.become_whole(dir, &path)?;
    let (headline, verdict, triggers) = (words::headline(incident), incident.verdict.clone(), incident.triggers.clone());
    Ok(WrittenIncident { id, headline, verdict, triggers, wall: job.wall, path, bytes, capture })
}

fn check_id(id: &str) -> Result<(), WriteError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let good = !id.is_empty() && id.len() <= 128 && !id.starts_with(['.', '-']) && id.chars().all(allowed);
    if good { Ok(()) } else { Err(WriteError::Id { id: id.to_owned() }) }
}

fn free_name(dir: &Path, id: &str) -> Result<(String, PathBuf), WriteError> {
    let mut path = dir.join(id);
    for number in 2..=MOST_NAMES {
        let taken = path.try_exists().map_err(at(&path, "cannot be looked at"))?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if !taken {
            return Ok((name, path));
        }
        path = dir.join(format!("{id}-{number}"));
    }
    Err(WriteError::Names { path })
}

/// A directory that goes away with everything in it unless it becomes whole.
struct Partial {
    path: PathBuf,
    /// Locked while this agent writes: another one that starts now leaves it alone.
    handle: File,
    armed: bool,
}

impl Partial {
    fn make(path: PathBuf) -> Result<Self, WriteError> {
        // One of the same name is left from an attempt of ours that could not be removed.
        super::cleanup::remove_unlocked(&path).map_err(at(&path, "an unfinished incident cannot be removed"))?;
        DirBuilder::new().mode(0o750).create(&path).map_err(at(&path, "cannot be made"))?;
        let handle = File::open(&path).map_err(at(&path, "cannot be opened"));
        let partial = match handle {
            Ok(handle) => Self { path, handle, armed: true },
            Err(error) => {
                let _ = std::fs::remove_dir(&path);
                return Err(error);
            }
        };
        // Not every file system has locks; without one, two agents must not share a directory.
        let _ = flock(&partial.handle, FlockOperation::NonBlockingLockExclusive);
        Ok(partial)
    }

    fn become_whole(mut self, dir: &Path, path: &Path) -> Result<(), WriteError> {
        self.handle.sync_all().map_err(at(&self.path, "cannot be synced"))?;
        std::fs::rename(&self.path, path).map_err(at(path, "cannot be renamed to"))?;
        self.armed = false;
        let parent = File::open(dir).and_then(|dir| dir.sync_all());
        parent.map_err(at(dir, "cannot be synced"))
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if self.armed {
            // Nothing more can be done where this fails; the next start tries again.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// The files of one incident, on their way to the disk.
#[derive(Default)]
struct Files {
    files: Vec<(PathBuf, File)>,
    bytes: u64,
}

impl Files {
    fn capture(
        &mut self,
        path: PathBuf,
        incident: &Incident,
        order: &Order<'_>,
        job: &Job,
    ) -> Result<CaptureSummary, WriteError> {
        let out = BufWriter::with_capacity(256 * 1024, Hasty { file: create(&path)?, waiting: 0 });
        let written = write_capture(out, incident, &job.captured, order, job.wall, job.snaplen);
        let (out, summary) = written.map_err(at(&path, "cannot be written"))?;
        let out = out.into_inner().map_err(|error| at(&path, "cannot be written")(error.into_error()))?;
        self.add(path, out.file, summary.file_bytes)?;
        Ok(summary)
    }

    fn text(&mut self, path: PathBuf, text: &str) -> Result<(), WriteError> {
        let mut file = create(&path)?;
        file.write_all(text.as_bytes()).map_err(at(&path, "cannot be written"))?;
        self.add(path, file, text.len() as u64)
    }

    fn add(&mut self, path: PathBuf, file: File, bytes: u64) -> Result<(), WriteError> {
        begin_writing(&file).map_err(at(&path, "cannot be written"))?;
        self.files.push((path, file));
        self.bytes += bytes;
        Ok(())
    }

    /// Waits until all of them are on the disk: how many bytes that are.
    fn sync(self) -> Result<u64, WriteError> {
        for (path, file) in &self.files {
            file.sync_all().map_err(at(path, "cannot be synced"))?;
        }
        Ok(self.bytes)
    }
}

/// A large file that is on its way to the disk while it grows.
struct Hasty {
    file: File,
    /// Bytes that nobody has asked to be written yet.
    waiting: usize,
}

impl Write for Hasty {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.waiting += written;
        if self.waiting >= 1 << 20 {
            begin_writing(&self.file)?;
            self.waiting = 0;
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn create(path: &Path) -> Result<File, WriteError> {
    OpenOptions::new().write(true).create_new(true).mode(0o640).open(path).map_err(at(path, "cannot be made"))
}

/// Asks for a file's bytes to be written, and waits for nothing. Where that cannot be had, syncing does it all.
///
/// # Errors
/// What the disk or the file system says: not every one of them would say it again when the file is synced.
fn begin_writing(file: &File) -> io::Result<()> {
    // SAFETY: no memory is passed.
    if unsafe { libc::sync_file_range(file.as_raw_fd(), 0, 0, libc::SYNC_FILE_RANGE_WRITE) } == 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    let of_the_disk = [libc::EIO, libc::ENOSPC, libc::EDQUOT, libc::EROFS].map(Some).contains(&error.raw_os_error());
    if of_the_disk { Err(error) } else { Ok(()) }
}
