//! The series of incident.json: what was counted, asked and heard in the window, by column, because there are thousands of rows.
//!
//! - `from`: the window's start. Every list `t` holds times as nanoseconds since then; below 0 for what was before it.
//! - `seconds`: `t` and `ns` are the end and the length of each second. By link, lists as long as those: `ingress` and `egress` (the
//!   taps) and `driver.rx`, `driver.tx` with the fields of [`Count`], `driver.rx_lost` and `tx_lost`; `null` where nobody told.
//! - `probes`: by target and method, `t` and `rtt_ns`; `null` is a lost one. `send_errors` has `[row, why]` of those that never left.
//! - `lacpdus`: by link and direction, `t` and `pdu`, which is an index into `pdus`: most LACPDUs say the same as the one before.
//!   `unlisted` has pairs of an index and how many before that one are not listed, because they said the same and came on time.

use std::collections::BTreeMap;

use probe_core::incident::Incident;
use probe_core::lacp::Lacpdu;
use probe_core::matrix::{Cell, Count, Driver, Second};
use probe_core::reach::Answer;
use probe_core::time::Mono;
use probe_core::timeline::LinkName;
use serde_json::{Value, json};

/// All series; `time` makes what a time is in incident.json.
pub fn series(incident: &Incident, time: &dyn Fn(Mono) -> Value) -> Value {
    let since = |at: Mono| signed_since(at, incident.from);
    let (lacpdus, pdus) = lacpdus(incident, &since);
    json!({
        "from": time(incident.from),
        "seconds": seconds(&incident.seconds, &since),
        "probes": probes(incident, &since),
        "lacpdus": lacpdus,
        "pdus": pdus,
    })
}

/// What was repeated, the most copied first. A hash is text: it has more bits than a JSON number keeps in most programs.
///
/// # Errors
/// None that can happen with the types as they are.
pub fn repeats(incident: &Incident, time: &dyn Fn(Mono) -> Value) -> Result<Vec<Value>, serde_json::Error> {
    let repeat = |total: &probe_core::repeat::RepeatTotal| {
        let mut value = serde_json::to_value(total)?;
        value["last"]["at"] = time(total.last.at);
        value["last"]["first_at"] = time(total.last.first_at);
        value["last"]["hash"] = format!("{:016x}", total.last.hash).into();
        Ok(value)
    };
    incident.repeats.iter().map(repeat).collect()
}

fn signed_since(at: Mono, from: Mono) -> i64 {
    let (ahead, behind) = (at.since(from), from.since(at));
    // One of the two is 0; half of u64's range is 292 years.
    i64::try_from(ahead).unwrap_or(i64::MAX).saturating_sub_unsigned(behind)
}

fn seconds(seconds: &[Second], since: &dyn Fn(Mono) -> i64) -> Value {
    let mut links: BTreeMap<u32, (&LinkName, u32)> = BTreeMap::new();
    for cell in seconds.iter().flat_map(|second| &second.cells) {
        links.insert(cell.link.ifindex, (&cell.link, cell.master));
    }
    let by_link = links.into_iter().map(|(ifindex, (link, master))| {
        let cells: Vec<Option<&Cell>> =
            seconds.iter().map(|second| second.cells.iter().find(|cell| cell.link.ifindex == ifindex)).collect();
        json!({
            "link": link,
            "master": master,
            "ingress": counts(&cells, |cell| cell.ingress),
            "egress": counts(&cells, |cell| cell.egress),
            "driver": driver(&cells),
        })
    });
    json!({
        "t": seconds.iter().map(|second| since(second.at)).collect::<Vec<_>>(),
        "ns": seconds.iter().map(|second| second.ns).collect::<Vec<_>>(),
        "links": by_link.collect::<Vec<_>>(),
    })
}

/// Columns of a tap or of a driver, or `null` where it never counted.
fn counts(cells: &[Option<&Cell>], of: impl Fn(&Cell) -> Option<Count>) -> Value {
    let counts: Vec<Option<Count>> = cells.iter().map(|cell| cell.and_then(&of)).collect();
    if counts.iter().all(Option::is_none) {
        return Value::Null;
    }
    let column = |of: fn(Count) -> u64| counts.iter().map(|count| count.map(of)).collect::<Vec<_>>();
    json!({
        "packets": column(|count| count.packets),
        "frames": column(|count| count.frames),
        "bytes": column(|count| count.bytes),
    })
}

fn driver(cells: &[Option<&Cell>]) -> Value {
    let drivers: Vec<Option<Driver>> = cells.iter().map(|cell| cell.and_then(|cell| cell.driver)).collect();
    if drivers.iter().all(Option::is_none) {
        return Value::Null;
    }
    let lost = |of: fn(Driver) -> u64| drivers.iter().map(|driver| driver.map(of)).collect::<Vec<_>>();
    json!({
        "rx": counts(cells, |cell| cell.driver.map(|driver| driver.rx)),
        "tx": counts(cells, |cell| cell.driver.map(|driver| driver.tx)),
        "rx_lost": lost(|driver| driver.rx_lost),
        "tx_lost": lost(|driver| driver.tx_lost),
    })
}

fn probes(incident: &Incident, since: &dyn Fn(Mono) -> i64) -> Vec<Value> {
    let mut targets = BTreeMap::new();
    for sample in &incident.probes {
        targets.entry((&sample.target, sample.method)).or_insert_with(Vec::new).push(sample);
    }
    let target = |((target, method), samples): ((&String, _), Vec<&probe_core::reach::ProbeSample>)| {
        let rtt = samples.iter().map(|sample| match sample.answer {
            Answer::Rtt(ns) => Some(ns),
            Answer::Lost | Answer::SendError(_) => None,
        });
        let errors = samples.iter().enumerate().filter_map(|(row, sample)| match &sample.answer {
            Answer::SendError(why) => Some(json!([row, why])),
            Answer::Rtt(_) | Answer::Lost => None,
        });
        json!({
            "target": target,
            "method": method,
            "t": samples.iter().map(|sample| since(sample.at)).collect::<Vec<_>>(),
            "rtt_ns": rtt.collect::<Vec<_>>(),
            "send_errors": errors.collect::<Vec<_>>(),
        })
    };
    targets.into_iter().map(target).collect()
}

/// LACPDUs of one link and direction.
struct Row<'a> {
    link: &'a LinkName,
    t: Vec<i64>,
    pdu: Vec<usize>,
    unlisted: Vec<(usize, u64)>,
}

/// LACPDUs by link and direction, and all that differ.
fn lacpdus<'a>(incident: &'a Incident, since: &dyn Fn(Mono) -> i64) -> (Vec<Value>, Vec<&'a Lacpdu>) {
    let mut pdus: Vec<&Lacpdu> = Vec::new();
    let mut rows: BTreeMap<_, Row<'_>> = BTreeMap::new();
    for seen in &incident.lacpdus {
        // From the end: it is most often the newest of its direction.
        let known = pdus.iter().rposition(|pdu| **pdu == seen.pdu);
        let index = known.unwrap_or_else(|| {
            pdus.push(&seen.pdu);
            pdus.len() - 1
        });
        let key = (seen.link.ifindex, seen.direction);
        let row = rows.entry(key).or_insert_with(|| Row { link: &seen.link, t: vec![], pdu: vec![], unlisted: vec![] });
        if seen.unlisted > 0 {
            row.unlisted.push((row.t.len(), seen.unlisted));
        }
        row.t.push(since(seen.at));
        row.pdu.push(index);
    }
    let row = |((_, direction), row): (_, Row<'_>)| json!({ "link": row.link, "direction": direction, "t": row.t, "pdu": row.pdu, "unlisted": row.unlisted });
    (rows.into_iter().map(row).collect(), pdus)
}

#[cfg(test)]
mod tests {
    use super::*;
    use probe_core::direction::Direction;
    use probe_core::lacp::{LacpduSeen, PortInfo, PortState};
    use probe_core::reach::{Method, ProbeSample};
    use probe_core::time::SECOND;

    fn link(ifindex: u32) -> LinkName {
        LinkName { ifindex, name: format!("eth{ifindex}") }
    }

    fn told(incident: &Incident) -> Value {
        series(incident, &|at| json!(at.0))
    }

    #[test]
    fn a_second_in_which_a_link_was_not_there_is_null_in_its_columns() {
        let cell = |ifindex, packets| Cell {
            link: link(ifindex),
            egress: Some(Count { packets, frames: packets, bytes: packets * 100 }),
            ..Cell::default()
        };
        let second = |at, cells| Second { at: Mono(at), ns: SECOND, cells };
        let seconds = vec![second(5 * SECOND, vec![cell(1, 7)]), second(6 * SECOND, vec![cell(1, 8), cell(2, 9)])];
        let told = told(&Incident { from: Mono(4 * SECOND), seconds, ..Incident::default() });
        assert_eq!(told["seconds"]["t"], json!([SECOND, 2 * SECOND]));
        assert_eq!(told["seconds"]["links"][0]["egress"], json!({ "packets": [7, 8], "frames": [7, 8], "bytes": [700, 800] }));
        assert_eq!(told["seconds"]["links"][1]["egress"]["packets"], json!([null, 9]));
        assert_eq!(told["seconds"]["links"][0]["driver"], Value::Null);
    }

    #[test]
    fn lost_probes_and_those_that_never_left_are_told_apart() {
        let sample = |at, answer| ProbeSample { at: Mono(at), target: "10.0.0.1".to_owned(), method: Method::Icmp, answer };
        let probes = vec![
            sample(90, Answer::Rtt(138_000)),
            sample(110, Answer::Lost),
            sample(120, Answer::SendError("no route".to_owned())),
        ];
        let told = told(&Incident { from: Mono(100), probes, ..Incident::default() });
        assert_eq!(
            told["probes"][0],
            json!({
                "target": "10.0.0.1", "method": "icmp", "t": [-10, 10, 20], "rtt_ns": [138_000, null, null],
                "send_errors": [[2, "no route"]]
            })
        );
    }

    #[test]
    fn equal_lacpdus_are_written_once() {
        let pdu = |state| Lacpdu { actor: PortInfo { state: PortState(state), ..PortInfo::default() }, ..Lacpdu::default() };
        let seen = |at, direction, state| LacpduSeen {
            at: Mono(at),
            link: link(1),
            direction,
            pdu: pdu(state),
            unlisted: u64::from(at == 3) * 7,
        };
        let lacpdus = vec![
            seen(1, Direction::Ingress, 0x3d),
            seen(2, Direction::Egress, 0x3f),
            seen(3, Direction::Ingress, 0x3d),
            seen(4, Direction::Ingress, 0xbd),
        ];
        let told = told(&Incident { lacpdus, ..Incident::default() });
        assert_eq!(told["pdus"].as_array().map(Vec::len), Some(3));
        assert_eq!((&told["lacpdus"][0]["t"], &told["lacpdus"][0]["pdu"]), (&json!([1, 3, 4]), &json!([0, 0, 2])));
        assert_eq!((&told["lacpdus"][0]["unlisted"], &told["lacpdus"][1]["unlisted"]), (&json!([[1, 7]]), &json!([])));
        assert_eq!(told["lacpdus"][1]["direction"], "egress");
        assert_eq!(told["pdus"][2]["actor"]["state"][5], "expired");
    }
}
