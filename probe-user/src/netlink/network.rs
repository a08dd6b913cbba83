//! Links, IPv4 addresses and gateways of this network namespace, as they are now, and word of their changes.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;

use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use probe_core::netlink::{AddressMessage, Ended, LinkMessage, Route, RouteMessage, decode, decode_addresses, decode_routes};
use probe_core::reach::Network;
use rustix::net::sockopt::set_socket_recv_buffer_size;

use super::request::{Ask, exchange};
use crate::readable::Readable;

const RTM_GETLINK: u16 = 18;
const RTM_GETADDR: u16 = 22;
const RTM_GETROUTE: u16 = 26;
/// Links, addresses and routes of both families as bits of the address's group mask (linux/rtnetlink.h).
const GROUPS: u32 = 0x1 | 0x10 | 0x40 | 0x100 | 0x400;
/// Receive buffer, bytes: what does not fit changes nothing, for everything is asked for then.
const RECEIVE_BUFFER: usize = 4096;
/// Most datagrams that are thrown away at once: more than the buffer holds.
const MOST_DRAINED: usize = 256;
/// Different gateways that are kept; a router has some hundreds of them for a million routes.
const MOST_GATEWAYS: usize = 16_384;

/// Asks for everything. This takes as long as there are routes (a million of them about a second): not for an event loop.
///
/// # Errors
/// When the kernel refuses or does not answer.
pub fn network() -> io::Result<Network> {
    let mut network = Network::default();
    let mut gateways: BTreeMap<(IpAddr, u32, bool), u64> = BTreeMap::new();
    // What cannot be understood is told where links are watched; here it is left out.
    dump(RTM_GETLINK, 16, |datagram| {
        each(decode(datagram).into_iter().filter_map(|decoded| decoded.message.ok()).map(|message| match message {
            LinkMessage::New(link) => {
                network.links.push(*link);
                None
            }
            LinkMessage::Done => Some(Ended::Done),
            LinkMessage::Error(number) => Some(Ended::Error(number)),
            LinkMessage::Overrun => Some(Ended::Overrun),
            _ => None,
        }))
    })?;
    dump(RTM_GETADDR, 8, |datagram| {
        each(decode_addresses(datagram).into_iter().filter_map(|decoded| decoded.message.ok()).map(|message| match message {
            AddressMessage::New(address) => {
                network.addresses.push(address);
                None
            }
            AddressMessage::Ended(ended) => Some(ended),
            AddressMessage::Other => None,
        }))
    })?;
    dump(RTM_GETROUTE, 12, |datagram| {
        each(decode_routes(datagram).into_iter().filter_map(|decoded| decoded.message.ok()).map(|message| match message {
            RouteMessage::New(routes) => {
                routes.iter().for_each(|route| count(&mut gateways, route));
                None
            }
            RouteMessage::Ended(ended) => Some(ended),
            RouteMessage::Other => None,
        }))
    })?;
    let route = |((gateway, ifindex, default), count)| Route { gateway, ifindex, default, count };
    network.routes = gateways.into_iter().map(route).collect();
    Ok(network)
}

fn count(gateways: &mut BTreeMap<(IpAddr, u32, bool), u64>, route: &Route) {
    let key = (route.gateway, route.ifindex, route.default);
    if let Some(count) = gateways.get_mut(&key) {
        *count += route.count;
    } else if gateways.len() < MOST_GATEWAYS || route.default {
        gateways.insert(key, route.count);
    }
}

/// Asks for a list; zeros in place of the fixed part of `header` bytes ask for all of it.
fn dump(kind: u16, header: usize, take: impl FnMut(&[u8]) -> io::Result<bool>) -> io::Result<()> {
    exchange(NETLINK_ROUTE, kind, &Ask::Dump, &vec![0; header], take)
}

/// Whether a dump goes on after these messages.
fn each(ends: impl Iterator<Item = Option<Ended>>) -> io::Result<bool> {
    let mut goes_on = true;
    for ended in ends.flatten() {
        match ended {
            Ended::Done | Ended::Overrun => goes_on = false,
            Ended::Error(number) => return Err(io::Error::from_raw_os_error(number)),
        }
    }
    Ok(goes_on)
}

/// Tells that something changed; what, is to be asked for.
pub struct Changes {
    socket: Socket,
    readable: Readable,
}

impl Changes {
    /// Listens from here on.
    ///
    /// # Errors
    /// When the kernel refuses a netlink socket, or outside a tokio runtime.
    pub fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        set_socket_recv_buffer_size(&socket, RECEIVE_BUFFER)?;
        socket.bind(&SocketAddr::new(0, GROUPS))?;
        socket.set_non_blocking(true)?;
        let readable = Readable::watch(&socket)?;
        Ok(Self { socket, readable })
    }

    /// Waits for a change. It may tell of one that was there before [`Changes::forget`].
    ///
    /// # Errors
    /// When the event loop fails.
    pub async fn changed(&self) -> io::Result<()> {
        self.readable.ready().await?.clear_ready();
        Ok(())
    }

    /// Forgets what has been told: before everything is asked for.
    pub fn forget(&mut self) {
        for _ in 0..MOST_DRAINED {
            let mut buffer = Vec::with_capacity(RECEIVE_BUFFER);
            match self.socket.recv_from(&mut buffer, 0) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // An overrun too is nothing but a change.
                _ => {}
            }
        }
    }
}
