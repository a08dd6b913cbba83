//! rsyslog gets what happened, by each of its ways, and takes it apart into what was sent.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use linkprobe_tests::harness::Syslogd;
use linkprobe_tests::harness::wait::{patience, until_true};
use serde_json::Value;

use super::documents;
use crate::lab::Lab;

/// Characters that mean something in structured data, in JSON, and beyond ASCII.
const ODD_NAME: &str = r#"o"d]d\0"#;
const ODD_LINE: &str = r#"vpn[9]: tunnel "7" [lost] \ a=] ünïcode → {x} %msg%"#;

/// What of a message both ways of telling must agree on.
type Told = [Option<String>; 9];

fn by_syslog(message: &Value) -> Told {
    let text = |name: &str| message[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let level = text("level").map(|level| match level.as_str() {
        "crit" => "critical".to_owned(),
        "err" => "error".to_owned(),
        _ => level,
    });
    let words = text("message").map(|message| message.trim_start_matches('\u{feff}').to_owned());
    [text("event"), level, text("link"), text("bond"), text("incident"), text("trigger"), text("finding"), text("tone"), words]
}

fn by_json(document: &Value) -> Told {
    let text = |pointer: &str| document.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    [
        text("/event/action"),
        text("/log/level"),
        text("/observer/ingress/interface/name"),
        text("/linkprobe/bond"),
        text("/linkprobe/incident/id"),
        text("/linkprobe/trigger"),
        text("/linkprobe/finding/kind"),
        text("/linkprobe/tone"),
        text("/message").map(|message| message.replace('→', "->")),
    ]
}

struct Setting {
    json: PathBuf,
    options: String,
    log: PathBuf,
}

fn options(lab: &Lab, daemon: &Syslogd<'_>) -> Setting {
    let (json, log) = (lab.scratch.path().join("events.json"), lab.scratch.path().join("messages"));
    let options = format!(
        "--interface wan0 --interface {ODD_NAME} --before 5s --after 1s --cooldown 0s --kernel-log false --next-hop off --log-file {} \
         --log-failure tunnel-lost=tunnel.*lost --syslog udp://127.0.0.1?level=debug --syslog tcp://127.0.0.1:601?level=debug \
         --syslog unix:{}?level=debug --json file:{}?level=debug&traffic=off",
        log.display(),
        daemon.socket().display(),
        json.display()
    );
    Setting { json, options, log }
}

/// Every message of each input is what the JSON file has, in its order.
fn all_agree(daemon: &Syslogd<'_>, documents: &[Value]) -> Result<()> {
    let sent: Vec<Told> = documents.iter().map(by_json).collect();
    for input in ["imudp", "imtcp", "imuxsock"] {
        until_true(&format!("{} messages by {input}", sent.len()), patience(20), || {
            Ok(daemon.messages(input)?.len() >= sent.len())
        })
        .with_context(|| format!("{:#?}", daemon.messages(input)))?;
        let messages = daemon.messages(input)?;
        let received: Vec<Told> = messages.iter().map(by_syslog).collect();
        for (received, sent) in received.iter().zip(&sent) {
            assert_eq!(received, sent, "by {input}");
        }
        assert_eq!(received.len(), sent.len());
        for (message, number) in messages.iter().zip(1u64..) {
            assert_eq!(message["number"], number.to_string(), "none is missing, none came twice");
            assert_eq!((&message["program"], &message["facility"]), (&"linkprobe".into(), &"daemon".into()));
        }
    }
    Ok(())
}

#[test]
fn rsyslog_takes_every_message_apart_into_what_was_sent_by_udp_tcp_and_local_socket() -> Result<()> {
    let lab = Lab::new()?;
    lab.near.ip(&format!("link add {ODD_NAME} type veth peer name odd0"))?;
    lab.near.ip(&format!("link set {ODD_NAME} up"))?;
    let daemon = Syslogd::start(&lab.near, &lab.scratch)?;
    let told = options(&lab, &daemon);
    fs::write(&told.log, "begins\n")?;
    let mut agent = lab.launch(&told.options).start()?;
    fs::write(&told.log, format!("begins\n{ODD_LINE}\n"))?;
    lab.near.ip(&format!("link set {ODD_NAME} down"))?;
    lab.far.ip("link set far0 down")?;
    let incident = agent.incident(patience(30))?;
    let written = |documents: &[Value]| documents.iter().any(|document| document["event"]["action"] == "incident-written");
    until_true("the incident is told", patience(10), || Ok(written(&documents(&told.json)?)))?;
    assert!(agent.stop()?.success());
    let sent = documents(&told.json)?;
    all_agree(&daemon, &sent)?;
    let of = |event: &str| sent.iter().filter(|document| document["event"]["action"] == event).collect::<Vec<_>>();
    assert_eq!(of("agent-started").len() + of("agent-stopped").len(), 2);
    assert_eq!(of("log")[0]["message"], format!("{}: {ODD_LINE}", told.log.display()));
    assert!(of("carrier").iter().any(|document| document["observer"]["ingress"]["interface"]["name"] == "wan0"));
    let odd = of("admin");
    assert_eq!(odd[0]["observer"]["ingress"]["interface"]["name"], ODD_NAME);
    assert_eq!(of("incident-opened")[0]["linkprobe"]["incident"]["id"], incident.id().as_str());
    let verdict = of("incident-written")[0];
    assert!(verdict["message"].as_str().is_some_and(|text| text.contains(incident.json["headline"].as_str().unwrap_or("?"))));
    assert!(!of("finding").is_empty());
    assert!(daemon.incidents().contains(&incident.id()), "the page's template: {}", daemon.incidents());
    Ok(())
}

#[test]
fn what_happens_while_rsyslog_is_away_comes_when_it_is_back() -> Result<()> {
    let lab = Lab::new()?;
    lab.near.ip(&format!("link add {ODD_NAME} type veth peer name odd0"))?;
    let mut daemon = Syslogd::start(&lab.near, &lab.scratch)?;
    let told = options(&lab, &daemon);
    fs::write(&told.log, "begins\n")?;
    let mut agent = lab.launch(&told.options).start()?;
    until_true("a first message by each", patience(10), || {
        let counts = ["imudp", "imtcp", "imuxsock"].map(|input| daemon.messages(input).map(|messages| messages.len()));
        Ok(counts.into_iter().all(|count| count.is_ok_and(|count| count > 0)))
    })?;
    daemon.stop()?;
    for mtu in 1400..1405 {
        lab.near.ip(&format!("link set wan0 mtu {mtu}"))?;
    }
    let away = agent.status()?;
    assert!(away["sinks"].as_array().is_some_and(|sinks| sinks.iter().any(|sink| sink["connected"] == false)), "{away:#}");
    daemon.start_again()?;
    lab.near.ip("link set wan0 mtu 1500")?;
    let last = |documents: &[Value]| documents.iter().any(|document| document["message"] == "wan0: mtu 1404 → 1500");
    until_true("the last change is told", patience(10), || Ok(last(&documents(&told.json)?)))?;
    all_agree(&daemon, &documents(&told.json)?)?;
    assert!(agent.runs()?);
    Ok(())
}
