//! Words that the capture, the report and incident.json share.

use probe_core::incident::{Incident, TapCounts};
use probe_core::timeline::{Entry, Source, What};

use super::file::{CaptureSummary, TapCapture};

/// What the incident is, in one line: the verdict's headline; what opened it where nobody judged it.
pub fn headline(incident: &Incident) -> String {
    match incident.triggers.as_slice() {
        _ if !incident.verdict.headline.is_empty() => one_line(&incident.verdict.headline),
        [] => incident.id.clone(),
        [only] => one_line(&only.text),
        [first, others @ ..] => format!("{} (and {} more)", one_line(&first.text), others.len()),
    }
}

/// Name of a tap: `eth1 ingress (native XDP)`.
pub fn tap_name(tap: &TapCounts) -> String {
    let hook = match tap.hook {
        "xdp" => "native XDP",
        "xdp-generic" => "generic XDP",
        other => other,
    };
    match (tap.direction, hook) {
        ("", "") => tap.link.name.clone(),
        (direction, hook) => format!("{} {direction} ({hook})", tap.link.name),
    }
}

/// An entry in one line; where its time is not that of its cause, the line says so.
pub fn line(entry: &Entry) -> String {
    let text = one_line(&entry.describe());
    match entry.source {
        Source::Resync => format!("{text} [found later, at this time or before]"),
        Source::Kernel | Source::Netlink | Source::Agent => text,
    }
}

/// How grave an entry is, as syslog counts it.
pub fn priority(entry: &Entry) -> u8 {
    const ALERT: u8 = 1;
    const ERROR: u8 = 3;
    const WARNING: u8 = 4;
    const NOTICE: u8 = 5;
    match &entry.what {
        What::Alarm { .. } => ALERT,
        What::Trigger { .. } => ERROR,
        What::Carrier { up: false, .. } | What::Admin { up: false } | What::Flaps { .. } | What::Gap { .. } | What::Vanished => {
            WARNING
        }
        _ => NOTICE,
    }
}

/// Why packets of a tap are not in the file, and how many; `None` when all are there.
pub fn missing(tap: &TapCapture, summary: &CaptureSummary) -> Option<String> {
    let missing = summary.missing(tap);
    if missing == 0 {
        return None;
    }
    let mut reasons = Vec::new();
    if tap.lost_at_tap > 0 {
        reasons.push(format!("{} not recorded at the tap", tap.lost_at_tap));
    }
    if !summary.looked {
        reasons.push("the recorder could not be copied".to_owned());
    }
    if summary.limited {
        reasons.push("capture-limit reached: the packets nearest to the triggers were kept".to_owned());
    }
    if summary.overrun_blocks.iter().any(|&blocks| blocks > 0) {
        reasons.push("the recorder overwrote packets before they could be copied".to_owned());
    }
    if summary.complete_from != [None; 2] {
        reasons.push("the recorder did not reach back to the window's start".to_owned());
    }
    if summary.damaged > 0 {
        reasons.push("a copy of the recorder was damaged".to_owned());
    }
    Some(format!("{missing} of {} frames are not in this file: {}", tap.counted.max(missing), reasons.join("; ")))
}

/// What the filter left out of a tap; `None` where that is nothing.
pub fn filtered(tap: &TapCapture, summary: &CaptureSummary) -> Option<String> {
    let filter = summary.filter.as_deref()?;
    let packets = if tap.filtered == 1 { "packet" } else { "packets" };
    (tap.filtered > 0).then(|| format!("{} {packets} left out by the filter: {filter}", tap.filtered))
}

/// A text without control characters: names and reasons come from outside, and go to terminals.
pub fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
