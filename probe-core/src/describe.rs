//! The wording of timeline entries: one line each, used by the report, the capture's comments and the log alike.

use std::fmt;

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
            What::ClockStep { step_ns } => {
                let ns = step_ns.unsigned_abs();
                let sign = if *step_ns < 0 { "back" } else { "forward" };
                write!(f, "wall clock set {sign} by {}.{:06} s", ns / 1_000_000_000, ns % 1_000_000_000 / 1000)
            }
            What::TapAttached { tap } => write!(f, "tap attached: {tap}"),
            What::TapDetached { tap } => write!(f, "tap gone: {tap}"),
            What::Trigger { kind, text } => write!(f, "trigger {kind}: {text}"),
            What::Alarm { text } => write!(f, "alarm: {text}"),
        }
    }
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
