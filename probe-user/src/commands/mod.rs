//! The commands that do not record: each asks the kernel or a running agent, prints, and ends.

pub mod check;
pub mod doctor;
mod lacp;
mod past;
pub mod reload;
mod sparkline;
pub mod status;
pub mod trigger;
pub mod watch;

use std::path::PathBuf;

use clap::Args;

use crate::control::{ControlError, Request, request, socket_path};

/// Which agent is asked.
#[derive(Args, Clone, Debug)]
pub struct AgentArgs {
    /// Name of the agent, where several run on one machine
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub instance: String,
    /// Directory of the agent's control socket
    #[arg(long, value_name = "DIR", default_value = "/run/linkprobe")]
    pub run_dir: PathBuf,
}

impl AgentArgs {
    /// Sends one request to the agent.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub fn ask(&self, what: &Request) -> Result<serde_json::Value, ControlError> {
        request(&socket_path(&self.run_dir, &self.instance), what)
    }
}
