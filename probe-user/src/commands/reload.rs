//! `linkprobe reload`: has a running agent read its configuration file again.

use anyhow::bail;
use clap::Args;

use super::AgentArgs;
use crate::control::Request;
use crate::text::print;

/// Options of `linkprobe reload`.
#[derive(Args, Clone, Debug)]
pub struct ReloadArgs {
    /// Print the answer as JSON
    #[arg(long)]
    pub json: bool,
    /// Which agent.
    #[command(flatten)]
    pub agent: AgentArgs,
}

/// Says what is another now.
///
/// # Errors
/// When no agent answers; everything that is wrong with the file, or that needs a restart: the agent goes on as before then.
pub fn run(args: &ReloadArgs) -> anyhow::Result<()> {
    let answer = args.agent.ask(&Request::Reload)?;
    let changed: Vec<&str> = answer["changed"].as_array().into_iter().flatten().filter_map(|key| key.as_str()).collect();
    let refused: Vec<&str> = answer["refused"].as_array().into_iter().flatten().filter_map(|why| why.as_str()).collect();
    if args.json {
        print(&format!("{answer}\n"))?;
    }
    if !refused.is_empty() {
        bail!("nothing was changed:\n{}", refused.join("\n"));
    }
    if args.json {
        return Ok(());
    }
    match changed.as_slice() {
        [] => print("nothing is another than before\n"),
        keys => print(&format!("reloaded; changed: {}\n", keys.join(", "))),
    }
}
