//! One log file: followed through rotation, truncation and times without it.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use probe_core::logs::Lines;

use super::{News, Reporter};
use crate::clock;

/// Bytes that are read of a file at a look.
const MOST_AT_ONCE: u64 = 1 << 20;
/// A file that has grown by more than this is read from near its end only, bytes.
const FARTHEST_BEHIND: u64 = 16 << 20;
/// How long a rotated file is read on: its writer may not know yet.
const OLD: Duration = Duration::from_secs(10);
/// How long a file may be missing before that is told: while it is rotated it is, for a moment.
const MISSING: Duration = Duration::from_secs(2);

/// Follows a path.
pub(super) struct Follower {
    path: PathBuf,
    name: String,
    open: Option<Open>,
    /// Which file was read how far before it could not be read any more: what is in it is no news.
    left: Option<((u64, u64), u64)>,
    /// The file was there at the start, and could not be opened: nor is what it held then.
    unseen: bool,
    /// The file that was there before, and until when it is read on.
    old: Option<(Open, Instant)>,
    trouble: Option<Trouble>,
}

/// A file that cannot be followed.
struct Trouble {
    since: Instant,
    told: bool,
}

struct Open {
    file: File,
    identity: (u64, u64),
    offset: u64,
    lines: Lines,
}

impl Follower {
    /// From the end of the file on, if it is there.
    pub(super) fn start(path: PathBuf) -> Self {
        let name = path.display().to_string();
        let mut follower = Self { path, name, open: None, left: None, unseen: false, old: None, trouble: None };
        match follower.open_path() {
            Ok(mut open) => {
                open.offset = open.length();
                follower.open = Some(open);
            }
            Err(error) => follower.unseen = error.kind() != ErrorKind::NotFound,
        }
        follower
    }

    /// Reads what is new.
    pub(super) fn poll(&mut self, reporter: &mut Reporter) {
        if let Some((old, until)) = &mut self.old {
            let _ = old.read(&self.name, reporter);
            if Instant::now() >= *until {
                self.old = None;
            }
        }
        let read = self.open.as_mut().map_or(Ok(()), |open| open.read(&self.name, reporter));
        match read.and_then(|()| self.find(reporter)) {
            Ok(()) => self.works(reporter),
            Err(error) => self.fails(&error, reporter),
        }
    }

    /// Opens the file that the path leads to now, if it is another one.
    fn find(&mut self, reporter: &mut Reporter) -> std::io::Result<()> {
        let data = std::fs::metadata(&self.path)?;
        if self.open.as_ref().is_some_and(|open| open.identity == (data.dev(), data.ino())) {
            return Ok(());
        }
        let mut new = self.open_path()?;
        let left = self.left.take().filter(|(identity, _)| *identity == new.identity);
        // What else is in it was written since the last look.
        new.offset = match left {
            Some((_, offset)) => offset,
            None if self.unseen => new.length(),
            None => 0,
        };
        self.unseen = false;
        new.read(&self.name, reporter)?;
        if let Some(before) = self.open.replace(new) {
            self.old = Some((before, Instant::now() + OLD));
        }
        Ok(())
    }

    fn open_path(&self) -> std::io::Result<Open> {
        // A pipe or a device would hold up every other log.
        let file = std::fs::OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(&self.path)?;
        let data = file.metadata()?;
        if !data.is_file() {
            return Err(std::io::Error::new(ErrorKind::InvalidInput, "not a file"));
        }
        Ok(Open { file, identity: (data.dev(), data.ino()), offset: 0, lines: Lines::default() })
    }

    fn works(&mut self, reporter: &Reporter) {
        if self.trouble.take().is_some_and(|trouble| trouble.told) {
            reporter.tell(News::Alarm(format!("log file {} is there again", self.name)));
        }
    }

    fn fails(&mut self, error: &std::io::Error, reporter: &Reporter) {
        let now = Instant::now();
        let trouble = self.trouble.get_or_insert(Trouble { since: now, told: false });
        if !trouble.told && now.duration_since(trouble.since) >= MISSING {
            trouble.told = true;
            reporter.tell(News::Alarm(format!("log file {} cannot be followed: {error}; trying on", self.name)));
        }
        if error.kind() != ErrorKind::NotFound {
            // It is opened anew when that is possible.
            self.left = self.open.take().map(|open| (open.identity, open.offset)).or(self.left);
        } else {
            self.unseen = false;
        }
    }
}

impl Open {
    fn length(&self) -> u64 {
        self.file.metadata().map_or(0, |data| data.len())
    }

    fn read(&mut self, name: &str, reporter: &mut Reporter) -> std::io::Result<()> {
        let length = self.file.metadata()?.len();
        if length < self.offset {
            // Truncated, and written anew (copytruncate).
            self.offset = 0;
            self.lines.forget();
        }
        let behind = length - self.offset;
        if behind > FARTHEST_BEHIND {
            let skipped = behind - MOST_AT_ONCE;
            Reporter::count(&reporter.counters.skipped, skipped);
            self.offset += skipped;
            self.lines.forget();
        }
        self.file.seek(SeekFrom::Start(self.offset))?;
        let mut left = (length - self.offset).min(MOST_AT_ONCE);
        let mut buffer = vec![0u8; 64 << 10];
        while left > 0 {
            let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
            let Some(room) = buffer.get_mut(..wanted) else { break };
            let read = match self.file.read(room) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            self.offset += read as u64;
            left = left.saturating_sub(read as u64);
            let at = clock::now();
            self.lines.push(room.get(..read).unwrap_or_default(), |line| reporter.line(at, name, line));
        }
        Reporter::count(&reporter.counters.cut, self.lines.take_cut());
        Ok(())
    }
}
