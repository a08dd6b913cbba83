//! `--filter`: what it leaves out is counted, and what the verdict rests on is there.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use linkprobe_tests::dump::{MINUTE, Scale, reference};
use linkprobe_tests::harness::command::succeed;
use linkprobe_tests::harness::pcapng::Capture;
use linkprobe_tests::harness::wait::patience;
use linkprobe_tests::harness::{Scratch, Traffic, json, place};
use linkprobe_tests::traffic::Kind;
use serde_json::Value;

use crate::lab::{EGRESS, INGRESS, Lab};

#[test]
fn of_ordinary_packets_an_incident_has_those_of_the_filter_and_a_storm_has_its_first_copies() -> Result<()> {
    let lab = Lab::new()?;
    let filter = "tcp&&outbound";
    let options = format!("--interface wan0 --before 60s --after 1s --filter {filter}");
    let mut agent = lab.launch(&options).start()?;
    let ordinary = "--kind udp,tcp,arp --count 600 --rate 20000";
    let near = Traffic::send(&lab.near, "wan0", ordinary)?;
    let far = Traffic::send(&lab.far, "far0", ordinary)?;
    let storm = Traffic::send(&lab.near, "wan0", "--kind storm --count 3000 --rate 50000")?;
    agent.trigger("all was sent")?;
    let incident = agent.incident(patience(20))?;
    for (direction, sent, wanted) in [(EGRESS, &near, [Kind::Tcp, Kind::Arp].as_slice()), (INGRESS, &far, &[Kind::Arp])] {
        let found = incident.found("wan0", direction, sent.stream);
        assert_eq!(found.keys().copied().collect::<Vec<_>>(), wanted, "direction {direction}");
        assert!(found.iter().all(|(kind, found)| found.packets == sent.of(*kind).packets), "{found:?}");
    }
    let exemplar =
        incident.capture.of("wan0", EGRESS).find(|packet| packet.comments.iter().any(|text| text.starts_with("copy 32 of")));
    let data = &exemplar.context("the 32nd copy")?.data;
    assert_eq!(incident.found("wan0", EGRESS, storm.stream).keys().collect::<Vec<_>>(), [&Kind::Storm]);
    let copies = incident.capture.of("wan0", EGRESS).filter(|packet| packet.data == *data);
    let (first, exemplars): (Vec<_>, Vec<_>) = copies.partition(|packet| packet.comments.is_empty());
    assert!(first.len() >= 16 && exemplars.len() >= 5, "{} first copies, {} exemplars", first.len(), exemplars.len());

    // Left out: UDP of both ends, and what TCP was received.
    let filtered: u64 = near.of(Kind::Udp).packets + far.of(Kind::Udp).packets + far.of(Kind::Tcp).packets;
    assert_eq!(json::number(&incident.json, "/capture/filtered")?, filtered);
    assert_eq!(json::number(&incident.json, "/capture/missing")?, 0);
    assert_eq!(json::text(&incident.json, "/capture/filter")?, filter);
    assert!(incident.report.contains(&format!("{filtered} packets left out by the filter: {filter}.")), "{}", incident.report);
    ensure!(incident.capture.interfaces.iter().all(|interface| interface.filter.as_deref() == Some(filter)));
    let refused: u64 = incident
        .capture
        .statistics
        .iter()
        .map(|of| Some(of.received? - of.accepted?))
        .sum::<Option<u64>>()
        .context("isb_ifrecv and isb_filteraccept")?;
    assert_eq!(refused, filtered);
    assert!(incident.capture.statistics.iter().all(|of| of.os_dropped == Some(0)), "{:?}", incident.capture.statistics);
    Ok(())
}

#[test]
fn a_filter_changes_nothing_of_the_verdict_on_old_captures_and_the_storms_first_copy_is_there() -> Result<()> {
    let scratch = Scratch::new("filter")?;
    let story = reference(scratch.path(), Scale { every_ns: 540_000 })?;
    let analyze = |name: &str, options: &[&str]| -> Result<(Value, Value, Capture)> {
        let dir = scratch.path().join(name);
        let mut command = Command::new(place::linkprobe()?);
        let ended = succeed(command.arg("analyze").args(&story.files).arg("--json").args(options).arg("--out").arg(&dir))?;
        let document = serde_json::from_slice(&std::fs::read(dir.join("incident.json"))?)?;
        Ok((serde_json::from_str(&ended)?, document, Capture::read(&dir.join("capture.pcapng"))?))
    };
    let (_, whole, all) = analyze("whole", &[])?;
    let (summary, document, capture) = analyze("filtered", &["--filter", "port 179"])?;
    for path in ["/verdict/headline", "/verdict/severity", "/verdict/confidence"] {
        assert_eq!(document.pointer(path), whole.pointer(path), "{path}");
    }
    let kinds = |document: &Value| -> Result<Vec<String>> {
        json::list(document, "/verdict/chain")?.iter().map(|finding| Ok(json::text(finding, "/kind")?.to_owned())).collect()
    };
    assert_eq!(kinds(&document)?, kinds(&whole)?);

    let filtered = json::number(&summary, "/capture/filtered")?;
    assert!(filtered > 0);
    assert_eq!(capture.packets.len() as u64 + filtered, all.packets.len() as u64, "what is left out is counted");
    assert_eq!(json::number(&document, "/capture/filtered")?, filtered);

    // The evidence names the same packets, by the numbers that they have in each file; the storm's begins with its first copy.
    let (with, without) = (evidence(&document, &capture)?, evidence(&whole, &all)?);
    assert_eq!(with, without);
    assert_eq!(with.first(), Some(&(MINUTE + 447_649_000)), "{with:?}");
    Ok(())
}

/// When each packet passed that the verdict names, by what stands in the file under its number.
fn evidence(document: &Value, capture: &Capture) -> Result<Vec<u64>> {
    let mut found = Vec::new();
    for finding in json::list(document, "/verdict/chain")? {
        for number in json::list(finding, "/evidence")?.iter().filter_map(|piece| piece["number"].as_u64()) {
            found.push(numbered(capture, number).with_context(|| format!("no packet {number}"))?);
        }
    }
    Ok(found)
}

/// When the packet with this number passed: journal blocks are counted as well.
fn numbered(capture: &Capture, number: u64) -> Option<u64> {
    let events_before = |place: usize| capture.journal.iter().filter(|entry| entry.after_packets <= place).count();
    let mut places = capture.packets.iter().enumerate();
    places.find(|(place, _)| (place + 1 + events_before(*place)) as u64 == number).map(|(_, packet)| packet.at_ns)
}
