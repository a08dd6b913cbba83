//! Asks the kernel for every link of this network namespace.

use std::io;
use std::time::Duration;

use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use rustix::net::sockopt::{Timeout, set_socket_timeout};

/// `RTM_GETLINK` (linux/rtnetlink.h).
const RTM_GETLINK: u16 = 18;
/// `NLM_F_REQUEST | NLM_F_DUMP` (linux/netlink.h).
const REQUEST_DUMP: u16 = 0x001 | 0x300;
/// `NLMSG_ERROR`, `NLMSG_DONE`.
const ENDS: [u16; 2] = [2, 3];
/// A dump of thousands of links takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// Datagrams of a dump of all links, the one that ends it included.
///
/// # Errors
/// When the kernel refuses, or does not end the dump within 5 s.
pub(super) fn dump_links() -> io::Result<Vec<Vec<u8>>> {
    let mut socket = Socket::new(NETLINK_ROUTE)?;
    socket.bind_auto()?;
    set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE))?;
    socket.send_to(&request(), &SocketAddr::new(0, 0), 0)?;
    let mut datagrams = Vec::new();
    loop {
        let (datagram, from) = socket.recv_from_full()?;
        if from.port_number() != 0 {
            continue;
        }
        let ended = last_type(&datagram).is_none_or(|t| ENDS.contains(&t));
        datagrams.push(datagram);
        if ended {
            return Ok(datagrams);
        }
    }
}

/// A netlink header and an `ifinfomsg` of zeros.
fn request() -> [u8; 32] {
    let mut bytes = [0u8; 32];
    bytes[0..4].copy_from_slice(&32u32.to_ne_bytes());
    bytes[4..6].copy_from_slice(&RTM_GETLINK.to_ne_bytes());
    bytes[6..8].copy_from_slice(&REQUEST_DUMP.to_ne_bytes());
    bytes[8..12].copy_from_slice(&1u32.to_ne_bytes());
    bytes
}

/// Type of the last message of a datagram; `None` when the lengths in it do not fit.
fn last_type(datagram: &[u8]) -> Option<u16> {
    let mut rest = datagram;
    let mut last = None;
    while rest.len() >= 16 {
        let length = u32::from_ne_bytes(rest.get(0..4)?.try_into().ok()?) as usize;
        last = Some(u16::from_ne_bytes(rest.get(4..6)?.try_into().ok()?));
        if length < 16 {
            return None;
        }
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or(&[]);
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_of_this_namespace_holds_the_loopback() {
        let datagrams = dump_links().expect("rtnetlink answers");
        assert!(datagrams.iter().any(|d| d.windows(3).any(|w| w == b"lo\0")));
        assert_eq!(last_type(datagrams.last().expect("one at least")), Some(3));
    }

    #[test]
    fn lengths_that_do_not_fit_end_a_dump() {
        assert_eq!(last_type(&[4, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(last_type(&[]), None);
    }
}
