//! Makes notices of what the engine and the agent tell.

use super::{Dropped, Found, Notice, Place, event, weigh};
use crate::flight::Opened;
use crate::level::Level;
use crate::time::WallOffset;
use crate::timeline::{Entry, What};
use crate::tone::Tone;
use crate::verdict::{Finding, FindingKind, Severity, Verdict};

impl Notice {
    /// Of an entry of the timeline, within an incident or not.
    pub fn of_entry(entry: &Entry, wall: WallOffset, place: Place, incident: Option<&str>) -> Self {
        let is_bond = place.slave.is_none() && place.bond.is_some();
        let mut notice = Self::new(wall.wall_ns(entry.at), weigh::entry(entry, is_bond), entry.what.name(), entry.describe());
        if let What::Trigger { kind, .. } = &entry.what {
            notice.trigger = Some(kind);
        }
        notice.tone = entry.tone();
        notice.link = entry.link.clone();
        notice.place = place;
        notice.incident = incident.map(str::to_owned);
        notice
    }

    /// Of an incident that opens.
    pub fn of_opened(opened: &Opened, wall: WallOffset, place: Place, incident: &str) -> Self {
        let text = format!("incident {incident} opens: {}", opened.text);
        let mut notice = Self::new(wall.wall_ns(opened.at), weigh::trigger(opened.kind), event::INCIDENT_OPENED, text);
        let what = What::Trigger { kind: opened.kind, text: String::new() };
        notice.tone = Entry { at: opened.at, link: None, source: crate::timeline::Source::Agent, what }.tone();
        notice.link = opened.link.clone();
        notice.place = place;
        notice.trigger = Some(opened.kind);
        notice.incident = Some(incident.to_owned());
        notice
    }

    /// Of an incident that is on disk: its verdict at `now_ns`, then each finding of the chain with its own time. `place` tells of a link by
    /// its name.
    pub fn of_written(
        incident: &str,
        verdict: &Verdict,
        headline: &str,
        now_ns: u64,
        wall: WallOffset,
        place: impl Fn(&str) -> Place,
    ) -> Vec<Self> {
        let level = weigh::severity(verdict.severity);
        let text = format!("incident {incident} is written: {headline}");
        let mut written = Self::new(now_ns, level, event::INCIDENT_WRITTEN, text);
        let cause = verdict.chain.first();
        written.tone = if verdict.severity == Severity::Info { Tone::Note } else { Tone::Failure };
        written.link = cause.and_then(|cause| cause.link.clone());
        written.place = cause.map(|cause| place(cause.link_name())).unwrap_or_default();
        written.finding =
            Some(Found { kind: cause.map(|cause| cause.kind), severity: verdict.severity, confidence: verdict.confidence });
        written.incident = Some(incident.to_owned());
        let finding = |finding: &Finding| Self::of_finding(incident, finding, wall, place(finding.link_name()));
        std::iter::once(written).chain(verdict.chain.iter().map(finding)).collect()
    }

    fn of_finding(incident: &str, finding: &Finding, wall: WallOffset, place: Place) -> Self {
        let good = finding.kind == FindingKind::Recovered;
        let level = if good { Level::Notice } else { weigh::severity(finding.severity) };
        let text = format!("{}: {}", finding.label(), finding.text);
        let mut notice = Self::new(wall.wall_ns(finding.at), level, event::FINDING, text);
        notice.tone = match finding.severity {
            _ if good => Tone::Recovery,
            Severity::Info => Tone::Note,
            Severity::Warning | Severity::Critical => Tone::Failure,
        };
        notice.link = finding.link.clone();
        notice.place = place;
        notice.incident = Some(incident.to_owned());
        notice.finding = Some(Found { kind: Some(finding.kind), severity: finding.severity, confidence: finding.confidence });
        notice
    }

    /// That the agent records from now on: what, in words.
    pub fn of_start(wall_ns: u64, text: String) -> Self {
        Self::new(wall_ns, Level::Notice, event::AGENT_STARTED, text)
    }

    /// That the agent stops.
    pub fn of_stop(wall_ns: u64) -> Self {
        Self::new(wall_ns, Level::Notice, event::AGENT_STOPPED, "linkprobe stops".to_owned())
    }

    /// That messages did not get to the collector which is told: `from` and `to` are their times in words.
    pub fn of_dropped(wall_ns: u64, dropped: Dropped, from: &str, to: &str, why: &str) -> Self {
        let text = match dropped.messages {
            1 => format!("1 message was dropped at {from}: {why}"),
            count => format!("{count} messages were dropped between {from} and {to}: {why}"),
        };
        let mut notice = Self::new(wall_ns, Level::Warning, event::MESSAGES_DROPPED, text);
        notice.dropped = Some(dropped);
        notice
    }

    fn new(wall_ns: u64, level: Level, event: &'static str, text: String) -> Self {
        Self {
            wall_ns,
            level,
            tone: Tone::Note,
            event,
            link: None,
            place: Place::default(),
            incident: None,
            trigger: None,
            finding: None,
            dropped: None,
            text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Mono;
    use crate::timeline::{LinkName, Source};
    use crate::verdict::Confidence;

    const WALL: WallOffset = WallOffset(1_000);

    fn eth1() -> (LinkName, Place) {
        let place = Place { bond: Some("bond0".to_owned()), slave: Some("eth1".to_owned()) };
        (LinkName { ifindex: 1, name: "eth1".to_owned() }, place)
    }

    #[test]
    fn an_entry_is_told_with_its_time_its_link_and_its_incident() {
        let (link, place) = eth1();
        let what = What::Trigger { kind: "slave-down", text: "eth1: carrier lost".to_owned() };
        let entry = Entry { at: Mono(7), link: Some(link.clone()), source: Source::Kernel, what };
        let notice = Notice::of_entry(&entry, WALL, place.clone(), Some("20171205T051251.447649Z"));
        assert_eq!((notice.wall_ns, notice.level, notice.tone, notice.event), (1_007, Level::Warning, Tone::Failure, "trigger"));
        assert_eq!((notice.trigger, notice.link, notice.place), (Some("slave-down"), Some(link), place));
        assert_eq!(notice.text, "trigger slave-down: eth1: carrier lost");
        assert_eq!(notice.incident.as_deref(), Some("20171205T051251.447649Z"));
    }

    #[test]
    fn a_written_incident_is_told_with_its_verdict_and_then_each_finding_with_its_own_time() {
        let (link, place) = eth1();
        let lost = Finding::new(FindingKind::CarrierLoss, Some(link.clone()), Mono(5), "The carrier was lost.")
            .weighed(Severity::Critical, Confidence::High);
        let good = Finding::new(FindingKind::Recovered, Some(link), Mono(9), "It works again.");
        let verdict =
            Verdict { severity: Severity::Critical, confidence: Confidence::High, chain: vec![lost, good], ..Verdict::default() };
        let told = Notice::of_written("x", &verdict, "eth1: carrier lost", 50, WALL, |_| place.clone());
        let short: Vec<_> = told.iter().map(|n| (n.event, n.wall_ns, n.level, n.tone)).collect();
        assert_eq!(
            short,
            [
                ("incident-written", 50, Level::Critical, Tone::Failure),
                ("finding", 1_005, Level::Critical, Tone::Failure),
                ("finding", 1_009, Level::Notice, Tone::Recovery),
            ]
        );
        assert_eq!(told[0].finding.and_then(|found| found.kind), Some(FindingKind::CarrierLoss), "the cause");
        assert_eq!(told[1].text, "eth1: carrier lost: The carrier was lost.");
        assert_eq!(told[0].place.bond.as_deref(), Some("bond0"));
    }

    #[test]
    fn an_incident_without_findings_is_a_note() {
        let told = Notice::of_written("x", &Verdict::default(), "nothing found", 50, WALL, |_| Place::default());
        assert_eq!((told.len(), told[0].level, told[0].tone), (1, Level::Notice, Tone::Note));
    }

    #[test]
    fn every_name_fits_into_a_message_id_of_syslog() {
        use crate::notice::event::*;
        for name in [INCIDENT_OPENED, INCIDENT_WRITTEN, FINDING, AGENT_STARTED, AGENT_STOPPED, MESSAGES_DROPPED] {
            assert!(name.len() <= 32 && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{name}");
        }
    }
}
