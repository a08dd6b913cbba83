//! The file in the run directory from which the next agent learns of a slave that is out of its bond, and of the recoveries of the
//! last hour.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use probe_core::recovery::State;
use serde::{Deserialize, Serialize};

use crate::kernel::lock::netns_inode;

/// Most bytes that are read of it.
const LARGEST: u64 = 1 << 20;

/// The file.
#[derive(Clone, Debug)]
pub struct StateFile {
    path: PathBuf,
}

/// What is in it.
#[derive(Debug, Serialize, Deserialize)]
struct Content {
    /// The machine's boot: its clock begins anew with each, and its links do.
    boot: String,
    /// The network namespace: indexes mean other links in another.
    netns: u64,
    state: State,
}

impl StateFile {
    /// Of this instance.
    pub fn new(run_dir: &Path, instance: &str) -> Self {
        Self { path: run_dir.join(format!("{instance}.recovery.json")) }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes it whole or not at all, and to the disk: nothing may be done before.
    ///
    /// # Errors
    /// The system's.
    pub fn save(&self, state: &State) -> io::Result<()> {
        let content = Content { boot: boot(), netns: netns(), state: state.clone() };
        write_whole(&self.path, &serde_json::to_vec(&content)?)
    }

    /// What an earlier agent wrote since the machine's start, in this network namespace; nothing where there is no such file.
    ///
    /// # Errors
    /// The system's, and that it cannot be understood.
    pub fn load(&self) -> io::Result<State> {
        let file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(State::default()),
            file => file?,
        };
        let mut text = Vec::new();
        file.take(LARGEST).read_to_end(&mut text)?;
        let content: Content = serde_json::from_slice(&text)?;
        let ours = content.boot == boot() && content.netns == netns();
        Ok(if ours { content.state } else { State::default() })
    }
}

/// Writes a file beside, syncs it, and puts it in its place.
///
/// # Errors
/// The system's; nothing is left beside then, as far as it can be removed.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("tmp");
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o640).open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
    })();
    if written.is_err() {
        // There is nothing more to be done where this fails too.
        let _ = fs::remove_file(&beside);
    }
    written
}

/// Empty where the kernel does not tell.
fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// 0 where the kernel does not tell.
fn netns() -> u64 {
    netns_inode().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use probe_core::recovery::{Attempt, Note};

    #[test]
    fn what_is_written_is_read_by_the_next_agent_of_the_same_name() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = StateFile::new(dir.path(), "wan");
        assert_eq!(file.load().expect("no file is no error"), State::default());
        let note = Note { slave: "eth1".to_owned(), slave_index: 3, queue_id: 2, prio: -1, primary: true, ..Note::default() };
        let state = State { attempts: vec![Attempt { what: "bond0".to_owned(), at: 7 }], out: Some(note) };
        file.save(&state).expect("room");
        assert_eq!(StateFile::new(dir.path(), "wan").load().expect("a file"), state);
        assert_eq!(StateFile::new(dir.path(), "lan").load().expect("another name"), State::default());
        assert_eq!(fs::read_dir(dir.path()).expect("a directory").count(), 1, "nothing is left beside");
    }

    #[test]
    fn a_note_of_another_boot_is_forgotten_and_a_damaged_one_is_told() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = StateFile::new(dir.path(), "wan");
        file.save(&State { out: Some(Note::default()), ..State::default() }).expect("room");
        let text = fs::read_to_string(file.path()).expect("a file");
        fs::write(file.path(), text.replace(&boot(), "another")).expect("room");
        assert_eq!(file.load().expect("a file"), State::default());
        fs::write(file.path(), "{\"boot\":").expect("room");
        assert!(file.load().is_err());
    }

    #[test]
    fn a_directory_that_is_not_there_is_told() {
        let file = StateFile::new(Path::new("/nonexistent"), "wan");
        assert!(file.save(&State::default()).is_err());
    }
}
