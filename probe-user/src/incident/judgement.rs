//! The verdict on an incident, from what was recorded of it: made where the files are written, with the numbers that its packets have
//! in the capture.

use probe_core::direction::Direction;
use probe_core::facts::{Facts, NOT_IN_FILE, Observer, Seen, Wanted};
use probe_core::incident::Incident;
use probe_core::time::Mono;
use probe_core::verdict::{Verdict, judge};

use super::capture::Captured;
use super::file::passed_over;
use super::order::{Item, Order};

/// Judges an incident. Beside the verdict: what of its packets it does not rest on, by name.
pub fn judgement(incident: &Incident, captured: &Captured, order: &Order<'_>) -> (Verdict, Vec<(String, u64)>) {
    let facts = facts(incident, captured, order);
    let losses = [("packets-malformed", facts.malformed), ("observations-not-kept", facts.left_out)];
    let losses = losses.into_iter().filter(|(_, count)| *count > 0).map(|(name, count)| (name.to_owned(), count));
    let mut verdict = judge(incident, &facts);
    let unseen: u64 = order.taps.iter().map(|tap| passed_over(captured, incident, tap.tap)).sum();
    if unseen > 0 {
        let text = format!("{unseen} packets that the filter leaves out were not looked at: capture-limit has no room for them.");
        verdict.missing.push(text);
    }
    (verdict, losses.collect())
}

/// Looks at every packet, in the order of the file, also at those that the filter leaves out of it.
fn facts(incident: &Incident, captured: &Captured, order: &Order<'_>) -> Facts {
    let mut observer = Observer::new(incident.repeats.iter().map(Wanted::from).collect());
    for (number, _, item) in order.all_items() {
        let Item::Packet(record) = item else { continue };
        let header = &record.header;
        let Some(tap) = order.taps.iter().find(|tap| tap.tap == header.tap) else { continue };
        observer.take(&Seen {
            number: number.unwrap_or(NOT_IN_FILE),
            at: Mono(header.at_ns),
            link: &tap.link.name,
            direction: tap.way().unwrap_or(Direction::Ingress),
            length: header.length,
            bytes: record.bytes,
        });
    }
    Facts { complete_from: captured.complete_from, ..observer.finish() }
}
