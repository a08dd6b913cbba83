//! The single steps of `cargo xtask test`.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::summary::Seen;
use crate::build::Programs;
use crate::exec::{self, ExitWith, is_root, quiet};
use crate::rig::{Kernel, Payload, Rig, Vm, quote};
use crate::toolchain::Toolchain;
use crate::{paths, ui};

/// How much longer the tests may wait for something beside each other, and beside whatever else the machine does.
const HOST_PATIENCE: &str = "2";
/// How much longer than on this machine the tests may wait under emulation.
const PATIENCE: &str = "3";
/// The time for all VM tests on one kernel.
const VM_LIMIT: Duration = Duration::from_secs(1800);

/// `cargo fmt --check` of the workspace and of the kernel programs.
pub fn fmt() -> Result<()> {
    let both =
        [cargo(&paths::repo(), &["fmt", "--all", "--check"]), cargo(&paths::repo().join("probe-ebpf"), &["fmt", "--check"])];
    // both are shown, even if the first is wrong
    let ended: Vec<Result<()>> = both.into_iter().map(|mut command| exec::run(&mut command)).collect();
    ended.into_iter().collect()
}

/// Clippy over the workspace, warnings denied.
pub fn clippy() -> Result<()> {
    exec::run(&mut cargo(&paths::repo(), &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    // the tests that a plain `cargo test` leaves out are none of "all targets"
    let tests = ["clippy", "-p", "linkprobe-tests", "--test", "kernel", "--test", "host", "--test", "vm", "--", "-D", "warnings"];
    exec::run(&mut cargo(&paths::repo(), &tests))
}

/// Clippy over the kernel programs for their own target, with their own compiler; where that has no clippy, `cargo check`.
pub fn clippy_kernel(toolchain: &Toolchain) -> Result<()> {
    let through = |verb: &str| {
        let mut command = Command::new("rustup");
        command.args(["run", &toolchain.name, "cargo", verb]).current_dir(paths::repo().join("probe-ebpf"));
        // what cargo told us about its own compiler is not meant for this one
        for name in ["RUSTC", "CARGO", "RUSTUP_TOOLCHAIN"] {
            command.env_remove(name);
        }
        if toolchain.bootstrap {
            command.env("RUSTC_BOOTSTRAP", "1");
        }
        command
    };
    let mut command = if quiet(through("clippy").arg("--version")).is_ok() {
        through("clippy")
    } else {
        ui::note(&format!("the compiler `{}` has no clippy (Debian: rust-web-clippy): checking instead", toolchain.name));
        through("check")
    };
    let arch = std::env::consts::ARCH;
    command
        .args(["--target", "bpfel-unknown-none", "-Z", "build-std=core"])
        .env("CARGO_TARGET_DIR", paths::target().join("kernel-clippy"))
        .env("RUSTFLAGS", format!("-D warnings --cfg=bpf_target_arch=\"{arch}\""));
    exec::run(&mut command)
}

/// The unit tests of the crates that need no root.
pub fn unit(rest: &[String], seen: &mut Seen) -> Result<()> {
    let packages = ["-p", "probe-common", "-p", "probe-core", "-p", "probe-user", "-p", "linkprobe-tests", "-p", "xtask"];
    let mut command = cargo(&paths::repo(), &["test", "--no-fail-fast"]);
    command.args(packages).arg("--").args(rest);
    through(&mut command, seen)
}

/// The namespace tests: the kernel programs with their loader, one at a time, for they take all that the CPUs have; then the whole agent,
/// two at a time, for those mostly wait.
pub fn host(programs: &Programs, rest: &[String], seen: &mut Seen) -> Result<()> {
    ensure!(is_root(), "the namespace tests need root");
    let mut ended = Vec::new();
    for (test, threads) in [("kernel", "--test-threads=1"), ("host", "--test-threads=2")] {
        let words = ["test", "--no-fail-fast", "-p", "linkprobe-tests", "--test", test, "--", threads];
        let mut command = cargo(&paths::repo(), &words);
        command.args(rest).env("LINKPROBE_BIN", &programs.linkprobe).env("LINKPROBE_TRAFFIC_BIN", &programs.traffic);
        command.env("LINKPROBE_TEST_PATIENCE", HOST_PATIENCE);
        ended.push(through(&mut command, seen));
    }
    ended.into_iter().collect()
}

/// The VM tests on one kernel: the test program runs in the rig, with the programs under test beside it.
pub fn vm(rig: &Rig, kernel: Kernel, test: &Path, programs: &Programs, rest: &[String], seen: &mut Seen) -> Result<()> {
    let words: Vec<String> = rest.iter().map(|word| quote(word)).collect();
    let script = format!("mkdir -p /out\nexec /guest/vm --test-threads=1 {}\n", words.join(" "));
    let payload = Payload::script(&script)
        .file(test, "/guest/vm")
        .file(&programs.linkprobe, "/guest/linkprobe")
        .file(&programs.traffic, "/guest/linkprobe-traffic")
        .env("LINKPROBE_TEST_PATIENCE", PATIENCE)
        .env("LINKPROBE_TEST_OUT", "/out")
        .env("RUST_BACKTRACE", "1");
    let captures = paths::target().join("rig").join(format!("captures-{kernel}"));
    if captures.exists() {
        std::fs::remove_dir_all(&captures).with_context(|| format!("cannot remove {}", captures.display()))?;
    }
    let outcome = Vm::new(rig, kernel).timeout(VM_LIMIT).bring_back("/out", &captures).run(&payload, seen)?;
    if outcome.code == 0 {
        return read_captures(&captures, programs, seen);
    }
    let klog = outcome.klog.map(|klog| format!("; the kernel's log is {}", klog.display())).unwrap_or_default();
    Err(anyhow::Error::new(ExitWith(outcome.code)).context(format!("the tests in the VM failed{klog}")))
}

/// Wireshark's programs, which the VM does not have, read what the tests in it recorded.
fn read_captures(captures: &Path, programs: &Programs, seen: &mut Seen) -> Result<()> {
    let name = "files::the_rigs_captures_are_read_without_a_warning";
    let words = ["test", "-p", "linkprobe-tests", "--test", "host", "--", "--ignored", "--exact", name];
    let mut command = cargo(&paths::repo(), &words);
    command.env("LINKPROBE_TEST_CAPTURES", captures).env("LINKPROBE_BIN", &programs.linkprobe);
    through(&mut command, seen)
}

fn cargo(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(dir).args(args);
    command
}

/// Runs `command` with its standard output passed through `seen`.
fn through(command: &mut Command, seen: &mut Seen) -> Result<()> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", exec::line(command)))?;
    if let Some(mut output) = child.stdout.take() {
        let mut chunk = [0; 8192];
        loop {
            let count = output.read(&mut chunk).context("lost the tests' output")?;
            if count == 0 {
                break;
            }
            seen.write_all(&chunk[..count]).context("cannot write to standard output")?;
        }
    }
    let status = child.wait().context("lost cargo")?;
    if status.success() {
        return Ok(());
    }
    Err(anyhow::Error::new(ExitWith(exec::code(status))).context(format!("{} failed", exec::line(command))))
}
