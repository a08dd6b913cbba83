//! The configuration of `linkprobe run`: command line over file over defaults, checked as a whole.
//!
//! [`Config::resolve`] is the way in for `run`, [`check()`] for `linkprobe check FILE`.

mod error;
mod file;
mod lists;
mod render;
mod settings;
mod units;
mod validate;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use probe_core::filter::Filter;
use probe_core::logs::Pattern;
use probe_core::reach::{Loss, TargetSpec};
use probe_core::trigger::Kind;

pub use error::{ConfigError, ConfigErrors, Place};
pub use settings::{CheckArgs, RunArgs, Settings};
pub use units::{format_duration, format_size, parse_duration, parse_filter, parse_size};

use crate::kernel::HookChoice;
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
    /// One sample in so many frames; 0 for none.
    pub sample: u32,
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
        let config = Self::with_defaults(settings);
        let wrong = validate::validate(&config, &places, default_place);
        if wrong.is_empty() { Ok(config) } else { Err(ConfigErrors(wrong)) }
    }

    fn with_defaults(settings: Settings) -> Self {
        let snaplen = settings.snaplen.unwrap_or(128);
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
            sample: settings.sample.unwrap_or(1000),
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
    macro_rules! forget { ($($key:literal = $field:ident),*) => { $( if args.$field.is_some() { places.remove($key); } )* } }
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
        "instance" = instance,
        "run-dir" = run_dir
    );
}

#[cfg(test)]
mod tests;
