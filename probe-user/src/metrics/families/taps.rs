//! What the taps have counted. A tap that is attached anew goes on from what the one before had counted.

use probe_common::class;
use probe_common::counters::TapCounters;
use probe_core::counts::named_losses;
use probe_core::direction::Direction;
use probe_core::metrics::{Family, Labels};
use probe_core::traffic::{Totals, sum};

use super::places::{Places, toward};

/// Counters by class and direction, and how they were recorded.
pub fn families(totals: &Totals, places: &Places) -> Vec<Family> {
    let mut taps: Vec<(Labels, TapCounters)> = Vec::new();
    for total in totals.present() {
        let Some(labels) = places.of(total.link.ifindex) else { continue };
        for (direction, tap) in [(Direction::Ingress, total.ingress), (Direction::Egress, total.egress)] {
            taps.extend(tap.map(|tap| (toward(labels, direction), tap.counters())));
        }
    }
    let mut packets = Family::counter(
        "linkprobe_tap_packets",
        "Packets on the wire by class; of a GSO frame, the packets that it becomes. A bond and its slaves see the same packets: \
         sum one role only.",
    );
    let mut bytes = Family::counter(
        "linkprobe_tap_bytes",
        "Bytes by class, from the destination MAC on, without FCS. A bond and its slaves see the same packets: sum one role only.",
    );
    let mut frames = Family::counter("linkprobe_tap_frames", "Frames as the tap saw them: a GSO frame is one.");
    let mut losses = Family::counter("linkprobe_tap_losses", "What a tap could not do, by name.");
    let mut recorded = Family::counter("linkprobe_tap_recorded_packets", "Frames that were recorded, by lane.");
    let mut recorded_bytes = Family::counter("linkprobe_tap_recorded_bytes", "Bytes of frames that were recorded, by lane.");
    let mut repeats = Family::counter("linkprobe_tap_repeats", "Frames that were counted instead of recorded: copies of others.");
    let mut samples = Family::counter("linkprobe_tap_samples", "Samples that were taken.");
    for (labels, counters) in &taps {
        for (id, count) in (0u8..).zip(&counters.classes) {
            // Every class is there from the beginning: of what comes up later, an increase could not be told.
            let Some(class) = class::name(id) else { continue };
            let labels = labels.and("class", class);
            packets.add(labels.clone(), count.segments);
            bytes.add(labels, count.bytes);
        }
        frames.add(labels.clone(), sum(counters).frames);
        for (name, count) in named_losses(&counters.losses) {
            losses.add(labels.and("loss", name), count);
        }
        for (index, lane) in ["control", "bulk"].into_iter().enumerate() {
            recorded.add(labels.and("lane", lane), counters.recorded[index]);
            recorded_bytes.add(labels.and("lane", lane), counters.recorded_bytes[index]);
        }
        repeats.add(labels.clone(), counters.repeats);
        samples.add(labels.clone(), counters.samples);
    }
    vec![packets, bytes, frames, losses, recorded, recorded_bytes, repeats, samples]
}
