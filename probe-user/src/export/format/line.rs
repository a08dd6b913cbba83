//! Lines of the local log, for people and `grep`.

use probe_core::notice::Notice;

use super::readable;
use crate::incident::wall;

/// `2017-12-05T14:12:51.447649+09:00 warning   failure  carrier          bond0/eth1   eth1: carrier lost [20171205T051251.447649Z]`: when, how
/// bad, good news or bad, what, where, in words, and the incident. Columns are parted by spaces; `-` where one is empty.
pub fn line(notice: &Notice, text: &str) -> String {
    let time = wall::rfc3339_micros(notice.wall_ns);
    let link = notice.link.as_ref().map(|link| link.name.as_str()).filter(|name| !name.is_empty());
    let place = match (&notice.place.bond, link) {
        (Some(bond), Some(link)) if bond != link => format!("{bond}/{link}"),
        (_, Some(link)) => link.to_owned(),
        (Some(bond), None) => bond.clone(),
        (None, None) => "-".to_owned(),
    };
    let place = readable(&place);
    let incident = notice.incident.as_ref().map(|id| format!(" [{id}]")).unwrap_or_default();
    let (level, tone, event) = (notice.level, notice.tone.name(), notice.event);
    format!("{time} {level:<9} {tone:<8} {event:<16} {place:<12} {text}{incident}")
}
