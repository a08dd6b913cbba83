//! Which links there are in the files, what they are to each other, and which addresses are ours.

mod bonds;
mod local;

use super::{Mac, Scout};
use crate::link::{BondState, LinkState, OperState, SlaveState};
use crate::table::Watched;

pub use local::Local;

/// What the user says; what is not said is inferred.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Addresses of ours.
    pub macs: Vec<Mac>,
    /// Bonds, each with its slaves; no slaves: whoever has LACPDUs.
    pub bonds: Vec<(String, Vec<String>)>,
}

/// What a link is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// A bond.
    Bond,
    /// A slave of the bond with this index.
    Slave(u32),
    /// Neither.
    #[default]
    Plain,
}

/// Whose LACPDUs pass a link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LacpOf {
    /// Its own: it is a slave.
    #[default]
    Own,
    /// Those of slaves that have no file, by the number of our port.
    Ports(Vec<(u16, u32)>),
    /// Those of slaves that have files: what passes here was seen there.
    Others,
}

/// A link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Planned {
    /// Its name.
    pub name: String,
    /// Its index: made up, from 1.
    pub ifindex: u32,
    /// Its address, as far as it is known.
    pub mac: Mac,
    /// What it is.
    pub role: Role,
    /// Whose LACPDUs pass it.
    pub lacp: LacpOf,
    /// False for a bond or slave that has no packets of its own in the files.
    pub seen: bool,
}

/// The plan. The links that have packets come first, in the order of the scout's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Every link.
    pub links: Vec<Planned>,
    /// What is ours.
    pub local: Local,
    /// What was inferred, and what could not be: one sentence each.
    pub notes: Vec<String>,
}

/// Decides.
pub fn plan(scout: &Scout, wanted: &Wanted) -> Plan {
    let mut notes = Vec::new();
    let local = local::local(&scout.links, &wanted.macs, &mut notes);
    let links = bonds::links(&scout.links, &wanted.bonds, &local, &mut notes);
    Plan { links, local, notes }
}

impl Plan {
    /// The names to watch.
    pub fn watched(&self) -> Watched {
        let of = |role: fn(&Role) -> bool| {
            self.links.iter().filter(move |link| role(&link.role)).map(|link| link.name.clone()).collect()
        };
        Watched { bonds: of(|role| *role == Role::Bond), interfaces: of(|role| *role == Role::Plain) }
    }
}

/// The links as the engine knows them. A capture does not say what the kernel said of them: all are taken to be up.
pub(super) fn states(links: &[Planned]) -> Vec<LinkState> {
    links.iter().map(state).collect()
}

fn state(link: &Planned) -> LinkState {
    let bond = || BondState { mode: "802.3ad".to_owned(), miimon_ms: 100, ..BondState::default() };
    let (kind, bond, slave, master) = match link.role {
        Role::Bond => (Some("bond".to_owned()), Some(bond()), None, None),
        Role::Slave(master) => {
            let slave = SlaveState { active: true, permanent_mac: link.mac, ..SlaveState::default() };
            (None, None, Some(slave), Some(master))
        }
        Role::Plain => (None, None, None, None),
    };
    LinkState {
        ifindex: link.ifindex,
        name: link.name.clone(),
        mac: link.mac,
        admin_up: true,
        carrier: true,
        operstate: OperState::Up,
        kind,
        bond,
        slave,
        master,
        ..LinkState::default()
    }
}
