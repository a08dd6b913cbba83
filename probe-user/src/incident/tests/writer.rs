//! The thread that writes, also where it cannot.

use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::super::directory::{WriteError, write};
use super::super::{Retention, WriteOutcome, Writer, WriterConfig};
use super::*;

fn start(config: WriterConfig) -> (Writer, std::thread::JoinHandle<()>, Receiver<WriteOutcome>) {
    let (sender, outcomes) = channel();
    let sender = std::sync::Mutex::new(sender);
    let on_outcome = move |outcome| {
        let _ = sender.lock().expect("no panic elsewhere").send(outcome);
    };
    let (writer, thread) = Writer::start(config, on_outcome).expect("a thread");
    (writer, thread, outcomes)
}

fn next(outcomes: &Receiver<WriteOutcome>) -> WriteOutcome {
    outcomes.recv_timeout(Duration::from_secs(20)).expect("an outcome")
}

fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn an_incident_appears_whole_with_its_four_files_and_nothing_beside_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let deep = dir.path().join("made/on/the/way");
    let written = write(&deep, &job()).expect("written");
    assert_eq!(names(&deep), ["20171205T051251.447649Z"]);
    assert_eq!(names(&written.path), ["capture.pcapng", "incident.json", "report.html", "report.txt"]);
    let bytes: u64 =
        names(&written.path).iter().map(|name| std::fs::metadata(written.path.join(name)).map_or(0, |m| m.len())).sum();
    assert_eq!(written.bytes, bytes);
}

#[test]
fn a_second_incident_of_the_same_name_gets_a_number() {
    let dir = tempfile::tempdir().expect("a directory");
    write(dir.path(), &job()).expect("written");
    let second = write(dir.path(), &job()).expect("written");
    assert_eq!(second.id, "20171205T051251.447649Z-2");
    let document = std::fs::read_to_string(second.path.join("incident.json")).expect("a document");
    assert!(document.contains("\"id\": \"20171205T051251.447649Z-2\""));
}

#[test]
fn an_id_that_leaves_the_directory_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    for id in ["", ".", "..", "../x", "a/b", "-rf", "a b", "a\0"] {
        let mut job = job();
        job.incident.id = id.to_owned();
        assert!(matches!(write(dir.path(), &job), Err(WriteError::Id { .. })), "{id:?}");
    }
    assert!(names(dir.path()).is_empty());
}

#[test]
fn the_writer_tells_what_it_wrote_and_ends_with_its_last_handle() {
    let dir = tempfile::tempdir().expect("a directory");
    let (writer, thread, outcomes) = start(WriterConfig::new(dir.path().to_owned(), Retention::default(), 1 << 20));
    writer.clone().submit(job());
    drop(writer);
    assert!(matches!(next(&outcomes), WriteOutcome::Written { incident, .. } if incident.capture.packets == 5));
    thread.join().expect("no panic");
}

#[test]
fn a_directory_that_cannot_be_written_is_tried_again_and_written_once_it_can() {
    let dir = tempfile::tempdir().expect("a directory");
    let blocked = dir.path().join("incidents");
    std::fs::write(&blocked, "a file where a directory should be").expect("written");
    let config = WriterConfig {
        pauses: vec![Duration::from_millis(20); 500],
        ..WriterConfig::new(blocked.clone(), Retention::default(), 1 << 20)
    };
    let (writer, _thread, outcomes) = start(config);
    writer.submit(job());
    assert!(matches!(next(&outcomes), WriteOutcome::Retrying { .. }));
    std::fs::remove_file(&blocked).expect("removed");
    let outcome = std::iter::repeat_with(|| next(&outcomes)).find(|outcome| !matches!(outcome, WriteOutcome::Retrying { .. }));
    assert!(matches!(outcome, Some(WriteOutcome::Written { .. })), "{outcome:?}");
}

#[test]
fn an_incident_that_can_never_be_written_is_lost_after_the_last_attempt() {
    let dir = tempfile::tempdir().expect("a directory");
    let blocked = dir.path().join("file");
    std::fs::write(&blocked, "").expect("written");
    let config =
        WriterConfig { pauses: vec![Duration::from_millis(1); 2], ..WriterConfig::new(blocked, Retention::default(), 1 << 20) };
    let (writer, _thread, outcomes) = start(config);
    writer.submit(job());
    assert!(matches!(next(&outcomes), WriteOutcome::Retrying { .. }));
    assert!(matches!(next(&outcomes), WriteOutcome::Retrying { .. }));
    let WriteOutcome::Lost { reason, .. } = next(&outcomes) else { panic!("it is lost") };
    assert!(reason.ends_with("(after 3 attempts)"), "{reason}");
}

#[test]
fn what_is_held_is_bounded_in_number_and_in_bytes() {
    let dir = tempfile::tempdir().expect("a directory");
    let blocked = dir.path().join("file");
    std::fs::write(&blocked, "").expect("written");
    let bytes = captured().bytes();
    let config = WriterConfig {
        max_jobs: 2,
        max_bytes: bytes + 1,
        pauses: vec![Duration::from_secs(600)],
        ..WriterConfig::new(blocked.clone(), Retention::default(), 0)
    };
    let (writer, thread, outcomes) = start(config);
    for _ in 0..3 {
        writer.submit(job());
    }
    let lost = (0..3).map(|_| next(&outcomes)).filter(|outcome| matches!(outcome, WriteOutcome::Lost { .. })).count();
    assert_eq!(lost, 1, "the third finds no room");
    std::fs::remove_file(&blocked).expect("removed");
    drop(writer);
    thread.join().expect("no panic");
    let packets: Vec<u64> = outcomes
        .try_iter()
        .map(|outcome| match outcome {
            WriteOutcome::Written { incident, .. } => incident.capture.packets,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(packets, [5, 0], "the second one's packets were not held; what happened is there");
}

#[test]
fn a_full_disk_is_an_error_that_leaves_nothing_behind() {
    let dir = tempfile::tempdir().expect("a directory");
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "none"]).arg(dir.path()).status();
    if !mounted.is_ok_and(|status| status.success()) {
        eprintln!("skipped: only root can mount a small disk");
        return;
    }
    let mut job = job();
    let frames: Vec<(u64, u16)> = (0..5000).map(|n| (TRIGGER.0 + n, 1)).collect();
    job.captured.chunks.push(chunk(3, lane::BULK, 1, &frames));
    let error = write(dir.path(), &job).expect_err("it does not fit");
    let left = names(dir.path());
    let unmounted = Command::new("umount").arg(dir.path()).status();
    assert!(error.is_full(), "{error}");
    assert!(error.to_string().contains("capture.pcapng: cannot be written: No space left"), "{error}");
    assert!(left.is_empty(), "{left:?}");
    assert!(unmounted.is_ok_and(|status| status.success()));
}
