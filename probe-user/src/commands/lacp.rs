//! LACP's table in `linkprobe status`, like `show interfaces bonding slaves`.

use crate::agent::lacp::{LacpEnd, LacpStatus};
use crate::text::{Table, seconds};

/// The table with its heading; empty where no interface has LACP.
pub fn table(slaves: &[LacpStatus]) -> String {
    if slaves.is_empty() {
        return String::new();
    }
    let mut table = Table::new([
        "slave",
        "selected",
        "LACP",
        "our end",
        "rate",
        "seen",
        "partner",
        "rate",
        "seen",
        "partner's system",
        "key",
        "port",
    ]);
    for slave in slaves {
        let [our_state, our_rate, our_age] = end(&slave.ours);
        let [state, rate, age] = end(&slave.partner);
        let port = |of: fn(&crate::agent::lacp::LacpPort) -> String| slave.partner.actor.as_ref().map_or_else(none, of);
        table.row([
            slave.name.clone(),
            selected(slave),
            slave.phase.clone(),
            our_state,
            our_rate,
            our_age,
            state,
            rate,
            age,
            port(|port| port.system.clone()),
            port(|port| port.key.to_string()),
            port(|port| port.port.to_string()),
        ]);
    }
    let mut text = format!("\nLACP\n{}", table.render(2));
    for (slave, end, what) in
        slaves.iter().flat_map(|slave| [(slave, &slave.ours, "our"), (slave, &slave.partner, "the partner's")])
    {
        if end.malformed > 0 {
            text += &format!("  {}: {} of {what} frames could not be understood\n", slave.name, end.malformed);
        }
    }
    for slave in slaves {
        text += &unknown("the partner", "us", slave, &slave.partner, &slave.ours);
        text += &unknown("our end", "the partner", slave, &slave.ours, &slave.partner);
    }
    text += "  A active, P passive; S short, L long timeout; G aggregable, I individual; s+ in sync, s- not;\n";
    text += "  C collecting, D distributing, d defaulted, e expired\n";
    text
}

/// A line where one end takes another port than the one that sends for its partner.
fn unknown(knows: &str, whom: &str, slave: &LacpStatus, end: &LacpEnd, other: &LacpEnd) -> String {
    let (Some(known), Some(is)) = (&end.partner, &other.actor) else { return String::new() };
    if (&known.system, known.key, known.port) == (&is.system, is.key, is.port) {
        return String::new();
    }
    let name = &slave.name;
    format!("  {name}: {knows} does not know {whom}: it has system {}, key {}, port {}\n", known.system, known.key, known.port)
}

/// State, rate and age.
fn end(end: &LacpEnd) -> [String; 3] {
    let state = end.actor.as_ref().map_or_else(none, |actor| actor.letters.clone());
    let age = match end.age_s {
        None if end.silent => "SILENT".to_owned(),
        None => none(),
        Some(age) if end.silent => format!("SILENT for {}", seconds(age)),
        Some(age) => format!("{} ago", seconds(age)),
    };
    [state, end.rate.clone().unwrap_or_else(none), age]
}

fn selected(slave: &LacpStatus) -> String {
    match (slave.selected, slave.aggregator) {
        (Some(true), Some(id)) => format!("yes, in {id}"),
        (Some(false), Some(id)) => format!("no, in {id}"),
        _ => none(),
    }
}

fn none() -> String {
    "-".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::lacp::LacpPort;

    #[test]
    fn a_row_tells_of_both_ends_and_who_is_silent() {
        let port = |letters: &str| LacpPort {
            system: "02:00:00:00:00:02".into(),
            key: 9,
            letters: letters.into(),
            ..LacpPort::default()
        };
        let end = |letters: &str, age, silent| LacpEnd {
            actor: Some(port(letters)),
            age_s: Some(age),
            rate: Some("fast".into()),
            silent,
            ..LacpEnd::default()
        };
        let slave = LacpStatus {
            name: "eth1".into(),
            aggregator: Some(1),
            selected: Some(true),
            phase: "failed".into(),
            ours: end("ASGs+", 0.5, false),
            partner: LacpEnd { malformed: 2, ..end("ASGs+CD", 4.0, true) },
            ..LacpStatus::default()
        };
        let text = table(&[slave]);
        let row = "  eth1   yes, in 1  failed  ASGs+    fast  0.500 s ago  ASGs+CD  fast  SILENT for 4.0 s  02:00:00:00:00:02    9     0";
        assert_eq!(text.lines().nth(3), Some(row), "{text}");
        assert!(text.contains("eth1: 2 of the partner's frames could not be understood"));
        assert_eq!(table(&[]), "");
    }

    #[test]
    fn an_end_that_does_not_know_the_other_is_named() {
        let port = |system: &str| LacpPort { system: system.into(), key: 9, port: 1, ..LacpPort::default() };
        let end = |actor, partner| LacpEnd { actor: Some(port(actor)), partner: Some(port(partner)), ..LacpEnd::default() };
        let slave = LacpStatus { name: "eth1".into(), ours: end("a", "b"), partner: end("b", "00"), ..LacpStatus::default() };
        let text = table(&[slave]);
        assert!(text.contains("  eth1: the partner does not know us: it has system 00, key 9, port 1\n"), "{text}");
        assert!(!text.contains("our end does not know"), "{text}");
    }
}
