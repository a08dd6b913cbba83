//! `cargo xtask bench analyze`: how fast old captures are read.
//!
//! A dump of the reference incident's storm is made in the temporary directory and read once, so that it is in the page cache. Then rounds:
//! `linkprobe analyze` over all of it for the rate and the memory; `linkprobe analyze` and tshark, which is to count the packets, over the
//! same smaller dump for the ratio: tshark needs memory for every packet. Medians are shown.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;
use std::{fs, io};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use linkprobe_tests::dump::{Scale, reference};
use linkprobe_tests::harness::{Scratch, place};
use serde_json::json;

/// The rate, the memory, and the ratio to tshark.
#[derive(Parser)]
struct Arguments {
    /// Rounds; the medians are shown.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Size of the dump, GB.
    #[arg(long, default_value_t = 1.0)]
    gigabytes: f64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// cargo adds this.
    #[arg(long, hide = true)]
    bench: bool,
}

/// Least rate, MB/s.
const GOAL_RATE: f64 = 500.0;
/// Least ratio to tshark.
const GOAL_RATIO: f64 = 10.0;
/// Most resident memory, MB.
const GOAL_MEMORY: f64 = 200.0;
/// Bytes of a packet of the storm in the file, about, and nanoseconds that the storm goes on.
const PACKET: f64 = 80.0;
const STORM_NS: f64 = 89.5e9;

/// One run.
#[derive(Clone, Copy, Debug, Default)]
struct Sample {
    seconds: f64,
    /// Processor time.
    cpu: f64,
    /// Most resident memory, MB.
    memory: f64,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench analyze: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let scratch = Scratch::new("bench")?;
    let large = dump(&scratch.path().join("large"), arguments.gigabytes)?;
    let small = dump(&scratch.path().join("small"), arguments.gigabytes / 10.0)?;
    let has_tshark = Command::new("tshark").arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    let (mut whole, mut part, mut tshark) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..arguments.rounds {
        whole.push(analyze(scratch.path(), &large, round)?);
        part.push(analyze(scratch.path(), &small, round + 1000)?);
        if has_tshark {
            tshark.push(count_with_tshark(&small)?);
        }
    }
    let size = fs::metadata(&large)?.len() as f64 / 1e6;
    let (whole, part, tshark) = (median(&whole), median(&part), median(&tshark));
    let (rate, ratio) = (size / whole.seconds, tshark.seconds / part.seconds);
    let of_cpu = size / whole.cpu;
    if arguments.json {
        let ratio = has_tshark.then_some(ratio);
        println!(
            "{:#}",
            json!({ "mb": size, "mb_per_s": rate, "mb_per_cpu_s": of_cpu, "memory_mb": whole.memory, "times_tshark": ratio })
        );
        return Ok(());
    }
    let met = |met: bool| if met { "met" } else { "MISSED" };
    println!("dump                     {size:.0} MB");
    println!("rate                     {rate:.0} MB/s, goal {GOAL_RATE:.0}: {}", met(rate >= GOAL_RATE));
    println!("by its processor time    {of_cpu:.0} MB/s");
    println!("memory                   {:.1} MB, goal {GOAL_MEMORY:.0}: {}", whole.memory, met(whole.memory <= GOAL_MEMORY));
    if has_tshark {
        println!("against tshark -z io,stat {ratio:.1} times as fast, goal {GOAL_RATIO:.0}: {}", met(ratio >= GOAL_RATIO));
    } else {
        println!("against tshark           not measured: there is no tshark (apt-get install tshark)");
    }
    Ok(())
}

/// The dump of the bond, of about so many GB, read once.
fn dump(dir: &Path, gigabytes: f64) -> Result<PathBuf> {
    fs::create_dir_all(dir)?;
    // For three of the ACKs there are, most of the time, two ARP requests.
    let packets = gigabytes * 1e9 / PACKET * 0.6;
    let every_ns = (STORM_NS / packets.max(1.0)) as u64;
    let made = reference(dir, Scale { every_ns: every_ns.max(1) })?;
    let bond = made.files.first().context("a dump of the bond")?.clone();
    io::copy(&mut fs::File::open(&bond)?, &mut io::sink())?;
    Ok(bond)
}

fn analyze(dir: &Path, file: &Path, number: usize) -> Result<Sample> {
    let out = dir.join(format!("analysis-{number}"));
    measure(Command::new(place::linkprobe()?).arg("analyze").arg(file).arg("--out").arg(out))
}

/// The statistics that tshark gets fastest: it dissects in any case.
fn count_with_tshark(file: &Path) -> Result<Sample> {
    measure(Command::new("tshark").args(["-n", "-q", "-z", "io,stat,0", "-r"]).arg(file))
}

fn measure(command: &mut Command) -> Result<Sample> {
    let start = Instant::now();
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let pid = libc::pid_t::try_from(child.id())?;
    let (mut status, mut usage) = (0, std::mem::MaybeUninit::<libc::rusage>::zeroed());
    // SAFETY: both point to places of the right type; the process is our child, and nobody else waits for it.
    let ended = unsafe { libc::wait4(pid, &raw mut status, 0, usage.as_mut_ptr()) };
    let seconds = start.elapsed().as_secs_f64();
    ensure!(ended == pid && status == 0, "{command:?} ended with {status}");
    // SAFETY: zeros are a valid rusage, and wait4 has filled it in.
    let usage = unsafe { usage.assume_init() };
    let time = |of: libc::timeval| of.tv_sec as f64 + of.tv_usec as f64 / 1e6;
    Ok(Sample { seconds, cpu: time(usage.ru_utime) + time(usage.ru_stime), memory: usage.ru_maxrss as f64 * 1024.0 / 1e6 })
}

fn median(samples: &[Sample]) -> Sample {
    let middle = |of: fn(&Sample) -> f64| {
        let mut values: Vec<f64> = samples.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(0.0)
    };
    Sample { seconds: middle(|s| s.seconds), cpu: middle(|s| s.cpu), memory: middle(|s| s.memory) }
}
