//! What LACPDUs say, in words.

use super::{Lacpdu, PortInfo, PortState};
use crate::direction::Direction;
use crate::link::mac_text;

/// What changed from one LACPDU to the next of the same end, in one line.
///
/// `the partner's LACPDU now says expired, no longer collecting, distributing (activity, aggregation, expired)`
pub fn change(direction: Direction, from: Option<&Lacpdu>, to: &Lacpdu) -> String {
    let (whose, other) = match direction {
        Direction::Egress => ("our", "the partner's end"),
        Direction::Ingress => ("the partner's", "our end"),
    };
    let Some(from) = from else {
        let actor = format!("{} ({})", to.actor.state, port(&to.actor));
        return format!("{whose} first LACPDU says {actor}; {}", knows(&to.partner));
    };
    let mut parts = Vec::new();
    let flags = flags("says ", from.actor.state, to.actor.state);
    if !flags.is_empty() {
        parts.push(format!("{flags} ({})", to.actor.state));
    }
    parts.extend(another(&from.actor, &to.actor));
    parts.extend(of_other(other, &from.partner, &to.partner));
    if parts.is_empty() {
        parts.push(format!("says another priority ({})", to.actor.state));
    }
    format!("{whose} LACPDU {}", parts.join("; "))
}

/// Why an end does not work, by what its LACPDUs say; empty when it works.
pub fn trouble(direction: Direction, state: PortState) -> String {
    let (end, other) = match direction {
        Direction::Egress => ("our end", "the partner's"),
        Direction::Ingress => ("the partner", "our"),
    };
    let why = match state {
        state if state.is_working() => return String::new(),
        state if state.expired() => format!("expired: it got none of {other} LACPDUs for too long"),
        state if state.defaulted() => "defaulted: it knows no partner".to_owned(),
        state if !state.aggregation() => "individual".to_owned(),
        state if !state.synchronization() => "not in sync".to_owned(),
        _ => "not collecting or not distributing".to_owned(),
    };
    format!("{end} is {why} ({state})")
}

/// A state in letters, as switches print it: A active or P passive, S short or L long timeout, G aggregable or I individual,
/// s+ in sync or s- not, C collecting, D distributing, d defaulted, e expired.
pub fn letters(state: PortState) -> String {
    let either = |is: bool, yes: &'static str, no: &'static str| if is { yes } else { no };
    [
        either(state.activity(), "A", "P"),
        either(state.timeout(), "S", "L"),
        either(state.aggregation(), "G", "I"),
        either(state.synchronization(), "s+", "s-"),
        either(state.collecting(), "C", ""),
        either(state.distributing(), "D", ""),
        either(state.defaulted(), "d", ""),
        either(state.expired(), "e", ""),
    ]
    .concat()
}

/// `system 02:00:00:00:00:01, key 9, port 1`.
pub fn port(info: &PortInfo) -> String {
    format!("system {}, key {}, port {}", mac_text(info.system), info.key, info.port)
}

fn knows(partner: &PortInfo) -> String {
    if partner.system == [0; 6] {
        return "it knows no partner".to_owned();
    }
    format!("its partner is {}: {}", port(partner), partner.state)
}

/// `now says expired, no longer collecting, distributing`; empty when nothing changed.
fn flags(says: &str, from: PortState, to: PortState) -> String {
    let list = |bits: u8| PortState(bits).names().map(of_timeout).collect::<Vec<_>>().join(", ");
    match (to.0 & !from.0, from.0 & !to.0) {
        (0, 0) => String::new(),
        (came, 0) => format!("now {says}{}", list(came)),
        (0, went) => format!("no longer {says}{}", list(went)),
        (came, went) => format!("now {says}{}, no longer {}", list(came), list(went)),
    }
}

fn of_timeout(name: &'static str) -> &'static str {
    if name == "timeout" { "short timeout" } else { name }
}

/// `comes from another port: key 9, was 15`.
fn another(from: &PortInfo, to: &PortInfo) -> Option<String> {
    let what = differences(from, to);
    (!what.is_empty()).then(|| format!("comes from another port: {what}"))
}

/// What differs between two ports: `system …, was …, key …, was …`; empty when they are the same.
pub fn differences(from: &PortInfo, to: &PortInfo) -> String {
    let mut what = Vec::new();
    if from.system != to.system {
        what.push(format!("system {}, was {}", mac_text(to.system), mac_text(from.system)));
    }
    if from.key != to.key {
        what.push(format!("key {}, was {}", to.key, from.key));
    }
    if from.port != to.port {
        what.push(format!("port {}, was {}", to.port, from.port));
    }
    what.join(", ")
}

/// What it says otherwise than before of the other end.
fn of_other(other: &str, from: &PortInfo, to: &PortInfo) -> Option<String> {
    let (known, knows) = (from.system != [0; 6], to.system != [0; 6]);
    if known && !knows {
        return Some("it knows no partner any more".to_owned());
    }
    if !known && knows {
        return Some(format!("it knows a partner now: {} ({})", port(to), to.state));
    }
    let differ = differences(from, to);
    if !differ.is_empty() {
        return Some(format!("it knows another partner: {differ} ({})", to.state));
    }
    let flags = flags("", from.state, to.state);
    (!flags.is_empty()).then(|| format!("says of {other}: {flags}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(state: u8) -> PortInfo {
        PortInfo { system: [2, 0, 0, 0, 0, 1], key: 9, port: 1, state: PortState(state), ..PortInfo::default() }
    }

    #[test]
    fn a_line_tells_what_changed() {
        let good = Lacpdu { actor: info(0x3d), partner: info(0x3d) };
        let expired = Lacpdu { actor: info(0x85), ..good };
        assert_eq!(
            change(Direction::Ingress, Some(&good), &expired),
            "the partner's LACPDU now says expired, no longer synchronization, collecting, distributing \
             (activity, aggregation, expired)"
        );
        let defaulted = Lacpdu { actor: info(0x45), partner: PortInfo { state: PortState(2), ..PortInfo::default() } };
        assert_eq!(
            change(Direction::Ingress, Some(&expired), &defaulted),
            "the partner's LACPDU now says defaulted, no longer expired (activity, aggregation, defaulted); \
             it knows no partner any more"
        );
        let fast = Lacpdu { partner: info(0x3f), ..good };
        assert_eq!(change(Direction::Egress, Some(&good), &fast), "our LACPDU says of the partner's end: now short timeout");
        let moved = Lacpdu { actor: PortInfo { key: 15, ..info(0x3d) }, ..good };
        assert_eq!(
            change(Direction::Ingress, Some(&good), &moved),
            "the partner's LACPDU comes from another port: key 15, was 9"
        );
    }

    #[test]
    fn the_first_one_tells_who_sends_it_and_whom_it_knows() {
        let alone = Lacpdu { actor: info(0x45), partner: PortInfo::default() };
        assert_eq!(
            change(Direction::Egress, None, &alone),
            "our first LACPDU says activity, aggregation, defaulted (system 02:00:00:00:00:01, key 9, port 1); \
             it knows no partner"
        );
    }

    #[test]
    fn letters_are_those_of_switches() {
        let said: Vec<String> = [0x3f, 0x3d, 0x85, 0x47, 0x00].map(|state| letters(PortState(state))).into();
        assert_eq!(said, ["ASGs+CD", "ALGs+CD", "ALGs-e", "ASGs-d", "PLIs-"]);
    }
}
