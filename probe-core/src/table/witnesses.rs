//! Random flips of a carrier, told by edges that get lost or come late and by messages that share flips or come late: whatever
//! the two witnesses say, every flip must be told exactly once.

use std::collections::VecDeque;

use super::*;
use crate::samples::{Random, at, link, links, watched};

/// A carrier, as the kernel has it, and what is under way from it.
struct Kernel {
    state: LinkState,
    ms: u64,
    edges: VecDeque<(Mono, bool)>,
    messages: VecDeque<LinkState>,
}

/// What the table told.
#[derive(Debug, Default, PartialEq)]
struct Told {
    ups: u32,
    downs: u32,
}

impl Kernel {
    fn flip(&mut self, edge_is_lost: bool) {
        self.ms += 1;
        self.state.carrier = !self.state.carrier;
        if self.state.carrier {
            self.state.carrier_up_count += 1;
        } else {
            self.state.carrier_down_count += 1;
        }
        if !edge_is_lost {
            self.edges.push_back((at(self.ms), self.state.carrier));
        }
    }
}

impl Told {
    fn add(&mut self, what: &What) {
        match *what {
            What::Carrier { up, unseen_ups, unseen_downs } => {
                self.ups += unseen_ups + u32::from(up);
                self.downs += unseen_downs + u32::from(!up);
            }
            What::Flaps { ups, downs } => {
                self.ups += ups;
                self.downs += downs;
            }
            _ => {}
        }
    }
}

/// `edges_lost`: one in so many; `edges_late`: whether an edge may come after the message that counts it.
fn every_flip_is_told_once(seed: u64, edges_lost: usize, edges_late: bool) {
    let mut random = Random(seed);
    let mut table = LinkTable::new(watched());
    table.start(at(0), links());
    let mut kernel = Kernel { state: link(4, "mgmt"), ms: 0, edges: VecDeque::new(), messages: VecDeque::new() };
    let mut told = Told::default();
    for step in 0..400 {
        let last = step >= 380;
        match random.below(4) {
            0 | 1 if !last => {
                let lost = random.one_in(edges_lost);
                kernel.flip(lost);
            }
            2 if !last => kernel.messages.push_back(kernel.state.clone()),
            _ => {
                kernel.ms += 1;
                let messages = if last { kernel.messages.len() } else { random.below(kernel.messages.len() + 1) };
                if !edges_late || random.one_in(2) {
                    drain(&mut kernel, &mut table, &mut told);
                }
                for message in kernel.messages.drain(..messages) {
                    table.apply(at(kernel.ms), Source::Netlink, message).iter().for_each(|entry| told.add(&entry.what));
                }
                drain(&mut kernel, &mut table, &mut told);
            }
        }
    }
    kernel.ms += 10_000;
    table.apply(at(kernel.ms), Source::Netlink, kernel.state.clone()).iter().for_each(|entry| told.add(&entry.what));
    let truth = Told { ups: kernel.state.carrier_up_count - 1, downs: kernel.state.carrier_down_count - 1 };
    assert_eq!(told, truth, "seed {seed}");
    let known = table.get(4).expect("mgmt");
    assert_eq!(known.flips(), Both { ups: truth.ups, downs: truth.downs }, "seed {seed}");
    assert_eq!(known.state.carrier, kernel.state.carrier, "seed {seed}");
}

fn drain(kernel: &mut Kernel, table: &mut LinkTable, told: &mut Told) {
    for (when, up) in kernel.edges.drain(..) {
        if let EdgeSeen::New(what) = table.edge(when, 4, up) {
            told.add(&what);
        }
    }
}

#[test]
fn every_flip_is_told_once_when_edges_come_first_and_none_is_lost() {
    (1..500).for_each(|seed| every_flip_is_told_once(seed, usize::MAX, false));
}

#[test]
fn every_flip_is_told_once_when_edges_are_lost() {
    (1..500).for_each(|seed| every_flip_is_told_once(seed, 3, false));
}

#[test]
fn every_flip_is_told_once_without_any_edges() {
    (1..500).for_each(|seed| every_flip_is_told_once(seed, 1, false));
}

#[test]
fn every_flip_is_told_once_when_edges_come_late() {
    (1..500).for_each(|seed| every_flip_is_told_once(seed, usize::MAX, true));
}

#[test]
fn every_flip_is_told_once_when_edges_are_lost_and_come_late() {
    (1..500).for_each(|seed| every_flip_is_told_once(seed, 3, true));
}
