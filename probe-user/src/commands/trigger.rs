//! `linkprobe trigger`: fires the manual trigger of a running agent.

use clap::Args;

use super::AgentArgs;
use crate::control::Request;
use crate::text::print;

/// Options of `linkprobe trigger`.
#[derive(Args, Clone, Debug)]
pub struct TriggerArgs {
    /// Why: it is written into the incident
    #[arg(long, value_name = "TEXT", default_value = "manual")]
    pub reason: String,
    /// Print the answer as JSON
    #[arg(long)]
    pub json: bool,
    /// Which agent.
    #[command(flatten)]
    pub agent: AgentArgs,
}

/// Fires the trigger and says which incident it opened or joined.
///
/// # Errors
/// When no agent answers.
pub fn run(args: &TriggerArgs) -> anyhow::Result<()> {
    let answer = args.agent.ask(&Request::Trigger { reason: args.reason.clone() })?;
    if args.json {
        print(&format!("{answer}\n"))
    } else {
        print(&format!("{}\n", answer["text"].as_str().unwrap_or("triggered")))
    }
}
