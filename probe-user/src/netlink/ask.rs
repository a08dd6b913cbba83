//! Asks the kernel about one link.

use std::io;

use netlink_sys::protocols::NETLINK_ROUTE;
use probe_core::lacp::LacpCounters;
use probe_core::link::LinkState;
use probe_core::netlink::{self, LinkMessage, decode};

use super::request::{Ask, exchange, request};

/// `RTM_GETLINK`, `RTM_GETSTATS` (linux/rtnetlink.h).
const RTM_GETLINK: u16 = 18;
const RTM_GETSTATS: u16 = 94;

/// A link as it is now.
///
/// # Errors
/// What the kernel answers (`ENODEV`: no such link), that it does not within 5 s, or that its answer cannot be understood.
pub fn link(ifindex: u32) -> io::Result<Option<LinkState>> {
    // struct ifinfomsg, of which only the index matters.
    let mut payload = [0u8; 16];
    payload[4..8].copy_from_slice(&ifindex.to_ne_bytes());
    let mut found = None;
    exchange(NETLINK_ROUTE, RTM_GETLINK, &Ask::One, &payload, |datagram| {
        for decoded in decode(datagram) {
            match decoded.message.map_err(invalid)? {
                LinkMessage::New(state) => found = Some(*state),
                LinkMessage::Error(errno) => return Err(io::Error::from_raw_os_error(errno)),
                _ => {}
            }
        }
        // The link comes first, an acknowledgement after it.
        Ok(false)
    })?;
    Ok(found)
}

/// What the bonding driver counted of LACP at a slave; `None` for a link that is no slave of an 802.3ad bond.
///
/// # Errors
/// See [`link`].
pub fn lacp_counters(ifindex: u32) -> io::Result<Option<LacpCounters>> {
    let answers = request(NETLINK_ROUTE, RTM_GETSTATS, &Ask::One, &netlink::lacp_counters_request(ifindex))?;
    answers.first().map_or(Ok(None), |answer| netlink::lacp_counters(answer).map_err(invalid))
}

fn invalid(error: netlink::DecodeError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_is_told_and_has_no_lacp() {
        assert_eq!(link(1).expect("rtnetlink answers").map(|link| link.name).as_deref(), Some("lo"));
        assert_eq!(lacp_counters(1).expect("rtnetlink answers"), None);
        assert!(link(u32::MAX >> 1).is_err(), "no such link");
    }
}
