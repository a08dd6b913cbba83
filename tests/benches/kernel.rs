//! What the kernel programs cost per frame: `cargo xtask bench kernel`.
//!
//! BPF_PROG_TEST_RUN on one frame, many times; rounds of all cases in turn, so that a slow moment of the machine hits them all alike;
//! medians, and their differences to an empty program of the same hook. `xdp frags` is for drivers that may have a frame in several
//! buffers: its length is a helper call more.

use std::{io::Write as _, process::ExitCode};

use anyhow::{Context as _, Result};
use linkprobe_tests::traffic::{Kind, Plan, frame::build};
use probe_common::{names::program, repeat::WINDOW_NS, stage};
use probe_user::kernel::{Kernel, KernelConfig};
use serde::Serialize;

/// Frames per run, and runs per case.
const REPEAT: u32 = 100_000;
const ROUNDS: usize = 41;
/// Goals in nanoseconds over the empty program.
const COUNT_GOAL: f64 = 10.0;
const RECORD_GOAL: f64 = 100.0;
/// A frame of the control lane may cost this much of one of the bulk lane.
const CONTROL_RATIO: f64 = 2.0;

/// One line of the table.
#[derive(Serialize)]
struct Row {
    hook: &'static str,
    case: &'static str,
    /// Median, nanoseconds per frame.
    ns: f64,
    /// Quartiles.
    quartiles: [f64; 2],
    /// Median less that of the empty program.
    over_empty: f64,
    goal: Option<f64>,
    met: Option<bool>,
}

/// What is measured.
struct Case {
    name: &'static str,
    stages: Option<u32>,
    control: bool,
    sample: u32,
    /// Every frame is taken for the first of its kind, as in ordinary traffic: else one frame again and again is a storm.
    fresh: bool,
}

const RECORD: u32 = stage::COUNT | stage::CLASSIFY | stage::RECORD;
const REPEATED: u32 = RECORD | stage::REPEAT;
const PLAIN: Case = Case { name: "empty", stages: None, control: false, sample: 0, fresh: true };
const CASES: [Case; 10] = [
    PLAIN,
    Case { name: "count", stages: Some(stage::COUNT), ..PLAIN },
    Case { name: "count, classify", stages: Some(stage::COUNT | stage::CLASSIFY), ..PLAIN },
    Case { name: "count, classify, record 128 bytes", stages: Some(RECORD), ..PLAIN },
    Case { name: "the same, control lane", stages: Some(RECORD), control: true, ..PLAIN },
    Case { name: "record and look for repeats", stages: Some(REPEATED), ..PLAIN },
    Case { name: "the same, control lane ", stages: Some(REPEATED), control: true, ..PLAIN },
    Case { name: "all: and no collector of samples", stages: Some(REPEATED | stage::SAMPLE), ..PLAIN },
    Case { name: "all: and sample 1:1000", stages: Some(REPEATED | stage::SAMPLE), sample: 1000, ..PLAIN },
    Case { name: "a copy in a storm", stages: Some(REPEATED), fresh: false, ..PLAIN },
];

fn main() -> ExitCode {
    match run(std::env::args().any(|argument| argument == "--json")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench kernel: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(json: bool) -> Result<()> {
    let mut rows = Vec::new();
    for hook in ["xdp", "xdp frags", "tc"] {
        rows.extend(measure(hook)?);
    }
    if json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
        return Ok(());
    }
    table(&rows)
}

fn measure(hook: &'static str) -> Result<Vec<Row>> {
    let (program, empty) = match hook {
        "xdp" => (program::XDP_INGRESS, program::XDP_EMPTY),
        "xdp frags" => (program::XDP_FRAGS, program::XDP_EMPTY),
        _ => (program::TC_INGRESS, program::TC_EMPTY),
    };
    let mut kernels = Vec::new();
    for case in &CASES {
        let config = KernelConfig {
            stages: case.stages.unwrap_or(stage::ALL),
            sample_rate: case.sample,
            control_snaplen: 128,
            repeat_window_ns: if case.fresh { 0 } else { WINDOW_NS as u32 },
            ..KernelConfig::default()
        };
        kernels.push(Kernel::load(config).context(case.name)?);
    }
    let (bulk, control) = (frame(Kind::Udp, Some(512)), frame(Kind::Lacp, Some(124)));
    let mut samples: Vec<_> = kernels.iter_mut().filter_map(Kernel::take_samples).collect();
    let mut runs = vec![Vec::new(); CASES.len()];
    for _ in 0..ROUNDS {
        for ((case, kernel), runs) in CASES.iter().zip(&mut kernels).zip(&mut runs) {
            let name = if case.stages.is_some() { program } else { empty };
            let frame = if case.control { &control } else { &bulk };
            runs.push(kernel.test_run(name, frame, REPEAT)?.ns as f64);
        }
        samples.iter_mut().for_each(|samples| samples.drain(|_| {}));
    }
    Ok(rows(hook, runs))
}

fn rows(hook: &'static str, mut runs: Vec<Vec<f64>>) -> Vec<Row> {
    runs.iter_mut().for_each(|runs| runs.sort_by(f64::total_cmp));
    let at = |case: usize, share: f64| runs[case][((ROUNDS - 1) as f64 * share).round() as usize];
    let over = |case: usize| at(case, 0.5) - at(0, 0.5);
    CASES
        .iter()
        .enumerate()
        .map(|(n, case)| {
            let goal = match n {
                1 => Some(COUNT_GOAL),
                3 | 5 => Some(RECORD_GOAL),
                4 | 6 => Some(over(n - 1) * CONTROL_RATIO),
                _ => None,
            };
            Row {
                hook,
                case: case.name,
                ns: at(n, 0.5),
                quartiles: [at(n, 0.25), at(n, 0.75)],
                over_empty: over(n),
                goal,
                met: goal.map(|goal| over(n) <= goal),
            }
        })
        .collect()
}

fn table(rows: &[Row]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{ROUNDS} rounds of {REPEAT} frames; nanoseconds per frame, medians")?;
    writeln!(out, "{:<9} {:<40} {:>7} {:>11} {:>10} {:>7}", "hook", "case", "ns", "quartiles", "over empty", "goal")?;
    for row in rows {
        let quartiles = format!("{:.0}-{:.0}", row.quartiles[0], row.quartiles[1]);
        let goal = row.goal.map_or(String::new(), |goal| format!("{goal:.0}"));
        let met = row.met.map_or("", |met| if met { "met" } else { "missed" });
        writeln!(
            out,
            "{:<9} {:<40} {:>7.0} {:>11} {:>10.0} {:>7} {met}",
            row.hook, row.case, row.ns, quartiles, row.over_empty, goal
        )?;
    }
    Ok(())
}

/// A frame of `kind`.
fn frame(kind: Kind, size: Option<usize>) -> Vec<u8> {
    let mut frame = Vec::new();
    build(&Plan { size, ..Plan::default() }, kind, 0, &mut frame);
    frame
}
