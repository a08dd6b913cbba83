//! Under load: the recorder wraps around, and what is written is whole all the same.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Result;
use linkprobe_tests::harness::wait::patience;
use linkprobe_tests::harness::{Incident, Traffic};
use linkprobe_tests::traffic::{Kind, Verdict, verify};

use crate::lab::{EGRESS, INGRESS, Lab};

/// Triggers in the middle of a flood, and returns the incident.
fn under_flood(lab: &Lab, options: &str, traffic: &str) -> Result<(Incident, u32)> {
    let mut agent = lab.launch(options).start()?;
    let flood = Traffic::start(&lab.near, "wan0", traffic)?;
    std::thread::sleep(Duration::from_secs(2));
    agent.trigger("in the flood")?;
    let incident = agent.incident(patience(60))?;
    let sent = flood.stop()?;
    assert!(sent.total.packets > 10_000, "no flood: {sent:?}");
    Ok((incident, sent.stream))
}

#[test]
fn a_recorder_that_wraps_around_all_the_time_gives_whole_packets_only() -> Result<()> {
    let lab = Lab::new()?;
    // reading it already fails for a torn packet: here every byte of every packet is there to be checked
    let options = "--interface wan0 --memory 4MiB --snaplen 2048 --before 10s --after 2s";
    let (incident, stream) = under_flood(&lab, options, "--flat-out --size 1000 --duration 120s --kind udp,tcp,vlan")?;
    let whole = incident.capture.packets.iter().filter(|packet| matches!(verify(&packet.data), Verdict::Whole(_))).count();
    assert!(whole > 1000, "{whole} packets");
    assert_eq!(whole, incident.capture.packets.len());
    for kind in [Kind::Udp, Kind::Tcp, Kind::Vlan] {
        let sequence = incident.sequence("wan0", EGRESS, stream, kind);
        let different: BTreeSet<u64> = sequence.iter().copied().collect();
        assert_eq!(different.len(), sequence.len(), "a packet of kind {kind:?} is there twice");
    }
    Ok(())
}

#[test]
fn what_did_not_fit_is_counted_in_the_file_the_json_and_the_report() -> Result<()> {
    let lab = Lab::new()?;
    let options = "--interface wan0 --memory 4MiB --before 10s --after 1s --capture-limit 1MiB";
    let (incident, _) = under_flood(&lab, options, "--flat-out --size 200 --duration 120s")?;
    let size = std::fs::metadata(incident.capture_path())?.len();
    // the packets of the limit; events, comments and the blocks around them beside
    assert!(size <= (1 << 20) + 60_000, "{size} bytes");
    let tap = incident.tap("wan0", "egress")?;
    let counted = incident.class_total("wan0", "egress", "udp4")?.packets;
    let recorded = incident.capture.of("wan0", EGRESS).count() as u64;
    assert!(counted > recorded, "{counted} counted, {recorded} in the file");
    let index = incident.capture.interfaces.iter().position(|interface| interface.description.contains("egress"));
    let statistics = incident.capture.statistics.iter().find(|statistics| Some(statistics.interface) == index);
    let statistics = statistics.or(incident.capture.statistics.iter().max_by_key(|statistics| statistics.received));
    let statistics = statistics.expect("statistics");
    assert_eq!(statistics.delivered, Some(recorded));
    let lost = statistics.dropped.unwrap_or(0) + statistics.os_dropped.unwrap_or(0);
    assert_eq!(statistics.received, Some(recorded + lost), "received is delivered and lost: {statistics:?}, {tap:#}");
    Ok(())
}

#[test]
fn a_flood_does_not_push_out_the_control_frames() -> Result<()> {
    let lab = Lab::new()?;
    let options = "--interface wan0 --memory 4MiB --before 60s --after 1s";
    let mut agent = lab.launch(options).start()?;
    let hellos = Traffic::send(&lab.near, "wan0", "--kind arp,lacp --count 40 --rate 1000")?;
    let flood = Traffic::send(&lab.near, "wan0", "--flat-out --size 1000 --duration 3s")?;
    let last = Traffic::send(&lab.far, "far0", "--kind arp --count 10 --rate 1000")?;
    agent.trigger("after the flood")?;
    let incident = agent.incident(patience(60))?;
    incident.equals_sent("wan0", EGRESS, &hellos)?;
    incident.equals_sent("wan0", INGRESS, &last)?;
    let kept = incident.found("wan0", EGRESS, flood.stream)[&Kind::Udp].packets;
    assert!(kept < flood.total.packets, "the flood was to be more than the recorder holds");
    Ok(())
}

#[test]
fn at_the_fastest_rate_every_packet_is_counted() -> Result<()> {
    let lab = Lab::new()?;
    let mut agent = lab.launch("--interface wan0 --before 60s --after 1s").start()?;
    let sent = Traffic::send(&lab.near, "wan0", "--flat-out --size 82 --duration 2s")?;
    agent.trigger("count")?;
    let incident = agent.incident(patience(60))?;
    let counted = incident.class_total("wan0", "egress", "udp4")?;
    let dropped_behind_the_hook = sent.refused.get("ENOBUFS").copied().unwrap_or(0);
    assert!(counted.packets >= sent.total.packets, "{counted:?} {sent:?}");
    assert!(counted.packets <= sent.total.packets + dropped_behind_the_hook, "{counted:?} {sent:?}");
    Ok(())
}
