//! `cargo xtask bench agent`: what the agent costs the machine at several packet rates, beside its goals.
//!
//! One agent sends nothing out, one feeds every kind of collector each second and samples 1:1000, each on a veth pair of its own; a third
//! pair has no agent. Every round measures every
//! combination once, one after the other, so that a machine that slows down slows all of them; medians are shown. A goal that is
//! missed is shown as such and fails nothing: the machine may be busy.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use linkprobe_tests::harness::wait::patience;
use linkprobe_tests::harness::{Agent, Collectors, Launch, Netns, Scratch, Traffic, Veth};
use serde_json::{Value, json};

/// The agent's own CPU time and memory at several packet rates.
#[derive(Parser)]
struct Arguments {
    /// Rounds; the medians are shown.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// cargo adds this.
    #[arg(long, hide = true)]
    bench: bool,
}

/// The recorder's size, MiB: the default.
const RECORDER_MIB: f64 = 64.0;
/// Most of a core that the agent may use, percent: without collectors, and with all of them.
const GOALS_CPU: [f64; 2] = [0.5, 2.0];
/// Most resident memory beyond the recorder, MiB.
const GOAL_MEMORY: f64 = 20.0;

/// Packet rates that are offered.
const RATES: [(&str, &str); 3] = [("0", ""), ("100,000", "--rate 100000 --burst 64"), ("fastest", "--flat-out --size 82")];

struct Bed {
    netns: Netns,
    far: Netns,
    scratch: Scratch,
}

/// One measurement.
#[derive(Clone, Copy, Debug)]
struct Sample {
    /// CPU time of all threads of the agent, percent of one core.
    cpu: f64,
    /// Packets that the generator sent, a second.
    rate: f64,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    ensure!(arguments.rounds > 0 && arguments.seconds > 0.1, "a bench needs rounds and seconds");
    let (quiet, exporting, bare) = (bed("quiet")?, bed("export")?, bed("bare")?);
    let quiet_agent = start(&quiet, "--interface wan0")?;
    let collectors = Collectors::start(&exporting.netns)?;
    let mut exporting_agent = start(&exporting, &everything(&collectors, &exporting))?;
    let interval = Duration::from_secs_f64(arguments.seconds);
    let mut cells: [[Vec<Sample>; 3]; 2] = Default::default();
    let mut bare_rates = Vec::new();
    thread::sleep(Duration::from_secs(2));
    for round in 0..arguments.rounds {
        if !arguments.json {
            eprintln!("round {} of {}", round + 1, arguments.rounds);
        }
        for (i, (_, options)) in RATES.iter().enumerate() {
            for (row, (bed, agent)) in cells.iter_mut().zip([(&quiet, &quiet_agent), (&exporting, &exporting_agent)]) {
                row[i].push(measure(bed, agent.pid(), options, interval)?);
            }
        }
        bare_rates.push(send(&bare, RATES[2].1, interval)?);
    }
    let before = memory(exporting_agent.pid())?;
    exporting_agent.trigger("what does an incident cost?")?;
    exporting_agent.incidents(1, patience(60))?;
    let memories = [memory(quiet_agent.pid())?, before, memory(exporting_agent.pid())?];
    let (datagrams, bytes, scrapes) = collectors.counts();
    ensure!(
        datagrams > 0 && bytes > 0 && scrapes > 0,
        "nothing was exported: {datagrams} datagrams, {bytes} bytes, {scrapes} scrapes"
    );
    let mut result = report(&cells, median(&bare_rates), memories);
    result["collectors"] = json!({ "datagrams": datagrams, "bytes_by_tcp": bytes, "scrapes": scrapes });
    if arguments.json {
        println!("{result:#}");
    } else {
        print_table(&result);
    }
    Ok(())
}

fn bed(label: &str) -> Result<Bed> {
    let bed = Bed { netns: Netns::new(label)?, far: Netns::new(label)?, scratch: Scratch::new(label)? };
    Veth::new(1, (&bed.netns, "wan0"), (&bed.far, "far0"))?;
    Ok(bed)
}

fn start(bed: &Bed, options: &str) -> Result<Agent> {
    Launch::new(&bed.netns, &bed.scratch, options).start()
}

/// Options that feed every kind of collector each second.
fn everything(to: &Collectors, bed: &Bed) -> String {
    let (udp, tcp, dir) = (to.udp, to.tcp, bed.scratch.path().display());
    format!(
        "--interface wan0 --sample 1000 --traffic-interval 1s --sflow-counters 1s --sflow {udp} --metrics {} \
         --syslog udp://{udp}?level=debug --syslog tcp://{tcp}?level=debug --json udp://{udp}?level=debug --json tcp://{tcp}?level=debug \
         --json file:{dir}/events.json --sar tcp://{tcp} --sar file:{dir}/sar.txt --event-log {dir}/events.log",
        to.metrics,
    )
}

fn measure(bed: &Bed, pid: u32, options: &str, interval: Duration) -> Result<Sample> {
    let (used, clock) = (cpu_ns(pid)?, Instant::now());
    let rate = send(bed, options, interval)?;
    let (used, took) = (cpu_ns(pid)?.saturating_sub(used), clock.elapsed());
    Ok(Sample { cpu: used as f64 / took.as_nanos() as f64 * 100.0, rate })
}

/// Sends into the near end for `interval`; packets a second.
fn send(bed: &Bed, options: &str, interval: Duration) -> Result<f64> {
    if options.is_empty() {
        thread::sleep(interval);
        return Ok(0.0);
    }
    let options = format!("{options} --duration {}ms", interval.as_millis());
    Ok(Traffic::send(&bed.netns, "wan0", &options)?.packets_per_second)
}

/// CPU time of all threads of a process, nanoseconds (`/proc/PID/task/TID/schedstat`: `schedstat` of the process has its first only).
fn cpu_ns(pid: u32) -> Result<u64> {
    let mut sum = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task")).context("the agent is gone")? {
        // a thread may end while we look
        let Ok(text) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
        sum += text.split_whitespace().next().context("schedstat is empty")?.parse::<u64>()?;
    }
    Ok(sum)
}

/// Resident memory now and at its highest, MiB.
fn memory(pid: u32) -> Result<(f64, f64)> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("the agent is gone")?;
    let field = |name: &str| -> Result<f64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).with_context(|| format!("no {name}"))?;
        Ok(line.trim().trim_end_matches(" kB").trim().parse::<f64>()? / 1024.0)
    };
    Ok((field("VmRSS:")?, field("VmHWM:")?))
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

fn report(cells: &[[Vec<Sample>; 3]; 2], bare: f64, memories: [(f64, f64); 3]) -> Value {
    let mut rows = Vec::new();
    for ((collectors, row), goal) in ["none", "all, 1:1000"].iter().zip(cells).zip(GOALS_CPU) {
        let of = |samples: &[Sample], pick: fn(&Sample) -> f64| median(&samples.iter().map(pick).collect::<Vec<_>>());
        let idle = of(&row[0], |sample| sample.cpu);
        for ((name, _), samples) in RATES.iter().zip(row) {
            let cpu = of(samples, |sample| sample.cpu);
            rows.push(json!({
                "collectors": collectors,
                "offered": name,
                "sent_per_second": of(samples, |sample| sample.rate),
                "cpu_percent": cpu,
                "ratio_to_idle": cpu / idle.max(1e-6),
                "goal_percent": goal,
                "within_goal": cpu <= goal,
            }));
        }
    }
    let fastest = median(&cells[0][2].iter().map(|sample| sample.rate).collect::<Vec<_>>());
    let names = ["no collectors", "all collectors, before an incident", "all collectors, after an incident"];
    let memory = names.iter().zip(memories).map(|(when, (resident, highest))| {
        json!({
            "when": when,
            "resident_mib": resident,
            "highest_mib": highest,
            "beyond_recorder_mib": resident - RECORDER_MIB,
            "goal_beyond_mib": GOAL_MEMORY,
            "within_goal": resident <= RECORDER_MIB + GOAL_MEMORY,
        })
    });
    json!({
        "cpu": rows,
        "memory": memory.collect::<Vec<_>>(),
        "recorder_mib": RECORDER_MIB,
        "fastest_rate": { "without_agent": bare, "with_agent": fastest, "ratio": fastest / bare.max(1.0) },
    })
}

fn print_table(result: &Value) {
    let number = |value: &Value| value.as_f64().unwrap_or(0.0);
    let verdict = |value: &Value| match value.as_bool() {
        Some(true) => "within",
        Some(false) => "MISSED",
        None => "",
    };
    println!("The agent's own CPU, percent of one core (medians)\n");
    println!("{:>12} {:>9} {:>12} {:>8} {:>9} {:>10}", "collectors", "offered", "packets/s", "CPU %", "to idle", "goal");
    for row in result["cpu"].as_array().into_iter().flatten() {
        println!(
            "{:>12} {:>9} {:>12.0} {:>8.3} {:>8.2}x {:>6} {}",
            row["collectors"].as_str().unwrap_or(""),
            row["offered"].as_str().unwrap_or(""),
            number(&row["sent_per_second"]),
            number(&row["cpu_percent"]),
            number(&row["ratio_to_idle"]),
            row["goal_percent"].as_f64().map_or_else(String::new, |goal| format!("<={goal}")),
            verdict(&row["within_goal"]),
        );
    }
    println!("\nResident memory, MiB (the recorder has {RECORDER_MIB})\n");
    println!("{:>36} {:>9} {:>9} {:>9} {:>6}", "", "resident", "highest", "beyond", "goal");
    for row in result["memory"].as_array().into_iter().flatten() {
        println!(
            "{:>36} {:>9.1} {:>9.1} {:>9.1} {:>6} {}",
            row["when"].as_str().unwrap_or(""),
            number(&row["resident_mib"]),
            number(&row["highest_mib"]),
            number(&row["beyond_recorder_mib"]),
            format!("<={GOAL_MEMORY}"),
            verdict(&row["within_goal"]),
        );
    }
    let fastest = &result["fastest_rate"];
    println!(
        "\nFastest rate of the generator: {:.0} packets/s without an agent, {:.0} with one ({:.2}x)",
        number(&fastest["without_agent"]),
        number(&fastest["with_agent"]),
        number(&fastest["ratio"]),
    );
}
