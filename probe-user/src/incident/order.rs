//! The one order in which packets and events stand in the file, and the number that Wireshark gives to each.
//!
//! Wireshark counts an event as a frame of its own (seen with 4.0.17). What names a packet by its number, and what writes it, must
//! therefore go the same way: this one. Packets that `--filter` leaves out of the file stand in the order without a number: the verdict
//! looks at them, and nobody can point at them.

use std::collections::BTreeMap;

use probe_common::class;
use probe_core::filter::Filter;
use probe_core::incident::{Incident, TapCounts};
use probe_core::record::Record;
use probe_core::time::{Mono, WallOffset};
use probe_core::timeline::Entry;

use super::capture::Captured;
use super::packets::Packets;
use super::pcapng::journal_stamp;

/// Something that becomes one frame of the file.
#[derive(Debug)]
pub enum Item<'a> {
    /// An entry of the timeline.
    Event(&'a Entry),
    /// A packet.
    Packet(Record<'a>),
}

/// Everything of an incident that becomes a frame, in order.
#[derive(Debug)]
pub struct Order<'a> {
    packets: Packets<'a>,
    /// By packet: the filter leaves it out. Empty without a filter.
    left_out: Vec<bool>,
    /// By their time on the wall clock.
    events: Vec<(u64, &'a Entry)>,
    wall: WallOffset,
    /// The incident's taps, and one made up for each tap id that only the records know.
    pub taps: Vec<TapCounts>,
    /// The filter that chooses among ordinary packets.
    pub filter: Option<&'a Filter>,
    /// Packets that it leaves out, by tap.
    pub filtered: BTreeMap<u16, u64>,
}

impl<'a> Order<'a> {
    /// The entries of the incident's timeline, and the records of its window.
    pub fn new(incident: &'a Incident, captured: &'a Captured, wall: WallOffset, filter: Option<&'a Filter>) -> Self {
        let packets = Packets::in_order(captured, incident.from, incident.to);
        let mut events: Vec<_> = incident.timeline.iter().map(|entry| (wall.wall_ns(entry.at), entry)).collect();
        events.sort_by_key(|(at, _)| *at);
        let taps = all_taps(incident, &packets);
        let mut order = Self { packets, left_out: Vec::new(), events, wall, taps, filter, filtered: BTreeMap::new() };
        if let Some(filter) = filter {
            order.leave_out(incident, filter);
        }
        order
    }

    /// Chunks of the capture that ended with bytes that are no record.
    pub fn damaged(&self) -> u64 {
        self.packets.damaged
    }

    /// Each item of the file with its number, from 1, and its time on the wall clock in nanoseconds since 1970.
    pub fn items(&self) -> impl Iterator<Item = (u64, u64, Item<'a>)> {
        self.all_items().filter_map(|(number, wall_ns, item)| number.map(|number| (number, wall_ns, item)))
    }

    /// The same, and between them the packets that the filter leaves out.
    pub fn all_items(&self) -> impl Iterator<Item = (Option<u64>, u64, Item<'a>)> {
        let mut events = self.events.iter().peekable();
        let mut packets = self.packets.iter().zip(0..).peekable();
        let mut number = 0;
        std::iter::from_fn(move || {
            let next_packet = packets.peek().map(|(record, _)| self.wall.wall_ns(Mono(record.header.at_ns)));
            let before = |&&(at, _): &&(u64, &Entry)| next_packet.is_none_or(|packet| journal_stamp(at) <= packet);
            let (place, at, item) = match events.next_if(before) {
                Some(&(at, entry)) => (None, at, Item::Event(entry)),
                None => packets.next().zip(next_packet).map(|((record, place), at)| (Some(place), at, Item::Packet(record)))?,
            };
            let left_out = place.and_then(|place: usize| self.left_out.get(place)).is_some_and(|left_out| *left_out);
            number += u64::from(!left_out);
            Some(((!left_out).then_some(number), at, item))
        })
    }

    fn leave_out(&mut self, incident: &Incident, filter: &Filter) {
        for record in self.packets.iter() {
            let id = record.header.tap;
            let left_out = !is_wanted(&record, self.taps.iter().find(|tap| tap.tap == id), incident, filter);
            self.left_out.push(left_out);
            if left_out {
                *self.filtered.entry(id).or_default() += 1;
            }
        }
    }
}

/// Control frames and all that is kept of a repeat are wanted whatever the filter says: the verdict points at them.
fn is_wanted(record: &Record<'_>, tap: Option<&TapCounts>, incident: &Incident, filter: &Filter) -> bool {
    let header = &record.header;
    let way = tap.and_then(TapCounts::way);
    class::is_control(header.class)
        || header.copies_log2 > 0
        || filter.takes(record.bytes, header.length, way)
        || tap.zip(way).is_some_and(|(tap, way)| {
            incident.repeats.iter().any(|repeat| repeat.is_of(tap.link.ifindex, way, header.length, record.bytes))
        })
}

fn all_taps(incident: &Incident, packets: &Packets<'_>) -> Vec<TapCounts> {
    let mut taps = incident.taps.clone();
    for &id in &packets.taps {
        if !taps.iter().any(|tap| tap.tap == id) {
            let mut tap = TapCounts { tap: id, ..TapCounts::default() };
            tap.link.name = format!("unknown-tap-{id}");
            taps.push(tap);
        }
    }
    taps
}
