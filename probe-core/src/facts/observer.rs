//! Looks at every packet once.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;

use super::dialogue::{Ask, Dialogue};
use super::frame::{Says, read};
use super::way::Way;
use super::{Facts, LacpduFact, Mark, RepeatMarks};
use crate::direction::Direction;
use crate::frame::describe;
use crate::lacp::{Moments, collapse, moments};
use crate::repeat::RepeatTotal;
use crate::time::{Mono, SECOND};

/// Most targets whose dialogues are kept.
const MOST_DIALOGUES: usize = 512;
/// Most LACPDUs that are kept. Of more, calm runs lose their middle.
const MOST_LACPDUS: usize = 8192;
/// What is so near to what happened stays as long as there is room for it, nanoseconds.
const NEAR: [u64; 3] = [100 * SECOND, 10 * SECOND, 0];
/// Most interfaces.
const MOST_WAYS: usize = 256;

/// A packet of the capture.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Its number in the file, from 1; or [`super::NOT_IN_FILE`].
    pub number: u64,
    /// When it passed.
    pub at: Mono,
    /// Name of the interface.
    pub link: &'a str,
    /// Which way it went.
    pub direction: Direction,
    /// Length of the frame in bytes.
    pub length: u32,
    /// Captured bytes, from the destination address on, VLAN tags in place.
    pub bytes: &'a [u8],
}

/// A repeated frame that is to be found in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Name of the interface.
    pub link: String,
    /// Which way.
    pub direction: Direction,
    /// Length of the frame.
    pub length: u32,
    /// Its first bytes.
    pub bytes: Vec<u8>,
}

impl From<&RepeatTotal> for Wanted {
    fn from(repeat: &RepeatTotal) -> Self {
        let last = &repeat.last;
        Self { link: last.link.name.clone(), direction: last.direction, length: last.length, bytes: last.bytes.clone() }
    }
}

/// Gathers [`Facts`], in bounded memory.
#[derive(Debug, Default)]
pub struct Observer {
    facts: Facts,
    wanted: Vec<Wanted>,
    lacpdus: VecDeque<LacpduFact>,
    dialogues: BTreeMap<(Ask, Option<u16>, IpAddr), Dialogue>,
    /// Few: a list is fastest.
    ways: Vec<Way>,
}

impl Observer {
    /// Looks for these repeats besides.
    pub fn new(wanted: Vec<Wanted>) -> Self {
        let facts = Facts { repeats: vec![RepeatMarks::default(); wanted.len()], ..Facts::default() };
        Self { facts, wanted, ..Self::default() }
    }

    /// Takes the next packet of the file.
    pub fn take(&mut self, seen: &Seen<'_>) {
        self.facts.packets += 1;
        let Some(way) = self.way(seen) else {
            self.facts.left_out += 1;
            return;
        };
        let name = self.ways.get(way).map(|way| Arc::clone(&way.link)).unwrap_or_default();
        let mark = || Mark { number: seen.number, at: seen.at, link: Arc::clone(&name) };
        self.find_repeat(seen, mark);
        let Some(frame) = read(seen.bytes, seen.length) else {
            // What was cut so short says nothing.
            self.facts.malformed += u64::from(seen.bytes.len() as u64 >= u64::from(seen.length));
            return;
        };
        self.facts.malformed += u64::from(frame.says == Says::Broken);
        if let Some(way) = self.ways.get_mut(way) {
            let full = way.take(seen.number, seen.at, &frame.says, || describe(seen.bytes, seen.length));
            if full {
                self.facts.left_out += way.make_room(&happened(&mut self.lacpdus, &self.facts));
            }
        }
        match (frame.says, seen.direction) {
            (Says::Lacp(pdu), direction) => {
                self.lacpdus.push_back(LacpduFact { mark: mark(), direction, pdu: *pdu, unlisted: 0 });
                if self.lacpdus.len() > MOST_LACPDUS {
                    self.make_room();
                }
            }
            (Says::Asks(ask, target), Direction::Egress) => self.exchange((ask, frame.vlan, target), mark(), false),
            (Says::Answers(ask, who), Direction::Ingress) => self.exchange((ask, frame.vlan, who), mark(), true),
            _ => {}
        }
    }

    /// What was gathered.
    pub fn finish(self) -> Facts {
        Facts { lacpdus: self.lacpdus.into(), dialogues: self.dialogues.into_values().collect(), ways: self.ways, ..self.facts }
    }

    fn find_repeat(&mut self, seen: &Seen<'_>, mark: impl Fn() -> Mark) {
        let same = |wanted: &Wanted| {
            let common = wanted.bytes.len().min(seen.bytes.len());
            wanted.length == seen.length
                && wanted.direction == seen.direction
                && wanted.link == seen.link
                && common > 0
                && wanted.bytes.get(..common) == seen.bytes.get(..common)
        };
        let Some(marks) = self.wanted.iter().position(same).and_then(|place| self.facts.repeats.get_mut(place)) else { return };
        marks.copies += 1;
        marks.last = Some(mark());
        marks.first.get_or_insert_with(mark);
    }

    /// Place of the packet's way, which is made where there is room.
    fn way(&mut self, seen: &Seen<'_>) -> Option<usize> {
        let known = self.ways.iter().position(|way| way.direction == seen.direction && *way.link == *seen.link);
        known.or_else(|| {
            let fits = self.ways.len() < MOST_WAYS;
            fits.then(|| {
                self.ways.push(Way::new(seen.link, seen.direction));
                self.ways.len() - 1
            })
        })
    }

    fn exchange(&mut self, key: (Ask, Option<u16>, IpAddr), mark: Mark, answer: bool) {
        if self.dialogues.len() >= MOST_DIALOGUES && !self.dialogues.contains_key(&key) {
            // Who was asked once and never answered tells least: scans ask so.
            let least = self.dialogues.iter().find(|(_, dialogue)| dialogue.answered == 0 && dialogue.exchanges.len() < 2);
            self.facts.left_out += 1;
            let Some(least) = least.map(|(&key, _)| key) else { return };
            self.dialogues.remove(&least);
        }
        // Answers to questions that nobody here asked tell nothing.
        if answer && !self.dialogues.contains_key(&key) {
            return;
        }
        let (ask, vlan, target) = key;
        let dialogue = self.dialogues.entry(key).or_insert_with(|| Dialogue::new(ask, vlan, target));
        let full = dialogue.take(mark, answer);
        if full {
            self.facts.left_out += dialogue.make_room(&happened(&mut self.lacpdus, &self.facts));
        }
    }

    /// Makes room for more LACPDUs.
    fn make_room(&mut self) {
        let room = MOST_LACPDUS - MOST_LACPDUS / 8;
        let moments = happened(&mut self.lacpdus, &self.facts);
        for ns in NEAR {
            if self.lacpdus.len() > room {
                collapse(&mut self.lacpdus, &moments, ns);
            }
        }
        let oldest = self.lacpdus.len().saturating_sub(room);
        self.lacpdus.drain(..oldest);
        self.facts.left_out += oldest as u64;
    }
}

/// When something happened, as far as it is known by now: what LACP's ends say changed or was late, repeats began or ended.
fn happened(lacpdus: &mut VecDeque<LacpduFact>, facts: &Facts) -> Moments {
    let repeats = facts.repeats.iter().flat_map(|marks| [&marks.first, &marks.last]).flatten().map(|mark| mark.at);
    moments(lacpdus).iter().chain(repeats).collect()
}

/// Frames for tests.
#[cfg(test)]
pub(crate) mod frames {
    use crate::lacp::{Lacpdu, PortInfo};

    pub fn ethernet(ethertype: u16, vlan: Option<u16>, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![0, 0, 0x0c, 0x9f, 0xf0, 1, 2, 0, 0, 0, 0, 1];
        if let Some(vlan) = vlan {
            frame.extend_from_slice(&[0x81, 0]);
            frame.extend_from_slice(&vlan.to_be_bytes());
        }
        frame.extend_from_slice(&ethertype.to_be_bytes());
        frame.extend_from_slice(payload);
        frame.resize(frame.len().max(60), 0);
        frame
    }

    /// ARP: operation, sender, target.
    pub fn arp(operation: u8, sender: [u8; 4], target: [u8; 4], vlan: Option<u16>) -> Vec<u8> {
        let mut payload = vec![0, 1, 8, 0, 6, 4, 0, operation, 2, 0, 0, 0, 0, 1];
        payload.extend_from_slice(&sender);
        payload.extend_from_slice(&[0; 6]);
        payload.extend_from_slice(&target);
        ethernet(0x0806, vlan, &payload)
    }

    fn ipv4(protocol: u8, source: [u8; 4], destination: [u8; 4], inner: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x45, 0, 0, 40, 0, 0, 0, 0, 64, protocol, 0, 0];
        packet.extend_from_slice(&source);
        packet.extend_from_slice(&destination);
        packet.extend_from_slice(inner);
        packet
    }

    /// ICMP of a type: 8 asks, 0 answers.
    pub fn echo(kind: u8, source: [u8; 4], destination: [u8; 4]) -> Vec<u8> {
        ethernet(0x0800, None, &ipv4(1, source, destination, &[kind, 0, 0, 0, 0, 1, 0, 1]))
    }

    pub fn hsrp(source: [u8; 4]) -> Vec<u8> {
        ethernet(0x0800, None, &ipv4(17, source, [224, 0, 0, 102], &[7, 0xc1, 7, 0xc1, 0, 16, 0, 0, 1, 40, 2, 0, 6, 4, 0, 1]))
    }

    /// A TCP segment without data.
    pub fn tcp(source: ([u8; 4], u16), destination: ([u8; 4], u16), vlan: Option<u16>) -> Vec<u8> {
        let mut segment = source.1.to_be_bytes().to_vec();
        segment.extend_from_slice(&destination.1.to_be_bytes());
        segment.extend_from_slice(&[0, 0, 0x2d, 0x7e, 0, 0, 0x0c, 0x46, 0x50, 0x10, 0, 0, 0, 0, 0, 0]);
        ethernet(0x0800, vlan, &ipv4(6, source.0, destination.0, &segment))
    }

    pub fn lacp(pdu: &Lacpdu) -> Vec<u8> {
        let mut payload = vec![1, 1];
        for (kind, port) in [(1, &pdu.actor), (2, &pdu.partner)] {
            payload.extend_from_slice(&[kind, 20]);
            payload.extend_from_slice(&tlv(port));
        }
        payload.extend_from_slice(&[3, 16]);
        payload.resize(110, 0);
        let mut frame = ethernet(0x8809, None, &payload);
        frame[..6].copy_from_slice(&[1, 0x80, 0xc2, 0, 0, 2]);
        frame
    }

    fn tlv(port: &PortInfo) -> Vec<u8> {
        let mut bytes = port.system_priority.to_be_bytes().to_vec();
        bytes.extend_from_slice(&port.system);
        for word in [port.key, port.port_priority, port.port] {
            bytes.extend_from_slice(&word.to_be_bytes());
        }
        bytes.extend_from_slice(&[port.state.0, 0, 0, 0]);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lacp::{Lacpdu, PortInfo, PortState};
    use crate::samples::{Random, at};

    fn take(observer: &mut Observer, number: u64, ms: u64, direction: Direction, bytes: &[u8]) {
        observer.take(&Seen { number, at: at(ms), link: "eth1", direction, length: bytes.len() as u32, bytes });
    }

    #[test]
    fn what_is_asked_and_answered_has_its_numbers() {
        let mut observer = Observer::new(Vec::new());
        take(&mut observer, 1, 0, Direction::Egress, &frames::arp(1, [10, 0, 0, 2], [10, 0, 0, 1], None));
        take(&mut observer, 2, 1, Direction::Ingress, &frames::arp(2, [10, 0, 0, 1], [10, 0, 0, 2], None));
        take(&mut observer, 3, 2, Direction::Ingress, &frames::arp(2, [10, 0, 0, 9], [10, 0, 0, 8], None));
        take(&mut observer, 4, 9000, Direction::Egress, &frames::arp(1, [10, 0, 0, 2], [10, 0, 0, 1], None));
        let facts = observer.finish();
        assert_eq!(facts.dialogues.len(), 1, "an answer to somebody else is no dialogue");
        let silences = facts.dialogues[0].silences(at(20_000));
        assert_eq!((silences.len(), silences[0].first.number), (1, 4));
        assert_eq!(facts.way("eth1", Direction::Ingress).map(|way| way.packets), Some(2));
    }

    #[test]
    fn lacpdus_are_read_and_broken_ones_counted() {
        let pdu = Lacpdu { actor: PortInfo { key: 7, state: PortState(61), ..PortInfo::default() }, ..Lacpdu::default() };
        let bytes = frames::lacp(&pdu);
        let mut observer = Observer::new(Vec::new());
        take(&mut observer, 1, 0, Direction::Ingress, &bytes);
        take(&mut observer, 2, 1, Direction::Ingress, &bytes[..40]);
        let facts = observer.finish();
        assert_eq!((facts.lacpdus.len(), facts.lacpdus[0].pdu, facts.malformed), (1, pdu, 1));
    }

    #[test]
    fn a_repeat_is_found_by_its_first_bytes_where_it_passed() {
        let bytes = frames::tcp(([172, 20, 18, 40], 61730), ([10, 100, 200, 143], 1434), Some(956));
        let wanted = Wanted { link: "eth1".to_owned(), direction: Direction::Egress, length: 60, bytes: bytes[..40].to_vec() };
        let mut observer = Observer::new(vec![wanted]);
        for (number, direction) in [(5, Direction::Ingress), (6, Direction::Egress), (9, Direction::Egress)] {
            observer.take(&Seen { number, at: at(number), link: "eth1", direction, length: 60, bytes: &bytes });
        }
        let facts = observer.finish();
        let marks = &facts.repeats[0];
        assert_eq!((marks.first.as_ref().map(|m| m.number), marks.last.as_ref().map(|m| m.number)), (Some(6), Some(9)));
        assert_eq!(marks.copies, 2);
    }

    #[test]
    fn the_best_packet_of_a_time_is_a_hello() {
        let mut observer = Observer::new(Vec::new());
        let pdu = Lacpdu::default();
        take(&mut observer, 1, 0, Direction::Ingress, &frames::lacp(&pdu));
        take(&mut observer, 2, 1500, Direction::Ingress, &frames::hsrp([10, 100, 100, 66]));
        take(&mut observer, 3, 2500, Direction::Ingress, &frames::lacp(&pdu));
        let facts = observer.finish();
        let way = facts.way("eth1", Direction::Ingress).expect("a way");
        let best = way.best_within(at(0), at(10_000)).expect("a packet");
        assert_eq!((best.best.number, best.text.as_str()), (2, "HSRPv2 hello of 10.100.100.66, group 1"));
        assert_eq!(way.count_within(at(0), at(10_000)), (3, 1));
        assert_eq!(way.count_within(at(2000), at(10_000)), (1, 0));
    }

    #[test]
    fn a_scan_of_addresses_does_not_push_out_who_answers() {
        let mut random = Random(3);
        let mut observer = Observer::new(Vec::new());
        take(&mut observer, 1, 0, Direction::Egress, &frames::arp(1, [10, 0, 0, 2], [10, 0, 0, 1], None));
        take(&mut observer, 2, 1, Direction::Ingress, &frames::arp(2, [10, 0, 0, 1], [10, 0, 0, 2], None));
        for number in 3..5000 {
            let target = [10, 9, random.byte(), random.byte()];
            take(&mut observer, number, number, Direction::Egress, &frames::arp(1, [10, 0, 0, 2], target, None));
        }
        let facts = observer.finish();
        assert!(facts.dialogues.len() <= MOST_DIALOGUES && facts.left_out > 0);
        assert!(facts.dialogues.iter().any(|dialogue| dialogue.answered == 1));
    }
}
