//! Reads an agent's metrics, and runs Prometheus beside it.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::netns::Netns;
use super::scratch::Scratch;
use super::wait::{patience, until};

/// A port of the loopback that nobody listens at.
///
/// # Errors
/// The system's.
pub fn free_port(netns: &Netns) -> Result<SocketAddr> {
    Ok(netns.run(|| TcpListener::bind("127.0.0.1:0")?.local_addr())??)
}

/// Asks an HTTP server in a namespace, and returns the head and the body of what it says.
///
/// # Errors
/// When nobody answers, or not with 200.
pub fn get(netns: &Netns, address: SocketAddr, path: &str, accept: &str) -> Result<(String, String)> {
    let answer = netns.run(|| {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\nAccept: {accept}\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        std::io::Result::Ok(answer)
    })??;
    let (head, body) = answer.split_once("\r\n\r\n").with_context(|| answer.clone())?;
    ensure!(head.lines().next().is_some_and(|line| line.contains(" 200 ")), "{head}");
    Ok((head.to_owned(), body.to_owned()))
}

/// The sum of all samples of a metric that have these labels, in a text of either format; `None` when there are none.
pub fn sum(text: &str, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let wanted: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
    let samples = text.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?;
        let (labels, value) = rest.strip_prefix('{').map_or(Some(("", rest)), |rest| rest.rsplit_once('}'))?;
        let value = value.strip_prefix(' ')?.parse::<f64>().ok()?;
        let has = |pair: &String| labels.split(',').any(|label| label == pair);
        wanted.iter().all(has).then_some(value)
    });
    samples.fold(None, |sum, value| Some(sum.unwrap_or(0.0) + value))
}

/// A Prometheus that scrapes an agent each second. Ended with the value.
#[derive(Debug)]
pub struct Prometheus<'a> {
    netns: &'a Netns,
    address: SocketAddr,
    child: Child,
    log: std::path::PathBuf,
}

impl<'a> Prometheus<'a> {
    /// Starts one with rules from a file, and waits until it has scraped the agent.
    ///
    /// # Errors
    /// When it is not installed, or does not scrape.
    pub fn start(netns: &'a Netns, scratch: &Scratch, agent: SocketAddr, rules: &Path) -> Result<Self> {
        let address = free_port(netns)?;
        let (config, log) = (scratch.path().join("prometheus.yml"), scratch.path().join("prometheus.log"));
        let rules = rules.canonicalize().with_context(|| rules.display().to_string())?;
        let text = format!(
            "global:\n  scrape_interval: 1s\n  evaluation_interval: 1s\nrule_files: [\"{}\"]\n\
             scrape_configs:\n  - job_name: linkprobe\n    static_configs:\n      - targets: [\"{agent}\"]\n",
            rules.display()
        );
        fs::write(&config, text)?;
        let out = File::create(&log)?;
        let mut command = netns.command("prometheus");
        command.arg(format!("--config.file={}", config.display()));
        command.arg(format!("--storage.tsdb.path={}", scratch.path().join("prometheus").display()));
        command.arg(format!("--web.listen-address={address}"));
        let child = command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out).spawn().context("prometheus")?;
        let mut prometheus = Self { netns, address, child, log };
        let scraped = until("prometheus has scraped", patience(60), || {
            if let Some(status) = prometheus.child.try_wait()? {
                bail!("prometheus ended with {status}");
            }
            // It does not listen at once.
            Ok(prometheus.query("up").ok().filter(|up| *up == Some(1.0)).map(|_| ()))
        });
        scraped.with_context(|| fs::read_to_string(&prometheus.log).unwrap_or_default())?;
        Ok(prometheus)
    }

    /// The value of an expression without spaces that gives one series; `None` when it gives none.
    ///
    /// # Errors
    /// When it is refused, or gives several.
    pub fn query(&self, expression: &str) -> Result<Option<f64>> {
        let encoded: String = expression.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let answer = self.json(&format!("/api/v1/query?query={encoded}"))?;
        let found = answer["data"]["result"].as_array().with_context(|| answer.to_string())?;
        ensure!(found.len() < 2, "{expression} is more than one series: {answer:#}");
        let value = found.first().map(|series| series["value"][1].as_str().unwrap_or_default().parse());
        value.transpose().with_context(|| answer.to_string())
    }

    /// An answer of its interface.
    ///
    /// # Errors
    /// When there is none.
    pub fn json(&self, path: &str) -> Result<Value> {
        let (_, body) = get(self.netns, self.address, path, "application/json")?;
        serde_json::from_str(&body).with_context(|| body.clone())
    }
}

impl Drop for Prometheus<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- prometheus said:\n{}---", fs::read_to_string(&self.log).unwrap_or_default());
        }
    }
}

/// Runs `promtool check WHAT` with a text or with files. All that it says is returned: nothing, when all is well.
///
/// # Errors
/// When it is not installed.
pub fn promtool(what: &str, input: &str, files: &[&Path]) -> Result<(bool, String)> {
    let mut command = Command::new("promtool");
    command.args(["check", what]).args(files).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().context("promtool")?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    Ok((output.status.success(), said))
}
