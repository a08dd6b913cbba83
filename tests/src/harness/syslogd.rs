//! A real syslog daemon: rsyslogd with the configuration that docs/collectors.md gives to readers.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::command;
use super::netns::Netns;
use super::scratch::{Scratch, unique};
use super::wait::{patience, until, until_true};

/// rsyslogd in a namespace, on UDP port 514, TCP port 601 and a local socket. Ended with the value.
#[derive(Debug)]
pub struct Syslogd<'a> {
    netns: &'a Netns,
    dir: PathBuf,
    child: Child,
}

impl<'a> Syslogd<'a> {
    /// Starts it and waits until it listens.
    ///
    /// # Errors
    /// When the page has no configuration, or the daemon does not take it: with what it said.
    pub fn start(netns: &'a Netns, scratch: &Scratch) -> Result<Self> {
        let dir = scratch.path().join(unique("rsyslog"));
        fs::create_dir_all(&dir)?;
        fs::write(dir.join("rsyslog.conf"), configuration(&dir.display().to_string())?)?;
        let child = run(netns, &dir)?;
        let mut daemon = Self { netns, dir, child };
        daemon.wait_until_it_listens()?;
        Ok(daemon)
    }

    /// Its local socket.
    pub fn socket(&self) -> PathBuf {
        self.dir.join("local.sock")
    }

    /// Ends it in order: what it has received is written.
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop(&mut self) -> Result<()> {
        command::signal(self.child.id(), libc::SIGTERM)?;
        until("the end of rsyslogd", patience(20), || Ok(self.child.try_wait()?)).map(|_| ())
    }

    /// Starts it again.
    ///
    /// # Errors
    /// See [`Syslogd::start`].
    pub fn start_again(&mut self) -> Result<()> {
        self.child = run(self.netns, &self.dir)?;
        self.wait_until_it_listens()
    }

    /// The messages that came by one input (`imudp`, `imtcp`, `imuxsock`), as the page's template writes them.
    ///
    /// # Errors
    /// When one is not JSON.
    pub fn messages(&self, input: &str) -> Result<Vec<Value>> {
        let text = fs::read_to_string(self.dir.join("events.json")).unwrap_or_default();
        // The last line may be on its way to the disk.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let parse = |line: &str| serde_json::from_str::<Value>(line).with_context(|| line.to_owned());
        let all: Vec<Value> = whole.lines().map(parse).collect::<Result<_>>()?;
        Ok(all.into_iter().filter(|message| message["input"] == input).collect())
    }

    /// The lines of the page's other file.
    pub fn incidents(&self) -> String {
        fs::read_to_string(self.dir.join("incidents.log")).unwrap_or_default()
    }

    fn wait_until_it_listens(&mut self) -> Result<()> {
        // The local socket is the last input.
        let socket = self.socket();
        let netns = self.netns;
        let child = &mut self.child;
        until_true("rsyslogd listens", patience(20), || {
            if let Some(status) = child.try_wait()? {
                bail!("rsyslogd ended with {status}");
            }
            let listens = netns.run(|| std::net::TcpStream::connect("127.0.0.1:601").is_ok())?;
            Ok(listens && std::os::unix::net::UnixDatagram::unbound()?.connect(&socket).is_ok())
        })
        .with_context(|| fs::read_to_string(self.dir.join("said")).unwrap_or_default())
    }
}

impl Drop for Syslogd<'_> {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) && self.stop().is_err() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn run(netns: &Netns, dir: &std::path::Path) -> Result<Child> {
    let said = fs::File::options().create(true).append(true).open(dir.join("said"))?;
    // A daemon that was killed leaves its socket behind, and rsyslogd takes it over by itself.
    let mut command: Command = netns.command("rsyslogd");
    command.arg("-n").arg("-f").arg(dir.join("rsyslog.conf")).arg("-i").arg(dir.join("pid"));
    command.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said).spawn().context("rsyslogd")
}

/// The page's configuration, with its files below `dir`.
fn configuration(dir: &str) -> Result<String> {
    let page = include_str!("../../../docs/collectors.md");
    let block = page.split("```rsyslog\n").nth(1).and_then(|rest| rest.split("```").next()).context("docs/collectors.md")?;
    let (logs, socket) = ("/var/log/linkprobe/", "/run/linkprobe-syslog.sock");
    ensure!(block.contains(logs) && block.contains(socket), "docs/collectors.md names other files: {block}");
    let block = block.replace(logs, &format!("{dir}/")).replace(socket, &format!("{dir}/local.sock"));
    Ok(format!("global(workDirectory=\"{dir}\")\n{block}"))
}
