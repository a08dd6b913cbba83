//! The generators themselves, one beside the other: which one costs least, and so leaves most of a core to what is measured.

use std::time::Duration;

use anyhow::{Context, Result};
use linkprobe_tests::harness::programs::{Foreign, Hook};
use linkprobe_tests::harness::{Traffic, command};
use linkprobe_tests::live::cpu::{self, Softirqd};
use linkprobe_tests::live::{Length, Order, send};
use linkprobe_tests::peers::stats::Spread;
use serde_json::{Value, json};

use crate::bed::{Bed, FAR, NEAR};

/// Measures each in turn, `rounds` times: nanoseconds of CPU per packet that arrives at an empty program.
///
/// # Errors
/// What does not run, but for xdp-trafficgen, which is left out where it is missing.
pub fn measure(rounds: usize, length: Duration) -> Result<Value> {
    let bed = Bed::new("gen")?;
    let _empty = Foreign::attach(&bed.near, NEAR, Hook::Xdp)?;
    let mut runs: [Vec<(f64, f64)>; 3] = Default::default();
    let mut loads = true;
    for _ in 0..rounds {
        runs[0].push(of(&bed, length, || sendmmsg(&bed, length))?);
        if loads {
            match of(&bed, length, || trafficgen(&bed, length)) {
                Ok(run) => runs[1].push(run),
                Err(error) => {
                    eprintln!("xdp-trafficgen is left out: {error:#}");
                    loads = false;
                }
            }
        }
        runs[2].push(of(&bed, length, || own(&bed, length))?);
    }
    let names =
        ["sendmmsg (linkprobe-traffic --flat-out --size 82)", "xdp-trafficgen udp --dyn-ports 60000", "live frames, numbered"];
    let rows = names.iter().zip(&runs).filter(|(_, runs)| !runs.is_empty()).map(|(name, runs)| {
        let ns = Spread::of(runs.iter().map(|run| run.0));
        let rate = Spread::of(runs.iter().map(|run| run.1));
        json!({ "generator": name, "ns_per_packet": ns.median, "quartiles": [ns.low, ns.high], "packets_per_second": rate.median })
    });
    Ok(rows.collect())
}

/// Prints what was measured.
pub fn print(rows: &Value) {
    for row in rows.as_array().into_iter().flatten() {
        let number = |value: &Value| value.as_f64().unwrap_or(0.0);
        println!(
            "{:<52} {:>8.0} ns/packet ({:.0}-{:.0}) {:>12.0} packets/s",
            row["generator"].as_str().unwrap_or(""),
            number(&row["ns_per_packet"]),
            number(&row["quartiles"][0]),
            number(&row["quartiles"][1]),
            number(&row["packets_per_second"]),
        );
    }
}

/// CPU time of a run for each packet that arrived, nanoseconds; and packets a second.
fn of(bed: &Bed, length: Duration, run: impl FnOnce() -> Result<u64>) -> Result<(f64, f64)> {
    let softirqd = Softirqd::of(0);
    let (before, kernel) = (bed.arrived()?, softirqd.cpu_ns());
    let used = run()? + softirqd.cpu_ns().saturating_sub(kernel);
    let arrived = (bed.arrived()? - before).max(1);
    Ok((used as f64 / arrived as f64, arrived as f64 / length.as_secs_f64()))
}

fn own(bed: &Bed, length: Duration) -> Result<u64> {
    let order = Order { netns: &bed.far, link: FAR, cpu: 0, size: Some(60), mark: 1, rate: None, length: Length::Time(length) };
    let sent = send(order)?;
    // ksoftirqd's share is counted by the caller
    Ok(sent.sender_ns)
}

fn sendmmsg(bed: &Bed, length: Duration) -> Result<u64> {
    let options = format!("--flat-out --size 82 --duration {}ms", length.as_millis());
    on_cpu_0(|| Traffic::send(&bed.far, FAR, &options).map(drop))
}

fn trafficgen(bed: &Bed, length: Duration) -> Result<u64> {
    let mut command = bed.far.command("timeout");
    command.args(["-s", "INT", &length.as_secs_f64().to_string(), "xdp-trafficgen", "udp", FAR, "--dyn-ports", "60000"]);
    command.args(["-m", "02:4c:50:ff:00:01", "-a", "198.51.100.2", "-A", "198.51.100.1", "-t", "1", "-I", "60"]);
    on_cpu_0(|| {
        let ended = command::end(&mut command)?;
        // 124: timeout ended it, which is what it is there for
        anyhow::ensure!(matches!(ended.code, Some(0 | 124)), "it ended with {:?}: {}{}", ended.code, ended.out, ended.err);
        Ok(())
    })
}

/// Runs a child on CPU 0, and tells the CPU time that it took.
fn on_cpu_0(run: impl FnOnce() -> Result<()> + Send) -> Result<u64> {
    let of_children = || {
        let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
        // SAFETY: `usage` is writable, and zeros are a value of it.
        let usage = unsafe {
            libc::getrusage(libc::RUSAGE_CHILDREN, usage.as_mut_ptr());
            usage.assume_init()
        };
        let ns = |time: libc::timeval| time.tv_sec.cast_unsigned() * 1_000_000_000 + time.tv_usec.cast_unsigned() * 1000;
        ns(usage.ru_utime) + ns(usage.ru_stime)
    };
    let before = of_children();
    // a child begins where its parent's thread may run
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            cpu::pin(0, 0).context("CPU 0")?;
            run()
        });
        worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })?;
    Ok(of_children() - before)
}
