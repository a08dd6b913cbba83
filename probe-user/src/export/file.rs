//! A file that is appended to, and rotated: `events.log` becomes `events.log.1`, that `events.log.2`, and the oldest goes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The file, open.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    /// Bytes from which on it is rotated.
    size: u64,
    /// Rotated files that are kept.
    files: u32,
    file: File,
    length: u64,
}

impl LogFile {
    /// Opens it for appending; makes it, readable for its group, where it is not there. A line that a crash left unfinished is ended.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path, size: u64, files: u32) -> io::Result<Self> {
        let mut file = open(path)?;
        let length = file.metadata()?.len();
        if length > 0 && !ends_a_line(path, length)? {
            file.write_all(b"\n")?;
        }
        let length = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), size, files, file, length })
    }

    /// Appends whole lines: all of it, or nothing. Before that, the file is rotated if it would grow beyond its size; and made anew when
    /// somebody has removed or renamed it.
    ///
    /// # Errors
    /// What the system says; nothing of the lines is in the file then, as far as they can be taken back.
    pub fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        if !self.is_in_place() {
            *self = Self::open(&self.path, self.size, self.files)?;
        }
        if self.length > 0 && self.length + lines.len() as u64 > self.size {
            self.rotate()?;
        }
        if let Err(error) = self.file.write_all(lines) {
            // Half a line would be taken for a whole one. Where this fails too, opening it again ends the line.
            let _ = self.file.set_len(self.length);
            return Err(error);
        }
        self.length += lines.len() as u64;
        Ok(())
    }

    /// Whether the file that is open is the one under the path, and as long as it should be: others rotate and empty files as well.
    fn is_in_place(&mut self) -> bool {
        let (Ok(there), Ok(ours)) = (fs::metadata(&self.path), self.file.metadata()) else { return false };
        self.length = ours.len();
        there.dev() == ours.dev() && there.ino() == ours.ino()
    }

    fn rotate(&mut self) -> io::Result<()> {
        let name = |number: u32| {
            let mut name = self.path.clone().into_os_string();
            name.push(format!(".{number}"));
            PathBuf::from(name)
        };
        for number in (1..self.files).rev() {
            rename(&name(number), &name(number + 1))?;
        }
        if self.files == 0 {
            fs::remove_file(&self.path)?;
        } else {
            rename(&self.path, &name(1))?;
        }
        self.file = open(&self.path)?;
        self.length = self.file.metadata()?.len();
        Ok(())
    }
}

/// Renames what is there.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o640).open(path)
}

fn ends_a_line(path: &Path, length: u64) -> io::Result<bool> {
    use std::os::unix::fs::FileExt;
    let mut last = [0];
    File::open(path)?.read_exact_at(&mut last, length - 1)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn read(path: &Path) -> String {
        fs::read_to_string(path).expect("a file")
    }

    #[test]
    fn a_file_is_rotated_by_size_and_the_oldest_goes() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("events.log");
        let mut file = LogFile::open(&path, 100, 2).expect("open");
        for line in 0..50 {
            file.append(format!("line {line:04}\n").as_bytes()).expect("append");
        }
        let mut names: Vec<_> = fs::read_dir(dir.path())
            .expect("a list")
            .flatten()
            .map(|entry| entry.file_name().into_string().expect("a name"))
            .collect();
        names.sort();
        assert_eq!(names, ["events.log", "events.log.1", "events.log.2"]);
        let all: String = ["events.log.2", "events.log.1", "events.log"].map(|name| read(&dir.path().join(name))).concat();
        let kept: Vec<String> = (20..50).map(|line| format!("line {line:04}\n")).collect();
        assert_eq!(all, kept.concat(), "in order, without a gap");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o640);
    }

    #[test]
    fn without_kept_files_it_begins_anew() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("x");
        let mut file = LogFile::open(&path, 10, 0).expect("open");
        file.append(b"12345678\n").expect("append");
        file.append(b"abc\n").expect("append");
        assert_eq!(read(&path), "abc\n");
        assert_eq!(fs::read_dir(dir.path()).expect("a list").count(), 1);
    }

    #[test]
    fn a_file_that_somebody_renamed_removed_or_emptied_is_made_anew() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("x");
        let mut file = LogFile::open(&path, 1000, 1).expect("open");
        file.append(b"one\n").expect("append");
        fs::rename(&path, dir.path().join("moved")).expect("rename");
        file.append(b"two\n").expect("append");
        fs::remove_file(&path).expect("remove");
        file.append(b"three\n").expect("append");
        assert_eq!((read(&dir.path().join("moved")), read(&path)), ("one\n".to_owned(), "three\n".to_owned()));
        File::create(&path).expect("empty it");
        file.append(b"four\n").expect("append");
        assert_eq!(read(&path), "four\n");
    }

    #[test]
    fn what_a_crash_left_of_a_line_is_ended() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("x");
        fs::write(&path, "half a li").expect("write");
        LogFile::open(&path, 1000, 1).expect("open").append(b"whole\n").expect("append");
        assert_eq!(read(&path), "half a li\nwhole\n");
    }

    #[test]
    fn a_full_disk_leaves_no_half_line() {
        // A file of its own limit stands for the disk: RLIMIT_FSIZE would hit the whole test process, /dev/full has no length.
        let mut file = LogFile {
            path: "/dev/full".into(),
            size: u64::MAX,
            files: 0,
            file: OpenOptions::new().append(true).open("/dev/full").expect("open"),
            length: 0,
        };
        let error = file.append(b"line\n").expect_err("full");
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
