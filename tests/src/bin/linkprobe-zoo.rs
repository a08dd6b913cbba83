//! `linkprobe-zoo`: breaks a real bond with Linkprobe running, and shows what it makes of it. `cargo xtask run` starts it in the rig.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, anyhow, ensure};
use clap::{Parser, ValueEnum};
use linkprobe_tests::zoo::{Case, Fault, Mode, Storm, expected, run_all, table};

/// Breaks a real bond with Linkprobe running, and shows what it makes of it. It needs root and the bonding driver.
#[derive(Parser)]
struct Arguments {
    /// Which faults; all that there are when none is named.
    #[arg(long)]
    fault: Vec<Fault>,
    /// Which bonds; with all faults, both.
    #[arg(long)]
    mode: Option<Mode>,
    /// LACPDUs every 30 s.
    #[arg(long)]
    slow: bool,
    /// Seconds of calm before the fault.
    #[arg(long, default_value_t = 8)]
    calm: u64,
    /// Where incidents are written; with several faults, each into a directory of its name below.
    #[arg(long)]
    incidents: PathBuf,
    /// Leave everything as it is at the end, but for the agent.
    #[arg(long)]
    keep: bool,
}

/// Faults that run side by side.
const AT_ONCE: usize = 3;

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("linkprobe-zoo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    if let [fault] = arguments.fault[..] {
        return show(arguments, fault);
    }
    let faults = if arguments.fault.is_empty() { Fault::value_variants() } else { &arguments.fault[..] };
    let modes = arguments.mode.map_or(vec![Mode::Lacp, Mode::ActiveBackup], |mode| vec![mode]);
    let mut cases = Vec::new();
    for mode in modes {
        for fault in faults.iter().filter(|fault| fault.fits(mode)) {
            let name = if mode == Mode::Lacp { fault.name() } else { format!("{}-active-backup", fault.name()) };
            let incidents = Some(arguments.incidents.join(name));
            cases.push(Case { incidents, slow: arguments.slow, ..Case::new(*fault, mode) });
        }
    }
    let results = run_all(cases, AT_ONCE);
    println!("\n{}", table(&results));
    let mut wrong = Vec::new();
    for (case, result) in &results {
        let held = result.as_ref().map_or(Ok(()), |outcome| expected(case.fault, case.mode).holds(outcome));
        if let Err(error) = &held {
            println!("{}: {}", case.fault.name(), format!("{error:#}").lines().next().unwrap_or_default());
        }
        if held.is_err() || result.is_err() {
            wrong.push(case.fault.name());
        }
    }
    ensure!(wrong.is_empty(), "not as expected: {}", wrong.join(", "));
    Ok(())
}

/// One fault, as its user sees it.
fn show(arguments: &Arguments, fault: Fault) -> Result<()> {
    let mode = arguments.mode.unwrap_or(Mode::Lacp);
    ensure!(fault.fits(mode), "{} has no meaning on such a bond", fault.name());
    let calm = Duration::from_secs(arguments.calm);
    let case = Case {
        calm,
        slow: arguments.slow,
        storm: Storm::FlatOut,
        incidents: Some(arguments.incidents.clone()),
        ..Case::new(fault, mode)
    };
    say(&format!(
        "a bond over slave0 and slave1 against a switch's, traffic, linkprobe run, and after {} s: {}",
        arguments.calm,
        fault.name()
    ));
    let outcome = case.run()?;
    print!("{}", outcome.log);
    for incident in &outcome.incidents {
        say("the incident: report.txt");
        print!("{}", incident.report);
    }
    say("how fast");
    let seconds = |s: Option<f64>| s.map_or_else(|| "never".to_owned(), |s| format!("{s:.1} s"));
    println!(
        "from the fault to the alarm {}, to the finished incident {}",
        seconds(outcome.alarm_s),
        seconds(outcome.finished_s)
    );
    // the report stands above: what is wrong with it is told in a line
    let held = expected(fault, mode)
        .holds(&outcome)
        .map_err(|error| anyhow!("not as it should be: {}", format!("{error:#}").lines().next().unwrap_or_default().to_owned()));
    if arguments.keep {
        println!("\nStill there: `ip netns` lists the namespaces; `ip -n NAME -d link show bond0` shows a bond");
        std::mem::forget(outcome);
    }
    held
}

fn say(text: &str) {
    println!("\n== {text}");
}
