//! The tap matrix: what is counted per second agrees with what the kernel's tools and the sender say.

use std::time::Duration;

use anyhow::{Context, Result};
use linkprobe_tests::harness::json::{list, number};
use linkprobe_tests::harness::wait::patience;
use linkprobe_tests::harness::{Incident, Netns, Traffic};
use serde_json::Value;

use crate::lab::Lab;

/// Sum over the seconds of an incident of one column of `link`.
fn sum(incident: &Incident, link: &str, pointer: &str) -> Result<u64> {
    let links = list(&incident.json, "/series/seconds/links")?;
    let found = links.iter().find(|of| of["link"]["name"] == link).with_context(|| format!("no {link} in {links:#?}"))?;
    Ok(list(found, pointer)?.iter().filter_map(Value::as_u64).sum())
}

/// Packets and bytes that `ip -s link` tells.
fn by_ip(netns: &Netns, link: &str, way: &str) -> Result<(u64, u64)> {
    let text = netns.ip(&format!("-s -j link show {link}"))?;
    let links: Value = serde_json::from_str(&text).with_context(|| text.clone())?;
    let stats = &links[0]["stats64"][way];
    Ok((number(stats, "/packets")?, number(stats, "/bytes")?))
}

#[test]
fn the_sums_of_the_matrix_agree_with_ip_and_with_the_sender() -> Result<()> {
    let lab = Lab::new()?;
    // nobody else may send on the pair: with addresses the kernel does
    let mut agent = lab.launch("--interface wan0 --before 60s --after 2s").start()?;
    std::thread::sleep(Duration::from_millis(1500));
    let before = (by_ip(&lab.near, "wan0", "tx")?, by_ip(&lab.near, "wan0", "rx")?);
    let sent = Traffic::send(&lab.near, "wan0", "--kind udp,tcp,gso --count 3000 --rate 1500 --size 600")?;
    let came = Traffic::send(&lab.far, "far0", "--kind udp --count 1000 --rate 1000")?;
    std::thread::sleep(Duration::from_millis(1500));
    let after = (by_ip(&lab.near, "wan0", "tx")?, by_ip(&lab.near, "wan0", "rx")?);
    agent.trigger("look")?;
    let incident = agent.incident(patience(30))?;
    let stray = 40;
    let close = |counted: u64, told: u64, what: &str| {
        assert!(counted >= told && counted <= told + stray, "{what}: {counted} counted, {told} told");
    };
    close(sum(&incident, "wan0", "/egress/packets")?, sent.total.segments, "packets out");
    close(sum(&incident, "wan0", "/ingress/packets")?, came.total.packets, "packets in");
    close(sum(&incident, "wan0", "/driver/tx/packets")?, after.0.0 - before.0.0, "sent by the driver");
    close(sum(&incident, "wan0", "/driver/rx/packets")?, after.1.0 - before.1.0, "received by the driver");
    // a veth counts what it is handed: frames, not what they would be on a wire
    close(sum(&incident, "wan0", "/egress/frames")?, after.0.0 - before.0.0, "frames out");
    assert!(sum(&incident, "wan0", "/driver/tx/bytes")? >= after.0.1 - before.0.1);
    Ok(())
}

#[test]
fn status_shows_the_last_second() -> Result<()> {
    let lab = Lab::new()?;
    let agent = lab.launch("--interface wan0").start()?;
    let traffic = Traffic::start(&lab.far, "far0", "--kind udp --rate 500 --duration 60s")?;
    std::thread::sleep(Duration::from_millis(3500));
    let status = agent.status()?;
    let shown = agent.ask("status")?.out;
    traffic.stop()?;
    let rows = list(&status, "/matrix/rows")?;
    let row = rows.iter().find(|row| row["interface"] == "wan0").context("a row of wan0")?;
    let length = status["matrix"]["seconds"].as_f64().context("its length")?;
    let expected = 300.0 * length..=700.0 * length;
    for pointer in ["/ingress/packets", "/driver_rx/packets"] {
        let packets = number(row, pointer)? as f64;
        assert!(expected.contains(&packets), "{pointer}: {row:#} in {length} s");
    }
    assert!(shown.contains("Tap matrix: packets at the taps and by the drivers"), "{shown}");
    Ok(())
}
