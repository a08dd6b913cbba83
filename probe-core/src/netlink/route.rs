//! Routes with a gateway, and IPv4 addresses: `struct rtmsg`, `struct ifaddrmsg` and the attributes after them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::attribute::{Attribute, Attributes};
use super::{DecodeError, Decoded, Ended, decode_as, ended};

const RTM_NEWADDR: u16 = 20;
const RTM_NEWROUTE: u16 = 24;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

/// `struct rtmsg`: family, lengths of destination and source, TOS, table, protocol, scope, type (u8 each), flags u32.
const RTMSG: usize = 12;
const RTN_UNICAST: u8 = 1;
const RTM_F_CLONED: u32 = 0x200;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_MULTIPATH: u16 = 9;
const RTA_VIA: u16 = 18;
/// `struct rtnexthop`: length u16, flags u8, weight u8, ifindex i32.
const RTNEXTHOP: usize = 8;

/// `struct ifaddrmsg`: family, prefix length, flags, scope (u8 each), index u32.
const IFADDRMSG: usize = 8;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;

/// A gateway that routes lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// Its address.
    pub gateway: IpAddr,
    /// The interface that it is behind.
    pub ifindex: u32,
    /// These are default routes.
    pub default: bool,
    /// Number of such routes.
    pub count: u64,
}

/// An IPv4 address of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// The interface.
    pub ifindex: u32,
    /// The address.
    pub address: Ipv4Addr,
    /// Bits of its network.
    pub prefix: u8,
}

/// What one message of a dump of routes says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteMessage {
    /// The gateways of one unicast route, each with a count of 1; none for a route without.
    New(Vec<Route>),
    /// The end of the dump, or its failure.
    Ended(Ended),
    /// Anything else.
    Other,
}

/// What one message of a dump of addresses says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressMessage {
    /// An IPv4 address.
    New(Address),
    /// The end of the dump, or its failure.
    Ended(Ended),
    /// Anything else.
    Other,
}

/// The messages of one datagram of a dump of routes, in order.
pub fn decode_routes(datagram: &[u8]) -> Vec<Decoded<RouteMessage>> {
    decode_as(datagram, |kind, payload| match kind {
        RTM_NEWROUTE => route(payload).map(RouteMessage::New),
        _ => Ok(ended(kind, payload)?.map_or(RouteMessage::Other, RouteMessage::Ended)),
    })
}

/// The messages of one datagram of a dump of addresses, in order.
pub fn decode_addresses(datagram: &[u8]) -> Vec<Decoded<AddressMessage>> {
    decode_as(datagram, |kind, payload| match kind {
        RTM_NEWADDR => Ok(address(payload)?.map_or(AddressMessage::Other, AddressMessage::New)),
        _ => Ok(ended(kind, payload)?.map_or(AddressMessage::Other, AddressMessage::Ended)),
    })
}

fn route(payload: &[u8]) -> Result<Vec<Route>, DecodeError> {
    let short = DecodeError::Short { kind: RTM_NEWROUTE, length: payload.len() };
    let Some((fixed, attributes)) = payload.split_first_chunk::<RTMSG>() else { return Err(short) };
    let [family, length, _, _, _, _, _, kind, f0, f1, f2, f3] = *fixed;
    let cloned = u32::from_ne_bytes([f0, f1, f2, f3]) & RTM_F_CLONED != 0;
    if kind != RTN_UNICAST || cloned || !matches!(family, AF_INET | AF_INET6) {
        return Ok(Vec::new());
    }
    let (mut single, mut hops) = (Hop::default(), Vec::new());
    for attribute in Attributes::new(0, attributes) {
        let attribute = attribute?;
        match attribute.kind {
            RTA_OIF => single.ifindex = attribute.ifindex("RTA_OIF")?,
            RTA_MULTIPATH => hops = multipath(attribute)?,
            _ => single.read(attribute)?,
        }
    }
    hops.push(single);
    let route = |hop: Hop| Some(Route { gateway: hop.gateway?, ifindex: hop.ifindex?, default: length == 0, count: 1 });
    Ok(hops.into_iter().filter_map(route).collect())
}

#[derive(Default)]
struct Hop {
    gateway: Option<IpAddr>,
    ifindex: Option<u32>,
}

impl Hop {
    fn read(&mut self, attribute: Attribute<'_>) -> Result<(), DecodeError> {
        match attribute.kind {
            RTA_GATEWAY => self.gateway = Some(ip(attribute, attribute.value, "RTA_GATEWAY")?),
            // `struct rtvia`: an IPv4 route through an IPv6 gateway.
            RTA_VIA => self.gateway = Some(ip(attribute, attribute.value.get(2..).unwrap_or_default(), "RTA_VIA")?),
            _ => {}
        }
        Ok(())
    }
}

fn multipath(attribute: Attribute<'_>) -> Result<Vec<Hop>, DecodeError> {
    let mut hops = Vec::new();
    let mut rest = attribute.value;
    while let Some(fixed) = rest.first_chunk::<RTNEXTHOP>() {
        let [l0, l1, _, _, i0, i1, i2, i3] = *fixed;
        let length = usize::from(u16::from_ne_bytes([l0, l1]));
        let ifindex = u32::from_ne_bytes([i0, i1, i2, i3]);
        let wrong = DecodeError::Attribute { ifindex, kind: RTA_MULTIPATH, length, left: rest.len() };
        let Some(attributes) = rest.get(RTNEXTHOP..length) else { return Err(wrong) };
        let mut hop = Hop { gateway: None, ifindex: Some(ifindex).filter(|index| *index != 0) };
        for attribute in Attributes::new(ifindex, attributes) {
            hop.read(attribute?)?;
        }
        hops.push(hop);
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(hops)
}

fn ip(attribute: Attribute<'_>, bytes: &[u8], name: &'static str) -> Result<IpAddr, DecodeError> {
    if let Ok(bytes) = <[u8; 4]>::try_from(bytes) {
        return Ok(Ipv4Addr::from(bytes).into());
    }
    let size = DecodeError::Size { ifindex: attribute.ifindex, name, length: attribute.value.len() };
    <[u8; 16]>::try_from(bytes).map(|bytes| Ipv6Addr::from(bytes).into()).map_err(|_| size)
}

fn address(payload: &[u8]) -> Result<Option<Address>, DecodeError> {
    let short = DecodeError::Short { kind: RTM_NEWADDR, length: payload.len() };
    let Some((fixed, attributes)) = payload.split_first_chunk::<IFADDRMSG>() else { return Err(short) };
    let [family, prefix, _, _, i0, i1, i2, i3] = *fixed;
    if family != AF_INET {
        return Ok(None);
    }
    let ifindex = u32::from_ne_bytes([i0, i1, i2, i3]);
    let (mut local, mut peer) = (None, None);
    for attribute in Attributes::new(ifindex, attributes) {
        let attribute = attribute?;
        match attribute.kind {
            // Of a point-to-point link IFA_ADDRESS is the other end, and IFA_LOCAL ours.
            IFA_LOCAL => local = Some(ip(attribute, attribute.value, "IFA_LOCAL")?),
            IFA_ADDRESS => peer = Some(ip(attribute, attribute.value, "IFA_ADDRESS")?),
            _ => {}
        }
    }
    Ok(match local.or(peer) {
        Some(IpAddr::V4(address)) => Some(Address { ifindex, address, prefix }),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::tests::{attribute, message_of};
    use crate::samples::Random;

    fn rtmsg(family: u8, length: u8, attributes: &[Vec<u8>]) -> Vec<u8> {
        let mut payload = vec![family, length, 0, 0, 254, 3, 0, RTN_UNICAST, 0, 0, 0, 0];
        payload.extend(attributes.concat());
        message_of(RTM_NEWROUTE, &payload)
    }

    fn gateways(datagram: &[u8]) -> Vec<String> {
        let routes = decode_routes(datagram).into_iter().flat_map(|decoded| match decoded.message {
            Ok(RouteMessage::New(routes)) => routes,
            other => panic!("{other:?}"),
        });
        routes.map(|r| format!("{}{} dev {}", if r.default { "default via " } else { "via " }, r.gateway, r.ifindex)).collect()
    }

    fn oif(ifindex: u32) -> Vec<u8> {
        attribute(RTA_OIF, &ifindex.to_ne_bytes())
    }

    #[test]
    fn the_gateways_of_routes_are_read_and_routes_without_have_none() {
        let v4 = rtmsg(AF_INET, 0, &[attribute(15, &254u32.to_ne_bytes()), attribute(RTA_GATEWAY, &[10, 0, 0, 1]), oif(7)]);
        assert_eq!(gateways(&v4), ["default via 10.0.0.1 dev 7"]);
        let six = "fe80::1".parse::<Ipv6Addr>().expect("an address").octets();
        let v6 = rtmsg(AF_INET6, 64, &[attribute(RTA_GATEWAY, &six), oif(8)]);
        assert_eq!(gateways(&v6), ["via fe80::1 dev 8"]);
        let via = rtmsg(AF_INET, 24, &[attribute(RTA_VIA, &[&10u16.to_ne_bytes()[..], &six[..]].concat()), oif(8)]);
        assert_eq!(gateways(&via), ["via fe80::1 dev 8"]);
        assert_eq!(gateways(&rtmsg(AF_INET, 24, &[oif(7)])), Vec::<String>::new());
    }

    #[test]
    fn a_multipath_route_has_several_gateways() {
        let hop = |ifindex: u32, last: u8| {
            let mut bytes = 16u16.to_ne_bytes().to_vec();
            bytes.extend([0, 0]);
            bytes.extend(ifindex.to_ne_bytes());
            bytes.extend(attribute(RTA_GATEWAY, &[10, 0, 0, last]));
            bytes
        };
        let both = [hop(7, 1), hop(8, 2)].concat();
        assert_eq!(
            gateways(&rtmsg(AF_INET, 0, &[attribute(RTA_MULTIPATH, &both)])),
            ["default via 10.0.0.1 dev 7", "default via 10.0.0.2 dev 8"]
        );
        let mut cut = hop(7, 1);
        cut[0] = 200;
        let decoded = decode_routes(&rtmsg(AF_INET, 0, &[attribute(RTA_MULTIPATH, &cut)])).remove(0).message;
        assert_eq!(decoded, Err(DecodeError::Attribute { ifindex: 7, kind: RTA_MULTIPATH, length: 200, left: 16 }));
    }

    #[test]
    fn the_own_address_is_read_and_not_the_other_end() {
        let mut payload = vec![AF_INET, 24, 0, 0];
        payload.extend(7u32.to_ne_bytes());
        payload.extend(attribute(IFA_ADDRESS, &[10, 0, 0, 9]));
        payload.extend(attribute(IFA_LOCAL, &[10, 0, 0, 1]));
        let decoded = decode_addresses(&message_of(RTM_NEWADDR, &payload)).remove(0).message;
        assert_eq!(decoded, Ok(AddressMessage::New(Address { ifindex: 7, address: Ipv4Addr::new(10, 0, 0, 1), prefix: 24 })));
    }

    #[test]
    fn the_end_of_a_dump_and_its_failure_are_told() {
        let end = |kind, number: i32| decode_routes(&message_of(kind, &number.to_ne_bytes())).remove(0).message;
        assert_eq!(end(3, 0), Ok(RouteMessage::Ended(Ended::Done)));
        assert_eq!(end(2, -1), Ok(RouteMessage::Ended(Ended::Error(1))));
    }

    #[test]
    fn no_cut_and_no_random_bytes_make_the_decoder_panic() {
        let mut random = Random(11);
        let whole = rtmsg(AF_INET, 0, &[attribute(RTA_MULTIPATH, &[16, 0, 0, 0, 7, 0, 0, 0, 8, 0, 5, 0, 10, 0, 0, 1])]);
        for length in 0..whole.len() {
            decode_routes(&whole[..length]);
        }
        for _ in 0..20_000 {
            let bytes: Vec<u8> = (0..random.below(80)).map(|_| random.byte()).collect();
            decode_routes(&message_of(RTM_NEWROUTE, &bytes));
            decode_routes(&rtmsg(AF_INET, 0, &[attribute(RTA_MULTIPATH, &bytes)]));
            decode_addresses(&message_of(RTM_NEWADDR, &bytes));
        }
    }
}
