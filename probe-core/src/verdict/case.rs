//! An incident, laid out for the rules: which slaves are whose, what happened to each link, what its LACPDUs say.

use std::collections::BTreeMap;

use super::lacp::{Talk, talks};
use super::life::{Life, of_link};
use super::{Evidence, Severity};
use crate::direction::Direction;
use crate::facts::{Facts, Heard, Mark, NOT_IN_FILE};
use crate::incident::Incident;
use crate::link::LinkState;
use crate::time::Mono;
use crate::timeline::{Entry, LinkName, What};

/// A bond of the incident.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bond {
    /// Itself.
    pub link: LinkName,
    /// 802.3ad, active-backup…; empty where it is not known.
    pub mode: String,
    /// Names of all that were its slaves at some time of the window.
    pub slaves: Vec<String>,
}

impl Bond {
    /// True for 802.3ad.
    pub fn has_lacp(&self) -> bool {
        self.mode == "802.3ad"
    }
}

/// What the rules see.
#[derive(Debug)]
pub struct Case<'a> {
    /// The incident.
    pub incident: &'a Incident,
    /// What its packets say.
    pub facts: &'a Facts,
    /// Its bonds.
    pub bonds: Vec<Bond>,
    lives: BTreeMap<&'a str, Life<'a>>,
    talks: BTreeMap<String, Talk<'a>>,
}

impl<'a> Case<'a> {
    /// Lays an incident out.
    pub fn new(incident: &'a Incident, facts: &'a Facts) -> Self {
        let named = incident.timeline.iter().filter_map(|entry| entry.link.as_ref()).map(|link| link.name.as_str());
        let links = incident.links_before.iter().chain(&incident.links_after).map(|link| link.name.as_str());
        let lives = named.chain(links).map(|name| (name, Life::of(incident, name))).collect();
        let bonds = bonds(incident);
        let talks = talks(incident, facts, &bonds);
        Self { incident, facts, bonds, lives, talks }
    }

    /// Whether anybody told of carriers: captures do not.
    pub fn knows_carriers(&self) -> bool {
        !self.incident.is_from_captures()
    }

    /// Behind what broke, where it is known that the carrier stayed.
    pub fn with_the_carrier_up(&self) -> &'static str {
        if self.knows_carriers() { ", with the carrier up" } else { "" }
    }

    /// Names of all links that anything is known of, with what happened to them.
    pub fn lives(&self) -> impl Iterator<Item = (&'a str, &Life<'a>)> {
        self.lives.iter().map(|(&name, life)| (name, life))
    }

    /// What happened to a link; `None` where nothing is known of it.
    pub fn life(&self, name: &str) -> Option<&Life<'a>> {
        self.lives.get(name)
    }

    /// Every link with LACPDUs.
    pub fn talks(&self) -> impl Iterator<Item = (&str, &Talk<'a>)> {
        self.talks.iter().map(|(name, talk)| (name.as_str(), talk))
    }

    /// What the LACPDUs of a link say; `None` where there are none, nor any state.
    pub fn talk(&self, name: &str) -> Option<&Talk<'a>> {
        self.talks.get(name)
    }

    /// The bond of this name.
    pub fn bond(&self, name: &str) -> Option<&Bond> {
        self.bonds.iter().find(|bond| bond.link.name == name)
    }

    /// The bond that a link is, or is a slave of.
    pub fn bond_of(&self, name: &str) -> Option<&Bond> {
        self.bond(name).or_else(|| self.bonds.iter().find(|bond| bond.slaves.iter().any(|slave| slave == name)))
    }

    /// What a link stands and falls with: the name of its bond, also through a VLAN on it, or its own.
    pub fn scope(&self, name: &str) -> String {
        if let Some(bond) = self.bond_of(name) {
            return bond.link.name.clone();
        }
        let links = || self.incident.links_before.iter().chain(&self.incident.links_after);
        let lower = links().find(|link| link.name == name).and_then(|link| link.lower);
        let below = lower.and_then(|index| links().find(|link| link.ifindex == index));
        let by_index = below.and_then(|link| self.bond_of(&link.name));
        // `bond0.956` names its bond where the kernel's word is not there.
        let by_name = || name.split_once('.').and_then(|(parent, _)| self.bond_of(parent));
        by_index.or_else(by_name).map_or_else(|| name.to_owned(), |bond| bond.link.name.clone())
    }

    /// Whether a link is a slave of a bond.
    pub fn is_slave(&self, name: &str) -> bool {
        self.bonds.iter().any(|bond| bond.slaves.iter().any(|slave| slave == name))
    }

    /// A link's name with its index.
    pub fn link(&self, name: &str) -> LinkName {
        let links = self.incident.links_before.iter().chain(&self.incident.links_after);
        let ifindex = links.clone().find(|link| link.name == name).map(|link| link.ifindex);
        let in_timeline = || of_link(self.incident, name).find_map(|entry| entry.link.as_ref()).map(|link| link.ifindex);
        LinkName { ifindex: ifindex.or_else(in_timeline).unwrap_or(0), name: name.to_owned() }
    }

    /// The link before and after, as far as it was there.
    pub fn before_and_after(&self, name: &str) -> (Option<&'a LinkState>, Option<&'a LinkState>) {
        let find = |links: &'a [LinkState]| links.iter().find(|link| link.name == name);
        (find(&self.incident.links_before), find(&self.incident.links_after))
    }

    /// True when a slave passes traffic both ways at `at`, as far as is known.
    pub fn works(&self, slave: &str, at: Mono) -> bool {
        self.life(slave).is_none_or(|life| life.is_up(at)) && self.talk(slave).is_none_or(|talk| talk.works(at))
    }

    /// How bad it is that a link does not work from `at` on: critical where nothing is left that does.
    pub fn severity_of_loss(&self, name: &str, at: Mono) -> Severity {
        let Some(bond) = self.bond_of(name).filter(|bond| bond.link.name != name) else { return Severity::Critical };
        let left = bond.slaves.iter().any(|slave| slave != name && self.works(slave, at));
        if left { Severity::Warning } else { Severity::Critical }
    }

    /// What was received in a scope between two times and tells most that receiving works: not at the bond alone.
    pub fn heard(&self, scope: &str, from: Mono, to: Mono) -> Option<&'a Heard> {
        let names = self
            .bond(scope)
            .map_or_else(|| vec![scope.to_owned()], |bond| bond.slaves.iter().chain([&bond.link.name]).cloned().collect());
        let ways = names.iter().filter_map(|name| self.facts.way(name, Direction::Ingress));
        let heard: Vec<&Heard> = ways.filter_map(|way| way.best_within(from, to)).collect();
        heard.into_iter().max_by_key(|heard| (heard.rank(), std::cmp::Reverse(heard.best.at)))
    }

    /// Entries of the timeline in a scope, those of no link included.
    pub fn entries<'s>(&'s self, scope: &'s str) -> impl Iterator<Item = &'a Entry> + 's {
        let timeline: &'a [Entry] = &self.incident.timeline;
        timeline.iter().filter(move |entry| entry.link.as_ref().is_none_or(|link| self.scope(&link.name) == scope))
    }

    /// True when nothing but `linkprobe trigger` opened the incident.
    pub fn is_manual(&self) -> bool {
        self.incident.triggers.iter().all(|trigger| trigger.kind == "manual")
    }
}

/// An entry as evidence.
pub fn entry(entry: &Entry) -> Evidence {
    Evidence::Entry { at: entry.at, text: entry.describe() }
}

/// A packet as evidence; one that is not in the file is told without a number.
pub fn packet(mark: &Mark, text: impl Into<String>) -> Evidence {
    if mark.number == NOT_IN_FILE {
        return Evidence::Entry { at: mark.at, text: format!("{} (a packet that the filter left out)", text.into()) };
    }
    Evidence::Packet { number: mark.number, at: mark.at, text: text.into() }
}

/// A fact as evidence.
pub fn fact(text: impl Into<String>) -> Evidence {
    Evidence::Fact { text: text.into() }
}

/// A count as evidence.
pub fn counter(name: impl Into<String>, value: u64) -> Evidence {
    Evidence::Counter { name: name.into(), value }
}

fn bonds(incident: &Incident) -> Vec<Bond> {
    let links = || incident.links_before.iter().chain(&incident.links_after);
    let mut bonds: Vec<Bond> = Vec::new();
    for link in links() {
        let Some(state) = &link.bond else { continue };
        if bonds.iter().any(|bond| bond.link.name == link.name) {
            continue;
        }
        let itself = LinkName { ifindex: link.ifindex, name: link.name.clone() };
        bonds.push(Bond { link: itself, mode: state.mode.clone(), slaves: Vec::new() });
    }
    for bond in &mut bonds {
        let by_index = links().filter(|link| link.master == Some(bond.link.ifindex)).map(|link| link.name.as_str());
        let by_name = incident.timeline.iter().filter_map(|entry| match &entry.what {
            What::Master { from, to } => {
                let named = [from, to].into_iter().flatten().any(|master| *master == bond.link.name);
                entry.link.as_ref().filter(|_| named).map(|link| link.name.as_str())
            }
            _ => None,
        });
        let mut slaves: Vec<String> = by_index.chain(by_name).map(str::to_owned).collect();
        slaves.sort();
        slaves.dedup();
        bond.slaves = slaves;
    }
    bonds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_that_is_not_in_the_file_is_told_without_a_number() {
        let mark = |number| Mark { number, at: Mono(7), link: "eth1".into() };
        assert_eq!(packet(&mark(4), "a hello"), Evidence::Packet { number: 4, at: Mono(7), text: "a hello".to_owned() });
        let text = "a hello (a packet that the filter left out)".to_owned();
        assert_eq!(packet(&mark(NOT_IN_FILE), "a hello"), Evidence::Entry { at: Mono(7), text });
    }
}
