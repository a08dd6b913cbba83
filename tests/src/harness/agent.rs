//! The agent as a child process.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::command::{self, Ended};
use super::incident::{self, Incident};
use super::mounts::Mounts;
use super::netns::Netns;
use super::place;
use super::scratch::{Scratch, unique};
use super::wait::{patience, until};

/// How an agent is started.
#[derive(Clone, Copy)]
pub struct Launch<'a> {
    /// Where.
    pub netns: &'a Netns,
    /// With which file systems; the machine's own when `None`.
    pub mounts: Option<&'a Mounts>,
    /// Its run directory, incidents and log are below.
    pub scratch: &'a Scratch,
    /// Options of `linkprobe run`, split at spaces.
    pub options: &'a str,
    /// Environment variables beside our own.
    pub environment: &'a [(&'a str, &'a str)],
}

/// A running agent. Ended with the value.
#[derive(Debug)]
pub struct Agent {
    child: Child,
    log: PathBuf,
    run_dir: PathBuf,
    incidents: PathBuf,
    instance: String,
}

impl<'a> Launch<'a> {
    /// With the machine's file systems.
    pub fn new(netns: &'a Netns, scratch: &'a Scratch, options: &'a str) -> Launch<'a> {
        Launch { netns, mounts: None, scratch, options, environment: &[] }
    }

    /// A `linkprobe` command in the place of this agent, without arguments.
    ///
    /// # Errors
    /// When the program is not found.
    pub fn linkprobe(&self) -> Result<Command> {
        let mut command = self.netns.command(place::linkprobe()?);
        if let Some(mounts) = self.mounts {
            mounts.apply(&mut command);
        }
        command.envs(self.environment.iter().copied());
        Ok(command)
    }

    /// `linkprobe run` with the options and the directories below the scratch directory.
    ///
    /// # Errors
    /// When the program is not found.
    pub fn command(&self) -> Result<Command> {
        let mut command = self.linkprobe()?;
        command.arg("run").args(self.options.split_whitespace());
        command.arg("--run-dir").arg(self.run_dir());
        if !self.options.contains("--incidents") {
            command.arg("--incidents").arg(self.incidents());
        }
        if !self.options.contains("--instance") {
            // the pins of agents that run at the same time must not meet
            command.args(["--instance", &self.instance()]);
        }
        Ok(command)
    }

    /// Starts the agent and waits until it records.
    ///
    /// # Errors
    /// When it ends, or is not ready in time: with its log.
    pub fn start(&self) -> Result<Agent> {
        fs::create_dir_all(self.run_dir())?;
        let log = self.scratch.path().join(format!("{}.log", unique("agent")));
        let out = File::create(&log)?;
        let err = out.try_clone()?;
        let mut command = self.command()?;
        let child = command.stdin(Stdio::null()).stdout(out).stderr(err).spawn().context("linkprobe run")?;
        let (run_dir, incidents) = (self.run_dir(), self.incidents());
        let mut agent = Agent { child, log, run_dir, incidents, instance: self.instance() };
        let ready = until("the agent is ready", patience(20), || {
            if let Some(status) = agent.child.try_wait()? {
                bail!("the agent ended with {status}");
            }
            Ok(agent.log().contains("linkprobe: recording").then_some(()))
        });
        ready.with_context(|| agent.log())?;
        Ok(agent)
    }

    /// Runs `linkprobe run` where it must end by itself, and returns what it said. It is ended when it does not.
    ///
    /// # Errors
    /// When it runs on.
    pub fn refused(&self) -> Result<Ended> {
        fs::create_dir_all(self.run_dir())?;
        ended_within(&mut self.command()?, patience(20))
    }

    fn run_dir(&self) -> PathBuf {
        self.scratch.path().join("run")
    }

    fn incidents(&self) -> PathBuf {
        self.scratch.path().join("incidents")
    }

    fn instance(&self) -> String {
        let named = self.options.split_whitespace().skip_while(|word| *word != "--instance").nth(1);
        let own = self.scratch.path().file_name().map(|name| name.to_string_lossy().into_owned());
        named.map(str::to_owned).or(own).unwrap_or_default()
    }
}

impl Agent {
    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it said so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Where its incidents are.
    pub fn incidents_dir(&self) -> &Path {
        &self.incidents
    }

    /// Runs `linkprobe WORDS` against this agent; `words` are split at spaces.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn ask(&self, words: &str) -> Result<Ended> {
        command::end(&mut self.client(words)?)
    }

    /// `linkprobe WORDS` with the options that lead to this agent.
    ///
    /// # Errors
    /// When the program is not found.
    pub fn client(&self, words: &str) -> Result<Command> {
        let mut command = Command::new(place::linkprobe()?);
        command.args(words.split_whitespace());
        command.arg("--run-dir").arg(&self.run_dir).args(["--instance", &self.instance]);
        Ok(command)
    }

    /// `linkprobe status --json`.
    ///
    /// # Errors
    /// When it fails, or is not JSON.
    pub fn status(&self) -> Result<Value> {
        let text = command::succeed(&mut self.client("status --json")?).with_context(|| self.log())?;
        serde_json::from_str(&text).with_context(|| format!("status --json said: {text}"))
    }

    /// Fires the manual trigger through the socket.
    ///
    /// # Errors
    /// When it is refused.
    pub fn trigger(&self, reason: &str) -> Result<()> {
        command::succeed(self.client("trigger")?.args(["--reason", reason])).with_context(|| self.log())?;
        Ok(())
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// When it is gone.
    pub fn signal(&self, signal: libc::c_int) -> Result<()> {
        command::signal(self.pid(), signal)
    }

    /// Waits for so many incidents in its directory, and reads them in their order.
    ///
    /// # Errors
    /// When that takes longer than `limit`, or one cannot be read: with the log.
    pub fn incidents(&mut self, count: usize, limit: Duration) -> Result<Vec<Incident>> {
        let found = until(&format!("{count} incidents"), limit, || {
            if let Some(status) = self.child.try_wait()? {
                bail!("the agent ended with {status}");
            }
            let found = incident::list(&self.incidents)?;
            Ok((found.len() >= count).then_some(found))
        });
        let found = found.with_context(|| self.log())?;
        found.iter().map(|dir| Incident::read(dir)).collect()
    }

    /// Waits for the one incident that there must be.
    ///
    /// # Errors
    /// See [`Agent::incidents`]; when there are more.
    pub fn incident(&mut self, limit: Duration) -> Result<Incident> {
        let mut all = self.incidents(1, limit)?;
        if all.len() != 1 {
            bail!("{} incidents, not one: {:?}\n{}", all.len(), all.iter().map(|i| &i.dir).collect::<Vec<_>>(), self.log());
        }
        all.pop().context("no incident")
    }

    /// Ends it by SIGTERM and waits for its end.
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop(&mut self) -> Result<ExitStatus> {
        self.signal(libc::SIGTERM)?;
        self.ended(patience(30))
    }

    /// Kills it by SIGKILL.
    ///
    /// # Errors
    /// When it was gone already, or ended otherwise.
    pub fn kill(&mut self) -> Result<()> {
        self.signal(libc::SIGKILL)?;
        let status = self.child.wait()?;
        if status.signal() != Some(libc::SIGKILL) {
            bail!("it ended with {status} before it was killed:\n{}", self.log());
        }
        Ok(())
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it runs on.
    pub fn ended(&mut self, limit: Duration) -> Result<ExitStatus> {
        until("the agent's end", limit, || Ok(self.child.try_wait()?)).with_context(|| self.log())
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// The system's.
    pub fn runs(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.signal(libc::SIGTERM);
            if self.ended(Duration::from_secs(10)).is_err() {
                let _ = self.child.kill();
                let _ = self.child.wait();
            }
        }
        if std::thread::panicking() {
            eprintln!("--- the agent said:\n{}---", self.log());
        }
    }
}

/// Runs a program that must end by itself within `limit`.
///
/// # Errors
/// When it runs on: it is killed then.
pub fn ended_within(command: &mut Command, limit: Duration) -> Result<Ended> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let ended = until("its end", limit, || Ok(child.try_wait()?));
    if ended.is_err() {
        let _ = child.kill();
    }
    let output = child.wait_with_output()?;
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    ended.with_context(|| err.clone())?;
    Ok(Ended { code: output.status.code(), out: String::from_utf8_lossy(&output.stdout).into_owned(), err })
}
