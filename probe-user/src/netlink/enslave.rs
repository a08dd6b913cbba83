//! Takes slaves out of bonds and puts them back. Each of these can wait long for the kernel's rtnetlink lock: not for the agent's thread.

use std::io;

use netlink_sys::protocols::NETLINK_ROUTE;

use super::request::{Ask, put, request};

/// `RTM_NEWLINK` (which changes a link that is there) and `RTM_SETLINK` of linux/rtnetlink.h.
const RTM_NEWLINK: u16 = 16;
const RTM_SETLINK: u16 = 19;

const IFF_UP: u32 = 1;

const IFLA_MASTER: u16 = 10;
const IFLA_LINKINFO: u16 = 18;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;
const IFLA_INFO_SLAVE_KIND: u16 = 4;
const IFLA_INFO_SLAVE_DATA: u16 = 5;
const IFLA_BOND_ACTIVE_SLAVE: u16 = 2;
const IFLA_BOND_PRIMARY: u16 = 11;
const IFLA_BOND_SLAVE_QUEUE_ID: u16 = 5;
const IFLA_BOND_SLAVE_PRIO: u16 = 9;
/// An attribute that holds others.
const NESTED: u16 = 0x8000;

/// Takes a link out of whatever it is in. The bonding driver sets it down.
///
/// # Errors
/// What the kernel answers: `ENODEV` where there is no such link.
pub fn release(slave: u32) -> io::Result<()> {
    set(slave, (0, 0), &[(IFLA_MASTER, &0u32.to_ne_bytes())])
}

/// Sets a link up, or down.
///
/// # Errors
/// What the kernel answers.
pub fn set_up(link: u32, up: bool) -> io::Result<()> {
    set(link, (if up { IFF_UP } else { 0 }, IFF_UP), &[])
}

/// Puts a link into a bond. It has to be down, and is up afterwards.
///
/// # Errors
/// What the kernel answers: `EPERM` where it is up.
pub fn enslave(slave: u32, bond: u32) -> io::Result<()> {
    set(slave, (0, 0), &[(IFLA_MASTER, &bond.to_ne_bytes())])
}

/// Gives a slave a queue of its own, where that is not 0, and a priority, where that is not 0.
///
/// # Errors
/// What the kernel answers: `EINVAL` where the bond has no such queue, or a kernel before 6.0 no priorities.
pub fn set_slave(slave: u32, queue_id: u16, prio: i32) -> io::Result<()> {
    let mut data = Vec::new();
    if queue_id != 0 {
        put(&mut data, IFLA_BOND_SLAVE_QUEUE_ID, &queue_id.to_ne_bytes());
    }
    if prio != 0 {
        put(&mut data, IFLA_BOND_SLAVE_PRIO, &prio.to_ne_bytes());
    }
    change(slave, (IFLA_INFO_SLAVE_KIND, IFLA_INFO_SLAVE_DATA), &data)
}

/// Makes a slave the primary one of its bond.
///
/// # Errors
/// What the kernel answers.
pub fn set_primary(bond: u32, slave: u32) -> io::Result<()> {
    let mut data = Vec::new();
    put(&mut data, IFLA_BOND_PRIMARY, &slave.to_ne_bytes());
    change(bond, (IFLA_INFO_KIND, IFLA_INFO_DATA), &data)
}

/// Makes a slave the active one of its bond.
///
/// # Errors
/// What the kernel answers: `EINVAL` in a mode that has none, or where the slave is down.
pub fn set_active(bond: u32, slave: u32) -> io::Result<()> {
    let mut data = Vec::new();
    put(&mut data, IFLA_BOND_ACTIVE_SLAVE, &slave.to_ne_bytes());
    change(bond, (IFLA_INFO_KIND, IFLA_INFO_DATA), &data)
}

fn set(link: u32, flags: (u32, u32), attributes: &[(u16, &[u8])]) -> io::Result<()> {
    let mut payload = header(link, flags);
    for (kind, value) in attributes {
        put(&mut payload, *kind, value);
    }
    request(NETLINK_ROUTE, RTM_SETLINK, &Ask::One, &payload).map(drop)
}

/// Changes what a bond, or a bond's slave, has of its own.
fn change(link: u32, (kind, holder): (u16, u16), data: &[u8]) -> io::Result<()> {
    let mut info = Vec::new();
    put(&mut info, kind, b"bond\0");
    put(&mut info, holder | NESTED, data);
    let mut payload = header(link, (0, 0));
    put(&mut payload, IFLA_LINKINFO | NESTED, &info);
    request(NETLINK_ROUTE, RTM_NEWLINK, &Ask::One, &payload).map(drop)
}

/// `struct ifinfomsg`: family u8, pad u8, type u16, index i32, flags u32, change u32.
fn header(link: u32, (flags, change): (u32, u32)) -> Vec<u8> {
    let mut header = vec![0; 4];
    header.extend_from_slice(&link.to_ne_bytes());
    header.extend_from_slice(&flags.to_ne_bytes());
    header.extend_from_slice(&change.to_ne_bytes());
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_is_not_there_is_told() {
        let nowhere = u32::MAX >> 1;
        for refused in [release(nowhere), enslave(nowhere, 1), set_up(nowhere, true)] {
            // without the right to change links, that is what is told
            let errno = refused.expect_err("no such link").raw_os_error();
            assert!(matches!(errno, Some(libc::ENODEV | libc::EPERM)), "{errno:?}");
        }
    }
}
