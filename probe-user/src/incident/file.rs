//! `capture.pcapng`: one interface block per tap, the packets in order of time with the timeline's events between them, statistics.
//!
//! An event is a systemd journal export block: Wireshark and tshark list it as a line of its own whose Info is the event's words
//! (seen with 4.0.17), which a comment on the next packet is not, and it needs no packet to hang on. Its stamp has microseconds, so
//! an event stands before all packets of its microsecond.

use std::collections::BTreeMap;
use std::io::{self, Write};

use probe_common::recorder::NO_QUEUE;
use probe_core::direction::Direction as Way;
use probe_core::filter::Filter;
use probe_core::incident::{Incident, TapCounts};
use probe_core::packet_id::PacketIds;
use probe_core::record::Record;
use probe_core::repeat::RepeatTotal;
use probe_core::time::{Mono, WallOffset};
use probe_core::timeline::Entry;
use serde::Serialize;

use super::capture::Captured;
use super::lost::Lost;
use super::order::{Item, Order};
use super::pcapng::{Direction, Interface, Packet, PcapngWriter, Section, Statistics};
use super::{story, wall, words};

/// What got into the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CaptureSummary {
    /// Packets.
    pub packets: u64,
    /// Captured bytes of them.
    pub captured_bytes: u64,
    /// Bytes of the file.
    pub file_bytes: u64,
    /// By tap: in the order of the interfaces in the file.
    pub taps: Vec<TapCapture>,
    /// Blocks of the recorder that were overwritten before they could be copied: control lane, bulk lane.
    pub overrun_blocks: [u64; 2],
    /// True when `capture-limit` kept packets out of the file.
    pub limited: bool,
    /// Copies of blocks that ended in bytes that are no record. Not 0 is a fault of Linkprobe.
    pub damaged: u64,
    /// The recorder held what is before this no more, in the control lane and in the bulk lane; `None` where it reached back over the
    /// whole window.
    pub complete_from: [Option<Mono>; 2],
    /// False when the recorder was never looked into.
    pub looked: bool,
    /// The filter that chose among ordinary packets.
    pub filter: Option<String>,
}

impl CaptureSummary {
    /// Frames that the filter left out, of all taps.
    pub fn filtered(&self) -> u64 {
        self.taps.iter().map(|tap| tap.filtered).sum()
    }

    /// True when nothing that was recorded in the window is missing: what the taps counted beyond it lies outside the window, because
    /// counters are read about once a second and not at the window's edges.
    pub fn is_whole(&self) -> bool {
        let overrun = self.overrun_blocks.iter().any(|&blocks| blocks > 0);
        self.looked && !self.limited && !overrun && self.damaged == 0 && self.complete_from == [None; 2]
    }

    /// Frames of a tap that are not in the file, whatever the reason but the filter; to within the counters' reading where the capture is not whole.
    pub fn missing(&self, tap: &TapCapture) -> u64 {
        let at_most = tap.counted.saturating_sub(tap.packets.saturating_add(tap.repeats).saturating_add(tap.filtered));
        let known = tap.lost_at_tap.max(tap.limited);
        if self.is_whole() { known } else { at_most.max(known) }
    }
}

/// What got into the file of one tap.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TapCapture {
    /// Tap id.
    pub tap: u16,
    /// Frames that it counted in the window.
    pub counted: u64,
    /// Frames in the file.
    pub packets: u64,
    /// Bytes of those frames on the wire.
    pub bytes: u64,
    /// Packets that they are on the wire.
    pub segments: u64,
    /// Frames that the tap could not record: its program was re-entered, or the bytes could not be read.
    pub lost_at_tap: u64,
    /// Frames that were counted instead of recorded: copies of others, whose number stands with those that were recorded.
    pub repeats: u64,
    /// Frames that were copied, and then left out because of `capture-limit`.
    pub limited: u64,
    /// Frames that the filter left out.
    pub filtered: u64,
}

/// Writes the file, in that order; `snaplen` is the longest that a record's frame can be.
///
/// # Errors
/// Those of `out`.
pub fn write_capture<W: Write>(
    out: W,
    incident: &Incident,
    captured: &Captured,
    order: &Order<'_>,
    wall: WallOffset,
    snaplen: u32,
) -> io::Result<(W, CaptureSummary)> {
    let taps = &order.taps;
    let filter = order.filter.map(Filter::text);
    let os = format!("Linux {}", incident.kernel);
    let comment = match incident.verdict.headline.as_str() {
        "" => words::headline(incident),
        _ => story::comment(&incident.verdict, incident.triggers.first().map_or(incident.from, |first| first.at)),
    };
    let comment = format!("{}: {comment}", incident.id);
    let mut writer = PcapngWriter::new(
        out,
        &Section {
            hardware: std::env::consts::ARCH,
            os: &os,
            application: concat!("Linkprobe ", env!("CARGO_PKG_VERSION")),
            comment: &comment,
        },
    )?;
    for tap in taps {
        writer.interface(&Interface {
            name: &tap.link.name,
            description: &words::tap_name(tap),
            mac: tap.mac,
            speed_bps: tap.speed_bps,
            filter,
            snaplen,
            os: &os,
        })?;
    }
    let mut file = File {
        incident,
        wall,
        ids: PacketIds::default(),
        interfaces: taps.iter().zip(0..).map(|(tap, number)| (tap.tap, number)).collect(),
        drops: drops(captured, incident, taps),
        summary: CaptureSummary {
            taps: taps.iter().map(|tap| tap_capture(tap, captured, incident, order)).collect(),
            overrun_blocks: captured.missed.overrun_blocks,
            limited: captured.limited,
            damaged: order.damaged(),
            complete_from: captured.complete_from,
            looked: captured.looked,
            filter: filter.map(str::to_owned),
            ..CaptureSummary::default()
        },
        taps,
    };
    file.body(&mut writer, order)?;
    file.statistics(&mut writer)?;
    file.summary.file_bytes = writer.written();
    Ok((writer.into_inner()?, file.summary))
}

struct File<'a> {
    incident: &'a Incident,
    wall: WallOffset,
    taps: &'a [TapCounts],
    ids: PacketIds,
    /// Number of the interface by tap id.
    interfaces: BTreeMap<u16, u32>,
    /// By interface: packets that were left out, as (time, how many), the latest first.
    drops: Vec<Vec<(Mono, u64)>>,
    summary: CaptureSummary,
}

impl File<'_> {
    fn body<W: Write>(&mut self, writer: &mut PcapngWriter<W>, order: &Order<'_>) -> io::Result<()> {
        order.items().try_for_each(|(_, wall_ns, item)| match item {
            Item::Event(entry) => self.event(writer, entry, wall_ns),
            Item::Packet(record) => self.packet(writer, &record, wall_ns),
        })
    }

    fn event<W: Write>(&self, writer: &mut PcapngWriter<W>, entry: &Entry, wall_ns: u64) -> io::Result<()> {
        writer.journal(
            wall_ns,
            &[
                ("MESSAGE", &words::line(entry)),
                ("PRIORITY", &words::priority(entry).to_string()),
                ("SYSLOG_IDENTIFIER", "linkprobe"),
                ("_HOSTNAME", &self.incident.host),
            ],
        )
    }

    fn packet<W: Write>(&mut self, writer: &mut PcapngWriter<W>, record: &Record<'_>, wall_ns: u64) -> io::Result<()> {
        let header = &record.header;
        let Some(&interface) = self.interfaces.get(&header.tap) else {
            return Ok(());
        };
        let at = Mono(header.at_ns);
        let index = interface as usize;
        let mut dropped = 0;
        while let Some((_, packets)) = self.drops[index].pop_if(|(time, _)| *time <= at) {
            dropped += packets;
        }
        let comment = self.comment(record, &self.taps[index]);
        writer.packet(&Packet {
            interface,
            wall_ns,
            bytes: record.bytes,
            length: header.length,
            direction: direction(&self.taps[index]),
            queue: (header.queue != NO_QUEUE).then(|| u32::from(header.queue)),
            id: self.ids.id(at, header.tap, header.length, record.bytes),
            dropped,
            comment: comment.as_deref(),
        })?;
        self.summary.packets += 1;
        self.summary.captured_bytes += u64::from(header.captured);
        let tap = &mut self.summary.taps[index];
        tap.packets += 1;
        tap.bytes += u64::from(header.length);
        tap.segments += u64::from(header.segments);
        Ok(())
    }

    fn comment(&self, record: &Record<'_>, tap: &TapCounts) -> Option<String> {
        let header = &record.header;
        if header.copies_log2 == 0 {
            return (header.segments > 1).then(|| format!("{} packets on the wire (segmentation offload)", header.segments));
        }
        let copies = 1u64.checked_shl(header.copies_log2.into()).unwrap_or(u64::MAX);
        let same =
            |total: &&RepeatTotal| tap.way().is_some_and(|way| total.is_of(tap.link.ifindex, way, header.length, record.bytes));
        let first = self.incident.repeats.iter().find(same).map(|total| self.wall.wall_ns(total.last.first_at));
        let since = first.map_or_else(String::new, |ns| format!(" since {}", wall::time_of_day(ns)));
        Some(format!("copy {copies} of this frame at this tap{since}; copies between these are counted, not kept"))
    }

    fn statistics<W: Write>(&self, writer: &mut PcapngWriter<W>) -> io::Result<()> {
        for (tap, interface) in self.summary.taps.iter().zip(0..) {
            let comments = [words::missing(tap, &self.summary), words::filtered(tap, &self.summary)];
            let comment = comments.into_iter().flatten().reduce(|first, second| format!("{first}. {second}"));
            writer.statistics(&Statistics {
                interface,
                start_ns: self.wall.wall_ns(self.incident.from),
                end_ns: self.wall.wall_ns(self.incident.to),
                received: tap.counted,
                accepted: self.summary.filter.as_ref().map(|_| tap.counted.saturating_sub(tap.filtered)),
                dropped_at_tap: tap.lost_at_tap,
                dropped_later: self.summary.missing(tap).saturating_sub(tap.lost_at_tap),
                delivered: tap.packets,
                comment: comment.as_deref(),
            })?;
        }
        Ok(())
    }
}

fn tap_capture(tap: &TapCounts, captured: &Captured, incident: &Incident, order: &Order<'_>) -> TapCapture {
    let lost = |name: &str| tap.losses.iter().filter(|(of, _)| of == name).map(|(_, count)| count).sum::<u64>();
    TapCapture {
        tap: tap.tap,
        counted: tap.classes.iter().map(|class| class.packets).sum(),
        lost_at_tap: lost("record-busy") + lost("record-unreadable"),
        limited: lost_in_window(&captured.lost, incident, tap.tap).map(|(_, packets)| packets).sum(),
        filtered: order.filtered.get(&tap.tap).copied().unwrap_or_default() + passed_over(captured, incident, tap.tap),
        repeats: tap.repeats,
        ..TapCapture::default()
    }
}

fn drops(captured: &Captured, incident: &Incident, taps: &[TapCounts]) -> Vec<Vec<(Mono, u64)>> {
    let latest_first = |tap: &TapCounts| {
        let mut drops: Vec<_> = lost_in_window(&captured.lost, incident, tap.tap).collect();
        drops.reverse();
        drops
    };
    taps.iter().map(latest_first).collect()
}

/// Packets of a tap that the filter does not take, and that nobody looked at.
pub(super) fn passed_over(captured: &Captured, incident: &Incident, tap: u16) -> u64 {
    lost_in_window(&captured.passed_over, incident, tap).map(|(_, packets)| packets).sum()
}

/// Packets of a tap that had to go from the window, as (end of the step in which the last of them was, how many).
fn lost_in_window<'a>(lost: &'a Lost, incident: &Incident, tap: u16) -> impl Iterator<Item = (Mono, u64)> + 'a {
    lost.within(incident.from, incident.to, tap)
}

fn direction(tap: &TapCounts) -> Option<Direction> {
    tap.way().map(|way| match way {
        Way::Ingress => Direction::Inbound,
        Way::Egress => Direction::Outbound,
    })
}
