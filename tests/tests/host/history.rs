//! The history of seconds and states: `linkprobe status --since`, and what was normal before an incident.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use linkprobe_tests::harness::command::succeed;
use linkprobe_tests::harness::wait::{patience, until};
use linkprobe_tests::harness::{Agent, Traffic, json};
use serde_json::Value;

use crate::lab::Lab;

/// Packets that a namespace's own IPv6 may send meanwhile, on each side.
const BACKGROUND: u64 = 30;

fn since(agent: &Agent, words: &str) -> Result<Value> {
    let text = succeed(&mut agent.client(&format!("status --json --since {words}"))?).with_context(|| agent.log())?;
    serde_json::from_str(&text).with_context(|| text.clone())
}

fn link<'a>(history: &'a Value, name: &str) -> Result<&'a Value> {
    let mut links = json::list(history, "/links")?.iter();
    links.find(|link| link["name"] == name).with_context(|| format!("no {name} in {history:#}"))
}

/// Waits until the history has so many packets of what wan0 transmitted or received: the second in which the last one passed is over.
fn counted(agent: &Agent, way: &str, least: u64) -> Result<Value> {
    until(&format!("{least} packets of wan0 {way}"), patience(15), || {
        let history = since(agent, "1m")?;
        let total = link(&history, "wan0")?.pointer(&format!("/{way}/total_packets")).and_then(Value::as_u64);
        Ok(total.is_some_and(|total| total >= least).then_some(history))
    })
}

#[test]
fn the_last_minute_agrees_with_what_was_sent_and_tells_rates_and_states() -> Result<()> {
    let lab = Lab::new()?;
    let agent = lab.launch("--interface wan0 --next-hop off --kernel-log false").start()?;
    // Differences need two readings.
    std::thread::sleep(Duration::from_millis(2500));
    let far = std::thread::scope(|scope| {
        let far = scope.spawn(|| Traffic::send(&lab.far, "far0", "--kind udp --count 1200 --rate 300"));
        let near = Traffic::send(&lab.near, "wan0", "--kind udp --count 3200 --rate 800")?;
        let far = far.join().map_err(|_| anyhow::anyhow!("the sender panicked"))??;
        anyhow::Ok((near, far))
    });
    let (near, far) = far?;
    counted(&agent, "rx", far.total.packets)?;
    let history = counted(&agent, "tx", near.total.packets)?;
    let wan0 = link(&history, "wan0")?;
    for (way, sent) in [("tx", &near), ("rx", &far)] {
        let of = |name: &str| json::number(wan0, &format!("/{way}/{name}"));
        let (packets, bytes) = (of("total_packets")?, of("total_bytes")?);
        ensure!(
            (sent.total.packets..=sent.total.packets + BACKGROUND).contains(&packets),
            "{way}: {packets} of {:?}",
            sent.total
        );
        ensure!((sent.total.bytes..=sent.total.bytes + 200 * BACKGROUND).contains(&bytes), "{way}: {bytes} of {:?}", sent.total);
        assert_eq!(of("lost")?, 0);
    }
    // Four seconds at that rate, which begin and end within a second.
    let most = json::number(wan0, "/tx/packets/max")?;
    ensure!((600..=1700).contains(&most), "{most} packets in a second");
    let series = json::list(wan0, "/tx/series/packets/max")?;
    assert_eq!(series.iter().filter_map(Value::as_u64).max(), Some(most));
    ensure!(series.len() <= 300);
    assert_eq!((wan0["up"].as_bool(), wan0["up_share"].as_f64(), wan0["changes"].as_u64()), (Some(true), Some(1.0), Some(0)));

    lab.far.ip("link set far0 down")?;
    std::thread::sleep(Duration::from_millis(1500));
    lab.far.ip("link set far0 up")?;
    let history = until("the carrier back in the history", patience(15), || {
        let history = since(&agent, "1h")?;
        let wan0 = link(&history, "wan0")?;
        Ok((wan0["changes"].as_u64() >= Some(2) && wan0["up"] == true).then_some(history))
    })?;
    let wan0 = link(&history, "wan0")?;
    let share = wan0["up_share"].as_f64().context("a share")?;
    ensure!(share > 0.3 && share < 1.0, "{share}");
    assert_eq!(wan0["downs"], 1);
    let texts: Vec<&str> = json::list(&history, "/changes")?.iter().filter_map(|change| change["text"].as_str()).collect();
    assert_eq!((texts.first(), texts.last()), (Some(&"down: carrier lost"), Some(&"up: carrier came")), "{texts:?}");

    // For people: also that it does not reach back an hour.
    let text = succeed(&mut agent.client("status --since 1h")?)?;
    for words in ["wan0", "the agent has not run for longer", "pkt/s min", "down: carrier lost", "went down", "|"] {
        ensure!(text.contains(words), "no {words} in\n{text}");
    }
    println!("{text}");
    let status = agent.status()?;
    ensure!(json::number(&status, "/history/memory_bytes")? < 100_000, "{}", status["history"]);
    let text = succeed(&mut agent.client("status")?)?;
    ensure!(text.contains("History: reaches back "), "{text}");
    Ok(())
}

#[test]
fn an_incident_says_what_was_normal_before_and_what_was_not() -> Result<()> {
    let lab = Lab::new()?;
    let mut agent = lab.launch("--interface wan0 --next-hop off --kernel-log false --before 2s --after 2s").start()?;
    let usual = Traffic::start(&lab.near, "wan0", "--kind udp --rate 400 --duration 60s")?;
    std::thread::sleep(Duration::from_secs(17));
    agent.trigger("out of the ordinary")?;
    Traffic::send(&lab.near, "wan0", "--kind udp --rate 20000 --count 20000")?;
    let incident = agent.incident(patience(30))?;
    drop(usual);
    let normal = json::at(&incident.json, "/normal")?;
    let tx = json::at(normal, "/links/0/egress")?;
    let median = json::number(tx, "/before/packets/median")?;
    ensure!((360..=440).contains(&median), "{median} packets a second, {normal:#}");
    ensure!(json::number(tx, "/window/packets/max")? > 5000, "{tx:#}");
    assert_eq!(tx["odd"], "more");
    assert_eq!((normal["links"][0]["condition"].as_str(), normal["links"][0]["at_least"].as_bool()), (Some("up"), Some(true)));
    assert_eq!(normal["to"], incident.json["window"]["from"]);
    let report = &incident.report;
    for words in
        ["What was normal before (in the ", "  wan0: up for ", "! wan0 tx: ", " packets/s usually (p5 ", "FAR MORE than usual"]
    {
        ensure!(report.contains(words), "no {words} in\n{report}");
    }
    println!("{}", report.split_once("What was normal").map_or("", |(_, rest)| &rest[..rest.len().min(900)]));
    Ok(())
}

#[test]
fn without_a_history_status_says_so_and_an_incident_has_no_such_section() -> Result<()> {
    let lab = Lab::new()?;
    let mut agent = lab.launch("--interface wan0 --next-hop off --history 0s --before 2s --after 500ms").start()?;
    let text = succeed(&mut agent.client("status --since 1h")?)?;
    ensure!(text.contains("keeps no history"), "{text}");
    let wrong = agent.ask("status --since yesterday")?;
    ensure!(wrong.code == Some(2) && wrong.err.contains("--since"), "{wrong:?}");
    std::thread::sleep(Duration::from_secs(3));
    agent.trigger("nothing is known")?;
    let incident = agent.incident(patience(20))?;
    assert_eq!(incident.json["normal"], Value::Null);
    ensure!(!incident.report.contains("What was normal"), "{}", incident.report);
    Ok(())
}
