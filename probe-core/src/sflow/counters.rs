//! Counter samples: generic interface, Ethernet, LAG and port name.

use super::flow::{MOST_COMPACT, source};
use super::interface::{Interface, Kind, LagPort};
use super::xdr::{Put, UNKNOWN, counter};

/// `counters_sample` and `counters_sample_expanded`.
const COUNTERS: u32 = 2;
const COUNTERS_EXPANDED: u32 = 4;
/// Records.
const GENERIC: u32 = 1;
const ETHERNET: u32 = 2;
const LAG: u32 = 7;
const PORT_NAME: u32 = 1005;
/// `IANAifType`: ethernetCsmacd, ieee8023adLag.
const TYPE_ETHERNET: u32 = 6;
const TYPE_LAG: u32 = 161;
/// `ifDirection`: full-duplex. Nothing that is worth recording has been anything else for long.
const FULL_DUPLEX: u32 = 1;

/// Appends the counter sample of an interface; `sequence` is its number, from 1.
pub(super) fn put(to: &mut Vec<u8>, interface: &Interface, sequence: u32) {
    to.u32(if interface.ifindex > MOST_COMPACT { COUNTERS_EXPANDED } else { COUNTERS });
    to.sized(|to| {
        to.u32(sequence);
        source(to, interface.ifindex);
        let ethernet = interface.kind == Kind::Ethernet;
        to.u32(2 + u32::from(ethernet) + u32::from(interface.lag.is_some()));
        to.u32(GENERIC);
        to.sized(|to| generic(to, interface));
        if ethernet {
            to.u32(ETHERNET);
            to.sized(|to| dot3(to, interface));
        }
        if let Some(port) = &interface.lag {
            to.u32(LAG);
            to.sized(|to| lag(to, port));
        }
        to.u32(PORT_NAME);
        to.sized(|to| to.opaque(interface.name.as_bytes()));
    });
}

/// `if_counters`. The kernel counts multicasts that were received, but neither those that were sent nor broadcasts: these are told as
/// unknown, and stand among the unicasts, so that the sum of what is known is what passed.
fn generic(to: &mut Vec<u8>, of: &Interface) {
    let stats = &of.stats;
    to.u32(of.ifindex);
    to.u32(if of.kind == Kind::Bond { TYPE_LAG } else { TYPE_ETHERNET });
    to.u64(of.speed_bps.unwrap_or(0));
    to.u32(FULL_DUPLEX);
    to.u32(u32::from(of.admin_up) | u32::from(of.oper_up) << 1);
    to.u64(stats.rx_bytes);
    to.u32(counter(stats.rx_packets.saturating_sub(stats.multicast)));
    to.u32(counter(stats.multicast));
    to.u32(UNKNOWN);
    to.u32(counter(stats.rx_dropped.wrapping_add(stats.rx_missed)));
    to.u32(counter(stats.rx_errors));
    to.u32(UNKNOWN);
    to.u64(stats.tx_bytes);
    to.u32(counter(stats.tx_packets));
    to.u32(UNKNOWN);
    to.u32(UNKNOWN);
    to.u32(counter(stats.tx_dropped));
    to.u32(counter(stats.tx_errors));
    to.u32(u32::from(of.promiscuous));
}

/// `ethernet_counters`: `dot3Stats`, as linux/if_link.h says which of `struct rtnl_link_stats64` is which.
fn dot3(to: &mut Vec<u8>, of: &Interface) {
    let stats = &of.stats;
    for count in [
        Some(stats.rx_frame_errors),     // AlignmentErrors
        Some(stats.rx_crc_errors),       // FCSErrors
        None,                            // SingleCollisionFrames
        None,                            // MultipleCollisionFrames
        Some(stats.tx_heartbeat_errors), // SQETestErrors
        None,                            // DeferredTransmissions
        Some(stats.tx_window_errors),    // LateCollisions
        Some(stats.tx_aborted_errors),   // ExcessiveCollisions
        Some(stats.tx_fifo_errors),      // InternalMacTransmitErrors
        Some(stats.tx_carrier_errors),   // CarrierSenseErrors
        Some(stats.rx_length_errors),    // FrameTooLongs
        Some(stats.rx_over_errors),      // InternalMacReceiveErrors
        None,                            // SymbolErrors
    ] {
        to.u32(count.map_or(UNKNOWN, counter));
    }
}

/// `lag_port_stats`.
fn lag(to: &mut Vec<u8>, port: &LagPort) {
    to.mac(port.actor_system);
    to.mac(port.partner_system);
    to.u32(port.aggregator);
    // What is configured of our end: activity and timeout are what they are in the state, and every port of a bond may be one of
    // several. Of the partner nothing is configured.
    const AGGREGATION: u8 = 1 << 2;
    let actor_admin = port.actor.0 & 0b11 | AGGREGATION;
    to.extend_from_slice(&[actor_admin, port.actor.0, 0, port.partner.0]);
    let counted = |count: Option<u64>| count.map_or(UNKNOWN, counter);
    let counters = port.counters.as_ref();
    for count in [
        counters.map(|counters| counters.received),
        counters.map(|counters| counters.marker_received),
        counters.map(|counters| counters.marker_responses_received),
        counters.map(|counters| counters.unknown),
        counters.map(|counters| counters.illegal),
        counters.map(|counters| counters.sent),
        counters.map(|counters| counters.marker_sent),
        counters.map(|counters| counters.marker_responses_sent),
    ] {
        to.u32(counted(count));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lacp::{LacpCounters, PortState};
    use crate::link::LinkStats;

    fn interface(kind: Kind) -> Interface {
        let stats = LinkStats {
            rx_packets: 100,
            tx_packets: (1 << 32) + 5,
            rx_bytes: 1 << 40,
            tx_bytes: 77,
            rx_errors: 1,
            tx_errors: 2,
            rx_dropped: 3,
            tx_dropped: 4,
            multicast: 10,
            collisions: 5,
            rx_length_errors: 6,
            rx_over_errors: 7,
            rx_crc_errors: 8,
            rx_frame_errors: 9,
            rx_fifo_errors: 10,
            rx_missed: 11,
            tx_aborted_errors: 12,
            tx_carrier_errors: 13,
            tx_fifo_errors: 14,
            tx_heartbeat_errors: 15,
            tx_window_errors: 16,
            rx_compressed: 17,
            tx_compressed: 18,
        };
        Interface {
            ifindex: 7,
            name: "eth10".to_owned(),
            kind,
            speed_bps: Some(10_000_000_000),
            admin_up: true,
            oper_up: false,
            promiscuous: true,
            stats,
            lag: None,
        }
    }

    fn words(of: &Interface, sequence: u32) -> Vec<u32> {
        let mut bytes = Vec::new();
        put(&mut bytes, of, sequence);
        bytes.chunks(4).map(|word| u32::from_be_bytes(word.try_into().expect("four bytes"))).collect()
    }

    const U: u32 = UNKNOWN;

    #[test]
    fn an_interface_has_generic_and_ethernet_counters_and_its_name() {
        let found = words(&interface(Kind::Ethernet), 3);
        assert_eq!(found[..5], [2, 12 + 96 + 60 + 20, 3, 7, 3], "a counter sample of three records");
        let generic = [1, 88, 7, 6, 2, 0x540b_e400, 1, 1, 256, 0, 90, 10, U, 14, 1, U, 0, 77, 5, U, U, 4, 2, 1];
        assert_eq!(found[5..29], generic);
        assert_eq!(found[29..44], [2, 52, 9, 8, U, U, 15, U, 16, 12, 14, 13, 6, 7, U]);
        assert_eq!(found[44..], [1005, 12, 5, 0x6574_6831, 0x3000_0000]);
    }

    #[test]
    fn a_bond_is_a_lag_and_has_no_ethernet_counters() {
        let found = words(&interface(Kind::Bond), 1);
        assert_eq!(found[..5], [2, 12 + 96 + 20, 1, 7, 2]);
        assert_eq!(found[8], 161);
        assert_eq!(found[29], 1005);
    }

    #[test]
    fn a_slave_has_the_counters_of_its_lacp() {
        let counters = LacpCounters {
            received: 1,
            sent: 2,
            unknown: 3,
            illegal: 4,
            marker_received: 5,
            marker_sent: 6,
            marker_responses_received: 7,
            marker_responses_sent: 8,
        };
        let lag = LagPort {
            actor_system: [2, 0, 0, 0, 0, 1],
            partner_system: [2, 0, 0, 0, 0, 2],
            aggregator: 10,
            actor: PortState(0x3f),
            partner: PortState(0x3d),
            counters: Some(counters),
        };
        let of = Interface { lag: Some(lag), ..interface(Kind::Ethernet) };
        let found = words(&of, 1);
        assert_eq!(found[4], 4);
        let expected = [7, 56, 0x0200_0000, 0x0001_0000, 0x0200_0000, 0x0002_0000, 10, 0x073f_003d, 1, 5, 7, 3, 4, 2, 6, 8];
        assert_eq!(found[44..60], expected);
        let of = Interface { lag: Some(LagPort { counters: None, ..lag }), ..of };
        assert_eq!(words(&of, 1)[52..60], [U; 8]);
    }

    #[test]
    fn an_index_that_is_too_large_for_the_compact_form_is_told_in_the_expanded_one() {
        let of = Interface { ifindex: MOST_COMPACT + 1, ..interface(Kind::Ethernet) };
        assert_eq!(words(&of, 9)[..6], [4, 16 + 96 + 60 + 20, 9, 0, MOST_COMPACT + 1, 3]);
    }
}
