//! `cargo xtask run`: the whole story in the rig. A real bond is broken, and the incident is shown as its user would see it.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::exec::ExitWith;
use crate::rig::{Kernel, Payload, Rig, TIMED_OUT, Vm, quote};
use crate::{build, paths, ui};

#[path = "../../tests/src/zoo/fault.rs"]
mod fault;

use fault::{Fault, Mode};

/// Boot, LACP, the agent's start and the window after the fault, at most.
const OVERHEAD: u64 = 150;
/// With slow LACPDUs.
const SLOW: u64 = 300;
/// All faults.
const ALL: u64 = 1500;

/// Break a real bond in the VM rig with Linkprobe running, and show the incident.
///
/// Sets up whatever is missing (as `cargo xtask setup`), builds, boots a VM with an 802.3ad bond over two veth slaves against
/// a partner bond in another namespace, puts mixed traffic on it (VLAN-tagged too), starts `linkprobe run`, breaks the bond,
/// prints the incident's report, and copies its directory to this machine. With `--fault all` it does so for every fault there is, some
/// at a time, and prints a table.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cargo xtask run
  cargo xtask run --fault tx-duplication     the incident that Linkprobe was made for
  cargo xtask run --kernel 6.1 --fault flapping --mode active-backup
  cargo xtask run --fault all                a table of all faults, on both kinds of bonds
  cargo xtask run --keep                     afterwards a shell in the rig: `ip netns` lists the namespaces")]
pub struct Args {
    /// The VM's kernel
    #[arg(long, value_enum, default_value = "6.12")]
    kernel: Kernel,
    /// How the bond is broken
    #[arg(long, value_name = "FAULT", value_parser = faults(), default_value = "carrier-both")]
    fault: Choice,
    /// The bond's mode [default: lacp; with all faults, both]
    #[arg(long, value_enum)]
    mode: Option<Mode>,
    /// LACPDUs every 30 s: what follows from them takes minutes
    #[arg(long)]
    slow: bool,
    /// Seconds of calm before the fault
    #[arg(long, value_name = "SECS", default_value_t = 8)]
    duration: u64,
    /// Open a shell in the rig afterwards
    #[arg(long)]
    keep: bool,
    /// Where the incident's directory is copied to [default: target/incidents]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// What `--fault` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    One(Fault),
    All,
}

fn faults() -> impl TypedValueParser<Value = Choice> {
    let one = Fault::value_variants().iter().filter_map(Fault::to_possible_value);
    let all = PossibleValue::new("all").help("Every one of them, and a table");
    PossibleValuesParser::new(one.chain([all])).map(|name| Fault::from_str(&name, false).map_or(Choice::All, Choice::One))
}

/// Runs the verb.
///
/// # Errors
/// What is missing, what does not build, or that no incident came of it.
pub fn main(args: &Args) -> Result<()> {
    let words = words(args)?;
    let rig = ui::loud("VM rig", || Rig::ensure(&[args.kernel], false))?;
    let programs = build::programs()?;
    let out = args.out.clone().unwrap_or_else(|| paths::target().join("incidents"));
    let fresh = out.join(format!(".fresh-{}", std::process::id()));
    let mut payload = Payload::script(&format!("mkdir -p /out/incidents\n/guest/linkprobe-zoo {words}\n"))
        .file(&programs.zoo, "/guest/linkprobe-zoo")
        .file(&programs.linkprobe, "/guest/linkprobe")
        .file(&programs.traffic, "/guest/linkprobe-traffic")
        .env("LINKPROBE_TEST_PATIENCE", "3");
    if args.keep {
        payload = payload.then_shell();
    }
    let limit = args.duration + if args.fault == Choice::All { ALL } else { OVERHEAD } + if args.slow { SLOW } else { 0 };
    let vm = Vm::new(&rig, args.kernel).timeout(Duration::from_secs(limit)).shell(args.keep).bring_back("/out", &fresh);
    let name = match args.fault {
        Choice::One(fault) => fault.name(),
        Choice::All => "all faults".to_owned(),
    };
    let outcome = ui::loud(&format!("{name} in a VM with kernel {}", args.kernel), || vm.run(&payload, &mut io::stdout()));
    let placed = place(&fresh.join("incidents"), &out);
    let _ = fs::remove_dir_all(&fresh);
    let outcome = outcome?;
    io::stdout().flush()?;
    let placed = placed?;
    for incident in &placed {
        println!("\nincident: {}", incident.display());
        println!("packets:  wireshark {}", incident.join("capture.pcapng").display());
    }
    match outcome.code {
        0 => {}
        TIMED_OUT => bail!("the VM took longer than {limit} s"),
        code => return Err(anyhow::Error::new(ExitWith(code)).context("not everything is as it should be")),
    }
    ensure!(!placed.is_empty() || args.fault == Choice::One(Fault::Clean), "no incident came out of the VM");
    Ok(())
}

/// The options of the program in the guest.
fn words(args: &Args) -> Result<String> {
    let mut words = vec!["--incidents".to_owned(), "/out/incidents".to_owned(), "--calm".to_owned(), args.duration.to_string()];
    let mut add = |option: &str, value: String| words.extend([option.to_owned(), value]);
    if let Choice::One(fault) = args.fault {
        let mode = args.mode.unwrap_or(Mode::Lacp);
        ensure!(fault.fits(mode), "{} is about LACP, which a bond in active-backup mode has not", fault.name());
        add("--fault", fault.name());
    }
    if let Some(mode) = args.mode.and_then(|mode| mode.to_possible_value()) {
        add("--mode", mode.get_name().to_owned());
    }
    words.extend(args.slow.then(|| "--slow".to_owned()));
    words.extend(args.keep.then(|| "--keep".to_owned()));
    Ok(words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" "))
}

/// Moves the incidents that the guest brought back to `out` and returns where each is now. What holds incidents itself, one
/// directory for each fault, goes there as such.
fn place(from: &Path, out: &Path) -> Result<Vec<PathBuf>> {
    let mut placed = Vec::new();
    let Ok(entries) = fs::read_dir(from) else { return Ok(placed) };
    for entry in entries {
        let entry = entry.context("cannot read what the guest brought back")?;
        let name = entry.file_name();
        if name.to_string_lossy().starts_with('.') || !entry.path().is_dir() {
            continue;
        }
        if !entry.path().join("incident.json").exists() {
            placed.extend(place(&entry.path(), &out.join(name))?);
            continue;
        }
        let to = out.join(name);
        if to.exists() {
            fs::remove_dir_all(&to).with_context(|| format!("cannot remove {}", to.display()))?;
        }
        fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
        fs::rename(entry.path(), &to).with_context(|| format!("cannot make {}", to.display()))?;
        placed.push(to);
    }
    placed.sort();
    Ok(placed)
}
