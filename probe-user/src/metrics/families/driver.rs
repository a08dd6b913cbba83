//! What drivers have counted: the same numbers as `ip -s link` and /proc/net/dev.

use probe_core::link::LinkStats;
use probe_core::metrics::{Family, Labels};
use probe_core::traffic::Totals;

use super::places::Places;

/// A name, what it is, and where it stands.
type Column = (&'static str, &'static str, fn(&LinkStats) -> u64);

const COLUMNS: [Column; 13] = [
    (
        "linkprobe_link_receive_packets",
        "Packets received, by the driver. A bond and its slaves count the same packets: sum one role only.",
        |stats| stats.rx_packets,
    ),
    (
        "linkprobe_link_transmit_packets",
        "Packets transmitted, by the driver. A bond and its slaves count the same packets: sum one role only.",
        |stats| stats.tx_packets,
    ),
    (
        "linkprobe_link_receive_bytes",
        "Bytes received, by the driver. A bond and its slaves count the same bytes: sum one role only.",
        |stats| stats.rx_bytes,
    ),
    (
        "linkprobe_link_transmit_bytes",
        "Bytes transmitted, by the driver. A bond and its slaves count the same bytes: sum one role only.",
        |stats| stats.tx_bytes,
    ),
    ("linkprobe_link_receive_errors", "Receive errors of all kinds, by the driver.", |stats| stats.rx_errors),
    ("linkprobe_link_transmit_errors", "Transmit errors of all kinds, by the driver.", |stats| stats.tx_errors),
    ("linkprobe_link_receive_dropped", "Packets received and dropped, by the driver and the kernel.", |stats| stats.rx_dropped),
    ("linkprobe_link_transmit_dropped", "Packets dropped on transmission, by the driver and the kernel.", |stats| {
        stats.tx_dropped
    }),
    ("linkprobe_link_receive_missed", "Frames that the device had no room for; no part of the dropped ones.", |stats| {
        stats.rx_missed
    }),
    ("linkprobe_link_receive_multicast_packets", "Multicast packets received, by the driver.", |stats| stats.multicast),
    ("linkprobe_link_transmit_collisions", "Collisions, by the driver.", |stats| stats.collisions),
    ("linkprobe_link_receive_compressed_packets", "Compressed packets received, by the driver.", |stats| stats.rx_compressed),
    ("linkprobe_link_transmit_compressed_packets", "Compressed packets transmitted, by the driver.", |stats| stats.tx_compressed),
];

/// Parts of the errors of one direction.
type Parts = [(&'static str, fn(&LinkStats) -> u64); 5];

const RECEIVE: Parts = [
    ("length", |stats| stats.rx_length_errors),
    ("over", |stats| stats.rx_over_errors),
    ("crc", |stats| stats.rx_crc_errors),
    ("frame", |stats| stats.rx_frame_errors),
    ("fifo", |stats| stats.rx_fifo_errors),
];
const TRANSMIT: Parts = [
    ("aborted", |stats| stats.tx_aborted_errors),
    ("carrier", |stats| stats.tx_carrier_errors),
    ("fifo", |stats| stats.tx_fifo_errors),
    ("heartbeat", |stats| stats.tx_heartbeat_errors),
    ("window", |stats| stats.tx_window_errors),
];

/// The drivers' counters. They begin anew where the kernel's do: when a link is made anew.
pub fn families(totals: &Totals, places: &Places) -> Vec<Family> {
    let links: Vec<(&Labels, LinkStats)> =
        totals.present().filter_map(|total| Some((places.of(total.link.ifindex)?, total.driver?.stats))).collect();
    let column = |(name, help, count): Column| {
        let family = Family::counter(name, help);
        links.iter().fold(family, |family, (labels, stats)| family.with((*labels).clone(), count(stats)))
    };
    let kinds = |name, help, parts: Parts| {
        let mut family = Family::counter(name, help);
        for (labels, stats) in &links {
            for (kind, count) in parts {
                family.add(labels.and("kind", kind), count(stats));
            }
        }
        family
    };
    let mut all: Vec<Family> = COLUMNS.into_iter().map(column).collect();
    all.push(kinds(
        "linkprobe_link_receive_errors_by_kind",
        "Receive errors by kind, by the driver: parts of the receive errors.",
        RECEIVE,
    ));
    all.push(kinds(
        "linkprobe_link_transmit_errors_by_kind",
        "Transmit errors by kind, by the driver: parts of the transmit errors.",
        TRANSMIT,
    ));
    all
}
