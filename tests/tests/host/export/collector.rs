//! A collector by TCP that stalls, dies and comes back.

use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use linkprobe_tests::harness::wait::{patience, until, until_true};
use linkprobe_tests::harness::{Netns, json};

use super::{flood, receiver};
use crate::lab::Lab;

/// More than a queue and the kernel's buffers hold.
const EVENTS: u32 = 9000;

fn listen(netns: &Netns, address: SocketAddr) -> Result<TcpListener> {
    let listener = until("the port is free", patience(20), || Ok(netns.run(|| TcpListener::bind(address))?.ok()))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn accept(listener: &TcpListener) -> Result<TcpStream> {
    let (stream, _) = until("a connection", patience(90), || Ok(listener.accept().ok()))?;
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(Duration::from_millis(200)))?;
    Ok(stream)
}

/// Takes counted messages apart; the end of what there is may be within one.
fn messages(bytes: &[u8]) -> Result<Vec<String>> {
    let (mut found, mut rest) = (Vec::new(), bytes);
    while let Some(space) = rest.iter().position(|byte| *byte == b' ') {
        let count: usize = std::str::from_utf8(&rest[..space])?.parse().context("a count")?;
        let Some(message) = rest.get(space + 1..space + 1 + count) else { break };
        let message = std::str::from_utf8(message)?;
        ensure!(
            message.starts_with('<') && message.contains(" linkprobe ") && message.contains("[linkprobe@32473 "),
            "{message}"
        );
        found.push(message.to_owned());
        rest = &rest[space + 1 + count..];
    }
    Ok(found)
}

fn dropped(message: &str) -> Option<u64> {
    message.split("dropped=\"").nth(1)?.split('"').next()?.parse().ok()
}

#[test]
fn a_collector_that_stalls_dies_and_comes_back_costs_messages_that_are_counted_and_nothing_else() -> Result<()> {
    let lab = Lab::new()?;
    let listener = lab.near.run(|| TcpListener::bind("127.0.0.1:0"))??;
    let address = listener.local_addr()?;
    listener.set_nonblocking(true)?;
    let options = format!(
        "--interface wan0 --before 5s --after 500ms --cooldown 0s --kernel-log false --next-hop off --syslog tcp://{address}?level=debug"
    );
    let mut agent = lab.launch(&options).start()?;
    // It takes the connection and never reads.
    let stalled = accept(&listener)?;
    flood(&lab, EVENTS, 1444)?;
    until_true("messages are lost", patience(20), || Ok(receiver(&agent, "syslog")?["dropped"].as_u64() > Some(0)))
        .with_context(|| format!("{:#}", agent.status().unwrap_or_default()))?;
    let asked = Instant::now();
    let status = agent.status()?;
    assert!(asked.elapsed() < patience(2), "the answer took {:?}", asked.elapsed());
    let named = format!("messages-dropped (syslog tcp://{address})");
    let losses = json::list(&status, "/losses")?;
    assert!(losses.iter().any(|loss| loss["name"] == named.as_str() && loss["count"].as_u64() > Some(0)), "{losses:#?}");
    assert!(agent.log().contains("its queue is full, messages are lost"), "an alarm");
    agent.trigger("with a collector that stalls")?;
    let incident = agent.incident(patience(20))?;
    // What it had in its buffers dies with it.
    drop((stalled, listener));
    until_true("it is missed", patience(10), || Ok(receiver(&agent, "syslog")?["connected"] == false))?;
    let lost = json::number(&receiver(&agent, "syslog")?, "/dropped")?;
    let listener = listen(&lab.near, address)?;
    let mut stream = accept(&listener)?;
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 1 << 16];
    let told = until("word of the loss", patience(30), || {
        match stream.read(&mut buffer) {
            Ok(0) => bail!("closed"),
            Ok(length) => bytes.extend_from_slice(&buffer[..length]),
            Err(_) => {}
        }
        let told = messages(&bytes)?;
        Ok(told.iter().any(|message| dropped(message).is_some()).then_some(told))
    })?;
    let reported: Vec<u64> = told.iter().filter_map(|message| dropped(message)).collect();
    assert_eq!(reported.iter().sum::<u64>(), lost, "{reported:?}");
    // It goes on, and says what follows.
    lab.near.ip("link set wan0 mtu 1500")?;
    until_true("the next change", patience(10), || {
        if let Ok(length) = stream.read(&mut buffer) {
            bytes.extend_from_slice(&buffer[..length]);
        }
        Ok(messages(&bytes)?.iter().any(|message| message.ends_with("mtu 1444 -> 1500")))
    })?;
    let numbers: Vec<u64> = messages(&bytes)?
        .iter()
        .filter_map(|message| message.split("sequenceId=\"").nth(1)?.split('"').next()?.parse().ok())
        .collect();
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "in order, none twice");
    let end = receiver(&agent, "syslog")?;
    assert_eq!((&end["connected"], &end["queued"]), (&true.into(), &0.into()), "{end:#}");
    assert!(agent.runs()? && incident.dir.exists());
    Ok(())
}
