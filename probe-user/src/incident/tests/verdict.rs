//! The verdict in the files: with the numbers that its packets have in Wireshark.

use probe_common::recorder::RecordHeader;
use probe_core::link::{BondState, SlaveState};
use probe_core::record::encode;

use super::super::directory::{CAPTURE, DOCUMENT, REPORT, write};
use super::super::source::Chunk;
use super::super::testing::header;
use super::*;

/// An ARP request for 10.0.0.1, or its reply.
fn arp(operation: u8) -> Vec<u8> {
    let (own, next_hop) = ([10, 0, 0, 2], [10, 0, 0, 1]);
    let (sender, target) = if operation == 1 { (own, next_hop) } else { (next_hop, own) };
    let mut frame = vec![0xff; 6];
    frame.extend_from_slice(&[2, 0, 0, 0, 0, 1, 8, 6, 0, 1, 8, 0, 6, 4, 0, operation, 2, 0, 0, 0, 0, operation]);
    frame.extend_from_slice(&sender);
    frame.extend_from_slice(&[0; 6]);
    frame.extend_from_slice(&target);
    frame.resize(60, 0);
    frame
}

fn bytes(frames: &[(u64, u16, u8)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for &(at_ns, tap, operation) in frames {
        let frame = arp(operation);
        encode(&RecordHeader { length: 60, captured: 60, ..header(at_ns, tap) }, &frame, &mut bytes);
    }
    bytes
}

/// eth1 of an active-backup bond: its next hop answers twice, and then four requests are lost. An event stands between.
fn next_hop_dead() -> Job {
    let mut job = job();
    let second = |n: i64| (TRIGGER.0 as i64 + n * 1_000_000_000) as u64;
    let frames = [
        (second(-3), 2, 1),
        (second(-3) + 1_000_000, 1, 2),
        (second(-2), 2, 1),
        (second(-2) + 1_000_000, 1, 2),
        (second(1), 2, 1),
        (second(2), 2, 1),
        (second(3), 2, 1),
        (second(4), 2, 1),
    ];
    job.captured.chunks = vec![Chunk { cpu: 0, lane: lane::CONTROL, seq: 1, bytes: bytes(&frames), began: None }];
    let eth1 = LinkState {
        ifindex: 10,
        name: "eth1".to_owned(),
        admin_up: true,
        carrier: true,
        operstate: OperState::Up,
        master: Some(20),
        slave: Some(SlaveState::default()),
        ..LinkState::default()
    };
    let bond = BondState { mode: "active-backup".to_owned(), ..BondState::default() };
    let bond0 = LinkState { ifindex: 20, name: "bond0".to_owned(), master: None, slave: None, bond: Some(bond), ..eth1.clone() };
    job.incident.links_before = vec![eth1, bond0];
    job.incident.links_after = job.incident.links_before.clone();
    job.incident.timeline.retain(|entry| matches!(entry.what, What::Trigger { .. }));
    job
}

#[test]
fn report_document_and_comment_begin_with_the_verdict() {
    let dir = tempfile::tempdir().expect("a directory");
    let written = write(dir.path(), &next_hop_dead()).expect("written");
    assert_eq!(written.headline, "bond0: the next hop does not answer");
    let report = std::fs::read_to_string(written.path.join(REPORT)).expect("a report");
    assert!(report.starts_with("bond0: the next hop does not answer\n"), "{report}");
    for line in [
        "Severity: critical. Confidence: high.",
        "1.      +1.000000  bond0: the next hop does not answer",
        "packet 4: the last ARP reply of 10.0.0.1 before",
        // The trigger is a frame of its own, number 5.
        "packet 6: the first ARP request for 10.0.0.1 without an answer; 3 follow",
        "- no carrier loss: the carrier of eth1 stayed",
    ] {
        assert!(report.contains(line), "{line:?} in:\n{report}");
    }
    let document = std::fs::read(written.path.join(DOCUMENT)).expect("a document");
    let document: serde_json::Value = serde_json::from_slice(&document).expect("JSON");
    let finding = &document["verdict"]["chain"][0];
    assert_eq!((finding["kind"].as_str(), finding["severity"].as_str()), (Some("next-hop-unreachable"), Some("critical")));
    assert_eq!(finding["at"]["mono_ns"], TRIGGER.plus(SECOND).0);
    assert_eq!((finding["evidence"][1]["number"].as_u64(), finding["evidence"][1]["type"].as_str()), (Some(6), Some("packet")));
    assert!(finding["evidence"][1]["at"]["wall"].is_string());
    let capture = std::fs::read(written.path.join(CAPTURE)).expect("a capture");
    let comment: &[u8] = b"20171205T051251.447649Z: bond0: the next hop does not answer\n1. +1.000000 s  bond0: ";
    assert_eq!(capture.windows(comment.len()).position(|window| window == comment), Some(28), "the section's first option");
}

#[test]
fn what_nothing_explains_is_not_decided() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut job = job();
    job.incident.timeline.clear();
    job.incident.links_after = job.incident.links_before.clone();
    let written = write(dir.path(), &job).expect("written");
    assert_eq!(written.headline, "not decided: nothing in evidence explains \"eth1: slave of bond0 lost its carrier\"");
}
