//! `cargo xtask run`: the whole story in the rig. A real bond is broken, and the incident is shown as its user would see it.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;

use crate::exec::ExitWith;
use crate::rig::{Kernel, Payload, Rig, TIMED_OUT, Vm};
use crate::{build, paths, ui};

const BOND: &str = include_str!("../rig/bond.sh");
const TRAFFIC: &str = include_str!("../rig/traffic.sh");
const SCENARIO: &str = include_str!("../rig/scenario.sh");
/// Boot, LACP, the agent's start and the window after the fault, at most.
const OVERHEAD: u64 = 120;

/// Break a real bond in the VM rig with Linkprobe running, and show the incident.
///
/// Sets up whatever is missing (as `cargo xtask setup`), builds, boots a VM with an 802.3ad bond over two veth slaves against
/// a partner bond in another namespace, puts mixed traffic on it (VLAN-tagged too), starts `linkprobe run`, breaks the bond,
/// prints the incident's report, and copies its directory to this machine.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cargo xtask run
  cargo xtask run --kernel 6.1 --fault flapping
  cargo xtask run --keep        afterwards a shell in the rig: try `ip -d link show bond0`")]
pub struct Args {
    /// The VM's kernel
    #[arg(long, value_enum, default_value = "6.12")]
    kernel: Kernel,
    /// How the bond is broken
    #[arg(long, value_enum, default_value = "carrier-both")]
    fault: Fault,
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

/// A way to break the bond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Fault {
    /// Both slaves lose their carrier
    CarrierBoth,
    /// One slave loses its carrier
    CarrierOne,
    /// The bond is set down
    AdminDown,
    /// Both slaves are taken out of the bond, one after the other
    SlaveRemoved,
    /// One slave's carrier goes and comes 20 times within a second
    Flapping,
}

/// Runs the verb.
///
/// # Errors
/// What is missing, what does not build, or that no incident came of it.
pub fn main(args: &Args) -> Result<()> {
    let rig = ui::loud("VM rig", || Rig::ensure(&[args.kernel], false))?;
    let programs = build::programs()?;
    let out = args.out.clone().unwrap_or_else(|| paths::target().join("incidents"));
    let fresh = out.join(format!(".fresh-{}", std::process::id()));
    let fault = args.fault.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    let mut payload = Payload::script("bash /guest/scenario.sh\n")
        .text("guest/bond.sh", BOND)
        .text("guest/traffic.sh", TRAFFIC)
        .text("guest/scenario.sh", SCENARIO)
        .file(&programs.linkprobe, "/guest/linkprobe")
        .file(&programs.traffic, "/guest/linkprobe-traffic")
        .env("FAULT", &fault)
        .env("CALM", &args.duration.to_string())
        .env("PLAIN", if io::stdout().is_terminal() { "" } else { "1" });
    if args.keep {
        payload = payload.then_shell();
    }
    let vm = Vm::new(&rig, args.kernel)
        .timeout(Duration::from_secs(args.duration + OVERHEAD))
        .shell(args.keep)
        .bring_back("/out", &fresh);
    let outcome = ui::loud(&format!("{fault} in a VM with kernel {}", args.kernel), || vm.run(&payload, &mut io::stdout()));
    let placed = place(&fresh, &out);
    let _ = fs::remove_dir_all(&fresh);
    let outcome = outcome?;
    io::stdout().flush()?;
    match outcome.code {
        0 => {}
        TIMED_OUT => bail!("the VM took longer than {} s", args.duration + OVERHEAD),
        code => return Err(anyhow::Error::new(ExitWith(code)).context("the scenario failed")),
    }
    let placed = placed?;
    ensure!(!placed.is_empty(), "no incident came out of the VM");
    for incident in placed {
        println!("\nincident: {}", incident.display());
        println!("packets:  wireshark {}", incident.join("capture.pcapng").display());
    }
    Ok(())
}

/// Moves the incidents that the guest brought back to `out` and returns where each is now.
fn place(fresh: &Path, out: &Path) -> Result<Vec<PathBuf>> {
    let mut placed = Vec::new();
    let Ok(entries) = fs::read_dir(fresh.join("incidents")) else { return Ok(placed) };
    for entry in entries {
        let entry = entry.context("cannot read what the guest brought back")?;
        let name = entry.file_name();
        if name.to_string_lossy().starts_with('.') || !entry.path().is_dir() {
            continue;
        }
        let to = out.join(name);
        if to.exists() {
            fs::remove_dir_all(&to).with_context(|| format!("cannot remove {}", to.display()))?;
        }
        fs::rename(entry.path(), &to).with_context(|| format!("cannot make {}", to.display()))?;
        placed.push(to);
    }
    placed.sort();
    Ok(placed)
}
