//! What single values cannot tell: ranges, names, and whether the settings fit together.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Config;
use probe_core::trigger::Kind;

use super::error::{ConfigError, Place};
use super::units::{format_duration, format_size, quote};

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

/// Everything that is wrong; `places` are the keys that a file holds, `default` is where the others stand.
pub fn validate(config: &Config, places: &BTreeMap<&'static str, Place>, default: &Place) -> Vec<ConfigError> {
    let mut found = Findings { places, default, errors: Vec::new() };
    interfaces(config, &mut found);
    sizes(config, &mut found);
    rates(config, &mut found);
    windows(config, &mut found);
    probes(config, &mut found);
    logs(config, &mut found);
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
