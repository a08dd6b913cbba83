//! What is removed, and above all what is not.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rustix::fs::{FlockOperation, flock};

use super::super::cleanup::{Retention, remove_leftovers, retain};
use super::super::directory::{DOCUMENT, write};
use super::*;

const DAY: Duration = Duration::from_secs(86_400);

/// Incidents `1` (the oldest) to `count`, a day apart, the last one a day old.
fn incidents(dir: &Path, count: u64) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 1..=count {
        let mut job = job();
        job.incident.id = format!("2017120{number}T051251.447649Z");
        let written = write(dir, &job).expect("written");
        let modified = SystemTime::now() - DAY * u32::try_from(count + 1 - number).expect("few");
        let document = fs::File::options().write(true).open(written.path.join(DOCUMENT)).expect("there");
        document.set_modified(modified).expect("a time");
        ids.push(written.id);
    }
    ids
}

fn left(dir: &Path) -> usize {
    fs::read_dir(dir).expect("a directory").count()
}

#[test]
fn the_oldest_go_first_by_count() {
    let dir = tempfile::tempdir().expect("a directory");
    let ids = incidents(dir.path(), 5);
    let cleaned = retain(dir.path(), Retention { incidents: 2, ..Retention::default() }, &ids[4], SystemTime::now());
    assert_eq!((cleaned.removed.as_slice(), cleaned.errors.len()), (&ids[..3], 0));
    assert_eq!(left(dir.path()), 2);
}

#[test]
fn the_old_ones_go_by_age() {
    let dir = tempfile::tempdir().expect("a directory");
    let ids = incidents(dir.path(), 4);
    let cleaned = retain(dir.path(), Retention { days: 2, ..Retention::default() }, &ids[3], SystemTime::now() + DAY / 2);
    assert_eq!(cleaned.removed, ids[..3], "those of 4, 3 and 2 days and a half");
}

#[test]
fn the_oldest_go_by_bytes_but_never_the_one_just_written() {
    let dir = tempfile::tempdir().expect("a directory");
    let ids = incidents(dir.path(), 3);
    let cleaned = retain(dir.path(), Retention { bytes: 1, ..Retention::default() }, &ids[0], SystemTime::now());
    assert_eq!(cleaned.removed, ids[1..], "the spared one is the oldest here, and stays");
    let cleaned = retain(dir.path(), Retention { incidents: 1, bytes: 1, days: 1 }, &ids[0], SystemTime::now() + DAY * 900);
    assert!(cleaned.removed.is_empty());
}

#[test]
fn no_limit_removes_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    incidents(dir.path(), 3);
    assert!(retain(dir.path(), Retention::default(), "", SystemTime::now() + DAY * 9000).removed.is_empty());
}

#[test]
fn what_is_not_ours_is_never_removed() {
    let dir = tempfile::tempdir().expect("a directory");
    let ids = incidents(dir.path(), 1);
    for other in ["lost+found", "notes", ".hidden", "20171205"] {
        fs::create_dir(dir.path().join(other)).expect("made");
        fs::write(dir.path().join(other).join("file"), "x").expect("written");
    }
    // A document of somebody else's, and a link that looks like one of ours.
    fs::write(dir.path().join("notes").join(DOCUMENT), "{\"version\":1}").expect("written");
    let elsewhere = tempfile::tempdir().expect("a directory");
    std::os::unix::fs::symlink(elsewhere.path(), dir.path().join("20171201T051251.447649Z-2")).expect("linked");
    let before = left(dir.path());
    let all = Retention { incidents: 1, bytes: 1, days: 1 };
    let cleaned = retain(dir.path(), all, "", SystemTime::now() + DAY * 9000);
    assert_eq!(cleaned.removed, ids);
    assert!(remove_leftovers(dir.path()).removed.is_empty());
    assert_eq!(left(dir.path()), before - 1);
    assert!(elsewhere.path().exists());
}

#[test]
fn what_a_crash_left_is_removed_and_what_another_agent_writes_is_not() {
    let dir = tempfile::tempdir().expect("a directory");
    for name in [".a.linkprobe-partial", ".b.linkprobe-deleted", ".c.linkprobe-partial"] {
        fs::create_dir(dir.path().join(name)).expect("made");
        fs::write(dir.path().join(name).join("capture.pcapng"), "half").expect("written");
    }
    let locked = fs::File::open(dir.path().join(".c.linkprobe-partial")).expect("there");
    flock(&locked, FlockOperation::NonBlockingLockExclusive).expect("locked");
    let mut cleaned = remove_leftovers(dir.path());
    cleaned.removed.sort();
    assert_eq!(cleaned.removed, [".a.linkprobe-partial", ".b.linkprobe-deleted"]);
    assert!(cleaned.errors.is_empty(), "{:?}", cleaned.errors);
    assert_eq!(left(dir.path()), 1);
}

#[test]
fn a_directory_that_is_not_there_has_no_leftovers() {
    assert!(remove_leftovers(Path::new("/nonexistent/incidents")).errors.is_empty());
}
