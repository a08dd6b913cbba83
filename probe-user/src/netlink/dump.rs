//! Asks the kernel for every link of this network namespace.

use std::io;

use netlink_sys::protocols::NETLINK_ROUTE;

use super::request::{Ask, exchange, u16_at, u32_at};

/// `RTM_GETLINK` (linux/rtnetlink.h).
const RTM_GETLINK: u16 = 18;
/// Bytes of an `ifinfomsg`: zeros ask for every link.
const IFINFOMSG: usize = 16;
/// `NLMSG_ERROR`, `NLMSG_DONE`.
const ENDS: [u16; 2] = [2, 3];

/// Datagrams of a dump of all links, the one that ends it included.
///
/// # Errors
/// When the kernel refuses, or does not end the dump within 5 s.
pub(super) fn dump_links() -> io::Result<Vec<Vec<u8>>> {
    let mut datagrams = Vec::new();
    exchange(NETLINK_ROUTE, RTM_GETLINK, &Ask::Dump, &[0; IFINFOMSG], |datagram| {
        datagrams.push(datagram.to_vec());
        Ok(last_type(datagram).is_some_and(|kind| !ENDS.contains(&kind)))
    })?;
    Ok(datagrams)
}

/// Type of the last message of a datagram; `None` when the lengths in it do not fit.
fn last_type(datagram: &[u8]) -> Option<u16> {
    let mut rest = datagram;
    let mut last = None;
    while rest.len() >= 16 {
        let length = u32_at(rest, 0)? as usize;
        last = Some(u16_at(rest, 4)?);
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
