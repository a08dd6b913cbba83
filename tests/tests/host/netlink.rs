//! Netlink messages that the kernel threw away because the agent did not keep up (ENOBUFS).

use anyhow::Result;
use linkprobe_tests::harness::wait::{patience, until_true};
use linkprobe_tests::harness::{Agent, Launch, Traffic, json};

use crate::lab::{INGRESS, Lab, status_link};

/// The smallest receive buffer that the kernel gives: a message or two.
const TINY: &[(&str, &str)] = &[("LINKPROBE_NETLINK_BUFFER", "2304")];
const OPTIONS: &str = "--interface wan0 --before 30s --after 3s --cooldown 0s";

/// Flips the carrier of `wan0` so often while the agent is stopped, and lets the agent go on.
fn flip_behind_its_back(lab: &Lab, agent: &Agent, times: usize, last_up: bool) -> Result<()> {
    agent.signal(libc::SIGSTOP)?;
    let batch = lab.scratch.path().join("flips");
    let mut script = "link set far0 down\nlink set far0 up\n".repeat(times);
    if !last_up {
        script.push_str("link set far0 down\n");
    }
    std::fs::write(&batch, script)?;
    let flipped = lab.far.ip(&format!("-batch {}", batch.display()));
    // other links' messages as well: linkwatch tells of a flip only now and then
    for name in 0..20 {
        lab.near.ip(&format!("link add noise{name} type veth peer name echo{name}"))?;
        lab.near.ip(&format!("link del noise{name}"))?;
    }
    agent.signal(libc::SIGCONT)?;
    flipped.map(drop)
}

fn overruns(agent: &Agent) -> Result<u64> {
    let status = agent.status()?;
    let losses = json::list(&status, "/losses")?.iter();
    Ok(losses.filter(|loss| loss["name"] == "netlink-overruns").filter_map(|loss| loss["count"].as_u64()).sum())
}

#[test]
fn a_loss_of_messages_is_a_gap_and_every_flip_is_counted_all_the_same() -> Result<()> {
    let lab = Lab::new()?;
    let mut agent = Launch { environment: TINY, ..lab.launch(OPTIONS) }.start()?;
    assert_eq!(overruns(&agent)?, 0);
    flip_behind_its_back(&lab, &agent, 30, true)?;
    until_true("the loss is noticed", patience(10), || Ok(overruns(&agent)? > 0))?;
    agent.trigger("what happened?")?;
    let incident = agent.incidents(1, patience(20))?.swap_remove(0);
    assert!(!incident.events("", "gap")?.is_empty(), "{:#}", incident.json);
    assert_eq!(incident.flips("wan0")?, (30, 30), "{:#}", incident.json);
    assert!(incident.in_order()?);
    Ok(())
}

#[test]
fn after_a_loss_of_messages_the_links_are_as_they_are() -> Result<()> {
    let lab = Lab::new()?;
    let mut agent = Launch { environment: TINY, ..lab.launch(OPTIONS) }.start()?;
    flip_behind_its_back(&lab, &agent, 10, false)?;
    until_true("the loss is noticed", patience(10), || Ok(overruns(&agent)? > 0))?;
    until_true("the carrier is known", patience(10), || Ok(status_link(&agent.status()?, "wan0")?["carrier"] == false))?;
    let incident = agent.incidents(1, patience(20))?.swap_remove(0);
    assert!(incident.trigger_kinds()?.contains(&"interface-down".to_owned()), "{:#}", incident.json);
    // and it goes on: messages are heard again, packets recorded
    lab.far.ip("link set far0 up")?;
    until_true("the carrier is known", patience(10), || Ok(status_link(&agent.status()?, "wan0")?["carrier"] == true))?;
    let known = agent.incidents(1, patience(20))?.len();
    let sent = Traffic::send(&lab.far, "far0", "--count 50 --rate 5000")?;
    agent.trigger("still there?")?;
    let all = agent.incidents(known + 1, patience(20))?;
    all[all.len() - 1].equals_sent("wan0", INGRESS, &sent)
}
