//! `linkprobe check`: is this configuration file right, and what would be in effect?

use anyhow::anyhow;

use crate::config::{CheckArgs, check};
use crate::text::print;

/// Prints the settings that `linkprobe run --config FILE` would use.
///
/// # Errors
/// Everything that is wrong with the file: exit code 1, since the command itself was used rightly.
pub fn run(args: &CheckArgs) -> anyhow::Result<()> {
    let config = check(&args.file).map_err(|errors| anyhow!("{errors}"))?;
    print(&format!("# {}: no errors. In effect:\n{}", args.file.display(), config.to_toml()))
}
