//! The kinds of frames that the generator knows.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// A kind of frame. Its number is part of what every frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Kind {
    /// UDP in IPv4.
    Udp = 1,
    /// TCP segments in IPv4 that belong to no connection.
    Tcp = 2,
    /// UDP in IPv4 behind one 802.1Q tag that stands in the frame.
    Vlan = 3,
    /// UDP in IPv4 behind an 802.1ad and an 802.1Q tag.
    Qinq = 4,
    /// UDP in IPv4 of 9000 bytes (the interface's MTU must allow it).
    Jumbo = 5,
    /// UDP datagrams in three IPv4 fragments each; every fragment counts as a frame.
    Fragments = 6,
    /// UDP in IPv4 with options (record route) in its header.
    Ipv4Options = 7,
    /// UDP in IPv6 behind hop-by-hop and destination options.
    Ipv6Ext = 8,
    /// ARP requests.
    Arp = 9,
    /// LACPDUs: a real partner would believe them.
    Lacp = 10,
    /// TCP in IPv4, handed to the kernel as one large packet that it must cut into segments (GSO).
    Gso = 11,
    /// One UDP frame, again and again, byte for byte the same.
    Storm = 12,
    /// UDP of an ordinary socket, many segments in one packet (UDP_SEGMENT). The interface needs an address in 198.51.100.0/24 and
    /// a neighbour entry for 198.51.100.2.
    GsoUdp = 13,
    /// One TCP keep-alive on VLAN 956, an acknowledgement without data, again and again, byte for byte the same.
    Keepalive = 14,
    /// One TCP segment, sent again and again as a host does that gets no answer: each time with another IPv4 identification.
    Retransmission = 15,
    /// A VRRP advertisement.
    Vrrp = 16,
    /// An HSRPv2 hello.
    Hsrp = 17,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 17] = [
        Kind::Udp,
        Kind::Tcp,
        Kind::Vlan,
        Kind::Qinq,
        Kind::Jumbo,
        Kind::Fragments,
        Kind::Ipv4Options,
        Kind::Ipv6Ext,
        Kind::Arp,
        Kind::Lacp,
        Kind::Gso,
        Kind::Storm,
        Kind::GsoUdp,
        Kind::Keepalive,
        Kind::Retransmission,
        Kind::Vrrp,
        Kind::Hsrp,
    ];

    /// What `--mix` sends: everything that needs no large MTU and no address, harms no partner and does not repeat itself.
    pub const MIX: [Kind; 9] =
        [Kind::Udp, Kind::Tcp, Kind::Vlan, Kind::Qinq, Kind::Fragments, Kind::Ipv4Options, Kind::Ipv6Ext, Kind::Arp, Kind::Gso];

    /// The kind with this number.
    pub fn from_number(number: u8) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| *kind as u8 == number)
    }

    /// Bytes of a frame on the wire, without FCS, when the user names no size.
    pub fn default_size(self) -> usize {
        match self {
            Kind::Jumbo => 9000,
            Kind::Gso => 1414,
            Kind::GsoUdp => 1402,
            Kind::Arp => 82,
            Kind::Lacp => 124,
            Kind::Keepalive => 98,
            _ => 256,
        }
    }

    /// Whether one packet of it is several on the wire.
    pub fn is_gso(self) -> bool {
        matches!(self, Kind::Gso | Kind::GsoUdp)
    }

    /// Whether every frame of it is the same.
    pub fn is_storm(self) -> bool {
        matches!(self, Kind::Storm | Kind::Keepalive)
    }

    /// Whether all frames of it are the same.
    pub fn is_constant(self) -> bool {
        self.is_storm() || !self.is_marked()
    }

    /// Whether its frames carry a mark and a sequence number.
    pub fn is_marked(self) -> bool {
        !matches!(self, Kind::Vrrp | Kind::Hsrp)
    }

    /// Its name on the command line and in JSON.
    pub fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}
