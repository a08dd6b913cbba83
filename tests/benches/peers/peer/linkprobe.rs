//! Linkprobe, which counts and records in the kernel, and writes when something breaks.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use linkprobe_tests::harness::{Agent, Launch, Scratch, incident};
use linkprobe_tests::live::cpu;
use serde_json::Value;

use super::{LINKPROBE, Outcome, Peer, Running, SOON, files_below};
use crate::bed::{Bed, NEAR};

/// How an agent is started, beside its interface and hook.
pub struct Linkprobe {
    /// Options of `linkprobe run`.
    pub options: &'static str,
    /// The same window as in the options.
    pub after: Duration,
}

impl Default for Linkprobe {
    /// With its defaults, but for two: the window ends soon, and the file takes all that the recorder holds, so that a hole in it is seen.
    fn default() -> Self {
        Self { options: "--hook xdp --after 50ms --capture-limit 128MiB", after: Duration::from_millis(50) }
    }
}

/// An agent, and what it wrote.
pub struct Recording {
    agent: Agent,
    incidents: PathBuf,
    after: Duration,
    // gone after the agent
    _scratch: Scratch,
}

impl Linkprobe {
    /// Starts an agent at the near end of the pair, with its incidents below `dir`.
    ///
    /// # Errors
    /// What it says.
    pub fn launch(&self, bed: &Bed, dir: &Path) -> Result<Recording> {
        let scratch = Scratch::new("agent")?;
        let incidents = dir.join("incidents");
        let options = format!("--interface {NEAR} --incidents {} {}", incidents.display(), self.options);
        let agent = Launch::new(&bed.near, &scratch, &options).start()?;
        Ok(Recording { agent, incidents, after: self.after, _scratch: scratch })
    }
}

impl Peer for Linkprobe {
    fn name(&self) -> &'static str {
        LINKPROBE
    }

    fn drain(&self) -> Duration {
        SOON
    }

    fn start(&self, bed: &Bed, dir: &Path) -> Result<Box<dyn Running>> {
        Ok(Box::new(self.launch(bed, dir)?))
    }
}

impl Recording {
    /// Where its incidents appear.
    pub fn incidents(&self) -> &Path {
        &self.incidents
    }

    /// Asks for an incident, and waits until its directory is there: the directory, and how long that took, less the window.
    ///
    /// # Errors
    /// When none appears within half a minute.
    pub fn incident(&self) -> Result<(PathBuf, Duration)> {
        let dir = &self.incidents;
        let known = incident::list(dir)?;
        let start = Instant::now();
        self.agent.signal(libc::SIGUSR1)?;
        loop {
            if let Some(new) = incident::list(dir)?.into_iter().find(|found| !known.contains(found)) {
                return Ok((new, start.elapsed().saturating_sub(self.after)));
            }
            ensure!(start.elapsed() < Duration::from_secs(30), "no incident within 30 s:\n{}", self.agent.log());
            thread::sleep(Duration::from_micros(200));
        }
    }

    /// Packets of all classes at the tap of what comes in; and of those losses that are losses of packets, by `status`.
    fn counted(&self) -> Result<(u64, u64)> {
        let status = self.agent.status()?;
        let tap = status["taps"].as_array().into_iter().flatten().find(|tap| tap["direction"] == "ingress");
        let losses = status["losses"].as_array().into_iter().flatten();
        // a frame that is cut to the snap length is what was asked for
        let lost = losses.filter(|loss| loss["name"] != "truncated").filter_map(|loss| loss["count"].as_u64()).sum();
        Ok((tap.and_then(|tap| tap["packets"].as_u64()).context("no tap")?, lost))
    }
}

impl Running for Recording {
    fn pid(&self) -> Option<u32> {
        Some(self.agent.pid())
    }

    fn finish(mut self: Box<Self>) -> Result<Outcome> {
        // a storm has opened one
        let (dir, ready) = match incident::list(&self.incidents)?.pop() {
            Some(written) => (written, Duration::ZERO),
            None => self.incident()?,
        };
        let (counted, lost) = self.counted()?;
        let text = fs::read_to_string(dir.join("incident.json")).context("incident.json")?;
        let json: Value = serde_json::from_str(&text).context("incident.json")?;
        let from = json["capture"]["complete_from"]["bulk"]["mono_ns"].as_u64();
        ensure!(json["capture"]["limited"] == false, "the file did not take all that the recorder held");
        let (_, bytes) = files_below(&self.incidents)?;
        self.agent.stop()?;
        Ok(Outcome {
            files: vec![dir.join("capture.pcapng")],
            bytes,
            counted: Some(counted),
            said_lost: Some(lost),
            from_ns: from.map_or(0, |from| from + cpu::monotonic_to_wall()),
            ready,
            window: true,
        })
    }
}
