//! Whom to ask: looks at the network again when it changes, and starts and ends the tasks of the targets.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use probe_core::reach::{Host, Network, NextHops, Question, Target, TargetSpec};
use probe_core::timeline::LinkName;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::names::Names;
use super::target::Asking;
use super::{ProbeConfig, Report, Reporter};
use crate::clock;
use crate::netlink::{Changes, network};

/// Shortest time between two looks at the network.
const SHORTEST_PAUSE: Duration = Duration::from_millis(250);
/// A look at a large routing table takes long: at most this part of the time is spent on it.
const PART: u32 = 50;
/// Time to the next look when nothing is told to have changed.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The same while somebody is asked whose route is gone.
const LINGER_PAUSE: Duration = Duration::from_secs(3);

/// Starts the task.
///
/// # Errors
/// When the kernel refuses a netlink socket.
pub(super) fn start(config: ProbeConfig, reporter: Reporter) -> io::Result<()> {
    let changes = Changes::open()?;
    let named = config.targets.iter().filter_map(|spec| match &spec.host {
        Host::Name(name) => Some(name.clone()),
        Host::Address(_) => None,
    });
    let names = Names::start(named);
    let manager = Manager {
        names,
        changes,
        reporter,
        config,
        network: Network::default(),
        hops: NextHops::default(),
        told: Vec::new(),
        running: BTreeMap::new(),
        alarmed: false,
    };
    tokio::spawn(manager.run());
    Ok(())
}

struct Manager {
    config: ProbeConfig,
    reporter: Reporter,
    changes: Changes,
    names: Names,
    network: Network,
    hops: NextHops,
    /// The targets that the agent was told of.
    told: Vec<Target>,
    running: BTreeMap<String, Running>,
    /// The network could not be looked at, and that was told.
    alarmed: bool,
}

struct Running {
    question: Result<Question, String>,
    task: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Manager {
    async fn run(mut self) {
        loop {
            self.changes.forget();
            let started = Instant::now();
            self.look().await;
            let earliest = Instant::now() + (started.elapsed() * PART).max(SHORTEST_PAUSE);
            if !self.reconcile().await || !self.wait(earliest).await {
                return;
            }
        }
    }

    async fn look(&mut self) {
        // A thread of its own: a million routes take a second.
        let found = tokio::task::spawn_blocking(network).await.map_err(io::Error::other).flatten();
        match found {
            Ok(found) => {
                self.network = found;
                self.alarmed = false;
            }
            Err(error) if !std::mem::replace(&mut self.alarmed, true) => {
                let text = format!("routes and addresses cannot be asked for: {error}; targets stay as they are");
                self.reporter.tell(Report::Alarm(text)).await;
            }
            Err(_) => {}
        }
    }

    /// Until it is time to look again. False when the agent has ended.
    async fn wait(&mut self, earliest: Instant) -> bool {
        let latest = earliest + if self.hops.linger() { LINGER_PAUSE } else { LONGEST_PAUSE };
        let mut changed = false;
        loop {
            tokio::select! {
                resolved = self.names.next() => {
                    if let Some(alarm) = self.names.take(resolved) {
                        self.reporter.tell(Report::Alarm(alarm)).await;
                    }
                    if !self.reconcile().await {
                        return false;
                    }
                }
                // An event loop that fails is told where links are watched.
                _ = self.changes.changed(), if !changed => changed = true,
                () = tokio::time::sleep_until(if changed { earliest } else { latest }) => return true,
            }
        }
    }

    /// Makes the tasks what they should be now. False when the agent has ended.
    async fn reconcile(&mut self) -> bool {
        let wanted = self.wanted();
        let targets: Vec<Target> = wanted.iter().map(|(target, _)| target.clone()).collect();
        self.running.retain(|name, _| targets.iter().any(|target| target.name == *name));
        if targets != self.told {
            self.told.clone_from(&targets);
            if !self.reporter.tell(Report::Targets(targets)).await {
                return false;
            }
        }
        for (target, question) in wanted {
            let Some(question) = question else { continue };
            if self.running.get(&target.name).is_some_and(|running| running.question == question) {
                continue;
            }
            let name = target.name.clone();
            let asking = Asking {
                target,
                question: question.clone(),
                interval: self.config.interval,
                timeout: self.config.timeout,
                reporter: self.reporter.clone(),
            };
            // The one before is ended by its drop.
            self.running.insert(name, Running { question, task: tokio::spawn(asking.run()) });
        }
        true
    }

    /// Next hops, then the targets in the order of the configuration; each with its question, or why there is none. `None`: not
    /// known yet.
    fn wanted(&mut self) -> Vec<(Target, Option<Result<Question, String>>)> {
        let hops =
            if self.config.next_hops { self.hops.update(clock::now(), &self.network, &self.config.watched) } else { Vec::new() };
        let network = &self.network;
        let hops = hops.into_iter().map(|hop| {
            let link = Some(LinkName { ifindex: hop.ifindex, name: hop.device.clone() });
            let target = Target { name: hop.name(), method: hop.method(), link, next_hop: true };
            (target, Some(Question::next_hop(&hop, network)))
        });
        let configured = self.config.targets.iter().map(|spec| self.configured(spec));
        hops.chain(configured).collect()
    }

    fn configured(&self, spec: &TargetSpec) -> (Target, Option<Result<Question, String>>) {
        let interface = spec.interface.as_deref();
        let link = interface.map(|name| {
            let ifindex = self.network.link(name).map_or(0, |link| link.ifindex);
            LinkName { ifindex, name: name.to_owned() }
        });
        let address = match &spec.host {
            Host::Address(address) => Some(Ok(*address)),
            Host::Name(name) => self.names.address(name),
        };
        let question = address.map(|address| Question::new(spec.method, address?, interface, &self.network));
        (Target { name: spec.to_string(), method: spec.method, link, next_hop: false }, question)
    }
}
