//! Which addresses are ours: as the user says, as the files say, or as the packets show.

use std::collections::BTreeSet;

use super::super::Mac;
use super::super::scout::{Address, Evidence};
use crate::direction::Direction;
use crate::link::mac_text;

/// What is ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Local {
    macs: Vec<u64>,
    systems: Vec<u64>,
}

impl Local {
    /// Which way a frame goes, by its source.
    #[inline]
    pub fn direction(&self, frame: &[u8]) -> Direction {
        let source = frame.get(6..12).map_or(0, number);
        if self.macs.contains(&source) { Direction::Egress } else { Direction::Ingress }
    }

    /// Whether a LACP system is ours.
    pub fn is_system(&self, system: Mac) -> bool {
        self.systems.contains(&number(&system))
    }

    /// Whether an address is ours.
    pub fn is_mac(&self, mac: Mac) -> bool {
        self.macs.contains(&number(&mac))
    }
}

fn number(mac: &[u8]) -> u64 {
    mac.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

pub(super) fn local(links: &[Evidence], said: &[Mac], notes: &mut Vec<String>) -> Local {
    let mut macs: BTreeSet<Mac> = said.iter().copied().collect();
    for link in links {
        macs.extend(Some(link.mac).filter(|mac| *mac != [0; 6]));
        macs.extend(&link.outgoing);
    }
    if said.is_empty() {
        for link in links {
            let known = link.directed || link.mac != [0; 6] || link.addresses.keys().any(|mac| macs.contains(mac));
            if !known {
                macs.extend(infer(link, notes));
            }
        }
    }
    let mut systems = systems(links, &macs);
    if systems.is_empty() {
        systems.extend(guess_system(links, notes));
    }
    // A slave sends its LACPDUs from an address of its own.
    for ends in links.iter().flat_map(|link| &link.ends).filter(|ends| systems.contains(&ends.actor.system)) {
        macs.insert(ends.source);
    }
    let numbers = |of: &BTreeSet<Mac>| of.iter().map(|mac| number(mac)).collect();
    Local { macs: numbers(&macs), systems: numbers(&systems) }
}

/// The LACP systems that have or use an address of ours.
fn systems(links: &[Evidence], macs: &BTreeSet<Mac>) -> BTreeSet<Mac> {
    let ends = links.iter().flat_map(|link| &link.ends);
    let ours = ends.filter(|ends| macs.contains(&ends.source) || macs.contains(&ends.actor.system));
    ours.map(|ends| ends.actor.system).collect()
}

fn guess_system(links: &[Evidence], notes: &mut Vec<String>) -> Option<Mac> {
    let systems: BTreeSet<Mac> = links.iter().flat_map(|link| &link.ends).map(|ends| ends.actor.system).collect();
    let first = *systems.first()?;
    let names: Vec<String> = systems.iter().map(|system| mac_text(*system)).collect();
    notes.push(format!(
        "Which LACP system is ours cannot be seen ({}): {} was taken; --mac decides.",
        names.join(" or "),
        mac_text(first)
    ));
    Some(first)
}

/// The address of a link that talks with most others: all that passes a router's link is from or to the router.
fn infer(link: &Evidence, notes: &mut Vec<String>) -> Option<Mac> {
    let systems: BTreeSet<Mac> = link.ends.iter().map(|ends| ends.actor.system).collect();
    let score = |mac: &Mac, address: &Address| (address.peers.len(), systems.contains(mac), address.sent + address.received);
    let candidates = link.addresses.iter().filter(|(mac, address)| address.sent > 0 && !is_virtual_router(**mac));
    let mut ranked: Vec<_> = candidates.map(|(mac, address)| (score(mac, address), *mac)).collect();
    ranked.sort_unstable();
    let (best, mac) = ranked.pop()?;
    match ranked.last() {
        Some((second, other)) if second.0 == best.0 => notes.push(format!(
            "{}: whether {} or {} is the local address cannot be seen: {} was taken; --mac decides.",
            link.name,
            mac_text(mac),
            mac_text(*other),
            mac_text(mac)
        )),
        _ => notes.push(format!(
            "{}: {} was taken for the local address: it talks with most others; --mac decides.",
            link.name,
            mac_text(mac)
        )),
    }
    Some(mac)
}

/// Addresses of HSRP, GLBP and VRRP: a next hop's rather than our own.
fn is_virtual_router(mac: Mac) -> bool {
    let begins = |with: &[u8]| mac.starts_with(with);
    begins(&[0, 0, 0x0C, 7, 0xAC]) || mac[..4] == [0, 0, 0x0C, 0x9F] || begins(&[0, 7, 0xB4]) || begins(&[0, 0, 0x5E, 0, 1])
}
