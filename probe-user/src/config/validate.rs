//! What single values cannot tell: ranges, names, and whether the settings fit together.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Config;
use probe_core::recovery::RecoverMode;
use probe_core::sampling::SamplingError;
use probe_core::trigger::Kind;

use super::error::{ConfigError, Place};
use super::units::{format_duration, format_size, quote};
use crate::export::spec::Transport;

/// Shortest and longest snap length, bytes.
const SNAPLEN: std::ops::RangeInclusive<u32> = 64..=probe_common::recorder::MAX_SNAPLEN as u32;
/// Smallest and largest recorder, bytes.
const MEMORY: std::ops::RangeInclusive<u64> = 1 << 20..=64 << 30;
/// Smallest and largest share of an incident in memory, bytes.
const CAPTURE_LIMIT: std::ops::RangeInclusive<u64> = 64 << 10..=16 << 30;
/// Longest name of an interface, bytes (`IFNAMSIZ` less the zero).
const LONGEST_INTERFACE: usize = 15;
/// Longest name of an instance: it is a part of paths.
const LONGEST_INSTANCE: usize = 64;
/// Copies in a second that can be called a storm.
const STORM_RATE: std::ops::RangeInclusive<u32> = 10..=1_000_000;
/// Longest window: more than this is a recording, not an incident.
const LONGEST_WINDOW: Duration = Duration::from_secs(86_400);

/// Shortest and longest time between probes, and for an answer.
const PROBE_TIME: std::ops::RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(3600);
/// Most targets: each has a socket and a question per interval.
const MOST_TARGETS: usize = 64;

/// Most patterns of log lines beside the default ones.
const MOST_PATTERNS: usize = 64;

/// Most receivers of a kind: each has a queue.
const MOST_SINKS: usize = 16;
/// Shortest and longest time between figures.
const INTERVAL: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(3600);
/// Longest history.
const LONGEST_HISTORY: Duration = Duration::from_secs(31 * 86_400);
/// Smallest and largest history, bytes.
const HISTORY_MEMORY: std::ops::RangeInclusive<u64> = 64 << 10..=1 << 30;
/// Shortest and longest time for a step of a recovery, and for the command.
const RECOVERY_TIME: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(3600);

/// Everything that is wrong; `sample` is what is wrong with its rates together, `places` are the keys that a file holds, `default` is where the others stand.
pub fn validate(
    config: &Config,
    sample: Option<SamplingError>,
    places: &BTreeMap<&'static str, Place>,
    default: &Place,
) -> Vec<ConfigError> {
    let mut found = Findings { places, default, errors: Vec::new() };
    if let Some(error) = sample {
        found.push("sample", error);
    }
    interfaces(config, &mut found);
    sizes(config, &mut found);
    rates(config, &mut found);
    windows(config, &mut found);
    probes(config, &mut found);
    logs(config, &mut found);
    exporters(config, &mut found);
    recovery(config, &mut found);
    agent(config, &mut found);
    found.errors.sort_by_key(|error| match &error.place {
        Place::CommandLine => (0, 0),
        Place::File { line, column, .. } => (*line, *column),
    });
    found.errors
}

struct Findings<'a> {
    places: &'a BTreeMap<&'static str, Place>,
    default: &'a Place,
    errors: Vec<ConfigError>,
}

impl Findings<'_> {
    fn push(&mut self, key: &str, message: impl std::fmt::Display) {
        let place = self.places.get(key).unwrap_or(self.default).clone();
        // A file says `key`, a command line `--key`; what is found in neither is named like an option.
        let message =
            if matches!(place, Place::File { .. }) { format!("key `{key}`: {message}") } else { format!("--{key}: {message}") };
        self.errors.push(ConfigError { place, message });
    }
}

fn interfaces(config: &Config, found: &mut Findings<'_>) {
    if config.bonds.is_empty() && config.interfaces.is_empty() {
        let message = "nothing to watch: name at least one bond (`bond`) or interface (`interface`)".to_owned();
        found.errors.push(ConfigError { place: found.default.clone(), message });
    }
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for (key, names) in [("bond", &config.bonds), ("interface", &config.interfaces)] {
        for name in names {
            if let Some(problem) = interface_problem(name) {
                found.push(key, format!("{} is not a name of an interface: {problem}", quote(name)));
            } else if !seen.insert(name) {
                found.push(key, format!("{} is named twice; name each bond and each interface once", quote(name)));
            }
        }
    }
}

/// What the kernel would say of a name (`dev_valid_name` in net/core/dev.c).
fn interface_problem(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("it is empty".to_owned());
    }
    if name.len() > LONGEST_INTERFACE {
        return Some(format!("it has {} bytes, at most {LONGEST_INTERFACE} are allowed", name.len()));
    }
    if name == "." || name == ".." {
        return Some("the kernel does not allow it".to_owned());
    }
    name.chars()
        .find(|c| matches!(c, '/' | ':' | '\0') || c.is_whitespace() || c.is_control())
        .map(|c| format!("{c:?} is not allowed in it"))
}

fn sizes(config: &Config, found: &mut Findings<'_>) {
    for (key, value) in [("snaplen", config.snaplen), ("control-snaplen", config.control_snaplen)] {
        if !SNAPLEN.contains(&value) {
            found.push(key, format!("{value} is out of range; allowed are {} to {}", SNAPLEN.start(), SNAPLEN.end()));
        }
    }
    for (key, value, range) in [("memory", config.memory, MEMORY), ("capture-limit", config.capture_limit, CAPTURE_LIMIT)] {
        if !range.contains(&value) {
            let (least, most) = (format_size(*range.start()), format_size(*range.end()));
            found.push(key, format!("{} is out of range; allowed are {least} to {most}", format_size(value)));
        }
    }
}

fn rates(config: &Config, found: &mut Findings<'_>) {
    if !STORM_RATE.contains(&config.storm_rate) {
        let (least, most) = (STORM_RATE.start(), STORM_RATE.end());
        found.push("storm-rate", format!("{} is out of range; allowed are {least} to {most}", config.storm_rate));
    }
    if config.drop_burst == 0 {
        found.push("drop-burst", "0 is out of range; it is at least 1");
    }
}

fn windows(config: &Config, found: &mut Findings<'_>) {
    let least = config.before.saturating_add(config.after);
    if config.after.is_zero() {
        found.push("after", "an incident must go on for a moment after its trigger; write at least 1ms".to_owned());
    }
    if config.ignore_shorter > config.after {
        let (is, after) = (format_duration(config.ignore_shorter), format_duration(config.after));
        found.push("ignore-shorter", format!("{is} is longer than after ({after}): an incident would end before it opens"));
    }
    if config.max_window > LONGEST_WINDOW {
        let (is, most) = (format_duration(config.max_window), format_duration(LONGEST_WINDOW));
        found.push("max-window", format!("{is} is too long; at most {most}"));
    } else if config.max_window < least {
        let key =
            ["max-window", "before", "after"].into_iter().find(|key| found.places.contains_key(key)).unwrap_or("max-window");
        let (before, after, max) =
            (format_duration(config.before), format_duration(config.after), format_duration(config.max_window));
        found.push(
            key,
            format!(
                "before ({before}) and after ({after}) do not fit into max-window ({max}); make it at least {}",
                format_duration(least)
            ),
        );
    }
}

fn probes(config: &Config, found: &mut Findings<'_>) {
    for (key, value) in [("probe-interval", config.probe_interval), ("probe-timeout", config.probe_timeout)] {
        if !PROBE_TIME.contains(&value) {
            let (least, most) = (format_duration(*PROBE_TIME.start()), format_duration(*PROBE_TIME.end()));
            found.push(key, format!("{} is out of range; allowed are {least} to {most}", format_duration(value)));
        }
    }
    if config.targets.len() > MOST_TARGETS {
        found.push("target", format!("{} targets are too many; at most {MOST_TARGETS}", config.targets.len()));
    }
    let mut seen = BTreeSet::new();
    for name in config.targets.iter().map(ToString::to_string) {
        if seen.contains(&name) {
            found.push("target", format!("{} is named twice", quote(&name)));
        }
        seen.insert(name);
    }
}

fn logs(config: &Config, found: &mut Findings<'_>) {
    let mut seen = BTreeSet::new();
    for path in &config.log_files {
        let text = path.as_os_str().as_encoded_bytes();
        if text.is_empty() || text.contains(&0) {
            found.push("log-file", "is not a path");
        } else if !seen.insert(path) {
            found.push("log-file", format!("{} is named twice", path.display()));
        }
    }
    let mut names = BTreeSet::new();
    for pattern in &config.log_patterns {
        let key = if pattern.failure { "log-failure" } else { "log-recovery" };
        if config.log_patterns.len() > MOST_PATTERNS {
            found.push(key, format!("{} patterns are too many; at most {MOST_PATTERNS}", config.log_patterns.len()));
            return;
        }
        if !names.insert((pattern.failure, &pattern.name)) {
            found.push(key, format!("{} is named twice", pattern.name));
        }
    }
}

fn exporters(config: &Config, found: &mut Findings<'_>) {
    let mut seen = BTreeSet::new();
    let log = config.event_log.as_slice();
    for (key, sinks) in [("syslog", &config.syslog[..]), ("json", &config.json), ("sar", &config.sar), ("event-log", log)] {
        if sinks.len() > MOST_SINKS {
            found.push(key, format!("{} receivers are too many; at most {MOST_SINKS}", sinks.len()));
        }
        for sink in sinks {
            // Two formats may go to one collector, but not into one file.
            let name = sink.transport.to_string();
            let format = if matches!(sink.transport, Transport::File(_)) { "" } else { key };
            if !seen.insert((format, name.clone())) {
                found.push(key, format!("{name} is named twice"));
            }
        }
    }
    let mut collectors = BTreeSet::new();
    for collector in &config.sflow {
        if !collectors.insert(collector.to_string()) {
            found.push("sflow", format!("{collector} is named twice"));
        }
    }
    if config.sflow.len() > MOST_SINKS {
        found.push("sflow", format!("{} collectors are too many; at most {MOST_SINKS}", config.sflow.len()));
    }
    let times = [("traffic-interval", config.traffic_interval, INTERVAL), ("sflow-counters", config.sflow_counters, INTERVAL)];
    for (key, value, range) in times {
        if !range.contains(&value) {
            let (least, most) = (format_duration(*range.start()), format_duration(*range.end()));
            found.push(key, format!("{} is out of range; allowed are {least} to {most}", format_duration(value)));
        }
    }
    if config.traffic_interval.subsec_nanos() != 0 {
        found.push("traffic-interval", format!("{} is not whole seconds", format_duration(config.traffic_interval)));
    }
    if config.history > LONGEST_HISTORY {
        let (is, most) = (format_duration(config.history), format_duration(LONGEST_HISTORY));
        found.push("history", format!("{is} is too long; at most {most}"));
    }
    if !HISTORY_MEMORY.contains(&config.history_memory) {
        let (least, most) = (format_size(*HISTORY_MEMORY.start()), format_size(*HISTORY_MEMORY.end()));
        let is = format_size(config.history_memory);
        found.push("history-memory", format!("{is} is out of range; allowed are {least} to {most}"));
    }
}

fn recovery(config: &Config, found: &mut Findings<'_>) {
    if config.recover != RecoverMode::Off && config.recover_on.is_empty() && config.command_on.is_empty() {
        found.push("recover", "it is not said what for: name findings or triggers with recover-on (or command-on)".to_owned());
    }
    match (config.command.first(), config.command_on.is_empty()) {
        (Some(_), true) => found.push("command", "it is not said what for: name findings or triggers with command-on".to_owned()),
        (None, false) => found.push("command-on", "there is no command: name one with command".to_owned()),
        (Some(command), false) if !command.starts_with('/') => {
            found.push("command", format!("{} is not an absolute path of a command", quote(command)));
        }
        _ => {}
    }
    if config.command.iter().any(|word| word.contains('\0')) {
        found.push("command", "a word has a zero byte".to_owned());
    }
    if config.recover_limit == 0 || config.recover_limit > 60 {
        found.push("recover-limit", format!("{} is out of range; allowed are 1 to 60", config.recover_limit));
    }
    for (key, value) in [("recover-wait", config.recover_wait), ("command-timeout", config.command_timeout)] {
        if !RECOVERY_TIME.contains(&value) {
            let (least, most) = (format_duration(*RECOVERY_TIME.start()), format_duration(*RECOVERY_TIME.end()));
            found.push(key, format!("{} is out of range; allowed are {least} to {most}", format_duration(value)));
        }
    }
}

fn agent(config: &Config, found: &mut Findings<'_>) {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let instance = &config.instance;
    if instance.is_empty() || instance.len() > LONGEST_INSTANCE || instance.starts_with('.') || !instance.chars().all(allowed) {
        let message = format!(
            "{} is not a name of an instance; allowed are 1 to {LONGEST_INSTANCE} letters, digits, `.`, `_`, `-`, not starting with `.`",
            quote(instance)
        );
        found.push("instance", message);
    }
    for (key, path) in [("incidents", &config.incidents), ("run-dir", &config.run_dir)] {
        let text = path.as_os_str().as_encoded_bytes();
        if text.is_empty() || text.contains(&0) {
            found.push(key, "is not a path".to_owned());
        }
    }
    if config.triggers.is_empty() {
        found.push("triggers", format!("nothing would ever fire; name at least one of {}", Kind::NAMES.join(", ")));
    }
    let mut seen = BTreeSet::new();
    for name in &config.triggers {
        if !seen.insert(name) {
            found.push("triggers", format!("{name} is named twice"));
        }
    }
}
