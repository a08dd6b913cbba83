//! What stands in the capture, block by block.

use probe_common::recorder::lane;

use super::super::capture::Captured;
use super::super::file::write_capture;
use super::super::order::{Item, Order};
use super::super::testing::{chunk, frame, header};
use super::*;

/// Blocks of a file: type and body without the trailing length.
pub(super) fn blocks(file: &[u8]) -> Vec<(u32, &[u8])> {
    let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().expect("four bytes"));
    let mut blocks = Vec::new();
    let mut at = 0;
    while at < file.len() {
        let length = word(at + 4) as usize;
        assert_eq!(length % 4, 0, "blocks are whole words");
        assert_eq!(word(at + length - 4) as usize, length, "the length stands at both ends");
        blocks.push((word(at), &file[at + 8..at + length - 4]));
        at += length;
    }
    blocks
}

/// Options behind `skip` bytes of a block's body.
pub(super) fn options(body: &[u8], skip: usize) -> Vec<(u16, Vec<u8>)> {
    let half = |at: usize| u16::from_le_bytes([body[at], body[at + 1]]);
    let mut found = Vec::new();
    let mut at = skip;
    while half(at) != 0 {
        let length = usize::from(half(at + 2));
        found.push((half(at), body[at + 4..at + 4 + length].to_vec()));
        at += 4 + length.next_multiple_of(4);
    }
    assert_eq!(at + 4, body.len(), "nothing behind the end of the options");
    found
}

fn stamp(body: &[u8]) -> u64 {
    let word = |at: usize| u64::from(u32::from_le_bytes(body[at..at + 4].try_into().expect("four bytes")));
    word(4) << 32 | word(8)
}

fn packet_options(body: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let captured = u32::from_le_bytes(body[12..16].try_into().expect("four bytes")) as usize;
    options(body, 20 + captured.next_multiple_of(4))
}

pub(super) fn option(options: &[(u16, Vec<u8>)], code: u16) -> Option<u64> {
    let (_, value) = options.iter().find(|(of, _)| *of == code)?;
    let mut bytes = [0; 8];
    bytes[..value.len()].copy_from_slice(value);
    Some(u64::from_le_bytes(bytes))
}

fn written(captured: &Captured) -> (Vec<u8>, super::super::CaptureSummary) {
    let incident = incident();
    let order = Order::new(&incident, captured, WALL, None);
    write_capture(Vec::new(), &incident, captured, &order, WALL, 256).expect("memory takes all")
}

#[test]
fn packets_of_all_cpus_and_lanes_stand_in_order_of_time_and_only_those_of_the_window() {
    let (file, summary) = written(&captured());
    let stamps: Vec<u64> = blocks(&file).iter().filter(|(kind, _)| *kind == 6).map(|(_, body)| stamp(body)).collect();
    let at = |offset: i64| WALL.wall_ns(Mono((TRIGGER.0 as i64 + offset) as u64));
    assert_eq!(stamps, [at(-5_000_000_000), at(-12_345_000), at(-1), at(1_000), at(2_000)]);
    assert_eq!((summary.packets, summary.captured_bytes), (5, 5 * 64));
    assert_eq!((summary.taps[0].packets, summary.taps[1].packets), (3, 2));
    assert_eq!(summary.file_bytes, file.len() as u64);
}

#[test]
fn events_stand_between_the_packets_and_no_stamp_goes_backwards() {
    let (file, _) = written(&captured());
    let kinds: Vec<u32> = blocks(&file).iter().map(|(kind, _)| *kind).collect();
    // Section, two interfaces; then packets (6) and events (9): carrier lost, the trigger, the clock; then statistics.
    assert_eq!(kinds, [0x0A0D_0D0A, 1, 1, 6, 9, 6, 9, 6, 6, 6, 9, 5, 5].map(|kind: u32| kind));
    let mut last = 0;
    for (kind, body) in blocks(&file) {
        let now = match kind {
            6 => stamp(body),
            9 => {
                let text = std::str::from_utf8(body).expect("text");
                let micros = text.lines().next().and_then(|line| line.strip_prefix("__REALTIME_TIMESTAMP="));
                micros.and_then(|micros| micros.parse::<u64>().ok()).expect("a stamp first") * 1000
            }
            _ => continue,
        };
        assert!(now >= last, "{now} after {last}");
        last = now;
    }
}

#[test]
fn a_packet_carries_direction_queue_and_id() {
    let (file, _) = written(&captured());
    let first = blocks(&file).into_iter().find(|(kind, _)| *kind == 6).expect("a packet").1;
    let options = packet_options(first);
    assert_eq!((option(&options, 2), option(&options, 5), option(&options, 6)), (Some(1), Some(1), Some(1)));
    assert_eq!(option(&options, 4), None, "nothing was lost before it");
}

#[test]
fn the_same_frame_at_two_taps_has_one_id_and_a_segmented_one_says_so() {
    let mut bytes = Vec::new();
    for (at, tap) in [(TRIGGER.0, 1), (TRIGGER.0 + 5_000, 2)] {
        let mut head = header(at, tap);
        head.length = 90_000;
        head.segments = 62;
        probe_core::record::encode(&head, &frame(7), &mut bytes);
    }
    let mut one = chunk(0, lane::BULK, 1, &[]);
    one.bytes = bytes;
    let (file, summary) = written(&Captured { chunks: vec![one], ..Captured::default() });
    let packets: Vec<_> = blocks(&file).into_iter().filter(|(kind, _)| *kind == 6).map(|(_, body)| body).collect();
    let ids: Vec<_> = packets.iter().map(|body| option(&packet_options(body), 5)).collect();
    assert_eq!(ids, [Some(1), Some(1)]);
    assert_eq!(u32::from_le_bytes(packets[0][16..20].try_into().expect("four")), 90_000, "longer than 64 KiB, and said so");
    let comment = &packet_options(packets[0])[0];
    assert_eq!((comment.0, comment.1.as_slice()), (1, b"62 packets on the wire (segmentation offload)".as_slice()));
    assert_eq!(summary.taps[0].segments, 62);
}

#[test]
fn what_the_limit_kept_out_is_in_the_next_packet_of_its_tap_and_in_the_statistics() {
    let mut captured = captured();
    captured.limited = true;
    captured.lost.add(TRIGGER.minus(6_000_000_000), 1, 40);
    captured.lost.add(TRIGGER.minus(5_500_000_000), 1, 2);
    captured.lost.add(TRIGGER.minus(60_000_000_000), 1, 1000);
    let (file, summary) = written(&captured);
    let drops: Vec<_> = blocks(&file).iter().filter(|(kind, _)| *kind == 6).map(|(_, b)| option(&packet_options(b), 4)).collect();
    assert_eq!(drops, [Some(42), None, None, None, None], "what is outside the window does not count");
    assert_eq!(summary.taps[0].limited, 42);
    let statistics = blocks(&file).into_iter().find(|(kind, _)| *kind == 5).expect("statistics").1;
    let options = options(statistics, 12);
    assert_eq!((option(&options, 4), option(&options, 7), option(&options, 8)), (Some(3), Some(42), Some(3)));
    let comment = String::from_utf8(options[0].1.clone()).expect("text");
    assert!(comment.contains("capture-limit reached"), "{comment}");
}

#[test]
fn a_tap_that_nobody_knows_gets_an_interface_of_its_own() {
    let captured = Captured { chunks: vec![chunk(0, lane::BULK, 1, &[(TRIGGER.0, 77)])], ..Captured::default() };
    let (file, summary) = written(&captured);
    assert_eq!(summary.taps[2].tap, 77);
    let named =
        blocks(&file).into_iter().filter(|(kind, _)| *kind == 1).any(|(_, body)| options(body, 8)[0].1 == b"unknown-tap-77");
    assert!(named);
}

#[test]
fn bytes_that_are_no_record_are_counted_and_the_rest_is_written() {
    let mut captured = captured();
    captured.chunks[1].bytes.extend_from_slice(&[0xff; 13]);
    let (_, summary) = written(&captured);
    assert_eq!((summary.packets, summary.damaged), (5, 1));
}

#[test]
fn no_packets_make_a_whole_file_with_the_events() {
    let (file, summary) = written(&Captured::default());
    assert_eq!(summary.packets, 0);
    assert_eq!(blocks(&file).iter().filter(|(kind, _)| *kind == 9).count(), 3);
}

#[test]
fn packets_and_events_have_the_numbers_of_the_blocks_in_the_file() {
    let (incident, captured) = (incident(), captured());
    let order = Order::new(&incident, &captured, WALL, None);
    let numbered: Vec<(u64, bool)> = order.items().map(|(number, _, item)| (number, matches!(item, Item::Packet(_)))).collect();
    let (file, _) = written(&captured);
    let frames = blocks(&file).into_iter().map(|(kind, _)| kind).filter(|kind| matches!(kind, 6 | 9));
    assert_eq!(numbered, (1..).zip(frames.map(|kind| kind == 6)).collect::<Vec<_>>());
    assert_eq!(numbered.len(), 8);
}
