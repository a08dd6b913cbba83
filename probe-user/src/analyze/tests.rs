use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::Parser;
use probe_core::replay::{Links, Wanted, plan};
use probe_core::time::WallOffset;

use super::args::{AnalyzeArgs, Named};
use super::input::Input;
use super::interrupt::Interrupt;
use super::merge::Merge;
use super::open::Position;
use super::{replay, scout};
use crate::incident::directory::write;
use crate::incident::{Job, WrittenIncident};

const SECOND: u64 = 1_000_000_000;

/// A pcap with nanoseconds whose packets passed so many milliseconds after 1,500,000,000 s.
fn pcap(dir: &Path, name: &str, link_type: u32, milliseconds: &[u64]) -> PathBuf {
    let mut bytes: Vec<u8> =
        [0xA1B2_3C4Du32, 0x0004_0002, 0, 0, 65_535, link_type].iter().flat_map(|w| w.to_le_bytes()).collect();
    for ms in milliseconds {
        let head = [1_500_000_000 + (ms / 1000) as u32, (ms % 1000) as u32 * 1_000_000, 60, 60];
        bytes.extend(head.iter().flat_map(|word| word.to_le_bytes()));
        bytes.extend([0; 60]);
    }
    let path = dir.join(name);
    std::fs::write(&path, bytes).expect("a file");
    path
}

/// Every packet as (link, milliseconds), and what is odd.
fn merged(files: &[PathBuf]) -> (Vec<(String, u64)>, Vec<String>) {
    let files = files.iter().map(|path| Named { name: None, path: path.clone() }).collect();
    let (sources, mut scout, problems) = scout::look(files, &Position::default(), &Interrupt::default());
    assert_eq!(problems, Vec::<String>::new());
    let mut merge = Merge::new(sources, Position::default());
    let mut seen = Vec::new();
    merge.each(&mut scout, |_, packet| {
        seen.push((packet.link, (packet.at_ns - 1_500_000_000 * SECOND) / 1_000_000));
        ControlFlow::Continue(())
    });
    let names = ["bond0", "eth1", "eth2"].map(|name| (scout.link(name, [0; 6]), name));
    let name = |link: usize| names.iter().find(|(at, _)| *at == link).map_or("?", |(_, name)| name).to_owned();
    (seen.into_iter().map(|(link, ms)| (name(link), ms)).collect(), merge.oddities())
}

#[test]
fn files_become_one_stream_in_order_of_time_and_rotated_ones_are_one_link() {
    let dir = tempfile::tempdir().expect("a directory");
    let files = [
        pcap(dir.path(), "bond0.pcap1", 1, &[50, 60]),
        pcap(dir.path(), "eth1.pcap", 1, &[5, 25, 55]),
        pcap(dir.path(), "bond0.pcap", 1, &[10, 20, 30]),
    ];
    let (seen, odd) = merged(&files);
    let seen: Vec<(&str, u64)> = seen.iter().map(|(name, ms)| (name.as_str(), *ms)).collect();
    let wanted =
        [("eth1", 5), ("bond0", 10), ("bond0", 20), ("eth1", 25), ("bond0", 30), ("bond0", 50), ("eth1", 55), ("bond0", 60)];
    assert_eq!(seen, wanted);
    assert_eq!(odd, Vec::<String>::new());
}

#[test]
fn a_clock_that_was_set_back_moves_what_follows_and_packets_out_of_order_keep_their_stamps() {
    let dir = tempfile::tempdir().expect("a directory");
    let (seen, odd) = merged(&[pcap(dir.path(), "eth1.pcap", 1, &[20_000, 20_500, 20_400, 10_000, 10_100])]);
    let times: Vec<u64> = seen.iter().map(|(_, ms)| *ms).collect();
    assert_eq!(times, [20_000, 20_500, 20_400, 20_500, 20_600]);
    assert_eq!(odd.len(), 2);
    assert!(odd[0].contains("the clock was set back at offset 252: what follows was moved by 10.500 s in all"), "{odd:?}");
    assert!(odd[1].contains("stamps go back 1 times, by 0.100 s at most"), "{odd:?}");
}

#[test]
fn a_stamp_that_was_damaged_moves_nothing_that_follows() {
    let dir = tempfile::tempdir().expect("a directory");
    let files = [
        pcap(dir.path(), "bond0.pcap", 1, &[900_000_000, 1000, 2000, 800_000_000, 700_000_000, 2500, 5, 3000, 40_000]),
        pcap(dir.path(), "eth1.pcap", 1, &[1500, 2700, 20_000, 60_000, 950_000_000]),
    ];
    let (seen, odd) = merged(&files);
    let of = |name: &str| seen.iter().filter(|(of, _)| of == name).map(|(_, ms)| *ms).collect::<Vec<_>>();
    assert_eq!(of("bond0"), [1000, 1000, 2000, 2000, 2000, 2500, 2500, 3000, 40_000]);
    assert_eq!(of("eth1"), [1500, 2700, 20_000, 60_000, 950_000_000], "ten days later is no damage");
    assert!(seen.is_sorted_by_key(|(_, ms)| *ms));
    assert_eq!(odd.len(), 1);
    assert!(odd[0].contains("bond0.pcap: 4 stamps are damaged, the first at offset 24 by 899999.000 s"), "{odd:?}");
}

#[test]
fn a_file_whose_clock_was_set_back_says_that_others_were_not_moved() {
    let dir = tempfile::tempdir().expect("a directory");
    let files = [
        pcap(dir.path(), "bond0.pcap", 1, &(0..200).map(|n| n * 10).chain((0..200).map(|n| n * 10 + 100)).collect::<Vec<_>>()),
        pcap(dir.path(), "eth1.pcap", 1, &[0, 3000]),
    ];
    let (seen, odd) = merged(&files);
    assert_eq!(seen.iter().filter(|(name, _)| name == "bond0").map(|(_, ms)| *ms).max(), Some(1990 + 1990));
    assert!(odd[0].contains("moved by 1.890 s in all") && odd[0].contains("the other files were left as they are"), "{odd:?}");
}

#[test]
fn packets_of_a_link_type_that_is_not_read_are_counted_by_its_name() {
    let dir = tempfile::tempdir().expect("a directory");
    let (seen, odd) = merged(&[pcap(dir.path(), "wlan0.pcap", 105, &[1, 2]), pcap(dir.path(), "eth2.pcap", 1, &[3])]);
    assert_eq!(seen, [("eth2".to_owned(), 3)]);
    assert!(odd[0].ends_with("wlan0.pcap: 2 packets of link type IEEE802_11 were not read: it is not known here."), "{odd:?}");
}

/// The files analysed with these options, and written.
fn analysed(dir: &Path, files: Vec<PathBuf>, options: &[&str]) -> WrittenIncident {
    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: AnalyzeArgs,
    }
    let line = ["analyze", "x"].iter().chain(options);
    let args = Line::try_parse_from(line).expect("options").args;
    let files = files.into_iter().map(|path| Named { name: None, path }).collect();
    let interrupt = Interrupt::default();
    let (sources, scout, _) = scout::look(files, &Position::default(), &interrupt);
    let replayed = replay::replay(sources, &plan(&scout, &Wanted::default()), &args, 0, &interrupt);
    let mut incident = replayed.incident.expect("packets");
    "analysis".clone_into(&mut incident.id);
    incident.taps = replayed.taps;
    let (captured, losses) = (replayed.captured, replayed.losses);
    write(dir, &Job { incident, captured, wall: WallOffset(0), losses, snaplen: 256, filter: None }).expect("written")
}

#[test]
fn folded_copies_are_no_loss_where_the_limit_keeps_others_out() {
    let dir = tempfile::tempdir().expect("a directory");
    // A thousand a second for a while, then one each second: copies are those that follow within one.
    let milliseconds: Vec<u64> = (0..20_000).chain((21..3000).map(|second| second * 1000 + 1)).collect();
    let file = pcap(dir.path(), "eth1.pcap", 1, &milliseconds);
    let written = analysed(dir.path(), vec![file], &["--capture-limit", "64KiB"]);
    let tap = written.capture.taps.iter().find(|tap| tap.counted > 0).expect("a tap");
    assert!(written.capture.limited);
    assert_eq!((tap.counted, tap.counted - tap.repeats), (milliseconds.len() as u64, 2979 + 16 + 10));
    assert_eq!(written.capture.missing(tap), tap.counted - tap.repeats - tap.packets);
}

#[test]
fn how_a_file_ends_is_told_with_the_place() {
    let dir = tempfile::tempdir().expect("a directory");
    let whole = std::fs::read(pcap(dir.path(), "eth1.pcap", 1, &[1, 2])).expect("a file");
    let pcapng: Vec<u8> = [
        // A section, and an interface without options.
        [0x0A0D_0D0Au32, 28, 0x1A2B_3C4D, 1, u32::MAX, u32::MAX, 28].as_slice(),
        &[1, 20, 1, 0, 20],
        // A packet of 4 bytes.
        &[6, 36, 0, 0, 0, 4, 4, 7, 36],
    ]
    .iter()
    .flat_map(|block| block.iter().flat_map(|word| word.to_le_bytes()))
    .collect();
    let told = |bytes: &[u8]| {
        let path = dir.path().join("file");
        std::fs::write(&path, bytes).expect("a file");
        let mut input = Input::open(&path, &Position::default(), 4096).expect("a file");
        let packets = std::iter::from_fn(|| input.next_packet()).count();
        (packets, input.problem().map(str::to_owned))
    };
    let says = |packets, text: &str| (packets, Some(text.to_owned()));
    assert_eq!(told(&whole), (2, None));
    assert_eq!(
        told(&whole[..whole.len() - 1]),
        says(1, "offset 100: the file ends within a packet or block: 75 bytes are there, 76 wanted")
    );
    assert_eq!(told(&whole[..110]), says(1, "offset 100: the file ends within a packet or block: 10 bytes are there, 16 wanted"));
    assert_eq!(told(&pcapng), (1, None));
    assert_eq!(
        told(&pcapng[..pcapng.len() - 1]),
        says(0, "offset 48: the file ends within a packet or block: 35 bytes are there, 36 wanted")
    );
    assert_eq!(told(&pcapng[..20]), says(0, "offset 0: not a capture: it has 20 bytes"));
}
