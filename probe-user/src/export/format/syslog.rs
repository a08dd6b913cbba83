//! Syslog, RFC 5424.

use probe_core::notice::Notice;
use probe_core::verdict::FindingKind;

use super::{Host, cut, readable};
use crate::export::about::About;
use crate::incident::wall;

/// Name of our structured data. Names without `@` are IANA's to give (RFC 5424, 7), behind it stands an enterprise number. The project has
/// none: 32473 is the one for documentation (RFC 5612), which no enterprise has, and so nobody else's data is mistaken for ours.
pub const SD_ID: &str = "linkprobe@32473";

/// `daemon`.
const FACILITY: u8 = 3;
/// Longest value of structured data, bytes.
const LONGEST_VALUE: usize = 256;
/// Numbers of messages go round there (RFC 5424, 7.3.1).
const LAST_NUMBER: u64 = 2_147_483_647;
/// Longest name of a host (RFC 5424, 6).
const LONGEST_HOST: usize = 255;

/// A message of at most `limit` bytes, without framing, and whether its text was cut for that. `text` has no control characters.
pub fn message(notice: &Notice, text: &str, about: &About, number: u64, limit: usize) -> (Vec<u8>, bool) {
    let pri = FACILITY * 8 + notice.level.number();
    let time = wall::rfc3339_micros(notice.wall_ns);
    let mut message = format!("<{pri}>1 {time} {} linkprobe {} {} ", host(&about.host), about.pid, notice.event);
    message.push_str(&structured_data(notice, about, number));
    message.push(' ');
    // Entries tell of changes with an arrow. In ASCII they need no byte order mark, which most receivers leave in the text.
    let text = text.replace('→', "->");
    if !text.is_ascii() {
        // "The message MUST be preceded by the BOM if it is UTF-8" (RFC 5424, 6.4).
        message.push('\u{feff}');
    }
    let (kept, is_cut) = cut(&text, limit.saturating_sub(message.len()));
    message.push_str(kept);
    (message.into_bytes(), is_cut)
}

/// The same in the form of RFC 3164, as libc's syslog(3) writes it: no structured data, but the incident at the end of the text.
pub fn old_message(notice: &Notice, text: &str, about: &About, to: Host, limit: usize) -> (Vec<u8>, bool) {
    let pri = FACILITY * 8 + notice.level.number();
    let time = wall::bsd_syslog(notice.wall_ns);
    let host = if to == Host::Named { format!("{} ", host(&about.host)) } else { String::new() };
    let incident = notice.incident.as_ref().map(|id| format!(" [{id}]")).unwrap_or_default();
    let mut message = format!("<{pri}>{time} {host}linkprobe[{}]: ", about.pid);
    let (kept, is_cut) = cut(text, limit.saturating_sub(message.len() + incident.len()));
    message.push_str(kept);
    message.push_str(&incident);
    (message.into_bytes(), is_cut)
}

fn structured_data(notice: &Notice, about: &About, number: u64) -> String {
    let ifindex = notice.link.as_ref().map(|link| link.ifindex.to_string());
    let dropped = notice.dropped.map(|dropped| dropped.messages.to_string());
    let found = notice.finding;
    let parameters = [
        ("incident", notice.incident.as_deref()),
        ("bond", notice.place.bond.as_deref()),
        ("slave", notice.place.slave.as_deref()),
        ("link", notice.link.as_ref().map(|link| link.name.as_str())),
        ("ifindex", ifindex.as_deref()),
        ("trigger", notice.trigger),
        ("finding", found.and_then(|found| found.kind).map(FindingKind::name)),
        ("severity", found.map(|found| found.severity.name())),
        ("confidence", found.map(|found| found.confidence.name())),
        ("tone", Some(notice.tone.name())),
        ("dropped", dropped.as_deref()),
        ("instance", Some(about.instance.as_str())),
    ];
    let mut data = format!("[{SD_ID}");
    for (name, value) in parameters {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            data.push_str(&format!(" {name}=\"{}\"", escaped(value)));
        }
    }
    let number = number % LAST_NUMBER + 1;
    data.push_str(&format!(
        "][origin software=\"linkprobe\" swVersion=\"{}\"][meta sequenceId=\"{number}\"]",
        escaped(about.version)
    ));
    data
}

/// A value of structured data: `"`, `\` and `]` are escaped (RFC 5424, 6.3.3).
fn escaped(value: &str) -> String {
    let value = readable(value);
    let (kept, _) = cut(&value, LONGEST_VALUE);
    let mut escaped = String::with_capacity(kept.len());
    for c in kept.chars() {
        if matches!(c, '"' | '\\' | ']') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// A host's name: printable ASCII without spaces; `-` where there is none.
fn host(name: &str) -> String {
    let name: String = name.chars().filter(char::is_ascii_graphic).take(LONGEST_HOST).collect();
    if name.is_empty() { "-".to_owned() } else { name }
}
