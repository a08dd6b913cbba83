//! The configuration of `linkprobe run`: command line over file over defaults, checked as a whole.
//!
//! [`Config::resolve`] is the way in for `run`, [`check()`] for `linkprobe check FILE`.

mod changes;
mod error;
mod export;
mod file;
mod lists;
mod recovery;
mod render;
mod settings;
mod units;
mod validate;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use probe_core::filter::Filter;
use probe_core::logs::Pattern;
use probe_core::reach::{Loss, TargetSpec};
use probe_core::recovery::RecoverMode;
use probe_core::sampling::Sampling;
use probe_core::trigger::Kind;

pub use changes::Changed;
pub use error::{ConfigError, ConfigErrors, Place};
pub use settings::{CheckArgs, RunArgs, Settings};
pub use units::{format_duration, format_size, parse_duration, parse_filter, parse_size};

use crate::export::spec::{HostPort, SinkSpec};
use crate::kernel::HookChoice;
use export::Metrics;
use file::FileSettings;

/// Hooks that can be asked for.
pub const HOOKS: [&str; 4] = ["auto", "xdp", "tc", "xdp-generic"];
/// Levels of the log.
pub const LOG_LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Where next hops come from.
pub const NEXT_HOPS: [&str; 2] = ["auto", "off"];

/// What `linkprobe run` is to do: everything is there, and fits together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Bonds to watch with their slaves.
    pub bonds: Vec<String>,
    /// Other interfaces to watch.
    pub interfaces: Vec<String>,
    /// Where received frames are seen.
    pub hook: HookChoice,
    /// Bytes recorded of each frame of the bulk lane.
    pub snaplen: u32,
    /// Bytes recorded of each frame of the control lane.
    pub control_snaplen: u32,
    /// Size of the recorder for all CPUs, bytes.
    pub memory: u64,
    /// How many frames are sampled of which interface.
    pub sample: Sampling,
    /// What opens an incident; every other trigger only joins one.
    pub triggers: Vec<Kind>,
    /// Least active slaves of a bond; 0 for any number.
    pub min_slaves: u32,
    /// Copies of one frame in a second that are a storm.
    pub storm_rate: u32,
    /// Packets that the kernel drops of one interface for one reason in a second and that are a burst.
    pub drop_burst: u32,
    /// After a trigger, so long it does not fire again for the same link.
    pub cooldown: Duration,
    /// Outages that are shorter fire nothing; 0 for none.
    pub ignore_shorter: Duration,
    /// Window before the first trigger.
    pub before: Duration,
    /// Window after the last trigger.
    pub after: Duration,
    /// Longest window, `before` included.
    pub max_window: Duration,
    /// What is probed, beside next hops.
    pub targets: Vec<TargetSpec>,
    /// Probe the next hops of the watched links.
    pub next_hops: bool,
    /// Time between two probes of a target.
    pub probe_interval: Duration,
    /// Time in which an answer counts.
    pub probe_timeout: Duration,
    /// When a target counts as lost.
    pub probe_loss: Loss,
    /// Follow the kernel's log.
    pub kernel_log: bool,
    /// Log files that are followed.
    pub log_files: Vec<PathBuf>,
    /// What is looked for in them, before the default patterns.
    pub log_patterns: Vec<Pattern>,
    /// Directory of the incidents.
    pub incidents: PathBuf,
    /// Most bytes of packets in one incident's file.
    pub capture_limit: u64,
    /// Which ordinary packets are written; `None` for all.
    pub filter: Option<Filter>,
    /// Most incidents kept; 0 for any number.
    pub keep_incidents: u32,
    /// Most bytes of incidents kept; 0 for any number.
    pub keep_bytes: u64,
    /// Days that incidents are kept; 0 for ever.
    pub keep_days: u32,
    /// Syslog servers.
    pub syslog: Vec<SinkSpec>,
    /// Receivers of JSON.
    pub json: Vec<SinkSpec>,
    /// Receivers of sar's lines.
    pub sar: Vec<SinkSpec>,
    /// The local log of events.
    pub event_log: Option<SinkSpec>,
    /// Time over which traffic is summed up.
    pub traffic_interval: Duration,
    /// Where metrics are served; `None` for nowhere.
    pub metrics: Option<SocketAddr>,
    /// Collectors of sFlow.
    pub sflow: Vec<HostPort>,
    /// Address by which they know this router; `None` for that which datagrams leave from.
    pub sflow_agent: Option<IpAddr>,
    /// Number of this agent among those of this router.
    pub sflow_sub_agent: u32,
    /// Time between two counter samples of an interface.
    pub sflow_counters: Duration,
    /// How far back traffic and states are kept; 0 for not at all.
    pub history: Duration,
    /// Most bytes that this takes.
    pub history_memory: u64,
    /// Whether slaves are put back.
    pub recover: RecoverMode,
    /// For which findings and triggers.
    pub recover_on: Vec<String>,
    /// How often in an hour, for each bond.
    pub recover_limit: u32,
    /// How long a slave may take.
    pub recover_wait: Duration,
    /// Command and arguments that are run after an incident; empty for none.
    pub command: Vec<String>,
    /// For which findings and triggers.
    pub command_on: Vec<String>,
    /// How long it may take.
    pub command_timeout: Duration,
    /// Name of this agent.
    pub instance: String,
    /// Directory of locks and the control socket.
    pub run_dir: PathBuf,
    /// Level of the log, one of [`LOG_LEVELS`].
    pub log: String,
}

impl Config {
    /// The configuration of a command line and of the file that it names.
    ///
    /// # Errors
    /// Everything that is wrong with the file, or with what both say together.
    pub fn resolve(args: &RunArgs) -> Result<Self, ConfigErrors> {
        let file = match &args.config {
            Some(path) => file::read(path)?,
            None => FileSettings::default(),
        };
        Self::from_parts(args.settings.clone(), file, &Place::CommandLine)
    }

    /// The effective settings as the text of a file that would give the same.
    pub fn to_toml(&self) -> String {
        render::to_toml(self)
    }

    fn from_parts(args: Settings, file: FileSettings, default_place: &Place) -> Result<Self, ConfigErrors> {
        let mut places = file.places;
        forget_overridden(&mut places, &args);
        let settings = args.over(file.settings);
        let sample = Sampling::parse(settings.sample.iter().flatten().map(String::as_str));
        let config = Self::with_defaults(settings, sample.clone().unwrap_or_default());
        let wrong = validate::validate(&config, sample.err(), &places, default_place);
        if wrong.is_empty() { Ok(config) } else { Err(ConfigErrors(wrong)) }
    }

    fn with_defaults(settings: Settings, sample: Sampling) -> Self {
        let snaplen = settings.snaplen.unwrap_or(128);
        let (export, recovery) = (settings.export, settings.recovery);
        let recover_on = recovery.recover_on.unwrap_or_default();
        let command_on = recovery.command_on.unwrap_or_default();
        // Whoever only says what for has not said that it may be done.
        let asked = if recover_on.is_empty() && command_on.is_empty() { RecoverMode::Off } else { RecoverMode::DryRun };
        // Both ways in let known names only through.
        let kinds = |names: Vec<String>| names.iter().filter_map(|name| name.parse().ok()).collect();
        Self {
            bonds: settings.bond.unwrap_or_default(),
            interfaces: settings.interface.unwrap_or_default(),
            hook: match settings.hook.as_deref() {
                Some("xdp") => HookChoice::Xdp,
                Some("tc") => HookChoice::Tc,
                Some("xdp-generic") => HookChoice::XdpGeneric,
                _ => HookChoice::Auto,
            },
            snaplen,
            control_snaplen: settings.control_snaplen.unwrap_or(snaplen.max(256)),
            memory: settings.memory.unwrap_or(64 << 20),
            sample,
            triggers: settings.triggers.map_or_else(|| Kind::DEFAULT.to_vec(), kinds),
            min_slaves: settings.min_slaves.unwrap_or(0),
            storm_rate: settings.storm_rate.unwrap_or(probe_common::repeat::STORM_RATE),
            drop_burst: settings.drop_burst.unwrap_or(100),
            cooldown: settings.cooldown.unwrap_or(Duration::from_secs(10)),
            ignore_shorter: settings.ignore_shorter.unwrap_or(Duration::ZERO),
            before: settings.before.unwrap_or(Duration::from_secs(30)),
            after: settings.after.unwrap_or(Duration::from_secs(10)),
            max_window: settings.max_window.unwrap_or(Duration::from_secs(300)),
            targets: settings.target.unwrap_or_default(),
            next_hops: settings.next_hop.as_deref() != Some("off"),
            probe_interval: settings.probe_interval.unwrap_or(Duration::from_secs(1)),
            probe_timeout: settings.probe_timeout.unwrap_or(Duration::from_secs(1)),
            probe_loss: settings.probe_loss.unwrap_or_default(),
            kernel_log: settings.kernel_log.unwrap_or(true),
            log_files: settings.log_file.unwrap_or_default(),
            log_patterns: [settings.log_failure, settings.log_recovery].into_iter().flatten().flatten().collect(),
            incidents: settings.incidents.unwrap_or_else(default_incidents),
            capture_limit: settings.capture_limit.unwrap_or(4 << 20),
            // An empty one takes all.
            filter: settings.filter.filter(|filter| !filter.text().trim().is_empty()),
            keep_incidents: settings.keep_incidents.unwrap_or(100),
            keep_bytes: settings.keep_bytes.unwrap_or(1 << 30),
            keep_days: settings.keep_days.unwrap_or(90),
            syslog: export.syslog.unwrap_or_default(),
            json: export.json.unwrap_or_default(),
            sar: export.sar.unwrap_or_default(),
            event_log: export.event_log,
            traffic_interval: export.traffic_interval.unwrap_or(Duration::from_secs(60)),
            metrics: export.metrics.and_then(Metrics::address),
            sflow: export.sflow.unwrap_or_default(),
            sflow_agent: export.sflow_agent,
            sflow_sub_agent: export.sflow_sub_agent.unwrap_or(0),
            sflow_counters: export.sflow_counters.unwrap_or(Duration::from_secs(20)),
            history: export.history.unwrap_or(Duration::from_secs(86_400)),
            history_memory: export.history_memory.unwrap_or(4 << 20),
            recover: recovery.recover.and_then(|mode| mode.parse().ok()).unwrap_or(asked),
            recover_on,
            recover_limit: recovery.recover_limit.unwrap_or(2),
            recover_wait: recovery.recover_wait.unwrap_or(Duration::from_secs(10)),
            command: recovery.command.unwrap_or_default(),
            command_on,
            command_timeout: recovery.command_timeout.unwrap_or(Duration::from_secs(30)),
            instance: settings.instance.unwrap_or_else(|| "default".to_owned()),
            run_dir: settings.run_dir.unwrap_or_else(|| PathBuf::from("/run/linkprobe")),
            log: settings.log.unwrap_or_else(|| "info".to_owned()),
        }
    }
}

/// Where incidents are written unless something else is said.
pub fn default_incidents() -> PathBuf {
    PathBuf::from("/var/lib/linkprobe/incidents")
}

/// Checks a file as `linkprobe run --config FILE` would take it.
///
/// # Errors
/// Everything that is wrong with it.
pub fn check(path: &Path) -> Result<Config, ConfigErrors> {
    let whole = Place::File { path: path.display().to_string(), line: 0, column: 0 };
    Config::from_parts(Settings::default(), file::read(path)?, &whole)
}

/// What the command line sets does not stand in the file any more.
fn forget_overridden(places: &mut BTreeMap<&'static str, Place>, args: &Settings) {
    macro_rules! forget {
        ($($key:literal = $($field:ident).+),*) => { $( if args.$($field).+.is_some() { places.remove($key); } )* }
    }
    forget!(
        "bond" = bond,
        "interface" = interface,
        "snaplen" = snaplen,
        "control-snaplen" = control_snaplen,
        "memory" = memory,
        "sample" = sample,
        "triggers" = triggers,
        "min-slaves" = min_slaves,
        "storm-rate" = storm_rate,
        "drop-burst" = drop_burst,
        "ignore-shorter" = ignore_shorter,
        "before" = before,
        "after" = after,
        "max-window" = max_window,
        "target" = target,
        "log-file" = log_file,
        "log-failure" = log_failure,
        "log-recovery" = log_recovery,
        "probe-interval" = probe_interval,
        "probe-timeout" = probe_timeout,
        "incidents" = incidents,
        "capture-limit" = capture_limit,
        "syslog" = export.syslog,
        "json" = export.json,
        "sar" = export.sar,
        "event-log" = export.event_log,
        "traffic-interval" = export.traffic_interval,
        "sflow" = export.sflow,
        "sflow-counters" = export.sflow_counters,
        "history" = export.history,
        "history-memory" = export.history_memory,
        "recover" = recovery.recover,
        "recover-limit" = recovery.recover_limit,
        "recover-wait" = recovery.recover_wait,
        "command" = recovery.command,
        "command-on" = recovery.command_on,
        "command-timeout" = recovery.command_timeout,
        "instance" = instance,
        "run-dir" = run_dir
    );
}

#[cfg(test)]
mod tests;
