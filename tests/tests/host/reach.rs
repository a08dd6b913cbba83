//! Targets that answer, stop answering, or cannot be asked.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use linkprobe_tests::harness::veth::{far_mac, near_mac};
use linkprobe_tests::harness::wait::{patience, until, until_true};
use linkprobe_tests::harness::{Agent, Netns, command, json};
use linkprobe_tests::traffic::sender::Sender;
use serde_json::Value;

use crate::lab::Lab;

/// Ten questions a second, and short windows.
const FAST: &str = "--interface wan0 --before 20s --after 3s --cooldown 0s --triggers probe-down,manual \
                    --probe-interval 100ms --probe-timeout 300ms";
/// EUI-64 of the far end's MAC.
const FAR_LINK_LOCAL: &str = "fe80::4c:52ff:fe00:1";

/// Both ends of the veth pair with an address: 10.77.0.1 near, 10.77.0.2 far.
fn lab() -> Result<Lab> {
    let lab = Lab::new()?;
    lab.near.ip("addr add 10.77.0.1/24 dev wan0")?;
    lab.far.ip("addr add 10.77.0.2/24 dev far0")?;
    Ok(lab)
}

fn target(agent: &Agent, name: &str) -> Result<Option<Value>> {
    let status = agent.status()?;
    Ok(json::list(&status, "/targets")?.iter().find(|target| target["name"] == name).cloned())
}

/// Waits until a target is in this state, and returns it.
fn in_state(agent: &Agent, name: &str, state: &str) -> Result<Value> {
    until(&format!("{name} is {state}"), patience(20), || Ok(target(agent, name)?.filter(|target| target["state"] == state)))
        .with_context(|| format!("{:#?}\n{}", agent.status(), agent.log()))
}

fn loss(agent: &Agent, name: &str) -> Result<u64> {
    let status = agent.status()?;
    let counts = json::list(&status, "/losses")?.iter().filter(|loss| loss["name"] == name);
    Ok(counts.filter_map(|loss| loss["count"].as_u64()).sum())
}

#[test]
fn a_target_that_stops_answering_and_answers_again_is_one_incident_with_its_probes() -> Result<()> {
    let lab = lab()?;
    let options = format!("{FAST} --target 10.77.0.2");
    let mut agent = lab.launch(&options).start()?;
    let up = in_state(&agent, "10.77.0.2", "up")?;
    assert!(up["rtt_ms"].as_f64().context("no RTT")? < 300.0, "{up:#}");
    // the link stays up: only the answers stop
    lab.far.ip("addr del 10.77.0.2/24 dev far0")?;
    let down = in_state(&agent, "10.77.0.2", "down")?;
    assert_eq!(down["send_error"], Value::Null, "{down:#}");
    lab.far.ip("addr add 10.77.0.2/24 dev far0")?;
    let incident = agent.incident(patience(30))?;
    assert_eq!(incident.trigger_kinds()?, ["probe-down", "probe-up"], "{:#}", incident.json);
    let changes: Vec<_> = incident.events("", "reach")?.iter().map(|entry| entry["up"] == true).collect();
    assert_eq!(changes, [false, true], "{:#}", incident.json);
    let probes = json::list(&incident.json, "/series/probes")?;
    assert_eq!(probes[0]["target"], "10.77.0.2", "{probes:#?}");
    let rtt = json::list(&probes[0], "/rtt_ns")?;
    let lost = rtt.iter().filter(|rtt| rtt.is_null()).count();
    assert!(lost >= 3 && rtt.len() - lost >= 3, "{lost} lost: {rtt:?}");
    assert!(incident.in_order()?, "{:#}", incident.json);
    Ok(())
}

#[test]
fn a_target_that_cannot_be_asked_is_told_from_one_that_does_not_answer() -> Result<()> {
    let lab = lab()?;
    let options = format!("{FAST} --target 10.77.0.2 --target 192.0.2.9 --target icmp:10.77.0.2%wan0");
    let agent = lab.launch(&options).start()?;
    in_state(&agent, "10.77.0.2", "up")?;
    // no route leads there
    let never = in_state(&agent, "192.0.2.9", "never")?;
    assert!(never["send_error"].as_str().is_some_and(|why| why.contains("unreachable")), "{never:#}");
    lab.near.ip("link set wan0 down")?;
    for name in ["10.77.0.2", "10.77.0.2%wan0"] {
        let down = in_state(&agent, name, "down")?;
        assert!(down["send_error"].as_str().is_some_and(|why| why.contains("unreachable") || why.contains("down")), "{down:#}");
    }
    let shown = agent.ask("status")?;
    assert!(shown.out.contains("Targets") && shown.out.contains("192.0.2.9"), "{}", shown.out);
    Ok(())
}

#[test]
fn a_target_that_never_answered_opens_no_incident() -> Result<()> {
    let lab = lab()?;
    let options = format!("{FAST} --target 10.77.0.99");
    let agent = lab.launch(&options).start()?;
    in_state(&agent, "10.77.0.99", "never")?;
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(agent.status()?["incidents"]["opened"], 0);
    assert_eq!(agent.log().matches("10.77.0.99 does not answer").count(), 1, "{}", agent.log());
    Ok(())
}

#[test]
fn the_next_hop_is_found_in_the_routing_table_and_followed() -> Result<()> {
    let lab = lab()?;
    let agent = lab.launch(FAST).start()?;
    assert_eq!(agent.status()?["targets"].as_array().map(Vec::len), Some(0));
    lab.near.ip("route add default via 10.77.0.2")?;
    let hop = in_state(&agent, "next-hop 10.77.0.2 dev wan0", "up")?;
    assert_eq!((&hop["method"], &hop["next_hop"]), (&"arp".into(), &true.into()), "{hop:#}");
    lab.far.ip("addr add 10.77.0.3/24 dev far0")?;
    lab.near.ip("route replace default via 10.77.0.3")?;
    in_state(&agent, "next-hop 10.77.0.3 dev wan0", "up")?;
    // the one before is not asked for long: its link is up, and nobody routes to it
    until_true("the old one is forgotten", patience(20), || Ok(target(&agent, "next-hop 10.77.0.2 dev wan0")?.is_none()))?;
    // set down: the kernel takes the route away, and the next hop is asked on, for that is when it matters
    lab.near.ip("link set wan0 down")?;
    let down = in_state(&agent, "next-hop 10.77.0.3 dev wan0", "down")?;
    assert!(down["send_error"].as_str().is_some_and(|why| why.contains("down")), "{down:#}");
    Ok(())
}

#[test]
fn the_next_hop_through_an_interface_on_a_watched_one_is_asked_there() -> Result<()> {
    let lab = lab()?;
    lab.near.ip("link add link wan0 name up0 type macvlan mode bridge")?;
    lab.near.ip("addr add 10.78.0.1/24 dev up0")?;
    lab.near.ip("link set up0 up")?;
    lab.near.ip("route add default via 10.78.0.2 dev up0")?;
    lab.far.ip("addr add 10.78.0.2/24 dev far0")?;
    let agent = lab.launch(FAST).start()?;
    in_state(&agent, "next-hop 10.78.0.2 dev up0", "up")?;
    Ok(())
}

#[test]
fn neighbours_are_asked_by_arp_and_by_neighbour_discovery() -> Result<()> {
    let lab = lab()?;
    for (netns, link) in [(&lab.near, "wan0"), (&lab.far, "far0")] {
        with_ipv6(netns, link)?;
    }
    let options = format!("{FAST} --target arp:10.77.0.2%wan0 --target nd:{FAR_LINK_LOCAL}%wan0 --target {FAR_LINK_LOCAL}%wan0");
    let agent = lab.launch(&options).start()?;
    for (name, method) in [("arp:10.77.0.2%wan0", "arp"), (&format!("nd:{FAR_LINK_LOCAL}%wan0"), "nd")] {
        assert_eq!(in_state(&agent, name, "up")?["method"], method);
    }
    in_state(&agent, &format!("{FAR_LINK_LOCAL}%wan0"), "up")?;
    lab.far.ip("link set far0 down")?;
    for name in ["arp:10.77.0.2%wan0", &format!("nd:{FAR_LINK_LOCAL}%wan0")] {
        in_state(&agent, name, "down")?;
    }
    Ok(())
}

fn with_ipv6(netns: &Netns, link: &str) -> Result<()> {
    netns.run(|| {
        for (what, value) in [("accept_dad", "0"), ("disable_ipv6", "0")] {
            fs::write(format!("/proc/sys/net/ipv6/conf/{link}/{what}"), value)?;
        }
        Ok(())
    })?
}

#[test]
fn malformed_answers_are_ignored_and_counted() -> Result<()> {
    let lab = Lab::new()?;
    lab.near.ip("addr add 10.77.0.1/24 dev wan0")?;
    let options = format!("{FAST} --target arp:10.77.0.2%wan0");
    let agent = lab.launch(&options).start()?;
    in_state(&agent, "arp:10.77.0.2%wan0", "never")?;
    let mac = |text: &str| text.split(':').map(|byte| u8::from_str_radix(byte, 16)).collect::<Result<Vec<u8>, _>>();
    let (near, far) = (mac(&near_mac(1))?, mac(&far_mac(1))?);
    // hardware type 6 (IEEE 802), which nobody sends on Ethernet
    let arp = [0x08, 0x06, 0, 6, 8, 0, 6, 4, 0, 2];
    let answer = [&near, &far, &arp[..], &far, &[10, 77, 0, 2], &near, &[10, 77, 0, 1]].concat();
    // and a right one to somebody else: neither an answer nor an error
    let mut foreign = answer.clone();
    foreign[15] = 1;
    foreign[41] = 7;
    lab.far.run(|| -> Result<()> {
        let sender = Sender::open("far0", false, false)?;
        for _ in 0..5 {
            sender.send(&[answer.clone(), foreign.clone()])?;
        }
        Ok(())
    })??;
    until_true("they are counted", patience(10), || Ok(loss(&agent, "probe-answers-malformed")? == 5))
        .with_context(|| format!("{:#?}", agent.status()))?;
    assert_eq!(target(&agent, "arp:10.77.0.2%wan0")?.context("no target")?["state"], "never");
    Ok(())
}

#[test]
fn a_name_that_does_not_resolve_is_told_and_the_agent_goes_on() -> Result<()> {
    let lab = lab()?;
    let options = format!("{FAST} --target no-such-host.invalid --target 10.77.0.2");
    let mut agent = lab.launch(&options).start()?;
    in_state(&agent, "10.77.0.2", "up")?;
    let never = in_state(&agent, "no-such-host.invalid", "never")?;
    assert_eq!(never["send_error"], "no-such-host.invalid does not resolve");
    assert!(agent.log().contains("target no-such-host.invalid does not resolve"), "{}", agent.log());
    assert!(agent.stop()?.success());
    Ok(())
}

#[test]
fn a_target_that_is_none_is_refused_with_what_is_allowed() -> Result<()> {
    let lab = Lab::new()?;
    for (words, wanted) in [("--target arp:10.0.0.1", "add %INTERFACE"), ("--target tcp:10.0.0.1", "icmp, arp, nd")] {
        let options = format!("--interface wan0 {words}");
        let ended = lab.launch(&options).refused()?;
        assert!(ended.code == Some(2) && ended.err.contains(wanted), "{ended:?}");
    }
    let file = lab.scratch.path().join("linkprobe.toml");
    fs::write(&file, "interface = \"wan0\"\ntarget = [\"10.0.0.1\",\n  \"10.0.0\"]\n")?;
    let ended = command::end(lab.launch("").linkprobe()?.arg("check").arg(&file))?;
    assert!(ended.code == Some(1) || ended.code == Some(2), "{ended:?}");
    assert!(ended.err.contains("linkprobe.toml:3:3: key `target`"), "{ended:?}");
    Ok(())
}

#[test]
fn watch_shows_the_next_hop_and_the_first_target_in_its_ping_columns() -> Result<()> {
    let lab = lab()?;
    lab.near.ip("route add default via 10.77.0.2")?;
    let options = format!("{FAST} --target 10.77.0.99 --target 10.77.0.2");
    let agent = lab.launch(&options).start()?;
    in_state(&agent, "next-hop 10.77.0.2 dev wan0", "up")?;
    in_state(&agent, "10.77.0.99", "never")?;
    let mut client = lab.launch("").linkprobe()?;
    client.args(["watch", "wan0", "--run-dir"]).arg(lab.scratch.path().join("run"));
    client.arg("--instance").args(lab.scratch.path().file_name());
    let child = client.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::piped()).spawn()?;
    std::thread::sleep(patience(1));
    command::signal(child.id(), libc::SIGTERM)?;
    let out = String::from_utf8(child.wait_with_output()?.stdout)?;
    let row = out.lines().nth(1).context("no row")?;
    let columns: Vec<&str> = row.split(',').map(str::trim).collect();
    assert_eq!(columns[6..], ["1", "0"], "{out}");
    Ok(())
}
