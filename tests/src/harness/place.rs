//! Where the programs under test are.

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

/// The agent: `LINKPROBE_BIN`, else `linkprobe` beside the test or one or two directories above it.
///
/// # Errors
/// When there is none.
pub fn linkprobe() -> Result<PathBuf> {
    find("LINKPROBE_BIN", "linkprobe")
}

/// The generator: `LINKPROBE_TRAFFIC_BIN`, else `linkprobe-traffic` in the same places.
///
/// # Errors
/// When there is none.
pub fn traffic() -> Result<PathBuf> {
    find("LINKPROBE_TRAFFIC_BIN", "linkprobe-traffic")
}

fn find(variable: &str, name: &str) -> Result<PathBuf> {
    if let Some(path) = env::var_os(variable) {
        let path = PathBuf::from(path);
        if path.is_file() {
            return Ok(path);
        }
        bail!("{variable}={} is no file", path.display());
    }
    let own = env::current_exe().context("where is this test?")?;
    own.ancestors().skip(1).take(3).map(|dir| dir.join(name)).find(|path| path.is_file()).with_context(|| {
        format!("{name} is not beside {}: build it (cargo build --bin {name}), or name it in {variable}", own.display())
    })
}
