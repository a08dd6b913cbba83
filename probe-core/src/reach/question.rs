//! What is asked of a target, in the network as it is now.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::wire::Arp;
use super::{Method, Network, NextHop};
use crate::link::LinkState;

/// An interface that a question is asked on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Index.
    pub ifindex: u32,
    /// Name.
    pub name: String,
}

/// A question that can be sent again and again. Another one is needed when the network changes what it is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// An echo request.
    Echo {
        /// To this address.
        address: IpAddr,
        /// Through this interface, whatever the routing table says.
        device: Option<Device>,
    },
    /// An ARP request.
    Arp {
        /// On this interface.
        device: Device,
        /// The request.
        arp: Arp,
    },
    /// A neighbour solicitation.
    Nd {
        /// On this interface.
        device: Device,
        /// Our hardware address.
        mac: [u8; 6],
        /// For this address.
        target: Ipv6Addr,
    },
}

impl Question {
    /// What to ask of an address, on an interface by its name.
    ///
    /// # Errors
    /// Why it cannot be asked now, in words.
    pub fn new(method: Method, address: IpAddr, interface: Option<&str>, network: &Network) -> Result<Self, String> {
        let link = match interface {
            Some(name) => Some(network.link(name).ok_or_else(|| format!("no interface is called {name}"))?),
            None => None,
        };
        match (method, link) {
            (Method::Icmp, link) => Ok(Self::Echo { address, device: link.map(device) }),
            (Method::Arp | Method::Nd, Some(link)) => Self::neighbour(address, link, network),
            (Method::Arp | Method::Nd, None) => Err(format!("{method} asks on an interface, and none is named")),
        }
    }

    /// What to ask of a next hop.
    ///
    /// # Errors
    /// Why it cannot be asked now, in words.
    pub fn next_hop(hop: &NextHop, network: &Network) -> Result<Self, String> {
        let link = network.links.iter().find(|link| link.ifindex == hop.ifindex);
        Self::neighbour(hop.gateway, link.ok_or_else(|| format!("{} is gone", hop.device))?, network)
    }

    fn neighbour(address: IpAddr, link: &LinkState, network: &Network) -> Result<Self, String> {
        if link.mac == [0; 6] {
            return Err(format!("{} has no Ethernet address to ask from", link.name));
        }
        let (device, mac) = (device(link), link.mac);
        Ok(match address {
            IpAddr::V4(target) => Self::Arp { arp: Arp { mac, own: own(link.ifindex, target, network), target }, device },
            IpAddr::V6(target) => Self::Nd { device, mac, target },
        })
    }
}

fn device(link: &LinkState) -> Device {
    Device { ifindex: link.ifindex, name: link.name.clone() }
}

/// The address that the kernel would ask from: of the target's network, or any; 0.0.0.0 where there is none (RFC 5227).
fn own(ifindex: u32, target: Ipv4Addr, network: &Network) -> Ipv4Addr {
    let addresses = || network.addresses.iter().filter(move |address| address.ifindex == ifindex);
    let near = |address: &&crate::netlink::Address| {
        let mask = u32::MAX.checked_shl(32u32.saturating_sub(u32::from(address.prefix))).unwrap_or(0);
        (u32::from(address.address) ^ u32::from(target)) & mask == 0
    };
    let best = addresses().filter(near).max_by_key(|address| address.prefix);
    best.or_else(|| addresses().next()).map_or(Ipv4Addr::UNSPECIFIED, |address| address.address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::Address;
    use crate::samples::link;

    fn network() -> Network {
        let mut bond = link(10, "bond0");
        bond.mac = [2, 0, 0, 0, 0, 1];
        let address = |last: [u8; 4], prefix| Address { ifindex: 10, address: last.into(), prefix };
        let addresses = vec![address([192, 0, 2, 7], 24), address([10, 0, 0, 1], 8), address([10, 1, 0, 1], 16)];
        Network { links: vec![bond, link(4, "tun0")], addresses, ..Network::default() }
    }

    fn asks_from(target: [u8; 4], network: &Network) -> Ipv4Addr {
        match Question::new(Method::Arp, IpAddr::from(target), Some("bond0"), network) {
            Ok(Question::Arp { arp, .. }) => arp.own,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_arp_request_comes_from_the_address_that_is_nearest_to_the_target() {
        assert_eq!(asks_from([10, 1, 0, 65], &network()), Ipv4Addr::new(10, 1, 0, 1));
        assert_eq!(asks_from([10, 9, 0, 65], &network()), Ipv4Addr::new(10, 0, 0, 1));
        assert_eq!(asks_from([172, 16, 0, 1], &network()), Ipv4Addr::new(192, 0, 2, 7));
        assert_eq!(asks_from([10, 1, 0, 65], &Network { addresses: Vec::new(), ..network() }), Ipv4Addr::UNSPECIFIED);
    }

    #[test]
    fn what_cannot_be_asked_says_why() {
        let ask = |method, interface| Question::new(method, IpAddr::from([10, 0, 0, 9]), interface, &network());
        assert_eq!(ask(Method::Icmp, Some("eth9")), Err("no interface is called eth9".to_owned()));
        assert_eq!(ask(Method::Arp, Some("tun0")), Err("tun0 has no Ethernet address to ask from".to_owned()));
        let hop = NextHop { gateway: [10, 0, 0, 9].into(), ifindex: 77, device: "bond7".to_owned() };
        assert_eq!(Question::next_hop(&hop, &network()), Err("bond7 is gone".to_owned()));
        assert!(matches!(ask(Method::Icmp, None), Ok(Question::Echo { device: None, .. })));
    }
}
