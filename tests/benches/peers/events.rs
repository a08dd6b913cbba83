//! Carrier flips of the far end at random gaps: which of them Linkprobe tells, and how soon, beside somebody who polls the same carrier.

use std::ffi::CString;
use std::io;
use std::net::UdpSocket;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use linkprobe_tests::harness::{Launch, Scratch};
use linkprobe_tests::live::{cpu, generator::STOP};
use linkprobe_tests::peers::flips::{DAY_NS, Flip, Gaps, Noticed, matched, ns_of_day, polled};
use linkprobe_tests::peers::stats::percentile;
use serde_json::{Value, json};

use crate::bed::{Bed, FAR, NEAR, Port};

/// Goal: 95 of 100 flips are told within so many milliseconds.
pub const GOAL_MS: f64 = 10.0;
/// Phases over which a poller's luck is averaged.
const PHASES: u64 = 32;

/// Flips for so long, and tells what was noticed.
///
/// # Errors
/// What does not work; a flip that was not noticed is no error.
pub fn measure(length: Duration, seed: u64, port: Port) -> Result<Value> {
    let bed = Bed::with("flips", port)?;
    let scratch = Scratch::new("flips-agent")?;
    let collector = bed.near.run(|| UdpSocket::bind("127.0.0.1:0"))?.context("a socket for the collector")?;
    collector.set_read_timeout(Some(Duration::from_millis(100)))?;
    let options =
        format!("--interface {NEAR} --hook xdp --before 1s --after 1s --json udp://{}?level=debug", collector.local_addr()?);
    let agent = Launch::new(&bed.near, &scratch, &options).start()?;
    thread::sleep(Duration::from_millis(500));
    let done = AtomicBool::new(false);
    let (flips, noticed) = thread::scope(|scope| {
        let listener = scope.spawn(|| listen(&collector, &done));
        let flips = bed.far.run(|| flip(length, seed));
        // the last one may still be on its way
        thread::sleep(Duration::from_secs(1));
        done.store(true, Ordering::Relaxed);
        let noticed = listener.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok::<_, anyhow::Error>((flips??, noticed?))
    })?;
    let edges = agent.status()?["carrier_edges"].clone();
    drop(agent);
    ensure!(!flips.is_empty(), "no flips");
    let link = if port == Port::Stacked { "as a bond's slave" } else { "as a plain interface" };
    Ok(json!({ "link": link, "edges": edges, "seed": seed, "flips": flips.len(), "rows": tell(&flips, &noticed) }))
}

fn tell(flips: &[Flip], noticed: &[Noticed]) -> Vec<Value> {
    let found = matched(flips, noticed);
    let since = |pick: fn(&Noticed) -> u64| {
        let pairs = flips.iter().zip(&found).filter_map(|(flip, found)| Some((flip, found.as_ref()?)));
        pairs.map(|(flip, found)| pick(found).saturating_sub(flip.at_ns)).collect::<Vec<u64>>()
    };
    let all = flips.len();
    let row = |who: &str, latencies: &[u64], of: usize| {
        let mut ms: Vec<f64> = latencies.iter().map(|ns| *ns as f64 / 1e6).collect();
        ms.sort_by(f64::total_cmp);
        let at = |share| percentile(&ms, share);
        json!({ "who": who, "flips": of, "seen": ms.len(), "share": ms.len() as f64 / of.max(1) as f64,
                "p50_ms": at(0.5), "p95_ms": at(0.95), "p99_ms": at(0.99), "highest_ms": ms.last() })
    };
    let mut rows = vec![
        row("linkprobe, told to a collector", &since(|notice| notice.told_ns), all),
        row("linkprobe, time on its timeline", &since(|notice| notice.stamp_ns), all),
    ];
    for seconds in [1u64, 60] {
        let every = seconds * 1_000_000_000;
        let looks = (0..PHASES).flat_map(|phase| polled(flips, every, every * phase / PHASES));
        let seen: Vec<u64> = looks.flatten().collect();
        rows.push(row(&format!("polling each {seconds} s"), &seen, all * PHASES as usize));
    }
    rows
}

/// Takes what the agent sends, until `done`.
fn listen(collector: &UdpSocket, done: &AtomicBool) -> Result<Vec<Noticed>> {
    let (mut noticed, mut buffer) = (Vec::new(), vec![0; 65_536]);
    while !done.load(Ordering::Relaxed) {
        let Ok(length) = collector.recv(&mut buffer) else { continue };
        let told_ns = cpu::monotonic();
        let document: Value = serde_json::from_slice(&buffer[..length]).context("what the agent sent is not JSON")?;
        if document["event"]["action"] != "carrier" {
            continue;
        }
        let stamp = document["@timestamp"].as_str().and_then(ns_of_day).context("no time in what the agent sent")?;
        // on the other clock, by the age that the stamp has now: a message is not a day old
        let age = (cpu::monotonic_to_wall() + told_ns) % DAY_NS;
        let age = (age + DAY_NS - stamp) % DAY_NS;
        noticed.push(Noticed { stamp_ns: told_ns - age, told_ns, up: document["event"]["outcome"] == "success" });
    }
    Ok(noticed)
}

/// Sets the far end down and up in turn.
fn flip(length: Duration, seed: u64) -> Result<Vec<Flip>> {
    // SAFETY: no pointers; the result is checked.
    let fd = unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
    ensure!(fd >= 0, "a socket: {}", io::Error::last_os_error());
    // SAFETY: `fd` was just opened and belongs to nobody else.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    let (start, mut flips) = (Instant::now(), Vec::new());
    for (i, gap) in Gaps::new(seed).enumerate() {
        let up = i % 2 == 1;
        if start.elapsed() >= length && !up {
            break;
        }
        ensure!(!STOP.load(Ordering::Relaxed), "ended by a signal");
        let at_ns = cpu::monotonic();
        set(&socket, up)?;
        flips.push(Flip { at_ns, up });
        thread::sleep(Duration::from_nanos(gap));
    }
    Ok(flips)
}

/// Sets the far end up or down (netdevice(7)).
fn set(socket: &OwnedFd, up: bool) -> Result<()> {
    // SAFETY: ifreq is made of integers: all zeros is a value of it.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    let name = CString::new(FAR)?;
    for (to, from) in request.ifr_name.iter_mut().zip(name.as_bytes()) {
        *to = from.cast_signed();
    }
    // SAFETY: `request` is what SIOCGIFFLAGS writes to, and lives through the call.
    let got = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFFLAGS, &raw mut request) };
    ensure!(got == 0, "SIOCGIFFLAGS: {}", io::Error::last_os_error());
    let bit = libc::IFF_UP as libc::c_short;
    // SAFETY: the kernel has just put the flags there, and any integer is one.
    let flags = unsafe { request.ifr_ifru.ifru_flags };
    request.ifr_ifru.ifru_flags = if up { flags | bit } else { flags & !bit };
    // SAFETY: `request` is what SIOCSIFFLAGS reads, and lives through the call.
    let done = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) };
    ensure!(done == 0, "SIOCSIFFLAGS: {}", io::Error::last_os_error());
    Ok(())
}
