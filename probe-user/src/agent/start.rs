//! Everything from a configuration to an agent that records, or to an error that says what is missing.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use probe_core::counts::{CountHistory, Moment};
use probe_core::flight::{Event, Flight, FlightConfig};
use probe_core::link::LinkState;
use probe_core::table::Watched;

use super::incidents::Incidents;
use super::input::Inputs;
use super::matrix::Counting;
use super::recovery::{Recoverer, longest_window};
use super::samples::sflow_config;
use super::tell::Teller;
use super::{Agent, Losses};
use crate::clock::{self, ClockWatch};
use crate::config::{Config, RunArgs};
use crate::control::{Server, socket_path};
use crate::export::{About, Sflow, Sinks};
use crate::kernel::lock::Lock;
use crate::kernel::{Kernel, KernelConfig, features};
use crate::logs::{LogConfig, Logs};
use crate::metrics;
use crate::netlink::{Monitor, ReasonAsker, StatsAsker, links};
use crate::probe::{ProbeConfig, Probes};

/// Where maps and links are pinned; the instance's name follows.
const BPFFS: &str = "/sys/fs/bpf/linkprobe";
/// Hidden, for tests of overruns: bytes of the netlink socket's receive buffer.
const RECEIVE_BUFFER: &str = "LINKPROBE_NETLINK_BUFFER";

/// Loads, attaches and opens everything.
pub(super) fn start(args: RunArgs, config: Config) -> anyhow::Result<(Agent, Inputs)> {
    let missing = features::missing_capabilities();
    if !missing.is_empty() {
        let missing: Vec<String> = missing.iter().map(|name| format!("{name} ({})", features::purpose(name))).collect();
        bail!("missing capabilities: {}; run it as root, or grant them", missing.join(", "));
    }
    // The socket listens before the dump is made: what happens in between is heard twice rather than never.
    let receive_buffer = std::env::var(RECEIVE_BUFFER).ok().and_then(|bytes| bytes.parse().ok());
    let monitor = Monitor::open(receive_buffer).context("rtnetlink")?;
    let found = links().context("rtnetlink")?;
    check_names(&config, &found.links)?;
    std::fs::create_dir_all(&config.run_dir).with_context(|| format!("run directory {}", config.run_dir.display()))?;
    let lock = Lock::instance(&config.run_dir, &config.instance)?;
    let mut kernel = Kernel::load(KernelConfig {
        snaplen: config.snaplen,
        control_snaplen: config.control_snaplen,
        memory_bytes: config.memory,
        storm_rate: config.storm_rate,
        pin: Some(PathBuf::from(BPFFS).join(&config.instance)),
        wanted_ns: ns(config.before.saturating_add(config.max_window)),
        log: log::log_enabled!(log::Level::Trace),
        ..KernelConfig::default()
    })?;
    let (Some(events), Some(samples)) = (kernel.take_events(), kernel.take_samples()) else { bail!("ring buffers") };
    let diagnostics = kernel.take_diagnostics();
    let socket = socket_path(&config.run_dir, &config.instance);
    let server = Server::bind(&socket).with_context(|| format!("control socket {}", socket.display()))?;
    let (incidents, written) = Incidents::start(&config, kernel.recorder())?;
    let probes = Probes::start(probe_config(&config)).context("probes")?;
    let logs = Logs::start(&log_config(&config)).context("logs")?;
    let (drivers, counted) = StatsAsker::start().context("counters of drivers")?;
    let (reasons, told) = ReasonAsker::new();
    let sflow = Sflow::start(&sflow_config(&config), clock::now());
    let (recoverer, recovered) = Recoverer::start(&config)?;
    let clock = ClockWatch::start().context("clock")?;
    let about = About::this(&config.instance, clock::wall_offset().wall_ns(clock::now()));
    let sinks = Sinks::start(&config, about).context("receivers of events")?;
    let metrics = metrics_server(&config)?;
    let mut inputs = Inputs::new(monitor, events, samples, server, clock, probes, logs, counted, told, written, recovered)
        .context("event loop")?;
    inputs.metrics = metrics;
    let mut agent = Agent {
        started: clock::now(),
        kernel,
        flight: Flight::new(flight_config(&config)?),
        incidents,
        history: CountHistory::new(ns(config.before)),
        past_readers: std::sync::Arc::default(),
        reasons,
        counting: Counting::new(drivers),
        base: None,
        losses: Losses { netlink_undecodable: found.undecodable.len() as u64, ..Losses::default() },
        traffic: super::traffic::Traffic::default(),
        tones: metrics::Tones::default(),
        teller: Teller::new(sinks),
        untapped: Vec::new(),
        dropped: super::drops::Dropped::default(),
        recoverer,
        sflow,
        resync_due: None,
        diagnostics,
        args,
        config,
        _lock: lock,
    };
    // What a window counts begins here when it begins before the first round of housekeeping.
    let taps = agent.kernel.counters().context("counters")?;
    agent.history.push(Moment { at: agent.started, taps, losses: Vec::new() });
    agent.handle(Event::Start { links: found.links });
    if let Err(error) = DirBuilder::new().recursive(true).mode(0o750).create(&agent.config.incidents) {
        // No reason not to record: by the first incident the disk may be there again.
        let text = format!("incidents cannot be written to {}: {error}", agent.config.incidents.display());
        agent.handle(Event::Alarm { text });
    }
    if let Some(untapped) = agent.untapped.first() {
        let text = format!("{}: {}", untapped.link.name, untapped.why);
        agent.kernel.abandon();
        bail!(text);
    }
    agent.resume_recovery();
    // What a killed agent left and no tap took over.
    if let Err(error) = agent.kernel.settle() {
        log::warn!("cannot remove what an earlier agent left: {error}");
    }
    Ok((agent, inputs))
}

/// Every name has to be there at the start; later ones may go and come back.
pub(super) fn check_names(config: &Config, links: &[LinkState]) -> anyhow::Result<()> {
    let find = |name: &String| links.iter().find(|link| link.name == *name);
    let there = |fits: fn(&LinkState) -> bool| {
        let names: Vec<&str> = links.iter().filter(|link| fits(link)).map(|link| link.name.as_str()).collect();
        if names.is_empty() { "there are none".to_owned() } else { format!("there are: {}", names.join(", ")) }
    };
    for name in &config.bonds {
        match find(name) {
            Some(link) if link.bond.is_some() => {}
            Some(link) => {
                let kind = link.kind.as_deref().unwrap_or("an interface without a kind");
                bail!(
                    "{name} is not a bond but {kind}: watch it with --interface {name} (bonds: {})",
                    there(|l| l.bond.is_some())
                );
            }
            None => bail!("no bond is called {name} ({})", there(|link| link.bond.is_some())),
        }
    }
    for name in &config.interfaces {
        if find(name).is_none() {
            bail!("no interface is called {name} ({})", there(|_| true));
        }
    }
    Ok(())
}

pub(super) fn ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

pub(super) fn probe_config(config: &Config) -> ProbeConfig {
    ProbeConfig {
        targets: config.targets.clone(),
        next_hops: config.next_hops,
        watched: watched(config),
        interval: config.probe_interval,
        timeout: config.probe_timeout,
    }
}

pub(super) fn log_config(config: &Config) -> LogConfig {
    LogConfig { files: config.log_files.clone(), kernel: config.kernel_log, patterns: config.log_patterns.clone() }
}

/// Serves metrics, where that is wanted.
pub(super) fn metrics_server(config: &Config) -> anyhow::Result<Option<metrics::Server>> {
    let serve = |address| metrics::Server::bind(address).with_context(|| format!("metrics at {address}"));
    config.metrics.map(serve).transpose()
}

fn watched(config: &Config) -> Watched {
    Watched { bonds: config.bonds.clone(), interfaces: config.interfaces.clone() }
}

pub(super) fn flight_config(config: &Config) -> anyhow::Result<FlightConfig> {
    let opens = config.triggers.iter().copied().collect();
    Ok(FlightConfig {
        watched: watched(config),
        before: ns(config.before),
        after: ns(config.after),
        longest: longest_window(config),
        cooldown: ns(config.cooldown),
        ignore_shorter: ns(config.ignore_shorter),
        min_slaves: config.min_slaves as usize,
        opens,
        probe_loss: config.probe_loss,
        storm_rate: u64::from(config.storm_rate),
        drop_burst: u64::from(config.drop_burst),
        history: ns(config.history),
        history_memory: usize::try_from(config.history_memory).unwrap_or(usize::MAX),
        ..FlightConfig::default()
    })
}
