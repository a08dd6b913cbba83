//! The verdict as text: for the top of the report, and for the capture's own comment.

use std::fmt::Write;

use probe_core::time::Mono;
use probe_core::verdict::{Evidence, Finding, Verdict};

use super::table::wrap;
use super::words::one_line;

/// Pieces of evidence that the report shows of one finding.
const SHOWN: usize = 8;

/// The verdict for the report: the chain in order of time with its evidence, what it was not, what is missing. `zero` is the time
/// that the others are told from.
pub fn story(verdict: &Verdict, zero: Mono, width: usize) -> String {
    let mut out = String::new();
    if !verdict.action.is_empty() {
        out.push_str(&wrap(&one_line(&verdict.action), "What to do: ", "            ", width));
    }
    for (number, finding) in (1..).zip(&verdict.chain) {
        out.push_str(&tell(finding, &format!("{number}."), zero, width));
    }
    section(&mut out, "What it was not", &verdict.excluded, width);
    section(&mut out, "Evidence that is missing", &verdict.missing, width);
    if !verdict.others.is_empty() {
        let _ = writeln!(out, "\nFound besides");
        for finding in &verdict.others {
            out.push_str(&tell(finding, "-", zero, width));
        }
    }
    out
}

/// The verdict for the capture's comment: the headline and the chain, a line each.
pub fn comment(verdict: &Verdict, zero: Mono) -> String {
    let mut out = one_line(&verdict.headline);
    for (number, finding) in (1..).zip(&verdict.chain) {
        let packets = packets(finding);
        let _ = write!(
            out,
            "\n{number}. {} s  {}: {}{packets}",
            signed(zero, finding.at),
            one_line(&finding.label()),
            one_line(&finding.text)
        );
    }
    for text in &verdict.excluded {
        let _ = write!(out, "\nIt was not: {}", one_line(text));
    }
    for text in &verdict.missing {
        let _ = write!(out, "\nMissing: {}", one_line(text));
    }
    if !verdict.action.is_empty() {
        let _ = write!(out, "\nWhat to do: {}", one_line(&verdict.action));
    }
    out
}

/// `+12.345678`: seconds from `zero`.
pub fn signed(zero: Mono, at: Mono) -> String {
    let (sign, ns) = if at < zero { ('-', zero.since(at)) } else { ('+', at.since(zero)) };
    format!("{sign}{}.{:06}", ns / 1_000_000_000, ns % 1_000_000_000 / 1000)
}

fn section(out: &mut String, title: &str, texts: &[String], width: usize) {
    if texts.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{title}");
    for text in texts {
        out.push_str(&wrap(&one_line(text), "- ", "  ", width));
    }
}

fn tell(finding: &Finding, mark: &str, zero: Mono, width: usize) -> String {
    let lasted = finding.until.map_or_else(String::new, |until| format!(" (for {:.3} s)", until.since(finding.at) as f64 / 1e9));
    let head = format!("{mark:<3}{:>14}  ", signed(zero, finding.at));
    let title = format!("{}{lasted}", one_line(&finding.label()));
    let mut out = wrap(&title, &head, "                   ", width);
    out.push_str(&wrap(&one_line(&finding.text), "                   ", "                   ", width));
    for evidence in finding.evidence.iter().take(SHOWN) {
        let (head, text) = match evidence {
            Evidence::Packet { number, at, text } => (signed(zero, *at), format!("packet {number}: {text}")),
            Evidence::Entry { at, text } => (signed(zero, *at), text.clone()),
            Evidence::Counter { name, value } => (String::new(), format!("{name}: {value}")),
            Evidence::Fact { text } => (String::new(), text.clone()),
        };
        out.push_str(&wrap(&one_line(&text), &format!("     {head:>14}  "), "                       ", width));
    }
    if let more @ 1.. = finding.evidence.len().saturating_sub(SHOWN) {
        let _ = writeln!(out, "                     and {more} more in incident.json");
    }
    out
}

/// ` (packets 12, 15)`: those of a finding's evidence.
fn packets(finding: &Finding) -> String {
    let numbers: Vec<String> = finding
        .evidence
        .iter()
        .filter_map(|evidence| match evidence {
            Evidence::Packet { number, .. } => Some(number.to_string()),
            _ => None,
        })
        .take(SHOWN)
        .collect();
    match numbers.as_slice() {
        [] => String::new(),
        [one] => format!(" (packet {one})"),
        many => format!(" (packets {})", many.join(", ")),
    }
}
