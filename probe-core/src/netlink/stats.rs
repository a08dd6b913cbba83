//! `RTM_NEWSTATS`: `struct if_stats_msg` and the attributes after it. Far smaller than a link message, so it can be asked for every
//! second.

use super::attribute::Attributes;
use super::{DecodeError, LinkMessage, RTM_NEWSTATS, link};

/// `struct if_stats_msg`: family u8, pad u8, pad u16, index u32, filter u32.
const IF_STATS_MSG: usize = 12;
/// Type of `RTM_GETSTATS` (linux/rtnetlink.h).
const RTM_GETSTATS: u16 = 94;
const NLM_F_REQUEST: u16 = 1;
const IFLA_STATS_LINK_64: u16 = 1;

/// Decodes the payload of `RTM_NEWSTATS`.
pub fn new(payload: &[u8]) -> Result<LinkMessage, DecodeError> {
    let short = DecodeError::Short { kind: RTM_NEWSTATS, length: payload.len() };
    let Some((fixed, attributes)) = payload.split_first_chunk::<IF_STATS_MSG>() else { return Err(short) };
    let [_, _, _, _, i0, i1, i2, i3, ..] = *fixed;
    let ifindex = u32::from_ne_bytes([i0, i1, i2, i3]);
    for attribute in Attributes::new(ifindex, attributes) {
        let attribute = attribute?;
        if attribute.kind == IFLA_STATS_LINK_64 {
            return Ok(LinkMessage::Stats { ifindex, stats: link::stats(attribute)? });
        }
    }
    Ok(LinkMessage::Other)
}

/// The message that asks for the driver's counters of a link; it is answered by one [`LinkMessage::Stats`], or by an error.
pub fn stats_request(ifindex: u32, sequence: u32) -> [u8; 28] {
    let mut message = [0; 28];
    let filter = 1u32 << (IFLA_STATS_LINK_64 - 1);
    let mut at = 0;
    let mut put = |bytes: &[u8]| {
        message[at..at + bytes.len()].copy_from_slice(bytes);
        at += bytes.len();
    };
    put(&28u32.to_ne_bytes());
    put(&RTM_GETSTATS.to_ne_bytes());
    put(&NLM_F_REQUEST.to_ne_bytes());
    put(&sequence.to_ne_bytes());
    put(&[0; 8]);
    put(&ifindex.to_ne_bytes());
    put(&filter.to_ne_bytes());
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::LinkStats;

    #[test]
    fn the_counters_of_a_stats_message_are_read_and_a_short_one_is_told() {
        let mut payload = vec![0, 0, 0, 0];
        payload.extend(7u32.to_ne_bytes());
        payload.extend(1u32.to_ne_bytes());
        payload.extend(204u16.to_ne_bytes());
        payload.extend(IFLA_STATS_LINK_64.to_ne_bytes());
        (1u64..=25).for_each(|number| payload.extend(number.to_ne_bytes()));
        let Ok(LinkMessage::Stats { ifindex: 7, stats }) = new(&payload) else { panic!("stats of link 7") };
        let expected = LinkStats {
            rx_packets: 1,
            tx_packets: 2,
            rx_bytes: 3,
            tx_bytes: 4,
            rx_errors: 5,
            tx_errors: 6,
            rx_dropped: 7,
            tx_dropped: 8,
            multicast: 9,
            collisions: 10,
            rx_length_errors: 11,
            rx_over_errors: 12,
            rx_crc_errors: 13,
            rx_frame_errors: 14,
            rx_fifo_errors: 15,
            rx_missed: 16,
            tx_aborted_errors: 17,
            tx_carrier_errors: 18,
            tx_fifo_errors: 19,
            tx_heartbeat_errors: 20,
            tx_window_errors: 21,
            rx_compressed: 22,
            tx_compressed: 23,
        };
        assert_eq!(stats, expected);
        assert_eq!(new(&payload[..8]), Err(DecodeError::Short { kind: RTM_NEWSTATS, length: 8 }));
        let cut = &payload[..100];
        assert!(matches!(new(cut), Err(DecodeError::Attribute { ifindex: 7, .. })));
        assert_eq!(new(&payload[..12]), Ok(LinkMessage::Other));
    }

    #[test]
    fn a_request_is_one_message_of_its_own_length() {
        let message = stats_request(5, 9);
        assert_eq!(message[..4], 28u32.to_ne_bytes());
        assert_eq!(message[20..24], 5u32.to_ne_bytes());
    }
}
