//! `cargo xtask rig`: a command, or a shell, in the VM rig.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::exec::ExitWith;
use crate::rig::{Kernel, Payload, Rig, TIMED_OUT, Vm};
use crate::ui;

/// Run a command as root in a VM with a Debian kernel.
///
/// Its output comes back, and its exit code becomes ours (124: it took too long). If its first word is a program of this
/// machine, that is copied into the VM with its shared libraries. Inside are bash, busybox, iproute2, ethtool, bpftool, and
/// the modules for bonds, VLANs, bridges, veth and traffic control.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cargo xtask rig -- uname -r
  cargo xtask rig --kernel 6.1 -- bash -c 'ip link add bond0 type bond mode 802.3ad && ip -d link show bond0'
  cargo xtask rig --file target/debug/linkprobe --shell")]
pub struct Args {
    /// The kernel to boot
    #[arg(long, value_enum, default_value = "6.12")]
    kernel: Kernel,
    /// A file or directory to copy in, by default to /guest/NAME; programs bring their libraries
    #[arg(long = "file", value_name = "SRC[:DST]")]
    files: Vec<String>,
    /// Memory in MiB
    #[arg(long, default_value_t = 1024)]
    memory: u32,
    /// Processors
    #[arg(long, default_value_t = 2)]
    cpus: u32,
    /// Seconds after which the VM is ended
    #[arg(long, default_value_t = 120)]
    timeout: u64,
    /// A directory of this machine that gets what the command leaves in /out
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Boot even if a saved VM could be restored
    #[arg(long)]
    boot: bool,
    /// An interactive shell on the serial console, after the command if there is one
    #[arg(long, visible_alias = "keep")]
    shell: bool,
    /// The command
    #[arg(last = true, value_name = "CMD")]
    command: Vec<String>,
}

/// Runs the verb.
///
/// # Errors
/// [`ExitWith`] the command's exit code; or why it could not be run.
pub fn main(args: &Args) -> Result<()> {
    ensure!(args.shell || !args.command.is_empty(), "name a command after `--`, or ask for a shell with --shell");
    let rig = Rig::ensure(&[args.kernel], false)?;
    let mut vm = Vm::new(&rig, args.kernel)
        .size(args.memory, args.cpus)
        .timeout(Duration::from_secs(args.timeout))
        .shell(args.shell)
        .boot_only(args.boot);
    if let Some(out) = &args.out {
        vm = vm.bring_back("/out", out);
    }
    let outcome = vm.run(&payload(args), &mut io::stdout())?;
    io::stdout().flush()?;
    if outcome.code == TIMED_OUT {
        ui::note(&format!("ended with {TIMED_OUT}: by the VM's time limit of {} s, if not by the command itself", args.timeout));
    }
    match (outcome.code, outcome.klog) {
        (0, _) => Ok(()),
        (code, klog) => {
            if let Some(klog) = klog {
                ui::note(&format!("the kernel's log is {}", klog.display()));
            }
            Err(ExitWith(code).into())
        }
    }
}

fn payload(args: &Args) -> Payload {
    let mut payload = Payload::command(&args.command);
    if args.shell {
        payload = payload.then_shell();
    }
    for file in &args.files {
        let (from, to) = file.split_once(':').unwrap_or((file, ""));
        let name = Path::new(from).file_name().unwrap_or_default().to_string_lossy();
        let to = if to.is_empty() { format!("/guest/{name}") } else { to.to_owned() };
        payload = payload.file(Path::new(from), &to);
    }
    payload
}
