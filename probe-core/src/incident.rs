//! An incident: what is written when something broke.

use serde::Serialize;

use crate::direction::Direction;
use crate::drops::DropTotal;
use crate::lacp::LacpduSeen;
use crate::link::{self, LinkState};
use crate::matrix::Second;
use crate::past::Normal;
use crate::reach::ProbeSample;
use crate::repeat::RepeatTotal;
use crate::time::Mono;
use crate::timeline::{Entry, LinkName};
use crate::verdict::Verdict;

/// One trigger that fired.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Trigger {
    /// When.
    pub at: Mono,
    /// Which, by its name in the configuration: bond-down, slave-up, min-slaves, manual…
    pub kind: &'static str,
    /// The link that it is about.
    pub link: Option<LinkName>,
    /// In words.
    pub text: String,
    /// Times that it fired again for this link within its cooldown: those are counted, not listed.
    pub repeats: u64,
}

/// Why an incident's window ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Closed {
    /// Nothing fired for as long as the window goes on after a trigger.
    #[default]
    Quiet,
    /// It was as long as a window may be; what fires from there on opens the next incident.
    Limit,
    /// The agent was stopped.
    Stop,
}

/// Counts of one class at one tap.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ClassTotals {
    /// Name of the class ([`probe_common::class::name`]).
    pub class: &'static str,
    /// Frames as the hook saw them.
    pub packets: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Packets that they are on the wire.
    pub segments: u64,
}

/// A tap and what it counted within the incident's window.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TapCounts {
    /// Tap id, as in the records.
    pub tap: u16,
    /// Interface.
    pub link: LinkName,
    /// Hardware address.
    #[serde(serialize_with = "link::serialize_mac")]
    pub mac: [u8; 6],
    /// Bits per second where the driver tells.
    pub speed_bps: Option<u64>,
    /// xdp, xdp-generic, tcx, clsact.
    pub hook: &'static str,
    /// ingress or egress.
    pub direction: &'static str,
    /// From the window's start to its end, classes that counted nothing left out.
    pub classes: Vec<ClassTotals>,
    /// Losses in the same time, by name; zeros left out.
    pub losses: Vec<(String, u64)>,
    /// Frames in the same time that were counted instead of recorded: copies of others.
    pub repeats: u64,
}

impl TapCounts {
    /// Which way frames go at it; `None` where that is not known.
    pub fn way(&self) -> Option<Direction> {
        [Direction::Ingress, Direction::Egress].into_iter().find(|way| way.name() == self.direction)
    }
}

/// Everything about an incident but its packets.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Incident {
    /// Name of its directory: unique on this host, sorts by time.
    pub id: String,
    /// Start of the window.
    pub from: Mono,
    /// End of the window.
    pub to: Mono,
    /// Why it ended there.
    pub closed: Closed,
    /// The triggers that fired, in order; the first one opened it.
    pub triggers: Vec<Trigger>,
    /// What happened in the window, in order.
    pub timeline: Vec<Entry>,
    /// Entries of the window that the timeline no longer held.
    pub timeline_lost: u64,
    /// The watched links at the start of the window, as far as it is known.
    pub links_before: Vec<LinkState>,
    /// The watched links at its end.
    pub links_after: Vec<LinkState>,
    /// Every tap.
    pub taps: Vec<TapCounts>,
    /// LACPDUs of the window, in order; before them the last one of each slave and direction of before it.
    pub lacpdus: Vec<LacpduSeen>,
    /// Probes of the window, in order.
    pub probes: Vec<ProbeSample>,
    /// Frames that were repeated in the window, the most copied first.
    pub repeats: Vec<RepeatTotal>,
    /// What was counted in each second of the window, in order.
    pub seconds: Vec<Second>,
    /// What the kernel dropped in the window, most first.
    pub drops: Vec<DropTotal>,
    /// What was usual before the window, where that is known: the agent's to fill in ([`crate::flight::Flight::before`]).
    pub normal: Option<Normal>,
    /// Why it happened.
    pub verdict: Verdict,
    /// The host's name.
    pub host: String,
    /// Kernel release.
    pub kernel: String,
}

impl Incident {
    /// True when it was found in capture files: nothing is known but packets.
    pub fn is_from_captures(&self) -> bool {
        !self.taps.is_empty() && self.taps.iter().all(|tap| tap.hook == FROM_FILE)
    }
}

/// [`TapCounts::hook`] of packets that come from a capture file.
pub const FROM_FILE: &str = "file";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{at, down, link, slave};
    use crate::timeline::{Source, What};

    /// Programs read these names: one that changes its meaning or goes raises the version of incident.json.
    #[test]
    fn the_names_in_json_are_those_that_programs_know() {
        let eth1 = LinkName { ifindex: 1, name: "eth1".to_owned() };
        let lost = What::Carrier { up: false, unseen_ups: 0, unseen_downs: 0 };
        let incident = Incident {
            id: "x".to_owned(),
            from: at(1),
            to: at(2),
            triggers: vec![Trigger {
                at: at(1),
                kind: "slave-down",
                link: Some(eth1.clone()),
                text: "eth1: carrier lost".to_owned(),
                repeats: 3,
            }],
            timeline: vec![Entry { at: at(1), link: Some(eth1.clone()), source: Source::Kernel, what: lost }],
            links_after: vec![down(slave(1, "eth1", 10)), link(4, "mgmt")],
            taps: vec![TapCounts { tap: 2, link: eth1, mac: [2, 0, 0, 0, 0, 9], ..TapCounts::default() }],
            ..Incident::default()
        };
        let json = serde_json::to_value(&incident).expect("an incident");
        let eth1 = serde_json::json!({ "ifindex": 1, "name": "eth1" });
        assert_eq!(json["closed"], "quiet");
        assert_eq!(
            json["triggers"][0],
            serde_json::json!({ "at": 1_000_000, "kind": "slave-down", "link": eth1, "text": "eth1: carrier lost", "repeats": 3 })
        );
        assert_eq!(
            json["timeline"][0],
            serde_json::json!({
                "at": 1_000_000, "link": eth1, "source": "kernel", "event": "carrier", "up": false, "unseen_ups": 0, "unseen_downs": 0
            })
        );
        let slave = &json["links_after"][0];
        assert_eq!((&slave["operstate"], &slave["master"], &slave["slave"]["mii"]), (&"down".into(), &10.into(), &"down".into()));
        assert_eq!(json["links_after"][1]["slave"], serde_json::Value::Null);
        assert_eq!(json["taps"][0]["mac"], "02:00:00:00:00:09");
    }
}
