//! `report.txt`: the incident for a person at three in the morning. No line is longer than [`WIDTH`] characters.

use std::fmt::Write;

use probe_core::incident::{Closed, Incident, TapCounts};
use probe_core::link::{LinkState, mac_text};
use probe_core::time::{Mono, WallOffset};

use super::file::{CaptureSummary, TapCapture};
use super::table::{Table, wrap};
use super::{normal, story, wall, words};

/// Longest line, characters.
pub const WIDTH: usize = 100;

/// Frames that were recorded shorter than they are ([`probe_core::counts::named_losses`]): what was asked for, and no loss.
const TRUNCATED: &str = "truncated";

/// The report.
pub fn report(incident: &Incident, capture: &CaptureSummary, wall: WallOffset, losses: &[(String, u64)]) -> String {
    let mut out = String::new();
    let zero = incident.triggers.first().map_or(incident.from, |first| first.at);
    head(&mut out, incident, wall, zero);
    verdict(&mut out, incident, zero);
    triggers(&mut out, incident, zero);
    timeline(&mut out, incident, zero);
    // Captures do not tell the state of any link.
    if !incident.is_from_captures() {
        links(&mut out, incident);
    }
    normal(&mut out, incident);
    taps(&mut out, incident, capture);
    lost(&mut out, incident, capture, losses);
    packets(&mut out, incident, capture);
    out
}

fn section(out: &mut String, title: &str) {
    let _ = writeln!(out, "\n{title}\n{}", "-".repeat(title.chars().count()));
}

fn paragraph(out: &mut String, indent: &str, text: &str) {
    out.push_str(&wrap(text, indent, indent, WIDTH));
}

fn head(out: &mut String, incident: &Incident, wall: WallOffset, zero: Mono) {
    out.push_str(&wrap(&words::headline(incident), "", "  ", WIDTH));
    let _ = writeln!(out);
    let mut fact = |name: &str, value: &str| out.push_str(&wrap(value, &format!("{name:<9}"), "         ", WIDTH));
    fact("when", &wall::long(wall.wall_ns(zero)));
    let closed = match incident.closed {
        Closed::Quiet => "",
        Closed::Limit => "; ended because it was as long as max-window allows: what follows is another incident",
        Closed::Stop => "; ended because Linkprobe was stopped",
    };
    let (before, after) = (zero.since(incident.from), incident.to.since(zero));
    fact("window", &format!("{} before to {} after{closed}", wall::seconds(before), wall::seconds(after)));
    fact("host", &format!("{}, Linux {}", words::one_line(&incident.host), words::one_line(&incident.kernel)));
    fact("incident", &format!("{}, Linkprobe {}", incident.id, env!("CARGO_PKG_VERSION")));
}

fn verdict(out: &mut String, incident: &Incident, zero: Mono) {
    let verdict = &incident.verdict;
    if verdict.headline.is_empty() {
        return;
    }
    section(out, "Verdict (seconds from the first trigger)");
    let _ = writeln!(out, "Severity: {}. Confidence: {}.", verdict.severity.name(), verdict.confidence.name());
    out.push_str(&story::story(verdict, zero, WIDTH));
}

fn triggers(out: &mut String, incident: &Incident, zero: Mono) {
    section(out, "What fired");
    for trigger in &incident.triggers {
        let repeats = match trigger.repeats {
            0 => String::new(),
            1 => " (once more within its cooldown)".to_owned(),
            n => format!(" ({n} times more within its cooldown)"),
        };
        let text = format!("{}: {}{repeats}", trigger.kind, words::one_line(&trigger.text));
        timed(out, zero, trigger.at, &text);
    }
}

fn timeline(out: &mut String, incident: &Incident, zero: Mono) {
    section(out, "What happened (seconds from the first trigger)");
    if incident.timeline_lost > 0 {
        let text = format!("{} earlier entries of the window were no longer held.", incident.timeline_lost);
        paragraph(out, "", &text);
    }
    if incident.timeline.is_empty() {
        let _ = writeln!(out, "Nothing that Linkprobe watches changed.");
    }
    for entry in &incident.timeline {
        timed(out, zero, entry.at, &words::line(entry));
    }
}

fn timed(out: &mut String, zero: Mono, at: Mono, text: &str) {
    let stamp = story::signed(zero, at);
    out.push_str(&wrap(text, &format!("{stamp:>14}  "), "                  ", WIDTH));
}

fn links(out: &mut String, incident: &Incident) {
    section(out, "Links, before -> after");
    let mut table = Table::new(&["link", "admin", "carrier", "operstate", "bond", "slave", "carrier lost"], 0);
    let mut seen: Vec<u32> = Vec::new();
    for link in incident.links_before.iter().chain(&incident.links_after) {
        if seen.contains(&link.ifindex) {
            continue;
        }
        seen.push(link.ifindex);
        let before = incident.links_before.iter().find(|of| of.ifindex == link.ifindex);
        let after = incident.links_after.iter().find(|of| of.ifindex == link.ifindex);
        let change = |of: &dyn Fn(&LinkState) -> String| arrow(before.map(of), after.map(of));
        let name = change(&|link| words::one_line(&link.name));
        table.row(vec![
            name,
            change(&|link| up_down(link.admin_up)),
            change(&|link| if link.carrier { "yes" } else { "no" }.to_owned()),
            change(&|link| link.operstate.name().to_owned()),
            change(&|link| master(link, incident)),
            change(&slave),
            change(&|link| link.carrier_down_count.to_string()),
        ]);
    }
    out.push_str(&table.render(WIDTH));
}

/// `up -> down`, or `up` where nothing changed; `-` for a side on which there is none.
fn arrow(before: Option<String>, after: Option<String>) -> String {
    let (before, after) = (before.unwrap_or_else(|| "-".to_owned()), after.unwrap_or_else(|| "-".to_owned()));
    if before == after { after } else { format!("{before} -> {after}") }
}

fn up_down(up: bool) -> String {
    if up { "up" } else { "down" }.to_owned()
}

fn master(link: &LinkState, incident: &Incident) -> String {
    let Some(master) = link.master else { return String::new() };
    let known = incident.links_before.iter().chain(&incident.links_after).find(|of| of.ifindex == master);
    known.map_or_else(|| format!("#{master}"), |of| words::one_line(&of.name))
}

fn slave(link: &LinkState) -> String {
    link.slave.as_ref().map_or_else(String::new, |slave| if slave.active { "active" } else { "backup" }.to_owned())
}

/// What was usual before, and what was not as usual: that has a mark.
fn normal(out: &mut String, incident: &Incident) {
    let Some(normal) = &incident.normal else { return };
    section(out, &format!("What was normal before (in the {} before the window)", normal::length(normal)));
    for line in normal::lines(normal) {
        out.push_str(&wrap(&line.text, if line.odd { "! " } else { "  " }, "      ", WIDTH));
    }
}

fn taps(out: &mut String, incident: &Incident, capture: &CaptureSummary) {
    section(out, "Packets in the window, by tap");
    let heads = ["tap", "MAC", "counted", "bytes", "in file", "not in file", "filtered"];
    let columns = heads.len() - usize::from(capture.filter.is_none());
    let mut table = Table::new(&heads[..columns], 2);
    for summary in &capture.taps {
        let tap = incident.taps.iter().find(|tap| tap.tap == summary.tap);
        let bytes: u64 = tap.map_or(0, |tap| tap.classes.iter().map(|class| class.bytes).sum());
        let mut row = vec![
            tap.map_or_else(|| format!("unknown tap {}", summary.tap), |tap| words::one_line(&words::tap_name(tap))),
            tap.map_or_else(String::new, |tap| mac_text(tap.mac)),
            summary.counted.to_string(),
            bytes.to_string(),
            summary.packets.to_string(),
            capture.missing(summary).to_string(),
            summary.filtered.to_string(),
        ];
        row.truncate(columns);
        table.row(row);
    }
    out.push_str(&table.render(WIDTH));
    if let Some(filter) = &capture.filter {
        let text = format!(
            "{} packets left out by the filter: {}. Control frames and what is kept of repeats are there whatever it says.",
            capture.filtered(),
            words::one_line(filter)
        );
        paragraph(out, "", &text);
    }
    let _ = writeln!(out, "Counters are read about once a second: what they count may reach over the window's edges.");
    let cut: u64 = incident.taps.iter().flat_map(|tap| &tap.losses).filter(|(name, _)| name == TRUNCATED).map(|(_, n)| n).sum();
    if cut > 0 {
        let _ = writeln!(out, "{cut} frames are longer than the snap length: the file has their beginning (--snaplen).");
    }
    for tap in incident.taps.iter().filter(|tap| !tap.classes.is_empty()) {
        let classes: Vec<String> = tap.classes.iter().map(|class| format!("{} {}", class.class, class.packets)).collect();
        out.push_str(&wrap(&classes.join(", "), &format!("  {}: ", words::one_line(&words::tap_name(tap))), "      ", WIDTH));
    }
}

fn lost(out: &mut String, incident: &Incident, capture: &CaptureSummary, losses: &[(String, u64)]) {
    section(out, "Losses of Linkprobe itself");
    let mut lines: Vec<String> = losses.iter().filter(|(_, n)| *n > 0).map(|(name, n)| format!("{name}: {n}")).collect();
    for tap in &incident.taps {
        let named = tap.losses.iter().filter(|(name, n)| *n > 0 && name != TRUNCATED);
        lines.extend(named.map(|(name, n)| format!("{}: {name}: {n}", words::one_line(&words::tap_name(tap)))));
    }
    lines.extend(capture.taps.iter().filter_map(|summary| missing_line(incident, summary, capture)));
    for (lane, from) in ["control", "bulk"].iter().zip(capture.complete_from) {
        let Some(from) = from else { continue };
        let gap = wall::seconds(from.since(incident.from));
        lines.push(format!("the {lane} lane held no more of the first {gap} of the window: raise --memory"));
    }
    let [control, bulk] = capture.overrun_blocks;
    if control + bulk > 0 {
        lines.push(format!("blocks overwritten before they were copied: {control} of the control lane, {bulk} of the bulk lane"));
    }
    if capture.damaged > 0 {
        lines.push(format!("blocks that ended in bytes that are no record: {}", capture.damaged));
    }
    if lines.is_empty() {
        let _ = writeln!(out, "no losses");
    }
    for line in lines {
        out.push_str(&wrap(&line, "- ", "  ", WIDTH));
    }
}

fn missing_line(incident: &Incident, summary: &TapCapture, capture: &CaptureSummary) -> Option<String> {
    let tap: Option<&TapCounts> = incident.taps.iter().find(|tap| tap.tap == summary.tap);
    let name = tap.map_or_else(|| format!("unknown tap {}", summary.tap), |tap| words::one_line(&words::tap_name(tap)));
    words::missing(summary, capture).map(|text| format!("{name}: {text}"))
}

fn packets(out: &mut String, incident: &Incident, capture: &CaptureSummary) {
    section(out, "The packets");
    let text = format!(
        "capture.pcapng holds {} packets in {} bytes. Open it in Wireshark, or here with: tshark -r capture.pcapng",
        capture.packets, capture.file_bytes
    );
    paragraph(out, "", &text);
    let _ = writeln!(out, "The lines above stand between the packets (protocol \"systemd Journal\"). Useful filters:");
    let tap =
        incident.taps.first().map_or_else(|| "eth1 ingress".to_owned(), |tap| format!("{} {}", tap.link.name, tap.direction));
    let filters = [
        (format!("frame.interface_description contains \"{}\"", words::one_line(&tap)), "one tap"),
        ("lacp or arp or icmp or vrrp or ospf".to_owned(), "the control plane"),
        ("systemd_journal".to_owned(), "the events alone"),
    ];
    for (filter, meaning) in filters {
        let _ = writeln!(out, "  {filter:<60}  {meaning}");
    }
}
