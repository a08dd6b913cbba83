//! Metrics, as Prometheus reads them.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use linkprobe_tests::harness::json::number;
use linkprobe_tests::harness::metrics::{Prometheus, free_port, get, promtool, sum};
use linkprobe_tests::harness::wait::{patience, until, until_true};
use linkprobe_tests::harness::{Agent, Traffic, Veth};
use serde_json::Value;

use crate::lab::Lab;

const OPEN: &str = "application/openmetrics-text;version=1.0.0";

/// An agent that serves metrics.
fn serving(lab: &Lab) -> Result<(Agent, SocketAddr)> {
    let address = free_port(&lab.near)?;
    let agent = lab.launch(&format!("--interface wan0 --metrics {address} --next-hops off")).start()?;
    // Drivers are asked in the first second.
    until_true("counters", patience(10), || {
        Ok(sum(&text(lab, address)?, "linkprobe_link_receive_packets_total", &[("interface", "wan0")]).is_some())
    })?;
    Ok((agent, address))
}

fn text(lab: &Lab, address: SocketAddr) -> Result<String> {
    Ok(get(&lab.near, address, "/metrics", "text/plain")?.1)
}

fn docs(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/prometheus").join(file)
}

/// Names of our columns, and where `ip -s link` has them.
const BY_IP: [(&str, &str); 8] = [
    ("receive_packets", "/rx/packets"),
    ("receive_bytes", "/rx/bytes"),
    ("receive_errors", "/rx/errors"),
    ("receive_dropped", "/rx/dropped"),
    ("receive_multicast_packets", "/rx/multicast"),
    ("transmit_packets", "/tx/packets"),
    ("transmit_bytes", "/tx/bytes"),
    ("transmit_dropped", "/tx/dropped"),
];

#[test]
fn what_prometheus_stores_equals_ip_and_the_sender() -> Result<()> {
    let lab = Lab::new()?;
    let (agent, address) = serving(&lab)?;
    let prometheus = Prometheus::start(&lab.near, &lab.scratch, address, &docs("linkprobe.rules.yml"))?;
    let before = prometheus.query(r#"sum(linkprobe_tap_packets_total{interface="wan0",direction="ingress",class="udp4"})"#)?;
    let came = Traffic::send(&lab.far, "far0", "--kind udp --count 2000 --rate 4000 --size 700")?;
    Traffic::send(&lab.near, "wan0", "--kind tcp --count 500 --rate 1000")?;
    until_true("prometheus has what ip tells", patience(20), || {
        let told: Value = serde_json::from_str(&lab.near.ip("-s -j link show wan0")?)?;
        for (name, pointer) in BY_IP {
            let stored = prometheus.query(&format!(r#"linkprobe_link_{name}_total{{interface="wan0",role="interface"}}"#))?;
            if stored != Some(number(&told[0]["stats64"], pointer)? as f64) {
                return Ok(false);
            }
        }
        Ok(number(&told[0]["stats64"], "/rx/packets")? >= 2000)
    })?;
    let after = prometheus.query(r#"sum(linkprobe_tap_packets_total{interface="wan0",direction="ingress",class="udp4"})"#)?;
    assert_eq!(after.zip(before).map(|(after, before)| after - before), Some(came.total.packets as f64));
    assert_eq!(prometheus.query(r#"linkprobe_link_operstate{state="up"}"#)?, Some(1.0));
    assert_eq!(prometheus.query("count(linkprobe_build_info)")?, Some(1.0));
    assert!(prometheus.query("process_resident_memory_bytes")? > Some(1e6));
    let targets = prometheus.json("/api/v1/targets")?;
    assert_eq!(targets["data"]["activeTargets"][0]["lastError"], "", "{targets:#}");
    let rules = prometheus.json("/api/v1/rules")?;
    let groups = rules["data"]["groups"].as_array().context("groups")?;
    let all: Vec<&Value> = groups.iter().flat_map(|group| group["rules"].as_array().into_iter().flatten()).collect();
    assert!(all.len() >= 8 && all.iter().all(|rule| rule["health"] == "ok"), "{rules:#}");
    drop(agent);
    Ok(())
}

#[test]
fn promtool_finds_nothing_wrong_with_the_metrics_nor_with_the_examples() -> Result<()> {
    let lab = Lab::new()?;
    let sink = lab.scratch.path().join("events.json");
    let address = free_port(&lab.near)?;
    let options =
        format!("--interface wan0 --metrics {address} --json file:{} --sflow 127.0.0.1 --target 198.51.100.9", sink.display());
    let mut agent = lab.launch(&format!("{options} --before 1s --after 1s")).start()?;
    agent.trigger("look")?;
    agent.incident(patience(20))?;
    let text = text(&lab, address)?;
    for name in ["linkprobe_sink_messages_total", "linkprobe_sflow_datagrams_total", "linkprobe_probe_sent_total"] {
        assert!(sum(&text, name, &[]).is_some(), "{name} in {text}");
    }
    assert_eq!(sum(&text, "linkprobe_incidents_written_total", &[]), Some(1.0));
    assert_eq!(sum(&text, "linkprobe_incident_info", &[("state", "last")]), Some(1.0));
    assert_eq!(promtool("metrics", &text, &[])?, (true, String::new()));
    let (head, open) = get(&lab.near, address, "/metrics", OPEN)?;
    assert!(head.contains("application/openmetrics-text; version=1.0.0") && open.ends_with("\n# EOF\n"), "{head}\n{open}");
    for (what, file) in [("config", "prometheus.yml"), ("rules", "linkprobe.rules.yml")] {
        let (clean, said) = promtool(what, "", &[&docs(file)])?;
        ensure!(clean, "{file}: {said}");
    }
    Ok(())
}

#[test]
fn counters_of_taps_go_on_when_a_link_is_made_anew() -> Result<()> {
    let lab = Lab::new()?;
    let (_agent, address) = serving(&lab)?;
    let counted = || -> Result<Option<f64>> {
        let labels = [("interface", "wan0"), ("direction", "ingress"), ("class", "udp4")];
        Ok(sum(&text(&lab, address)?, "linkprobe_tap_packets_total", &labels))
    };
    Traffic::send(&lab.far, "far0", "--kind udp --count 300 --rate 3000")?;
    until("the first packets", patience(10), || Ok(counted()?.filter(|packets| *packets == 300.0)))?;
    lab.near.ip("link del wan0")?;
    until("the link is gone", patience(10), || Ok(counted()?.is_none().then_some(())))?;
    Veth::new(1, (&lab.near, "wan0"), (&lab.far, "far0"))?;
    until("the link is back", patience(10), || Ok(counted()?.filter(|packets| *packets == 300.0)))?;
    Traffic::send(&lab.far, "far0", "--kind udp --count 20 --rate 1000")?;
    until("the packets after that", patience(10), || Ok(counted()?.filter(|packets| *packets == 320.0)))?;
    Ok(())
}

#[test]
fn a_reload_moves_the_metrics_and_one_that_cannot_changes_nothing() -> Result<()> {
    let lab = Lab::new()?;
    let (first, second) = (free_port(&lab.near)?, free_port(&lab.near)?);
    let file = lab.scratch.path().join("linkprobe.toml");
    let write = |metrics: &str| fs::write(&file, format!("interface = \"wan0\"\nmetrics = \"{metrics}\"\n"));
    write(&first.to_string())?;
    let agent = lab.launch(&format!("--config {}", file.display())).start()?;
    get(&lab.near, first, "/", "text/html")?;
    write(&second.to_string())?;
    assert_eq!(agent.ask("reload")?.out, "reloaded; changed: metrics\n");
    get(&lab.near, second, "/metrics", OPEN)?;
    assert!(get(&lab.near, first, "/", "text/html").is_err());
    // Of nobody's here.
    write("192.0.2.77:9469")?;
    let refused = agent.ask("reload")?;
    assert!(refused.code == Some(1) && refused.err.contains("metrics at 192.0.2.77:9469"), "{refused:?}");
    get(&lab.near, second, "/metrics", OPEN)?;
    write("off")?;
    assert_eq!(agent.ask("reload")?.code, Some(0));
    until_true("nobody listens", Duration::from_secs(5), || Ok(get(&lab.near, second, "/", "text/html").is_err()))?;
    Ok(())
}
