//! The bonds and their slaves at one moment, as far as a recovery has to know them.

use crate::direction::Direction;
use crate::time::Mono;
use crate::timeline::LinkName;
use crate::trigger::Kind;
use crate::verdict::FindingKind;

use super::Cause;

/// Everything that is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// The watched bonds.
    pub bonds: Vec<BondSight>,
    /// Their slaves, and other links that were asked for.
    pub slaves: Vec<SlaveSight>,
    /// What is wrong now.
    pub troubles: Vec<Trouble>,
}

/// A bond.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BondSight {
    /// Itself.
    pub link: LinkName,
    /// It is set up.
    pub admin_up: bool,
    /// Its mode is 802.3ad.
    pub lacp: bool,
    /// The active slave, of modes that have one.
    pub active: Option<u32>,
    /// The primary slave, where one is configured.
    pub primary: Option<u32>,
}

/// A slave, or a link that was one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlaveSight {
    /// Itself.
    pub link: LinkName,
    /// The bond or bridge that it is in.
    pub master: Option<u32>,
    /// It is set up.
    pub admin_up: bool,
    /// Carrier.
    pub carrier: bool,
    /// Up for the bond's monitor.
    pub mii_up: bool,
    /// Its queue, 0 for none of its own.
    pub queue_id: u16,
    /// Its priority among those that can become active.
    pub prio: i32,
    /// What LACP says, in an 802.3ad bond.
    pub lacp: LacpSight,
}

/// Whether LACP works at a slave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LacpSight {
    /// Nothing is known, or it has not settled.
    #[default]
    Unknown,
    /// Both ends say that they collect and distribute: the older of the newest LACPDUs of both came then, or the kernel says so now.
    Works {
        /// When.
        heard: Mono,
        /// It is in the aggregator that the bond uses, as far as is known.
        used: bool,
    },
    /// One of the ends says otherwise, or is silent.
    Fails,
}

/// Something that is wrong with a bond now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// ifindex of the bond.
    pub bond: u32,
    /// What kind.
    pub kind: TroubleKind,
    /// In words.
    pub text: String,
}

/// A kind of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TroubleKind {
    /// The bond cannot pass packets.
    Down,
    /// LACP does not work at a slave whose link is up.
    Lacp,
    /// A slave sends nothing of what it is handed, or receives nothing.
    Blackout(Direction),
    /// A target behind it does not answer.
    Target,
    /// A frame is repeated like a storm.
    Storm,
}

impl Sight {
    /// The bond of this index.
    pub fn bond(&self, ifindex: u32) -> Option<&BondSight> {
        self.bonds.iter().find(|bond| bond.link.ifindex == ifindex)
    }

    /// The link of this index.
    pub fn slave(&self, ifindex: u32) -> Option<&SlaveSight> {
        self.slaves.iter().find(|slave| slave.link.ifindex == ifindex)
    }

    /// The slaves of a bond.
    pub fn slaves_of(&self, bond: u32) -> impl Iterator<Item = &SlaveSight> {
        self.slaves.iter().filter(move |slave| slave.master == Some(bond))
    }

    /// The bond that a link stands and falls with: itself, the one that it is a slave of, or the one that a VLAN of this name is on.
    pub fn bond_of(&self, link: &LinkName) -> Option<&BondSight> {
        let by_name = |name: &str| self.bonds.iter().find(|bond| bond.link.name == name);
        let slave = || self.slaves.iter().find(|slave| slave.link.name == link.name)?.master;
        by_name(&link.name).or_else(|| self.bond(slave()?)).or_else(|| by_name(link.name.split_once('.')?.0))
    }

    /// What is wrong with a bond, of these kinds, in words.
    pub fn troubles_of(&self, bond: u32, kinds: &[TroubleKind]) -> Vec<&str> {
        let ours = self.troubles.iter().filter(|trouble| trouble.bond == bond && kinds.contains(&trouble.kind));
        ours.map(|trouble| trouble.text.as_str()).collect()
    }
}

impl SlaveSight {
    /// Whether frames can pass as far as the link itself is concerned.
    pub fn is_usable(&self) -> bool {
        self.admin_up && self.carrier && self.mii_up
    }

    /// Whether it works for sure, as far as can be known without sending anything.
    pub fn works(&self, lacp: bool) -> bool {
        self.is_usable() && (!lacp || matches!(self.lacp, LacpSight::Works { used: true, .. }))
    }

    /// Whether it is known not to work.
    pub fn fails(&self, lacp: bool) -> bool {
        !self.is_usable() || (lacp && matches!(self.lacp, LacpSight::Fails | LacpSight::Works { used: false, .. }))
    }

    /// Why it would be no use to take it out: there is no way for frames anyway.
    pub fn unusable(&self) -> Option<&'static str> {
        match self {
            Self { admin_up: false, .. } => Some("is set down"),
            Self { carrier: false, .. } => Some("has no carrier"),
            Self { mii_up: false, .. } => Some("is down for the bond's monitor"),
            _ => None,
        }
    }
}

/// The troubles that are over when what a cause tells of is over; none where that cannot be seen.
pub fn concerns(cause: Cause) -> Vec<TroubleKind> {
    use TroubleKind::{Blackout, Down, Lacp, Storm, Target};
    let (sending, receiving) = (Blackout(Direction::Egress), Blackout(Direction::Ingress));
    let way = [Lacp, sending, receiving, Target];
    let finding = |kinds: &[FindingKind]| kinds.iter().any(|kind| cause.is_finding(*kind));
    let trigger = |kinds: &[Kind]| kinds.iter().any(|kind| cause.is_trigger(kind.name()));
    if finding(&[FindingKind::DuplicateStorm]) || trigger(&[Kind::Storm]) {
        return [&way[..], &[Storm]].concat();
    }
    if finding(&[FindingKind::BondCarriesNothing, FindingKind::BondDown]) || trigger(&[Kind::BondDown]) {
        return [&way[..], &[Down]].concat();
    }
    if finding(&[FindingKind::TxBlackout, FindingKind::RxBlackout, FindingKind::GhostPackets])
        || trigger(&[Kind::Blackout, Kind::Ghosts])
    {
        return way.to_vec();
    }
    if finding(&[FindingKind::LacpdusNotArriving, FindingKind::LacpdusNotSent, FindingKind::PartnerSilent])
        || trigger(&[Kind::LacpDown])
    {
        return vec![Lacp];
    }
    if finding(&[FindingKind::NextHopUnreachable, FindingKind::PathLoss]) || trigger(&[Kind::ProbeDown]) {
        return vec![Target];
    }
    Vec::new()
}
