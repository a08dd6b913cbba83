//! `cargo xtask test`: everything that is checked, with a summary at the end.

mod steps;
mod summary;

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::exec::ExitWith;
use crate::rig::{Kernel, Rig};
use crate::{build, toolchain, ui};
use summary::{Seen, Summary};

/// Run all checks: formatting, clippy, tidy, unit tests, namespace tests on this kernel, VM tests on both kernels of the rig.
///
/// As root, for the namespaces. All steps run even if one fails; the exit code is the first failing step's.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cargo xtask test                                everything
  cargo xtask test --no-vm                        all but the VM tests
  cargo xtask test --only vm --kernel 6.1 -- flap VM tests with `flap` in their name, on one kernel")]
pub struct Args {
    /// Leave the VM tests out
    #[arg(long)]
    no_vm: bool,
    /// Run only this step (repeatable)
    #[arg(long, value_enum, value_name = "STEP")]
    only: Vec<Step>,
    /// VM tests on this kernel only
    #[arg(long, value_enum)]
    kernel: Option<Kernel>,
    /// Passed on to the tests' own command line, such as a part of a test's name
    #[arg(last = true, value_name = "ARGS")]
    rest: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Step {
    /// Formatting of both workspaces
    Fmt,
    /// Rules about the source's text
    Tidy,
    /// Clippy over the workspace, for this machine
    Clippy,
    /// Clippy over the kernel programs, for their target
    ClippyKernel,
    /// Unit tests
    Unit,
    /// Namespace tests on this machine's kernel
    Host,
    /// VM tests
    Vm,
}

/// Runs the verb.
///
/// # Errors
/// The exit code of the first step that failed.
pub fn main(args: &Args) -> Result<()> {
    let wanted = |step: Step| args.only.is_empty() || args.only.contains(&step);
    let vm = wanted(Step::Vm) && !args.no_vm;
    let mut summary = Summary::new();
    let mut toolchain = None;
    summary.run("setup", || {
        let found = toolchain::ensure()?;
        toolchain::ensure_test_tools(Some(&found))?;
        toolchain = Some(found);
        Ok(())
    });
    if wanted(Step::Fmt) {
        summary.run("fmt", steps::fmt);
    }
    if wanted(Step::Tidy) {
        summary.run("tidy", crate::tidy::check);
    }
    if wanted(Step::Clippy) {
        summary.run("clippy", steps::clippy);
    }
    if wanted(Step::ClippyKernel) {
        summary.run("clippy of the kernel programs", || match &toolchain {
            Some(toolchain) => steps::clippy_kernel(toolchain),
            None => bail!("there is no compiler for them"),
        });
    }
    if wanted(Step::Unit) {
        summary.test("unit tests", |seen| steps::unit(&args.rest, seen));
    }
    let mut programs = None;
    if wanted(Step::Host) || vm {
        summary.run("build of the programs under test", || {
            programs = Some(build::programs()?);
            Ok(())
        });
    }
    if wanted(Step::Host) {
        summary.test("namespace tests on this kernel", |seen| match &programs {
            Some(programs) => steps::host(programs, &args.rest, seen),
            None => bail!("the programs under test were not built"),
        });
    }
    if vm {
        vm_steps(args, programs.as_ref(), &mut summary);
    } else if args.no_vm {
        summary.skip("VM tests", "left out by --no-vm");
    }
    summary.print();
    match summary.exit_code() {
        0 => Ok(()),
        code => Err(ExitWith(code).into()),
    }
}

fn vm_steps(args: &Args, programs: Option<&build::Programs>, summary: &mut Summary) {
    let kernels = args.kernel.map_or(Kernel::ALL.to_vec(), |kernel| vec![kernel]);
    let mut ready = None;
    summary.run("VM rig and the build of its tests", || {
        let rig = Rig::ensure(&kernels, false)?;
        ready = Some((rig, build::integration_test("vm")?));
        Ok(())
    });
    // most of such a run is waiting: the kernels' guests run side by side
    let step = |kernel: Kernel| {
        let ready = &ready;
        let work = move |seen: &mut Seen| match (ready, programs) {
            (Some((rig, test)), Some(programs)) => steps::vm(rig, kernel, test, programs, &args.rest, seen),
            _ => bail!("the rig or the programs for it are not there"),
        };
        (format!("VM tests on {kernel}"), work)
    };
    summary.tests(kernels.into_iter().map(step).collect());
    ui::note("rates in the VM mean nothing; `cargo xtask bench` measures on this machine's kernel");
}
