//! Files, from the sink to the disk.

use std::fs;

use super::*;

#[tokio::test]
async fn a_file_that_cannot_be_made_is_an_alarm_once_and_is_written_when_it_can() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("later/events.log");
    let mut sink = sink(Format::Text, &path.display().to_string(), 100);
    sink.tell(&numbered(0));
    until(&sink, "it is tried again", |status| status.errors > 2).await;
    let alarm = sink.take_alarm().expect("an alarm");
    assert!(alarm.contains("events.log") && alarm.contains("No such file"), "{alarm}");
    assert_eq!(sink.take_alarm(), None, "once");
    fs::create_dir(dir.path().join("later")).expect("a directory");
    let status = until(&sink, "it is written", |status| status.sent == 1).await;
    assert_eq!((status.connected, status.dropped), (true, 0));
    assert!(fs::read_to_string(&path).expect("a file").contains("number 0 "));
}

#[tokio::test]
async fn what_waits_for_a_disk_is_bounded_and_the_loss_is_told_in_the_file() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("later/events.log");
    let mut sink = sink(Format::Text, &path.display().to_string(), 16);
    for number in 0..100 {
        sink.tell(&numbered(number));
    }
    // One or more are with the worker already.
    let lost = until(&sink, "it is full", |status| status.dropped > 80).await.dropped;
    fs::create_dir(dir.path().join("later")).expect("a directory");
    until(&sink, "it is written", |status| status.queued == 0 && status.sent > 100 - lost).await;
    let text = fs::read_to_string(&path).expect("a file");
    assert_eq!(text.lines().filter(|line| line.contains("number ")).count() as u64, 100 - lost);
    assert!(text.contains(&format!("{lost} messages were dropped between ")), "{text}");
}

#[tokio::test]
async fn everything_is_in_the_file_when_the_agent_has_stopped() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("events.json");
    let mut sink = sink(Format::Json, &format!("file:{}?size=64KiB&files=100", path.display()), 4096);
    for number in 0..500 {
        sink.tell(&numbered(number));
    }
    assert!(sink.stop().await);
    let mut lines = 0;
    for entry in fs::read_dir(dir.path()).expect("a list").flatten() {
        let text = fs::read_to_string(entry.path()).expect("a file");
        assert!(text.len() <= 64 << 10);
        for line in text.lines() {
            serde_json::from_str::<serde_json::Value>(line).expect("a document");
            lines += 1;
        }
    }
    assert_eq!(lines, 500);
}
