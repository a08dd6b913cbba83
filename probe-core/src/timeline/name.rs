//! The names of what happens, as they are in incident.json and in whatever is exported.

use super::What;

impl What {
    /// Its name: the tag that it has in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            What::Appeared { .. } => "appeared",
            What::Vanished => "vanished",
            What::Renamed { .. } => "renamed",
            What::Admin { .. } => "admin",
            What::Carrier { .. } => "carrier",
            What::Flaps { .. } => "flaps",
            What::Oper { .. } => "oper",
            What::Master { .. } => "master",
            What::SlaveMii { .. } => "slave-mii",
            What::SlaveActive { .. } => "slave-active",
            What::Attribute { .. } => "attribute",
            What::Gap { .. } => "gap",
            What::ClockStep { .. } => "clock-step",
            What::LinkReason { .. } => "link-reason",
            What::Lacp { .. } => "lacp",
            What::LacpSilence { .. } => "lacp-silence",
            What::LacpCounters(_) => "lacp-counters",
            What::Reach { .. } => "reach",
            What::Storm { .. } => "storm",
            What::Ghosts { .. } => "ghosts",
            What::Blackout { .. } => "blackout",
            What::Rate { .. } => "rate",
            What::Drops { .. } => "drops",
            What::Log { .. } => "log",
            What::TapAttached { .. } => "tap-attached",
            What::TapDetached { .. } => "tap-detached",
            What::Trigger { .. } => "trigger",
            What::Recovery { .. } => "recovery",
            What::Alarm { .. } => "alarm",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::direction::Direction;
    use crate::lacp::Lacpdu;
    use crate::link::{MiiStatus, OperState};
    use crate::reach::Method;
    use crate::recovery::Step;

    #[test]
    fn every_name_is_the_tag_in_json() {
        let text = String::new;
        let all = [
            What::Appeared { initial: true },
            What::Vanished,
            What::Renamed { from: text() },
            What::Admin { up: true },
            What::Carrier { up: true, unseen_ups: 0, unseen_downs: 0 },
            What::Flaps { ups: 1, downs: 1 },
            What::Oper { from: OperState::Up, to: OperState::Down },
            What::Master { from: None, to: None },
            What::SlaveMii { from: MiiStatus::Up, to: MiiStatus::Down },
            What::SlaveActive { active: true },
            What::Attribute { name: "mtu", from: text(), to: text() },
            What::Gap { reason: text() },
            What::ClockStep { step_ns: 1 },
            What::LinkReason { reason: text() },
            What::Lacp { direction: Direction::Egress, from: None, to: Lacpdu::default() },
            What::LacpSilence { direction: Direction::Egress, silent: true, for_ns: 1, limit_ns: 1 },
            What::LacpCounters(crate::lacp::Grown::default()),
            What::Reach { target: text(), method: Method::Arp, up: true, lost: 0, of: 1, rtt_ns: None, send_error: None },
            What::Ghosts { bond: 1, slaves: 2, wire: 2, within_ns: 1 },
            What::Blackout { direction: Direction::Egress, begins: true, text: text() },
            What::Rate { direction: Direction::Egress, now: 1, usual: 2 },
            What::Drops { reason: text(), place: text(), packets: 1, within_ns: 1 },
            What::Log { file: text(), failure: true, pattern: text(), line: text() },
            What::TapAttached { tap: text() },
            What::TapDetached { tap: text() },
            What::Trigger { kind: "manual", text: text() },
            What::Recovery { step: Step::Takes, dry_run: false, text: text() },
            What::Alarm { text: text() },
        ];
        for what in all {
            let json = serde_json::to_value(&what).expect("an event");
            assert_eq!(json["event"], what.name());
        }
    }
}
