//! The one order in which packets and events stand in the file, and the number that Wireshark gives to each.
//!
//! Wireshark counts an event as a frame of its own (seen with 4.0.17). What names a packet by its number, and what writes it, must
//! therefore go the same way: this one.

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
    /// By their time on the wall clock.
    events: Vec<(u64, &'a Entry)>,
    wall: WallOffset,
    /// The incident's taps, and one made up for each tap id that only the records know.
    pub taps: Vec<TapCounts>,
}

impl<'a> Order<'a> {
    /// The entries of the incident's timeline, and the records of its window.
    pub fn new(incident: &'a Incident, captured: &'a Captured, wall: WallOffset) -> Self {
        let packets = Packets::in_order(captured, incident.from, incident.to);
        let mut events: Vec<_> = incident.timeline.iter().map(|entry| (wall.wall_ns(entry.at), entry)).collect();
        events.sort_by_key(|(at, _)| *at);
        let taps = all_taps(incident, &packets);
        Self { packets, events, wall, taps }
    }

    /// Chunks of the capture that ended with bytes that are no record.
    pub fn damaged(&self) -> u64 {
        self.packets.damaged
    }

    /// Each item with its number, from 1, and its time on the wall clock in nanoseconds since 1970.
    pub fn items(&self) -> impl Iterator<Item = (u64, u64, Item<'a>)> {
        let mut events = self.events.iter().peekable();
        let mut packets = self.packets.iter().peekable();
        let stamped = std::iter::from_fn(move || {
            let next_packet = packets.peek().map(|record| self.wall.wall_ns(Mono(record.header.at_ns)));
            let before = |&&(at, _): &&(u64, &Entry)| next_packet.is_none_or(|packet| journal_stamp(at) <= packet);
            match events.next_if(before) {
                Some(&(at, entry)) => Some((at, Item::Event(entry))),
                None => packets.next().zip(next_packet).map(|(record, at)| (at, Item::Packet(record))),
            }
        });
        (1..).zip(stamped).map(|(number, (wall_ns, item))| (number, wall_ns, item))
    }
}

fn all_taps(incident: &Incident, packets: &Packets<'_>) -> Vec<TapCounts> {
    let mut taps = incident.taps.clone();
    for record in packets.iter() {
        let id = record.header.tap;
        if !taps.iter().any(|tap| tap.tap == id) {
            let mut tap = TapCounts { tap: id, ..TapCounts::default() };
            tap.link.name = format!("unknown-tap-{id}");
            taps.push(tap);
        }
    }
    taps
}
