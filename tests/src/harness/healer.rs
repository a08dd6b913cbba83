//! What a broken data plane does when one of its ports is taken out of a bond: it begins anew, and transmits again. The kernel's own
//! faults do not end so by themselves; here a listener to rtnetlink ends them at the moment at which the port leaves.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result};

use super::command::succeed;
use super::netns::Netns;

/// Hears of every change of links in a namespace. Ended with the value.
#[derive(Debug)]
pub struct Healer {
    monitor: Child,
    listener: Option<JoinHandle<()>>,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Healer {
    /// Only listens.
    ///
    /// # Errors
    /// When `ip monitor` cannot be started.
    pub fn listen(netns: &Netns) -> Result<Healer> {
        Healer::heal(netns, &[])
    }

    /// When one of `links` leaves its bond, the queues that block all of them go away: they transmit again.
    ///
    /// # Errors
    /// When `ip monitor` cannot be started.
    pub fn heal(netns: &Netns, links: &[&str]) -> Result<Healer> {
        let name = netns.name().to_owned();
        let mut command = Command::new("ip");
        command.args(["-n", &name, "-o", "monitor", "link"]);
        let mut monitor = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("ip monitor")?;
        let out = BufReader::new(monitor.stdout.take().context("no output of ip monitor")?);
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (kept, mut blocked) = (Arc::clone(&heard), links.iter().map(|&link| link.to_owned()).collect::<Vec<_>>());
        let listener = thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let left = |link: &String| line.contains(&format!(" {link}@")) && !line.contains(" master ");
                if blocked.iter().any(left) {
                    for link in std::mem::take(&mut blocked) {
                        // whose queue is gone already needs nothing
                        let _ = succeed(Command::new("tc").args(["-n", &name, "qdisc", "del", "dev", &link, "root"]));
                    }
                }
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        Ok(Healer { monitor, listener: Some(listener), heard })
    }

    /// Every line of `ip monitor` about a link so far.
    pub fn heard(&self, link: &str) -> Vec<String> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.iter().filter(|line| line.contains(&format!(" {link}@")) || line.contains(&format!(" {link}:"))).cloned().collect()
    }
}

impl Drop for Healer {
    fn drop(&mut self) {
        let _ = self.monitor.kill();
        let _ = self.monitor.wait();
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}
