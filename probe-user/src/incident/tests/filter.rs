//! What `--filter` leaves out, and what it does not.

use probe_common::class;
use probe_common::recorder::{RecordHeader, lane};
use probe_core::direction::Direction;
use probe_core::filter::Filter;
use probe_core::record::encode;
use probe_core::repeat::{RepeatSeen, RepeatTotal};

use super::super::directory::{CAPTURE, DOCUMENT, REPORT, write};
use super::super::order::{Item, Order};
use super::super::source::{ASIDE, Chunk};
use super::super::testing::{frame, header};
use super::*;

/// What a frame is about, and how its record differs from that of an ordinary one.
struct Kept {
    ms: u64,
    tap: u16,
    number: u64,
    length: u32,
    class: u8,
    copies_log2: u8,
}

impl Kept {
    fn ordinary(ms: u64, tap: u16, length: u32) -> Self {
        Self { ms, tap, number: ms, length, class: class::id::UDP4, copies_log2: 0 }
    }

    /// A copy of the frame that repeats itself at tap 1.
    fn copy(ms: u64, copies_log2: u8) -> Self {
        Self { number: 77, copies_log2, ..Self::ordinary(ms, 1, 70) }
    }
}

fn chunk(lane: usize, kept: &[Kept]) -> Chunk {
    let mut bytes = Vec::new();
    for of in kept {
        let header = RecordHeader {
            length: of.length,
            class: of.class,
            copies_log2: of.copies_log2,
            ..header(TRIGGER.0 + of.ms * 1_000_000, of.tap)
        };
        encode(&header, &frame(of.number), &mut bytes);
    }
    Chunk { cpu: 0, lane, seq: 1, bytes, began: None }
}

/// A storm of which the two first copies and an exemplar are there, a control frame, and ordinary ones: one that is wanted and was received,
/// one that is wanted and was transmitted, two that are not.
fn stormy(filter: &str) -> Job {
    let mut job = job();
    let seen = RepeatSeen {
        at: TRIGGER.plus(9_000_000),
        first_at: TRIGGER.plus(1_000_000),
        link: link(11, "eth1"),
        direction: Direction::Ingress,
        hash: 5,
        copies: 32,
        length: 70,
        class: "udp4",
        bytes: frame(77).to_vec(),
    };
    job.incident.repeats = vec![RepeatTotal { last: seen, what: "a frame".to_owned(), peak_per_second: 32, storm: true }];
    job.incident.taps = vec![tap(1, "eth1", "ingress", 40), tap(2, "eth1", "egress", 2)];
    job.incident.taps[0].repeats = 29;
    job.captured.chunks = vec![
        chunk(lane::CONTROL, &[Kept { class: class::id::LACP, ..Kept::ordinary(3, 1, 124) }]),
        chunk(lane::BULK, &[Kept::ordinary(4, 1, 1500), Kept::ordinary(5, 2, 1500), Kept::copy(9, 5)]),
        chunk(ASIDE, &[Kept::copy(1, 0), Kept::copy(2, 0), Kept::ordinary(6, 1, 100), Kept::ordinary(7, 2, 70)]),
    ];
    job.filter = Some(filter.parse().expect("a filter"));
    job
}

/// Milliseconds from the trigger of each packet, with its number in the file.
fn packets(job: &Job) -> Vec<(u64, Option<u64>)> {
    let order = Order::new(&job.incident, &job.captured, job.wall, job.filter.as_ref());
    let packet = |(number, _, item)| match item {
        Item::Packet(record) => Some(((record.header.at_ns - TRIGGER.0) / 1_000_000, number)),
        Item::Event(_) => None,
    };
    order.all_items().filter_map(packet).collect()
}

#[test]
fn what_is_left_out_is_looked_at_without_a_number_and_first_copies_are_in_the_file() {
    // Two events stand before them.
    let numbers = [(1, Some(3)), (2, Some(4)), (3, Some(5)), (4, Some(6)), (5, Some(7)), (6, None), (7, None), (9, Some(8))];
    assert_eq!(packets(&stormy("greater 1000")), numbers);
    let inbound = packets(&stormy("greater 1000 and inbound"));
    assert_eq!(inbound.iter().filter(|(_, number)| number.is_none()).map(|(ms, _)| *ms).collect::<Vec<_>>(), [5, 6, 7]);
}

#[test]
fn without_a_filter_everything_is_in_the_file() {
    let job = Job { filter: None, ..stormy("") };
    assert!(packets(&job).iter().all(|(_, number)| number.is_some()));
}

#[test]
fn what_is_left_out_is_counted_and_is_no_loss() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut job = stormy("greater 1000");
    let written = write(dir.path(), &job).expect("written");
    let capture = &written.capture;
    assert_eq!((capture.packets, capture.filtered()), (6, 2));
    assert_eq!(
        capture.taps.iter().map(|tap| (tap.packets, tap.filtered, capture.missing(tap))).collect::<Vec<_>>(),
        [(5, 1, 0), (1, 1, 0)]
    );
    let report = std::fs::read_to_string(written.path.join(REPORT)).expect("a report");
    assert!(report.contains("2 packets left out by the filter: greater 1000."), "{report}");
    let document: serde_json::Value =
        serde_json::from_slice(&std::fs::read(written.path.join(DOCUMENT)).expect("a document")).expect("JSON");
    assert_eq!((&document["capture"]["filter"], &document["capture"]["filtered"]), (&"greater 1000".into(), &2.into()));
    // What had to go before anybody looked at it is left out all the same, and told.
    job.captured.passed_over.add(TRIGGER, 1, 40);
    job.captured.limited = true;
    let written = write(dir.path(), &job).expect("written");
    assert_eq!((written.capture.taps[0].filtered, written.capture.filtered()), (41, 42));
    assert_eq!(written.capture.missing(&written.capture.taps[0]), 0);
    let report = std::fs::read_to_string(written.path.join(REPORT)).expect("a report");
    assert!(report.contains("40 packets that the filter leaves out were not looked at"), "{report}");
    assert!(written.path.join(CAPTURE).exists());
}

#[test]
fn the_filter_is_in_the_interfaces_and_what_it_accepted_in_the_statistics() {
    let job = stormy("greater 1000");
    let order = Order::new(&job.incident, &job.captured, job.wall, job.filter.as_ref());
    let (file, _) =
        super::super::file::write_capture(Vec::new(), &job.incident, &job.captured, &order, WALL, 256).expect("memory takes all");
    let blocks = file::blocks(&file);
    let of = |kind, skip| {
        let found: Vec<_> = blocks.iter().filter(|(of, _)| *of == kind).map(|(_, body)| file::options(body, skip)).collect();
        found
    };
    for options in of(1, 8) {
        assert!(options.contains(&(11, b"\0greater 1000".to_vec())), "{options:?}");
    }
    let statistics = of(5, 12);
    assert_eq!(file::option(&statistics[0], 6), Some(39), "of 40");
    let comment = String::from_utf8(statistics[0][0].1.clone()).expect("text");
    assert_eq!(comment, "1 packet left out by the filter: greater 1000");
}

#[test]
fn a_filter_that_is_not_there_is_in_no_block() {
    let job = job();
    let order = Order::new(&job.incident, &job.captured, job.wall, None::<&Filter>);
    let (file, _) =
        super::super::file::write_capture(Vec::new(), &job.incident, &job.captured, &order, WALL, 256).expect("memory takes all");
    for (kind, body) in file::blocks(&file) {
        match kind {
            1 => assert!(file::options(body, 8).iter().all(|(code, _)| *code != 11)),
            5 => assert_eq!(file::option(&file::options(body, 12), 6), None),
            _ => {}
        }
    }
}
