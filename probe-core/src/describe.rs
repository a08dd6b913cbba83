//! The wording of timeline entries: one line each, used by the report, the capture's comments and the log alike.

use std::fmt;

use crate::direction::Direction;
use crate::lacp::{self, Grown};
use crate::timeline::{Entry, What};

impl fmt::Display for Entry {
    /// `eth1: carrier lost`; without a link, what happened alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A trigger's text names its link itself.
        let named = !matches!(self.what, What::Trigger { .. });
        if let Some(link) = self.link.as_ref().filter(|_| named) {
            write!(f, "{}: ", link.name)?;
        }
        self.what.fmt(f)
    }
}

impl Entry {
    /// What happened to which link, in one line.
    pub fn describe(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Appeared { initial: true } => f.write_str("was there at the start"),
            What::Appeared { initial: false } => f.write_str("appeared"),
            What::Vanished => f.write_str("is gone"),
            What::Renamed { from } => write!(f, "was called {from} before"),
            What::Admin { up } => write!(f, "set {} by the administrator", up_or_down(*up)),
            What::Carrier { up, unseen_ups, unseen_downs } => {
                f.write_str(if *up { "carrier came" } else { "carrier lost" })?;
                let (lost, came) = (*unseen_downs, *unseen_ups);
                match (lost, came) {
                    (0, 0) => Ok(()),
                    _ => write!(f, "; unseen before that: {}", flips(lost, came)),
                }
            }
            What::Flaps { ups, downs } => {
                write!(f, "carrier flapped between two messages: {} (kernel counters)", flips(*downs, *ups))
            }
            What::Oper { from, to } => write!(f, "operstate {from} → {to}"),
            What::Master { from: None, to: Some(to) } => write!(f, "put into {to}"),
            What::Master { from: Some(from), to: None } => write!(f, "taken out of {from}"),
            What::Master { from: Some(from), to: Some(to) } => write!(f, "moved from {from} to {to}"),
            What::Master { from: None, to: None } => f.write_str("in no bond"),
            What::SlaveMii { from, to } => write!(f, "MII status {from} → {to}"),
            What::SlaveActive { active } => write!(f, "slave is {} now", if *active { "active" } else { "backup" }),
            What::Attribute { name, from, to } => write!(f, "{name} {from} → {to}"),
            What::Gap { reason } => write!(f, "events were lost ({reason}); what follows was found by asking again"),
            What::LinkReason { reason } => write!(f, "the driver says why: {reason}"),
            What::ClockStep { step_ns } => {
                let ns = step_ns.unsigned_abs();
                let sign = if *step_ns < 0 { "back" } else { "forward" };
                write!(f, "wall clock set {sign} by {}.{:06} s", ns / 1_000_000_000, ns % 1_000_000_000 / 1000)
            }
            What::Lacp { direction, from, to } => f.write_str(&lacp::change(*direction, from.as_ref(), to)),
            What::LacpSilence { direction, silent: true, for_ns, .. } => {
                write!(f, "no LACPDU of {} for {:.1} s", whose(*direction), seconds(*for_ns))
            }
            What::LacpSilence { direction, silent: false, for_ns, .. } => {
                write!(f, "a LACPDU of {} again, after {:.1} s", whose(*direction), seconds(*for_ns))
            }
            What::LacpCounters(Grown { counters, seen_sent, seen_received, within_ns }) => write!(
                f,
                "LACPDUs in {:.1} s: the bond sent {}, {seen_sent} passed the slave's egress tap; {seen_received} came in at its \
                 ingress tap, the bond received {}",
                seconds(*within_ns),
                counters.sent,
                counters.received
            ),
            What::Reach { target, up: true, rtt_ns, .. } => match rtt_ns {
                Some(rtt) => write!(f, "{target} answers again, after {:.3} ms", *rtt as f64 / 1e6),
                None => write!(f, "{target} answers again"),
            },
            What::Reach { target, send_error: Some(error), .. } => write!(f, "{target} cannot be asked: {error}"),
            What::Reach { target, lost, of, .. } => write!(f, "{target} does not answer: {lost} of {of} probes lost"),
            What::Storm { begins: true, repeat, what, rate } => {
                write!(f, "duplicate storm, {}: {what}: {} copies, {rate} in a second", repeat.direction, repeat.copies)
            }
            What::Storm { begins: false, repeat, what, .. } => {
                write!(f, "duplicate storm over, {}: {what}: {} copies", repeat.direction, repeat.copies)
            }
            What::Ghosts { bond, slaves, wire, .. } => {
                write!(f, "ghost packets: {bond} left the bond, {slaves} its slaves, {wire} were sent by the drivers")
            }
            What::Blackout { direction, begins, text } => {
                write!(f, "{direction} blackout{}: {text}", if *begins { "" } else { " over" })
            }
            What::Rate { direction, now, usual } => write!(f, "{direction}: {now} packets/s, {usual} are usual"),
            What::Drops { reason, place, packets, .. } => {
                write!(f, "{packets} packets dropped by the kernel: {reason}")?;
                if place.is_empty() { Ok(()) } else { write!(f, " in {place}") }
            }
            What::Log { file, line, .. } => write!(f, "{file}: {line}"),
            What::TapAttached { tap } => write!(f, "tap attached: {tap}"),
            What::TapDetached { tap } => write!(f, "tap gone: {tap}"),
            What::Trigger { kind, text } => write!(f, "trigger {kind}: {text}"),
            What::Recovery { dry_run: false, text, .. } => write!(f, "recovery: {text}"),
            What::Recovery { dry_run: true, text, .. } => write!(f, "recovery (dry run): {text}"),
            What::Alarm { text } => write!(f, "alarm: {text}"),
        }
    }
}

/// Whose LACPDUs go this way at a slave.
fn whose(direction: Direction) -> &'static str {
    match direction {
        Direction::Egress => "ours",
        Direction::Ingress => "the partner",
    }
}

fn seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}

fn up_or_down(up: bool) -> &'static str {
    if up { "up" } else { "down" }
}

/// `lost 3 times, came twice`; a direction without any is left out.
fn flips(lost: u32, came: u32) -> String {
    let told = [("lost", lost), ("came", came)].into_iter().filter(|(_, count)| *count > 0);
    told.map(|(word, count)| format!("{word} {}", times(count))).collect::<Vec<_>>().join(" and ")
}

fn times(count: u32) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        n => format!("{n} times"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::OperState;
    use crate::time::Mono;
    use crate::timeline::{LinkName, Source};

    fn told(what: What) -> String {
        let link = Some(LinkName { ifindex: 1, name: "eth1".to_owned() });
        Entry { at: Mono(0), link, source: Source::Netlink, what }.describe()
    }

    #[test]
    fn entries_name_their_link_and_what_happened() {
        assert_eq!(told(What::Carrier { up: false, unseen_ups: 0, unseen_downs: 0 }), "eth1: carrier lost");
        assert_eq!(
            told(What::Oper { from: OperState::Up, to: OperState::LowerLayerDown }),
            "eth1: operstate up → lowerlayerdown"
        );
        assert_eq!(told(What::Master { from: Some("bond0".to_owned()), to: None }), "eth1: taken out of bond0");
        assert_eq!(
            told(What::Attribute { name: "mtu", from: "1500".to_owned(), to: "9000".to_owned() }),
            "eth1: mtu 1500 → 9000"
        );
    }

    #[test]
    fn flips_that_nobody_saw_are_told_in_numbers() {
        assert_eq!(
            told(What::Flaps { ups: 20, downs: 20 }),
            "eth1: carrier flapped between two messages: lost 20 times and came 20 times (kernel counters)"
        );
        assert_eq!(
            told(What::Carrier { up: true, unseen_ups: 0, unseen_downs: 1 }),
            "eth1: carrier came; unseen before that: lost once"
        );
    }

    #[test]
    fn a_clock_step_has_its_sign_and_size() {
        assert_eq!(told(What::ClockStep { step_ns: -90_000_001_000 }), "eth1: wall clock set back by 90.000001 s");
    }
}
