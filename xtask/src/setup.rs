//! `cargo xtask setup`: everything that the build and the tests need, once.

use anyhow::Result;

use crate::rig::{Kernel, Rig};
use crate::{toolchain, ui};

/// Set up what is missing: the compiler and linker for the kernel programs, the VM rig, and the tests' tools.
///
/// Takes seconds when nothing is missing. Debian packages are installed only for the compiler (unless a rustup nightly with
/// rust-src is there) and for the tests (iproute2, ethtool, tcpdump, tshark); the rig's are only unpacked into the cache.
/// What cannot be done here is said exactly.
#[derive(clap::Args)]
pub struct Args {
    /// Fetch the VM rig (qemu, kernels) anew
    #[arg(long)]
    refresh: bool,
}

/// Runs the verb.
///
/// # Errors
/// The first thing that is missing and cannot be had, with what to do.
pub fn main(args: &Args) -> Result<()> {
    ui::loud("setup", || {
        let toolchain = toolchain::ensure()?;
        toolchain::ensure_test_tools(&toolchain)?;
        let rig = Rig::ensure(&Kernel::ALL, args.refresh)?;
        ui::present(&format!("VM rig ({})", rig.dir().display()));
        Ok(())
    })
}
