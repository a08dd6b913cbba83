//! `cargo xtask setup`: everything that the build and the tests need, once.

use anyhow::{Result, ensure};

use crate::rig::{Kernel, Rig};
use crate::{toolchain, ui};

/// Set up what is missing: the compiler and linker for the kernel programs, the VM rig, and the tests' tools.
///
/// Takes seconds when nothing is missing. Debian packages are installed only for the compiler (unless a rustup nightly with
/// rust-src is there) and for the tests (iproute2, ethtool, tcpdump, tshark, chromium, zstd, git; rsyslog, pmacct, prometheus, sysstat, whose services
/// are not started); the rig's are only unpacked into the cache.
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
/// All that is missing and cannot be had, with what to do.
pub fn main(args: &Args) -> Result<()> {
    ui::loud("setup", || {
        // each for itself: who must ask somebody to install packages learns of all of them at once
        let toolchain = toolchain::ensure();
        let tools = toolchain::ensure_test_tools(toolchain.as_ref().ok());
        let rig = Rig::ensure(&Kernel::ALL, args.refresh)
            // its own steps were shown, if there were any
            .map(|rig| ui::note(&format!("VM rig: in {}", rig.dir().display())));
        together([toolchain.map(drop), tools, rig])
    })
}

/// One error of all that there are.
fn together(results: [Result<()>; 3]) -> Result<()> {
    let errors: Vec<String> = results.into_iter().filter_map(|result| Some(format!("{:#}", result.err()?))).collect();
    ensure!(errors.is_empty(), "{}", errors.join("\n\n"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn all_that_is_missing_is_said_at_once() {
        assert!(together([Ok(()), Ok(()), Ok(())]).is_ok());
        let error = together([Err(anyhow!("a").context("compiler")), Ok(()), Err(anyhow!("rig"))]).unwrap_err();
        assert_eq!(error.to_string(), "compiler: a\n\nrig");
    }
}
