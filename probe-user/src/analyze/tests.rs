use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use probe_core::replay::Links;

use super::args::Named;
use super::interrupt::Interrupt;
use super::merge::Merge;
use super::open::Position;
use super::scout;

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
    assert_eq!(odd.len(), 1);
    assert!(odd[0].contains("stamps go back 2 times, by 10.500 s at most; what follows was moved"), "{odd:?}");
}

#[test]
fn packets_of_a_link_type_that_is_not_read_are_counted_by_its_name() {
    let dir = tempfile::tempdir().expect("a directory");
    let (seen, odd) = merged(&[pcap(dir.path(), "wlan0.pcap", 105, &[1, 2]), pcap(dir.path(), "eth2.pcap", 1, &[3])]);
    assert_eq!(seen, [("eth2".to_owned(), 3)]);
    assert!(odd[0].ends_with("wlan0.pcap: 2 packets of link type IEEE802_11 were not read: it is not known here."), "{odd:?}");
}
