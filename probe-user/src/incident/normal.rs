//! What was normal before an incident, in words and in incident.json.

use probe_core::past::{Normal, NormalLink, NormalWay, Odd, Rates};
use probe_core::time::Mono;
use serde_json::Value;

use super::words::one_line;
use crate::text::{seconds, si};

/// Links that the report tells of; incident.json has all.
const MOST_LINKS: usize = 40;

/// A line of the report.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// It tells of something that is out of the ordinary.
    pub odd: bool,
    /// The line.
    pub text: String,
}

/// How long the time is that was looked at.
pub fn length(normal: &Normal) -> String {
    seconds(probe_core::time::seconds(normal.to.since(normal.from)))
}

/// The lines of the report: for each link how long it had been as it was, then what it carried.
pub fn lines(normal: &Normal) -> Vec<Line> {
    let mut lines: Vec<Line> = normal.links.iter().take(MOST_LINKS).flat_map(link).collect();
    let left_out = normal.links.len().saturating_sub(MOST_LINKS);
    if left_out > 0 {
        lines.push(Line { odd: false, text: format!("and {left_out} more links in incident.json") });
    }
    lines
}

/// As in incident.json: with times as `time` makes them.
///
/// # Errors
/// None that can happen with the types as they are.
pub fn document(normal: Option<&Normal>, time: &dyn Fn(Mono) -> Value) -> Result<Value, serde_json::Error> {
    let Some(normal) = normal else { return Ok(Value::Null) };
    let mut value = serde_json::to_value(normal)?;
    value["from"] = time(normal.from);
    value["to"] = time(normal.to);
    Ok(value)
}

fn link(link: &NormalLink) -> Vec<Line> {
    let name = one_line(&link.link.name);
    let mut lines = Vec::new();
    if !link.condition.is_empty() {
        let for_s = seconds(probe_core::time::seconds(link.for_ns));
        let or_more = if link.at_least { " or more" } else { "" };
        let changes = match (link.changes_hour, link.changes_day) {
            (0, 0) => "no change".to_owned(),
            (hour, day) => format!("{hour} changes in the hour before the window, {day} in the day"),
        };
        let text = format!("{name}: {} for {for_s}{or_more}, {changes}", link.condition);
        lines.push(Line { odd: false, text });
    }
    let ways = [("rx", &link.ingress), ("tx", &link.egress)];
    lines.extend(ways.into_iter().filter_map(|(word, of)| way(&format!("{name} {word}"), of.as_ref()?)));
    lines
}

fn way(name: &str, way: &NormalWay) -> Option<Line> {
    let before = way.before?;
    let (packets, bits) = (before.packets, before.bits);
    let usual = format!(
        "{name}: {} packets/s usually (p5 {} to p95 {}, at most {}), {}bit/s",
        grouped(packets.median),
        grouped(packets.p5),
        grouped(packets.p95),
        grouped(packets.max),
        si(bits.median)
    );
    let now = way.window.map_or_else(
        || "nothing was counted in the window".to_owned(),
        |Rates { packets, bits, .. }| {
            let (least, most, mean) = (grouped(packets.min), grouped(packets.max), grouped(packets.mean));
            format!("in the window {least} to {most}, mean {mean}, at most {}bit/s", si(bits.max))
        },
    );
    let odd = match way.odd {
        None => "",
        Some(Odd::More) => ": FAR MORE than usual",
        Some(Odd::Less) => ": FAR LESS than usual",
    };
    Some(Line { odd: way.odd.is_some(), text: format!("{usual}; {now}{odd}") })
}

/// `107,817`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use probe_core::past::Spread;
    use probe_core::time::SECOND;
    use probe_core::timeline::LinkName;
    use serde_json::json;

    fn rates(median: u64, max: u64) -> Rates {
        let packets = Spread { min: median / 2, p5: median - 300, median, p95: median + 300, max, mean: median };
        let bits = Spread { median: median * 8000, max: max * 8000, ..Spread::default() };
        Rates { packets, bits, ..Rates::default() }
    }

    fn normal() -> Normal {
        let tx = NormalWay { before: Some(rates(1204, 2000)), window: Some(rates(20_300, 107_817)), odd: Some(Odd::More) };
        let slave = NormalLink {
            link: LinkName { ifindex: 3, name: "slave\n0".to_owned() },
            condition: "up".to_owned(),
            for_ns: 310 * SECOND,
            changes_hour: 2,
            changes_day: 5,
            ingress: Some(NormalWay { window: Some(rates(900, 1000)), ..NormalWay::default() }),
            egress: Some(tx),
            ..NormalLink::default()
        };
        let bond = NormalLink { condition: "up".to_owned(), for_ns: 7200 * SECOND, at_least: true, ..NormalLink::default() };
        let bond = NormalLink { link: LinkName { ifindex: 1, name: "bond0".to_owned() }, ..bond };
        Normal { from: Mono(5 * SECOND), to: Mono(3485 * SECOND), links: vec![bond, slave] }
    }

    #[test]
    fn the_lines_tell_how_long_it_was_so_what_was_usual_and_mark_what_was_not() {
        let normal = normal();
        assert_eq!(length(&normal), "58 min 0 s");
        let told: Vec<(bool, String)> = lines(&normal).into_iter().map(|line| (line.odd, line.text)).collect();
        let told: Vec<(bool, &str)> = told.iter().map(|(odd, text)| (*odd, text.as_str())).collect();
        assert_eq!(
            told,
            [
                (false, "bond0: up for 2 h 0 min or more, no change"),
                (false, "slave 0: up for 5 min 10 s, 2 changes in the hour before the window, 5 in the day"),
                (
                    true,
                    "slave 0 tx: 1,204 packets/s usually (p5 904 to p95 1,504, at most 2,000), 9.63Mbit/s; in the window 10,150 to \
                     107,817, mean 20,300, at most 863Mbit/s: FAR MORE than usual"
                ),
            ],
            "nothing is known of what was received before"
        );
        let many = Normal { links: vec![normal.links[0].clone(); 100], ..normal };
        assert_eq!(lines(&many).last().map(|line| line.text.clone()), Some("and 60 more links in incident.json".to_owned()));
    }

    #[test]
    fn the_names_in_json_are_those_that_programs_know() {
        let time = |at: Mono| json!({ "mono_ns": at.0 });
        let json = document(Some(&normal()), &time).expect("JSON");
        assert_eq!(json["from"], json!({ "mono_ns": 5 * SECOND }));
        let slave = &json["links"][1];
        assert_eq!(
            (&slave["changes_hour"], &slave["for_ns"], &slave["at_least"]),
            (&json!(2), &json!(310 * SECOND), &json!(false))
        );
        assert_eq!((&slave["ingress"]["before"], &slave["egress"]["odd"]), (&Value::Null, &json!("more")));
        assert_eq!(slave["egress"]["before"]["packets"]["p95"], 1504);
        assert_eq!(slave["egress"]["window"]["bits"]["max"], 107_817 * 8000);
        assert_eq!(document(None, &time).expect("JSON"), Value::Null);
    }
}
