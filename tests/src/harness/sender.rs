//! The generator as a child process.

use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use super::command::{signal, succeed};
use super::netns::Netns;
use super::place;
use crate::traffic::Numbers;

/// A generator that runs in the background. Ended with the value.
#[derive(Debug)]
pub struct Traffic {
    child: Option<Child>,
}

impl Traffic {
    /// Sends on `interface` of `netns` with `options` (split at spaces), and returns the sender's numbers.
    ///
    /// # Errors
    /// With what the generator said.
    pub fn send(netns: &Netns, interface: &str, options: &str) -> Result<Numbers> {
        let line = succeed(&mut command(netns, interface, options)?)?;
        serde_json::from_str(&line).with_context(|| format!("not the generator's numbers: {line}"))
    }

    /// Starts to send in the background.
    ///
    /// # Errors
    /// When the generator cannot be started.
    pub fn start(netns: &Netns, interface: &str, options: &str) -> Result<Traffic> {
        let child = command(netns, interface, options)?.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        Ok(Traffic { child: Some(child) })
    }

    /// Ends it and returns the sender's numbers.
    ///
    /// # Errors
    /// When it failed.
    pub fn stop(mut self) -> Result<Numbers> {
        let child = self.child.take().context("ended already")?;
        // it may have come to its end by itself: then its numbers wait in the pipe
        let _ = signal(child.id(), libc::SIGTERM);
        let output = child.wait_with_output()?;
        if !output.status.success() {
            bail!("the generator ended with {}", output.status);
        }
        serde_json::from_slice(&output.stdout).context("not the generator's numbers")
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn command(netns: &Netns, interface: &str, options: &str) -> Result<Command> {
    let mut command = netns.command(place::traffic()?);
    command.args(["--interface", interface]).args(options.split_whitespace());
    Ok(command)
}
