//! What can be known of a link before its packets are replayed: who talks to whom, and who is at either end by LACP.

use std::collections::{BTreeMap, BTreeSet};

use super::{FURTHER, Links, MOST_LINKS, Mac};
use crate::direction::Direction;
use crate::lacp::Lacpdu;

/// Packets of a link whose addresses are all looked at; of those behind them, one in [`SAMPLE`].
const WHOLE: u64 = 4096;
/// See [`WHOLE`].
const SAMPLE: u64 = 64;
/// Addresses that are remembered of a link.
const MOST_ADDRESSES: usize = 1024;
/// Peers that are remembered of an address: more do not make it more likely to be ours.
const MOST_PEERS: usize = 64;
/// Different LACPDUs that are remembered of a link, by their ends.
const MOST_ENDS: usize = 256;

/// Looks at packets, link by link.
#[derive(Clone, Debug, Default)]
pub struct Scout {
    pub(super) links: Vec<Evidence>,
}

/// What is known of one link.
#[derive(Clone, Debug, Default)]
pub(super) struct Evidence {
    pub(super) name: String,
    /// As the file describes the interface; zeros where it does not.
    pub(super) mac: Mac,
    pub(super) packets: u64,
    pub(super) addresses: BTreeMap<Mac, Address>,
    /// Sources of packets of which the file says that they went out.
    pub(super) outgoing: BTreeSet<Mac>,
    /// Whether the file says of its packets which way they went.
    pub(super) directed: bool,
    pub(super) ends: BTreeSet<Ends>,
}

/// How an address was used.
#[derive(Clone, Debug, Default)]
pub(super) struct Address {
    pub(super) sent: u64,
    pub(super) received: u64,
    pub(super) peers: BTreeSet<Mac>,
}

/// The two ends that a LACPDU speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ends {
    /// Source of the frame.
    pub(super) source: Mac,
    pub(super) actor: End,
    pub(super) partner: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct End {
    pub(super) system: Mac,
    pub(super) key: u16,
    pub(super) port: u16,
}

impl Links for Scout {
    fn link(&mut self, name: &str, mac: Mac) -> usize {
        let known = self.links.iter().position(|link| link.name == name);
        let at = known.unwrap_or_else(|| {
            let name = if self.links.len() + 1 < MOST_LINKS { name } else { FURTHER };
            if self.links.len() < MOST_LINKS {
                self.links.push(Evidence { name: name.to_owned(), ..Evidence::default() });
            }
            self.links.len() - 1
        });
        if let Some(link) = self.links.get_mut(at)
            && link.mac == [0; 6]
        {
            link.mac = mac;
        }
        at
    }
}

impl Scout {
    /// Looks at a frame of a link; `direction` as its file says.
    #[inline]
    pub fn packet(&mut self, link: usize, frame: &[u8], direction: Option<Direction>) {
        let Some(evidence) = self.links.get_mut(link) else { return };
        evidence.packets += 1;
        let kind = frame.get(12..14);
        let slow = kind == Some(&[0x88, 0x09]);
        if slow || evidence.packets <= WHOLE || evidence.packets.is_multiple_of(SAMPLE) {
            evidence.look(frame, direction);
        }
    }

    /// True when more packets of this link would hardly tell more: it has LACPDUs of both ends, and enough traffic.
    pub fn is_settled(&self, link: usize) -> bool {
        let Some(evidence) = self.links.get(link) else { return true };
        let mut systems = evidence.ends.iter().map(|ends| ends.actor.system);
        let first = systems.next();
        evidence.packets >= WHOLE && systems.any(|system| Some(system) != first)
    }
}

impl Evidence {
    fn look(&mut self, frame: &[u8], direction: Option<Direction>) {
        let Some((destination, rest)) = frame.split_first_chunk::<6>() else { return };
        let Some(source) = rest.first_chunk::<6>() else { return };
        self.directed |= direction.is_some();
        if direction == Some(Direction::Egress) && self.outgoing.len() < MOST_ADDRESSES {
            self.outgoing.insert(*source);
        }
        if let Ok(pdu) = Lacpdu::decode(frame) {
            let end = |of: &crate::lacp::PortInfo| End { system: of.system, key: of.key, port: of.port };
            if self.ends.len() < MOST_ENDS {
                self.ends.insert(Ends { source: *source, actor: end(&pdu.actor), partner: end(&pdu.partner) });
            }
            return;
        }
        let group = destination[0] & 1 == 1 || *destination == [0; 6];
        if let Some(sender) = self.address(*source) {
            sender.sent += 1;
            if !group && sender.peers.len() < MOST_PEERS {
                sender.peers.insert(*destination);
            }
        }
        if !group && let Some(receiver) = self.address(*destination) {
            receiver.received += 1;
            if receiver.peers.len() < MOST_PEERS {
                receiver.peers.insert(*source);
            }
        }
    }

    fn address(&mut self, mac: Mac) -> Option<&mut Address> {
        if mac == [0; 6] || self.addresses.len() >= MOST_ADDRESSES && !self.addresses.contains_key(&mac) {
            return None;
        }
        Some(self.addresses.entry(mac).or_default())
    }
}
