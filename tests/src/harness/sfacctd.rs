//! pmacct's sFlow collector, `sfacctd`, as a child process with a configuration of its own.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::command::signal;
use super::netns::Netns;
use super::scratch::{Scratch, unique};
use super::wait::{patience, until_true};

/// sFlow's port.
pub const PORT: u16 = 6343;

/// A running collector. Ended with the value.
#[derive(Debug)]
pub struct Sfacctd {
    child: Child,
    dir: PathBuf,
}

/// What it has made of what it received.
#[derive(Debug)]
pub struct Accounted {
    /// Packets and bytes by interface, VLAN and protocol, renormalised; several of the same may follow each other.
    pub flows: Vec<Value>,
    /// Counters, one record each.
    pub counters: Vec<Value>,
}

impl Sfacctd {
    /// Starts it on the loopback of `netns`.
    ///
    /// # Errors
    /// When it is not there, or does not listen in time: with what it said.
    pub fn start(netns: &Netns, scratch: &Scratch) -> Result<Self> {
        let dir = scratch.path().join(unique("sfacctd"));
        fs::create_dir_all(&dir)?;
        let at = |name: &str| dir.join(name).display().to_string();
        let config = format!(
            "daemonize: false\n\
             sfacctd_ip: 127.0.0.1\n\
             sfacctd_port: {PORT}\n\
             sfacctd_renormalize: true\n\
             sfacctd_counter_file: {}\n\
             sfacctd_counter_output: json\n\
             plugins: print[all]\n\
             aggregate[all]: peer_src_ip, in_iface, out_iface, vlan, proto\n\
             print_output[all]: json\n\
             print_output_file[all]: {}\n\
             print_output_file_append[all]: true\n\
             print_refresh_time[all]: 1\n",
            at("counters.json"),
            at("flows.json"),
        );
        fs::write(dir.join("sfacctd.conf"), config)?;
        let log = File::create(dir.join("log"))?;
        let mut command = netns.command("/usr/sbin/sfacctd");
        command.arg("-f").arg(dir.join("sfacctd.conf")).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().context("this test feeds pmacct's collector: apt-get install pmacct")?;
        let collector = Self { child, dir };
        until_true("sfacctd listens", patience(20), || Ok(collector.log().contains("waiting for sFlow data")))
            .with_context(|| collector.log())?;
        Ok(collector)
    }

    /// What it said.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }

    /// Ends it, and reads what it has written.
    ///
    /// # Errors
    /// When it does not end, or has written what is no JSON.
    pub fn stop(mut self) -> Result<Accounted> {
        signal(self.child.id(), libc::SIGINT)?;
        until_true("sfacctd ends", patience(20), || Ok(self.child.try_wait()?.is_some())).with_context(|| self.log())?;
        // what was not written yet is written by a process that may outlive it for a moment
        until_true("sfacctd writes", patience(20), || {
            let log = self.log();
            Ok(log.matches("Purging cache - START").count() == log.matches("Purging cache - END").count())
        })?;
        let read = |name: &str| -> Result<Vec<Value>> {
            let text = fs::read_to_string(self.dir.join(name)).with_context(|| format!("{name}:\n{}", self.log()))?;
            text.lines().map(|line| serde_json::from_str(line).with_context(|| line.to_owned())).collect()
        };
        let (flows, counters) = (read("flows.json")?, read("counters.json")?);
        ensure!(!flows.is_empty(), "sfacctd has accounted nothing:\n{}", self.log());
        Ok(Accounted { flows, counters })
    }
}

impl Drop for Sfacctd {
    fn drop(&mut self) {
        // Its plugins are processes of their own, which it ends when it is asked to end.
        let _ = signal(self.child.id(), libc::SIGINT);
        let _ = until_true("sfacctd ends", Duration::from_secs(3), || Ok(self.child.try_wait()?.is_some()));
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
