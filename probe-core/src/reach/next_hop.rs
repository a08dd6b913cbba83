//! The next hops of the watched links: the gateways of the routes through them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::Method;
use crate::link::LinkState;
use crate::netlink::{Address, Route};
use crate::table::{Watched, stacked};
use crate::time::{Mono, SECOND};

/// How long a next hop is asked that is no longer in the routing table though its interface is up, nanoseconds: a route may
/// come back a little later than its link.
const GRACE: u64 = 10 * SECOND;
/// How long at most a next hop is asked that is no longer in the routing table, nanoseconds.
const LONGEST: u64 = 600 * SECOND;

/// Next hops of one interface that are asked: the first of them.
const MOST_OF_ONE: usize = 4;
/// Next hops that are asked in all.
const MOST: usize = 32;

/// What the kernel says of this network namespace, at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// Every link.
    pub links: Vec<LinkState>,
    /// IPv4 addresses of the links.
    pub addresses: Vec<Address>,
    /// Routes with a gateway: no two alike.
    pub routes: Vec<Route>,
}

impl Network {
    /// A link by its name.
    pub fn link(&self, name: &str) -> Option<&LinkState> {
        self.links.iter().find(|link| link.name == name)
    }
}

/// A next hop.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NextHop {
    /// The gateway's address.
    pub gateway: IpAddr,
    /// Index of the interface that it is behind.
    pub ifindex: u32,
    /// Name of that interface.
    pub device: String,
}

impl NextHop {
    /// Its name as a target.
    pub fn name(&self) -> String {
        format!("next-hop {} dev {}", self.gateway, self.device)
    }

    /// How it is asked: as the kernel would.
    pub fn method(&self) -> Method {
        match self.gateway {
            IpAddr::V4(_) => Method::Arp,
            IpAddr::V6(_) => Method::Nd,
        }
    }
}

/// The next hops over time. The kernel takes routes away with their link: then their gateways are asked for a while longer, for
/// that is when it matters.
#[derive(Clone, Debug, Default)]
pub struct NextHops {
    known: BTreeMap<NextHop, Seen>,
    lingering: bool,
}

/// When a next hop was in the routing table last, and when it, or its interface's failure, was seen last.
#[derive(Clone, Copy, Debug)]
struct Seen {
    routed: Mono,
    excused: Mono,
}

impl NextHops {
    /// Takes the network as it is at `now`; returns whom to ask.
    pub fn update(&mut self, now: Mono, network: &Network, watched: &Watched) -> Vec<NextHop> {
        let mut hops = next_hops(network, watched);
        for hop in &hops {
            self.known.insert(hop.clone(), Seen { routed: now, excused: now });
        }
        let works = |hop: &NextHop| {
            let link = network.links.iter().find(|link| link.ifindex == hop.ifindex);
            link.is_some_and(|link| link.admin_up && link.carrier && !link.operstate.is_down())
        };
        self.known.retain(|hop, seen| {
            if !works(hop) {
                seen.excused = now;
            }
            now.since(seen.excused) <= GRACE && now.since(seen.routed) <= LONGEST
        });
        let routed = hops.len();
        hops.extend(self.known.iter().filter(|(_, seen)| seen.routed < now).map(|(hop, _)| hop.clone()));
        self.lingering = hops.len() > routed;
        hops.truncate(MOST);
        hops
    }

    /// Whether somebody is asked who is no longer in the routing table.
    pub fn linger(&self) -> bool {
        self.lingering
    }
}

/// The next hops through the watched links and what lies on them: VLANs and the like, and bridges that they are ports of. An
/// interface with a default route has the gateways of its default routes, any other one those of all its routes.
fn next_hops(network: &Network, watched: &Watched) -> Vec<NextHop> {
    let devices = devices(&network.links, watched);
    let mut found = Vec::new();
    for ifindex in devices {
        let Some(link) = network.links.iter().find(|link| link.ifindex == ifindex) else { continue };
        if link.mac == [0; 6] {
            // No Ethernet: nobody to ask by ARP or ND.
            continue;
        }
        let gateways = gateways(&network.routes, ifindex);
        let hop = |gateway| NextHop { gateway, ifindex, device: link.name.clone() };
        found.extend(gateways.into_iter().take(MOST_OF_ONE).map(hop));
    }
    found.truncate(MOST);
    found
}

/// Default gateways, or the others, those of most routes first.
fn gateways(routes: &[Route], ifindex: u32) -> Vec<IpAddr> {
    let mut uses: BTreeMap<(bool, IpAddr), u64> = BTreeMap::new();
    for route in routes.iter().filter(|route| route.ifindex == ifindex) {
        *uses.entry((route.default, route.gateway)).or_default() += route.count;
    }
    let default = uses.keys().any(|(default, _)| *default);
    let mut ranked: Vec<(u64, IpAddr)> =
        uses.into_iter().filter(|((is, _), _)| *is == default).map(|((_, gateway), count)| (count, gateway)).collect();
    ranked.sort_by_key(|(count, gateway)| (std::cmp::Reverse(*count), *gateway));
    ranked.into_iter().map(|(_, gateway)| gateway).collect()
}

/// The watched links, then what lies on them, in that order.
fn devices(links: &[LinkState], watched: &Watched) -> Vec<u32> {
    let named = watched.bonds.iter().chain(&watched.interfaces);
    let order: Vec<u32> = named.filter_map(|name| links.iter().find(|link| link.name == *name)).map(|l| l.ifindex).collect();
    stacked(&links.iter().collect::<Vec<_>>(), order)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{at, bond, down, link, slave};

    fn ethernet(mut state: LinkState) -> LinkState {
        state.mac = [2, 0, 0, 0, 0, 1];
        state
    }

    fn vlan(ifindex: u32, name: &str, lower: u32) -> LinkState {
        LinkState { lower: Some(lower), kind: Some("vlan".to_owned()), ..link(ifindex, name) }
    }

    fn route(gateway: &str, ifindex: u32, default: bool, count: u64) -> Route {
        Route { gateway: gateway.parse().expect("an address"), ifindex, default, count }
    }

    fn names(links: Vec<LinkState>, routes: Vec<Route>) -> Vec<String> {
        let links = links.into_iter().map(ethernet).collect();
        let watched = Watched { bonds: vec!["bond0".to_owned()], interfaces: vec!["mgmt".to_owned()] };
        next_hops(&Network { links, routes, ..Network::default() }, &watched).iter().map(NextHop::name).collect()
    }

    #[test]
    fn a_vlan_of_a_bond_has_a_next_hop_and_an_unwatched_link_has_none() {
        let links = vec![bond(10, "bond0"), slave(1, "eth1", 10), vlan(11, "bond0.956", 10), link(5, "eth5")];
        let routes = vec![route("10.100.100.65", 11, true, 1), route("192.0.2.1", 5, true, 1)];
        assert_eq!(names(links, routes), ["next-hop 10.100.100.65 dev bond0.956"]);
    }

    #[test]
    fn default_gateways_win_and_without_one_those_of_most_routes_come_first() {
        let links = vec![bond(10, "bond0"), link(4, "mgmt")];
        let routes = vec![
            route("10.0.0.2", 10, false, 900),
            route("10.0.0.1", 10, true, 1),
            route("fe80::1", 10, true, 1),
            route("192.0.2.1", 4, false, 3),
            route("192.0.2.9", 4, false, 30),
        ];
        let expected = [
            "next-hop 10.0.0.1 dev bond0",
            "next-hop fe80::1 dev bond0",
            "next-hop 192.0.2.9 dev mgmt",
            "next-hop 192.0.2.1 dev mgmt",
        ];
        assert_eq!(names(links, routes), expected);
    }

    #[test]
    fn a_bridge_over_a_bond_and_a_vlan_on_it_are_seen_and_a_veths_other_end_is_not() {
        let mut port = bond(10, "bond0");
        port.master = Some(20);
        let bridge = LinkState { kind: Some("bridge".to_owned()), ..link(20, "br0") };
        let veth = LinkState { lower: Some(4), kind: Some("veth".to_owned()), ..link(30, "veth0") };
        let links = vec![port, bridge, vlan(21, "br0.7", 20), link(4, "mgmt"), veth];
        let routes = vec![route("10.0.0.1", 20, true, 1), route("10.7.0.1", 21, false, 1), route("10.9.0.1", 30, true, 1)];
        assert_eq!(names(links, routes), ["next-hop 10.0.0.1 dev br0", "next-hop 10.7.0.1 dev br0.7"]);
    }

    #[test]
    fn a_router_with_many_gateways_has_few_asked() {
        let links = vec![bond(10, "bond0")];
        let routes = (0..200).map(|n| route(&format!("10.0.0.{n}"), 10, false, 1)).collect();
        assert_eq!(names(links, routes).len(), 4);
    }

    #[test]
    fn the_gateway_of_a_link_that_is_down_is_asked_on_and_a_replaced_one_is_not() {
        let watched = Watched { bonds: vec!["bond0".to_owned()], interfaces: Vec::new() };
        let with = |state: LinkState, routes| Network { links: vec![ethernet(state)], routes, ..Network::default() };
        let mut hops = NextHops::default();
        let mut ask = |s: u64, network: &Network| -> Vec<String> {
            hops.update(at(s * 1000), network, &watched).iter().map(NextHop::name).collect()
        };
        let (one, two) = (["next-hop 10.0.0.1 dev bond0"], ["next-hop 10.0.0.2 dev bond0"]);
        assert_eq!(ask(0, &with(bond(10, "bond0"), vec![route("10.0.0.1", 10, true, 1)])), one);
        // Down for minutes: the kernel took its routes.
        assert_eq!(ask(60, &with(down(bond(10, "bond0")), Vec::new())), one);
        assert_eq!(ask(300, &with(down(bond(10, "bond0")), Vec::new())), one);
        // Up, and the route comes a little later.
        assert_eq!(ask(305, &with(bond(10, "bond0"), Vec::new())), one);
        assert_eq!(ask(309, &with(bond(10, "bond0"), vec![route("10.0.0.1", 10, true, 1)])), one);
        // Another gateway.
        let replaced = with(bond(10, "bond0"), vec![route("10.0.0.2", 10, true, 1)]);
        assert_eq!(ask(400, &replaced), two);
        // Down for ever.
        assert_eq!(ask(500, &with(down(bond(10, "bond0")), Vec::new())), two);
        assert_eq!(ask(1100, &with(down(bond(10, "bond0")), Vec::new())), Vec::<String>::new());
    }

    #[test]
    fn a_link_without_ethernet_has_nobody_to_ask() {
        let network = Network { links: vec![link(4, "mgmt")], routes: vec![route("10.0.0.1", 4, true, 1)], ..Network::default() };
        let watched = Watched { bonds: Vec::new(), interfaces: vec!["mgmt".to_owned()] };
        assert_eq!(next_hops(&network, &watched), []);
    }
}
