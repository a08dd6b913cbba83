//! Which links are bonds, and whose slaves the others are.

use std::collections::BTreeSet;

use super::super::MOST_LINKS;
use super::super::scout::{End, Evidence};
use super::{LacpOf, Local, Planned, Role};

pub(super) fn links(found: &[Evidence], said: &[(String, Vec<String>)], local: &Local, notes: &mut Vec<String>) -> Vec<Planned> {
    let mut links = Links {
        planned: (1..).zip(found).map(|(ifindex, link)| planned(ifindex, link, local)).collect(),
        ends: found.iter().map(|link| our_ends(link, local)).collect(),
    };
    if said.is_empty() {
        links.infer(notes);
    } else {
        said.iter().for_each(|(bond, slaves)| links.assign(bond, slaves, notes));
    }
    links.ports();
    links.planned
}

struct Links {
    planned: Vec<Planned>,
    /// Of each link with packets: our end in its LACPDUs.
    ends: Vec<BTreeSet<End>>,
}

fn planned(ifindex: u32, link: &Evidence, local: &Local) -> Planned {
    let busiest = link.addresses.iter().filter(|(mac, _)| local.is_mac(**mac)).max_by_key(|(_, address)| address.sent);
    let sender = link.ends.iter().map(|ends| ends.source).find(|mac| local.is_mac(*mac));
    let mac = if link.mac == [0; 6] { busiest.map(|(mac, _)| *mac).or(sender).unwrap_or_default() } else { link.mac };
    Planned { name: link.name.clone(), ifindex, mac, seen: true, ..Planned::default() }
}

/// Our end, as either end's LACPDUs describe it. A partner that has heard nothing says port 0.
fn our_ends(link: &Evidence, local: &Local) -> BTreeSet<End> {
    let both = link.ends.iter().flat_map(|ends| [ends.actor, ends.partner]);
    both.filter(|end| local.is_system(end.system) && end.port != 0).collect()
}

impl Links {
    fn has_lacp(&self, at: usize) -> bool {
        self.ends.get(at).is_some_and(|ends| !ends.is_empty())
    }

    /// A bond of this name: the link that has it, or one without packets.
    fn bond(&mut self, name: &str) -> u32 {
        if let Some(link) = self.planned.iter_mut().find(|link| link.name == name) {
            link.role = Role::Bond;
            return link.ifindex;
        }
        self.add(name.to_owned(), Role::Bond)
    }

    fn add(&mut self, name: String, role: Role) -> u32 {
        let ifindex = self.planned.len() as u32 + 1;
        self.planned.push(Planned { name, ifindex, role, ..Planned::default() });
        ifindex
    }

    /// A bond as the user says.
    fn assign(&mut self, bond: &str, slaves: &[String], notes: &mut Vec<String>) {
        let master = self.bond(bond);
        for slave in slaves {
            match self.planned.iter_mut().find(|link| link.name == *slave) {
                Some(link) => link.role = Role::Slave(master),
                None => notes.push(format!("{bond}: no file is of its slave {slave}.")),
            }
        }
        if slaves.is_empty() {
            for at in 0..self.planned.len() {
                if self.has_lacp(at) && self.planned[at].role == Role::Plain {
                    self.planned[at].role = Role::Slave(master);
                }
            }
        }
    }

    /// Bonds are the links whose LACPDUs are of several ports, and those that are called so; the others with LACPDUs are slaves.
    fn infer(&mut self, notes: &mut Vec<String>) {
        if !self.ends.iter().any(|ends| !ends.is_empty()) {
            return;
        }
        let ports = |ends: &BTreeSet<End>| ends.iter().map(|end| end.port).collect::<BTreeSet<u16>>().len();
        let called = |name: &str| !name.contains('.') && ["bond", "team", "lag"].iter().any(|word| name.contains(word));
        let bonds: Vec<usize> =
            (0..self.ends.len()).filter(|at| ports(&self.ends[*at]) > 1 || called(&self.planned[*at].name)).collect();
        for at in &bonds {
            self.planned[*at].role = Role::Bond;
        }
        for at in 0..self.ends.len() {
            if self.has_lacp(at) && !bonds.contains(&at) {
                let master = self.master_of(at, &bonds);
                self.planned[at].role = Role::Slave(master);
            }
        }
        for bond in self.planned.iter().filter(|link| link.role == Role::Bond) {
            let slaves = self.planned.iter().filter(|link| link.role == Role::Slave(bond.ifindex));
            let names: Vec<&str> = slaves.map(|link| link.name.as_str()).collect();
            if !names.is_empty() {
                notes.push(format!("{} was taken for a bond of {}: --bond decides.", bond.name, names.join(", ")));
            }
        }
    }

    /// The bond of a slave: the one with the same system and key in its LACPDUs, or the same address, or the only one; else one
    /// without packets.
    fn master_of(&mut self, slave: usize, bonds: &[usize]) -> u32 {
        let ours: Vec<End> = self.ends[slave].iter().copied().collect();
        let same_key =
            |at: &&usize| self.ends[**at].iter().any(|end| ours.iter().any(|own| (own.system, own.key) == (end.system, end.key)));
        let same_mac = |at: &&usize| ours.iter().any(|own| own.system == self.planned[**at].mac);
        let only = || bonds.first().filter(|_| bonds.len() == 1);
        if let Some(at) = bonds.iter().find(same_key).or_else(|| bonds.iter().find(same_mac)).or_else(only) {
            return self.planned[*at].ifindex;
        }
        // Slaves of one system and key belong together.
        let fellow = (0..slave)
            .find(|at| self.ends[*at].iter().any(|end| ours.iter().any(|own| (own.system, own.key) == (end.system, end.key))));
        if let Some(Role::Slave(master)) = fellow.map(|at| self.planned[at].role) {
            return master;
        }
        let number = self.planned.iter().filter(|link| link.role == Role::Bond).count();
        let name = if number == 0 { "bond".to_owned() } else { format!("bond-{}", number + 1) };
        self.add(name, Role::Bond)
    }

    /// Where LACPDUs were captured at a bond alone, its slaves are known by the numbers of our ports.
    fn ports(&mut self) {
        for at in 0..self.ends.len() {
            let Planned { role, ifindex: bond, name, .. } = self.planned[at].clone();
            if role != Role::Bond || !self.has_lacp(at) {
                continue;
            }
            if self.planned.iter().any(|link| link.role == Role::Slave(bond)) {
                self.planned[at].lacp = LacpOf::Others;
                continue;
            }
            let room = (2 * MOST_LINKS).saturating_sub(self.planned.len());
            let ports: BTreeSet<u16> = self.ends[at].iter().map(|end| end.port).take(room).collect();
            let slaves = ports.into_iter().map(|port| (port, self.add(format!("{name}/port{port}"), Role::Slave(bond))));
            self.planned[at].lacp = LacpOf::Ports(slaves.collect());
        }
    }
}
