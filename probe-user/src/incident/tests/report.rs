//! The report and the document.

use super::super::directory::{DOCUMENT, REPORT, write};
use super::super::report::WIDTH;
use super::*;

fn written(job: &Job) -> (String, serde_json::Value) {
    let dir = tempfile::tempdir().expect("a directory");
    let written = write(dir.path(), job).expect("written");
    let report = std::fs::read_to_string(written.path.join(REPORT)).expect("a report");
    let document = std::fs::read(written.path.join(DOCUMENT)).expect("a document");
    (report, serde_json::from_slice(&document).expect("JSON"))
}

#[test]
fn the_report_tells_what_fired_and_what_happened_when() {
    let (report, _) = written(&job());
    for line in [
        "eth1: slave of bond0 lost its carrier",
        "window   30.000 s before to 10.000 s after",
        "host     edge-1, Linux 6.12.9",
        "     +0.000000  slave-down: eth1: slave of bond0 lost its carrier (2 times more within its cooldown)",
        "     -0.012345  eth1: carrier lost",
        "eth1  up     yes -> no  up -> down",
        "eth1 ingress (native XDP)  02:00:00:00:00:01        3    300        3            0",
        "no losses",
        "capture.pcapng holds 5 packets",
    ] {
        assert!(report.contains(line), "{line:?} in:\n{report}");
    }
}

#[test]
fn no_line_of_the_report_is_too_long_whatever_it_is_about() {
    let mut job = job();
    let endless = "x\u{1b}[31m\n".repeat(300);
    job.incident.triggers[0].text.clone_from(&endless);
    job.incident.timeline.push(entry(TRIGGER.plus(1), &"n".repeat(120), What::Alarm { text: endless }));
    for link in &mut job.incident.links_after {
        link.name = "a-very-long-name".to_owned();
        link.master = Some(99);
        link.slave = Some(probe_core::link::SlaveState::default());
    }
    job.incident.taps[0].classes[0].packets = u64::MAX;
    job.losses.push(("netlink-overruns".to_owned(), 7));
    let (report, _) = written(&job);
    let long: Vec<&str> = report.lines().filter(|line| line.chars().count() > WIDTH).collect();
    assert!(long.is_empty(), "{long:?}");
    assert!(!report.contains('\u{1b}'), "nothing that a terminal would obey");
    assert!(report.contains("- netlink-overruns: 7"));
    assert!(!report.contains("no losses"));
}

#[test]
fn of_links_in_captures_no_state_is_told() {
    let mut job = job();
    job.incident.taps.iter_mut().for_each(|tap| tap.hook = probe_core::incident::FROM_FILE);
    for link in &mut job.incident.links_after {
        link.master = Some(9);
        link.slave = Some(probe_core::link::SlaveState { active: true, ..Default::default() });
        link.bond = Some(probe_core::link::BondState { mode: "802.3ad".to_owned(), miimon_ms: 100, ..Default::default() });
    }
    let (report, document) = written(&job);
    assert!(!report.contains("operstate"), "{report}");
    let link = &document["links_after"][0];
    for unknown in ["admin_up", "carrier", "operstate", "carrier_down_count", "mtu", "stats"] {
        assert!(link.get(unknown).is_some_and(serde_json::Value::is_null), "{unknown} of {link}");
    }
    for unknown in [&link["slave"]["active"], &link["slave"]["mii"], &link["bond"]["miimon_ms"]] {
        assert!(unknown.is_null(), "{link}");
    }
    assert_eq!((&link["name"], &link["master"], &link["bond"]["mode"]), (&"eth1".into(), &9.into(), &"802.3ad".into()));
}

#[test]
fn the_document_has_every_time_on_both_clocks() {
    let (_, document) = written(&job());
    assert_eq!((document["version"].as_u64(), document["id"].as_str()), (Some(1), Some("20171205T051251.447649Z")));
    let at = &document["triggers"][0]["at"];
    assert_eq!(at["mono_ns"], TRIGGER.0);
    let wall: jiff::Timestamp = at["wall"].as_str().and_then(|text| text.parse().ok()).expect("RFC 3339");
    assert_eq!(wall.as_nanosecond(), i128::from(WALL.wall_ns(TRIGGER)));
    assert_eq!(document["timeline"][0]["text"], "eth1: carrier lost");
    assert_eq!(document["timeline"][0]["tone"], "failure");
    assert_eq!(document["series"]["from"]["mono_ns"], TRIGGER.minus(30 * SECOND).0);
    assert_eq!(document["clock_steps"][0]["step_ns"], -3_600_000_000_000_i64);
    assert_eq!(document["capture"]["packets"], 5);
    assert_eq!(document["taps"][0]["mac"], "02:00:00:00:00:01");
    assert_eq!(document["window"]["ns"], 40_000_000_000_u64);
}

#[test]
fn what_the_taps_counted_beyond_the_edges_of_a_whole_capture_is_no_loss() {
    let mut job = job();
    job.incident.taps[0].classes[0].packets = 1000;
    let (report, document) = written(&job);
    assert!(report.contains("no losses"), "{report}");
    assert_eq!((document["capture"]["missing"].as_u64(), document["capture"]["whole"].as_bool()), (Some(0), Some(true)));
}

#[test]
fn a_history_that_was_overwritten_says_how_much_is_missing_and_what_to_do() {
    let mut job = job();
    job.captured.complete_from = [None, Some(TRIGGER.minus(12 * SECOND))];
    let (report, document) = written(&job);
    assert!(report.contains("- the bulk lane held no more of the first 18.000 s of the window: raise --memory"), "{report}");
    assert_eq!(document["capture"]["complete_from"]["bulk"]["mono_ns"], TRIGGER.minus(12 * SECOND).0);
}

#[test]
fn an_incident_without_a_capture_says_that_all_packets_are_missing() {
    let mut job = job();
    job.captured = Captured::default();
    let (report, document) = written(&job);
    assert!(report.contains("3 of 3 frames are not in this file: the recorder could not be copied"), "{report}");
    assert_eq!(document["capture"]["missing"], 5);
}

#[test]
fn frames_that_were_cut_are_told_and_are_no_loss() {
    let mut job = job();
    job.incident.taps[0].losses = vec![("truncated".to_owned(), 17)];
    let (report, _) = written(&job);
    assert!(report.contains("17 frames are longer than the snap length") && report.contains("no losses"), "{report}");
}

#[test]
fn packets_that_are_missing_are_said_to_be_missing() {
    let mut job = job();
    job.incident.taps[0].classes[0].packets = 1000;
    job.incident.taps[0].losses = vec![("record-busy".to_owned(), 4)];
    job.captured.missed.overrun_blocks = [0, 3];
    let (report, document) = written(&job);
    let text: String = report.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        text.contains("997 of 1000 frames are not in this file: 4 not recorded at the tap; the recorder overwrote"),
        "{report}"
    );
    assert!(text.contains("0 of the control lane, 3 of the bulk lane"), "{report}");
    assert_eq!(document["capture"]["missing"], 997);
}
