//! Which bond a link belongs to, also when it has just left it.

use std::collections::BTreeMap;

use crate::table::{LinkTable, Role};
use crate::timeline::{Entry, LinkName, What};

/// Links that are remembered at most.
const MOST: usize = 1024;

/// What a link is to a bond.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Name of the bond: its master, or itself.
    pub bond: Option<String>,
    /// Its own name, when it is a slave.
    pub slave: Option<String>,
}

/// Remembers what links were: one that is gone, or was taken out, still belongs to its bond's story.
#[derive(Clone, Debug, Default)]
pub struct Places {
    known: BTreeMap<String, Place>,
}

impl Places {
    /// The place of an entry's link.
    pub fn of_entry(&mut self, table: &LinkTable, entry: &Entry) -> Place {
        let Some(link) = &entry.link else { return Place::default() };
        let now = self.of(table, link);
        match &entry.what {
            What::Master { from: Some(bond), to: None } => {
                let left = Place { bond: Some(bond.clone()), slave: Some(link.name.clone()) };
                self.remember(&link.name, &left);
                left
            }
            _ => now,
        }
    }

    /// The place of a link: as it is watched now; else as it was watched last.
    pub fn of(&mut self, table: &LinkTable, link: &LinkName) -> Place {
        let place = match table.role(link.ifindex) {
            Some(Role::Bond) => Place { bond: Some(link.name.clone()), slave: None },
            Some(Role::Slave { master }) => Place { bond: Some(table.name_of(master)), slave: Some(link.name.clone()) },
            Some(Role::Plain) => Place::default(),
            None => return self.known.get(&link.name).cloned().unwrap_or_default(),
        };
        self.remember(&link.name, &place);
        place
    }

    /// The place of a link that is known by its name alone, as it was watched last.
    pub fn named(&self, name: &str) -> Place {
        self.known.get(name).cloned().unwrap_or_default()
    }

    fn remember(&mut self, name: &str, place: &Place) {
        if self.known.get(name) == Some(place) {
            return;
        }
        if self.known.len() >= MOST {
            self.known.pop_first();
        }
        self.known.insert(name.to_owned(), place.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{at, links, watched};
    use crate::time::Mono;
    use crate::timeline::Source;

    fn table() -> LinkTable {
        let mut table = LinkTable::new(watched());
        table.start(at(0), links());
        table
    }

    fn name(ifindex: u32, name: &str) -> LinkName {
        LinkName { ifindex, name: name.to_owned() }
    }

    #[test]
    fn a_slave_belongs_to_its_bond_and_a_bond_to_itself() {
        let (mut places, table) = (Places::default(), table());
        let bond = Some("bond0".to_owned());
        assert_eq!(places.of(&table, &name(1, "eth1")), Place { bond: bond.clone(), slave: Some("eth1".to_owned()) });
        assert_eq!(places.of(&table, &name(10, "bond0")), Place { bond, slave: None });
        assert_eq!(places.of(&table, &name(4, "mgmt")), Place::default());
    }

    #[test]
    fn a_slave_that_left_or_is_gone_still_has_the_place_that_it_had() {
        let (mut places, mut table) = (Places::default(), table());
        let was = places.of(&table, &name(1, "eth1"));
        let gone = table.remove(at(1), Source::Netlink, 1);
        assert_eq!(places.of_entry(&table, &gone[0]), was);
        assert_eq!(places.named("eth1"), was);
        let what = What::Master { from: Some("bond0".to_owned()), to: None };
        let left = Entry { at: Mono(2), link: Some(name(77, "eth9")), source: Source::Netlink, what };
        assert_eq!(places.of_entry(&table, &left).bond.as_deref(), Some("bond0"), "never seen before");
        assert_eq!(places.named("eth9").slave.as_deref(), Some("eth9"));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut places = Places::default();
        for number in 0..3 * MOST {
            places.remember(&format!("eth{number}"), &Place { bond: None, slave: Some("x".to_owned()) });
        }
        assert_eq!(places.known.len(), MOST);
    }
}
