//! `RTM_NEWSTATS`: what the bonding driver counted at a slave (`struct if_stats_msg` and the attributes after it).
//!
//! Sources: linux/if_link.h (`IFLA_STATS_*`, `LINK_XSTATS_TYPE_*`, `BOND_XSTATS_*`, `BOND_3AD_STAT_*`); `bond_fill_linkxstats`
//! and `bond_3ad_stats_fill` of drivers/net/bonding.

use super::attribute::{Attribute, Attributes};
use super::{DecodeError, RTM_NEWSTATS};
use crate::lacp::LacpCounters;

/// `struct if_stats_msg`: family u8, pad u8, pad u16, index u32, filter mask u32.
const IF_STATS_MSG: usize = 12;

const IFLA_STATS_LINK_XSTATS_SLAVE: u16 = 3;
const LINK_XSTATS_TYPE_BOND: u16 = 2;
const BOND_XSTATS_3AD: u16 = 1;
const BOND_3AD_STAT_LACPDU_RX: u16 = 0;
const BOND_3AD_STAT_LACPDU_TX: u16 = 1;
const BOND_3AD_STAT_LACPDU_UNKNOWN_RX: u16 = 2;
const BOND_3AD_STAT_LACPDU_ILLEGAL_RX: u16 = 3;
const BOND_3AD_STAT_MARKER_RX: u16 = 4;
const BOND_3AD_STAT_MARKER_TX: u16 = 5;
const BOND_3AD_STAT_MARKER_RESP_RX: u16 = 6;
const BOND_3AD_STAT_MARKER_RESP_TX: u16 = 7;

/// Payload of the `RTM_GETSTATS` that asks for a slave's counters.
pub fn lacp_counters_request(ifindex: u32) -> [u8; IF_STATS_MSG] {
    let filter = 1u32 << (IFLA_STATS_LINK_XSTATS_SLAVE - 1);
    let mut payload = [0; IF_STATS_MSG];
    payload[4..8].copy_from_slice(&ifindex.to_ne_bytes());
    payload[8..].copy_from_slice(&filter.to_ne_bytes());
    payload
}

/// LACP's counters in the payload of an `RTM_NEWSTATS`; `None` for a link that is no slave of an 802.3ad bond.
///
/// # Errors
/// When the payload is too short, or an attribute is odd.
pub fn lacp_counters(payload: &[u8]) -> Result<Option<LacpCounters>, DecodeError> {
    let short = DecodeError::Short { kind: RTM_NEWSTATS, length: payload.len() };
    let Some((header, attributes)) = payload.split_first_chunk::<IF_STATS_MSG>() else { return Err(short) };
    let [_, _, _, _, i0, i1, i2, i3, ..] = *header;
    let ifindex = u32::from_ne_bytes([i0, i1, i2, i3]);
    let mut within = Attributes::new(ifindex, attributes);
    for kind in [IFLA_STATS_LINK_XSTATS_SLAVE, LINK_XSTATS_TYPE_BOND, BOND_XSTATS_3AD] {
        let Some(found) = find(within, kind)? else { return Ok(None) };
        within = found.nested();
    }
    let mut counters = LacpCounters::default();
    for attribute in within {
        let attribute = attribute?;
        match attribute.kind {
            BOND_3AD_STAT_LACPDU_RX => counters.received = attribute.u64("BOND_3AD_STAT_LACPDU_RX")?,
            BOND_3AD_STAT_LACPDU_TX => counters.sent = attribute.u64("BOND_3AD_STAT_LACPDU_TX")?,
            BOND_3AD_STAT_LACPDU_UNKNOWN_RX => counters.unknown = attribute.u64("BOND_3AD_STAT_LACPDU_UNKNOWN_RX")?,
            BOND_3AD_STAT_LACPDU_ILLEGAL_RX => counters.illegal = attribute.u64("BOND_3AD_STAT_LACPDU_ILLEGAL_RX")?,
            BOND_3AD_STAT_MARKER_RX => counters.marker_received = attribute.u64("BOND_3AD_STAT_MARKER_RX")?,
            BOND_3AD_STAT_MARKER_TX => counters.marker_sent = attribute.u64("BOND_3AD_STAT_MARKER_TX")?,
            BOND_3AD_STAT_MARKER_RESP_RX => {
                counters.marker_responses_received = attribute.u64("BOND_3AD_STAT_MARKER_RESP_RX")?;
            }
            BOND_3AD_STAT_MARKER_RESP_TX => counters.marker_responses_sent = attribute.u64("BOND_3AD_STAT_MARKER_RESP_TX")?,
            _ => {}
        }
    }
    Ok(Some(counters))
}

fn find<'a>(attributes: Attributes<'a>, kind: u16) -> Result<Option<Attribute<'a>>, DecodeError> {
    for attribute in attributes {
        let attribute = attribute?;
        if attribute.kind == kind {
            return Ok(Some(attribute));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Random;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(4 + value.len()).expect("short");
        let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn answer() -> Vec<u8> {
        let number = |kind: u16, value: u64| attribute(kind, &value.to_ne_bytes());
        let counters =
            [number(0, 17), number(1, 19), number(2, 1), number(3, 2), number(4, 9), number(7, 5), attribute(8, &[])].concat();
        let bond = attribute(BOND_XSTATS_3AD, &counters);
        let kind = attribute(LINK_XSTATS_TYPE_BOND | 0x8000, &bond);
        [lacp_counters_request(7).to_vec(), attribute(IFLA_STATS_LINK_XSTATS_SLAVE, &kind)].concat()
    }

    #[test]
    fn a_slaves_counters_are_read_and_other_links_have_none() {
        let counters = LacpCounters {
            received: 17,
            sent: 19,
            unknown: 1,
            illegal: 2,
            marker_received: 9,
            marker_responses_sent: 5,
            ..LacpCounters::default()
        };
        assert_eq!(lacp_counters(&answer()), Ok(Some(counters)));
        assert_eq!(lacp_counters(&lacp_counters_request(7)), Ok(None));
        assert_eq!(lacp_counters(&[0; 11]), Err(DecodeError::Short { kind: 92, length: 11 }));
    }

    #[test]
    fn an_answer_that_is_cut_or_odd_is_an_error_or_less_and_never_a_panic() {
        let whole = answer();
        for length in 0..whole.len() {
            let _ = lacp_counters(&whole[..length]);
        }
        let mut random = Random(11);
        for _ in 0..20_000 {
            let mut bytes = whole.clone();
            for _ in 0..=random.below(3) {
                let place = random.below(bytes.len());
                bytes[place] = random.byte();
            }
            let _ = lacp_counters(&bytes);
        }
        let mut odd = whole;
        let place = IF_STATS_MSG + 12;
        odd[place..place + 2].copy_from_slice(&6u16.to_ne_bytes());
        assert!(lacp_counters(&odd).is_err());
    }
}
