//! A configuration file: TOML, one flat table whose keys are the long options of `linkprobe run`.

use std::collections::BTreeMap;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use probe_core::recovery::RecoverMode;
use probe_core::trigger::Kind;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, ConfigErrors, Place};
use super::export::{Metrics, parse_address, parse_event_log, parse_json, parse_metrics, parse_sar, parse_sflow, parse_syslog};
use super::lists::{parse_failure, parse_loss, parse_reason, parse_recovery, parse_sample, parse_target, wrong_items};
use super::settings::Settings;
use super::units::{DURATION_FORM, SIZE_FORM, parse_duration, parse_filter, parse_size, quote};
use super::{HOOKS, LOG_LEVELS, NEXT_HOPS};

/// Largest file that is read, bytes: a configuration is a page of text, and a device or a log is none.
const LARGEST: u64 = 1 << 20;

/// Every key, in the order in which they are shown.
pub const KEYS: &[&str] = &[
    "bond",
    "interface",
    "hook",
    "snaplen",
    "control-snaplen",
    "memory",
    "sample",
    "triggers",
    "min-slaves",
    "storm-rate",
    "drop-burst",
    "cooldown",
    "ignore-shorter",
    "before",
    "after",
    "max-window",
    "target",
    "next-hop",
    "probe-interval",
    "probe-timeout",
    "probe-loss",
    "kernel-log",
    "log-file",
    "log-failure",
    "log-recovery",
    "incidents",
    "capture-limit",
    "filter",
    "keep-incidents",
    "keep-bytes",
    "keep-days",
    "syslog",
    "json",
    "sar",
    "event-log",
    "traffic-interval",
    "metrics",
    "sflow",
    "sflow-agent",
    "sflow-sub-agent",
    "sflow-counters",
    "history",
    "history-memory",
    "recover",
    "recover-on",
    "recover-limit",
    "recover-wait",
    "command",
    "command-on",
    "command-timeout",
    "instance",
    "run-dir",
    "log",
];

/// The settings of a file, and where each stands in it.
#[derive(Clone, Debug, Default)]
pub struct FileSettings {
    /// The settings.
    pub settings: Settings,
    /// Place by key.
    pub places: BTreeMap<&'static str, Place>,
}

/// Reads a file.
///
/// # Errors
/// Everything that is wrong with it, with line and column.
pub fn read(path: &Path) -> Result<FileSettings, ConfigErrors> {
    let name = path.display().to_string();
    let whole = |message: String| {
        let place = Place::File { path: name.clone(), line: 0, column: 0 };
        ConfigErrors(vec![ConfigError { place, message }])
    };
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes));
    read.map_err(|error| whole(format!("cannot be read: {error}")))?;
    if bytes.len() as u64 > LARGEST {
        return Err(whole(format!("is larger than {LARGEST} bytes: not a configuration file")));
    }
    match String::from_utf8(bytes) {
        Ok(text) => parse(&name, &text),
        Err(error) => {
            let line = 1 + error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|&&b| b == b'\n').count();
            Err(whole(format!("is not UTF-8 text (line {line})")))
        }
    }
}

/// Reads the text of a file that is called `name` in messages.
///
/// # Errors
/// Everything that is wrong with it, with line and column.
pub fn parse(name: &str, text: &str) -> Result<FileSettings, ConfigErrors> {
    let place = |span: Range<usize>| locate(name, text, span.start);
    let (table, syntax) = DeTable::parse_recoverable(text);
    let mut errors: Vec<(usize, ConfigError)> = syntax
        .iter()
        .map(|error| {
            let span = error.span().unwrap_or(0..0);
            let message = format!("not TOML: {}", error.message().replace('\n', ", "));
            (span.start, ConfigError { place: place(span), message })
        })
        .collect();
    let mut found = FileSettings::default();
    // After an error of syntax, a value may be a guess of the parser's: only what it read whole is judged.
    if errors.is_empty() {
        for (key, value) in table.get_ref() {
            let outcome = match KEYS.iter().find(|known| **known == key.get_ref().as_ref()) {
                Some(known) => {
                    found.places.insert(known, place(key.span()));
                    let wrong = wrong_items(known, value);
                    if !wrong.is_empty() {
                        let error = |(span, message): (Range<usize>, String)| {
                            (span.start, ConfigError { place: place(span), message: format!("key `{known}`: {message}") })
                        };
                        errors.extend(wrong.into_iter().map(error));
                        continue;
                    }
                    set(&mut found.settings, known, value.get_ref()).map_err(|m| (value.span(), format!("key `{known}`: {m}")))
                }
                None => Err((key.span(), unknown(key.get_ref(), value.get_ref()))),
            };
            if let Err((span, message)) = outcome {
                errors.push((span.start, ConfigError { place: place(span), message }));
            }
        }
    }
    if errors.is_empty() {
        return Ok(found);
    }
    errors.sort_by_key(|(at, _)| *at);
    Err(ConfigErrors(errors.into_iter().map(|(_, error)| error).collect()))
}

fn set(settings: &mut Settings, key: &str, value: &DeValue<'_>) -> Result<(), String> {
    match key {
        "bond" => settings.bond = Some(names(value)?),
        "interface" => settings.interface = Some(names(value)?),
        "hook" => settings.hook = Some(one_of(value, &HOOKS)?),
        "snaplen" => settings.snaplen = Some(integer(value)?),
        "control-snaplen" => settings.control_snaplen = Some(integer(value)?),
        "memory" => settings.memory = Some(size(value)?),
        "sample" => settings.sample = Some(sample(value)?),
        "triggers" => {
            let listed = value.as_array().ok_or_else(|| not("a list of names", value, r#"write ["bond-down", "slave-down"]"#))?;
            settings.triggers = Some(listed.iter().map(|item| one_of(item.get_ref(), &Kind::NAMES)).collect::<Result<_, _>>()?);
        }
        "min-slaves" => settings.min_slaves = Some(integer(value)?),
        "storm-rate" => settings.storm_rate = Some(integer(value)?),
        "drop-burst" => settings.drop_burst = Some(integer(value)?),
        "cooldown" => settings.cooldown = Some(duration(value)?),
        "ignore-shorter" => settings.ignore_shorter = Some(duration(value)?),
        "before" => settings.before = Some(duration(value)?),
        "after" => settings.after = Some(duration(value)?),
        "max-window" => settings.max_window = Some(duration(value)?),
        "target" => settings.target = Some(each(value, parse_target)?),
        "next-hop" => settings.next_hop = Some(one_of(value, &NEXT_HOPS)?),
        "probe-interval" => settings.probe_interval = Some(duration(value)?),
        "probe-timeout" => settings.probe_timeout = Some(duration(value)?),
        "probe-loss" => settings.probe_loss = Some(parse_loss(text(value, r#"write "3/5""#)?)?),
        "kernel-log" => {
            settings.kernel_log = Some(value.as_bool().ok_or_else(|| not("true or false", value, "write true or false"))?);
        }
        "log-file" => settings.log_file = Some(names(value)?.into_iter().map(PathBuf::from).collect()),
        "log-failure" => settings.log_failure = Some(each(value, parse_failure)?),
        "log-recovery" => settings.log_recovery = Some(each(value, parse_recovery)?),
        "incidents" => settings.incidents = Some(PathBuf::from(text(value, r#"write "/var/lib/linkprobe/incidents""#)?)),
        "capture-limit" => settings.capture_limit = Some(size(value)?),
        "filter" => settings.filter = Some(parse_filter(text(value, r#"write "tcp and port 179""#)?)?),
        "keep-incidents" => settings.keep_incidents = Some(integer(value)?),
        "keep-bytes" => settings.keep_bytes = Some(size(value)?),
        "keep-days" => settings.keep_days = Some(integer(value)?),
        "syslog" => settings.export.syslog = Some(each(value, parse_syslog)?),
        "json" => settings.export.json = Some(each(value, parse_json)?),
        "sar" => settings.export.sar = Some(each(value, parse_sar)?),
        "event-log" => settings.export.event_log = Some(parse_event_log(text(value, r#"write "/var/log/linkprobe.log""#)?)?),
        "traffic-interval" => settings.export.traffic_interval = Some(duration(value)?),
        "metrics" => settings.export.metrics = Some(metrics(value)?),
        "sflow" => settings.export.sflow = Some(each(value, parse_sflow)?),
        "sflow-agent" => settings.export.sflow_agent = Some(parse_address(text(value, r#"write "192.0.2.1""#)?)?),
        "sflow-sub-agent" => settings.export.sflow_sub_agent = Some(integer(value)?),
        "sflow-counters" => settings.export.sflow_counters = Some(duration(value)?),
        "history" => settings.export.history = Some(duration(value)?),
        "history-memory" => settings.export.history_memory = Some(size(value)?),
        "recover" => settings.recovery.recover = Some(one_of(value, &RecoverMode::ALL.map(RecoverMode::name))?),
        "recover-on" => settings.recovery.recover_on = Some(each(value, parse_reason)?),
        "recover-limit" => settings.recovery.recover_limit = Some(integer(value)?),
        "recover-wait" => settings.recovery.recover_wait = Some(duration(value)?),
        "command" => settings.recovery.command = Some(names(value)?),
        "command-on" => settings.recovery.command_on = Some(each(value, parse_reason)?),
        "command-timeout" => settings.recovery.command_timeout = Some(duration(value)?),
        "instance" => settings.instance = Some(text(value, r#"write "default""#)?.to_owned()),
        "run-dir" => settings.run_dir = Some(PathBuf::from(text(value, r#"write "/run/linkprobe""#)?)),
        "log" => settings.log = Some(one_of(value, &LOG_LEVELS)?),
        _ => return Err("is not read by this version".to_owned()),
    }
    Ok(())
}

fn text<'a>(value: &'a DeValue<'_>, form: &str) -> Result<&'a str, String> {
    value.as_str().ok_or_else(|| not("a text in quotes", value, form))
}

fn one_of(value: &DeValue<'_>, allowed: &[&'static str]) -> Result<String, String> {
    let list = || format!("write one of {}", allowed.join(", "));
    let text = value.as_str().ok_or_else(|| not("a text in quotes", value, &list()))?;
    if allowed.contains(&text) { Ok(text.to_owned()) } else { Err(format!("{} is not known; {}", quote(text), list())) }
}

fn names(value: &DeValue<'_>) -> Result<Vec<String>, String> {
    let form = r#"write "bond0", or ["bond0", "bond1"]"#;
    if let Some(one) = value.as_str() {
        return Ok(vec![one.to_owned()]);
    }
    let listed = value.as_array().ok_or_else(|| not("a name or a list of names", value, form))?;
    listed.iter().map(|item| Ok(text(item.get_ref(), form)?.to_owned())).collect()
}

/// A text or a list of texts, each read by `parse`.
fn each<T>(value: &DeValue<'_>, parse: fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    names(value)?.iter().map(|text| parse(text)).collect()
}

/// A number alone, or rules as on the command line.
fn sample(value: &DeValue<'_>) -> Result<Vec<String>, String> {
    match value.as_integer() {
        Some(number) => Ok(vec![parse_sample(number.as_str())?]),
        None => each(value, parse_sample),
    }
}

/// A port alone, or what the command line takes.
fn metrics(value: &DeValue<'_>) -> Result<Metrics, String> {
    match value.as_integer() {
        Some(number) => parse_metrics(number.as_str()),
        None => parse_metrics(text(value, r#"write "on", "127.0.0.1:9469", or a port"#)?),
    }
}

fn integer(value: &DeValue<'_>) -> Result<u32, String> {
    let form = "write a whole number without quotes, such as 128";
    let number = value.as_integer().ok_or_else(|| not("a whole number", value, form))?;
    u32::from_str_radix(number.as_str(), number.radix())
        .map_err(|_| format!("{} is not a number from 0 to {}", quote(number.as_str()), u32::MAX))
}

fn duration(value: &DeValue<'_>) -> Result<Duration, String> {
    parse_duration(value.as_str().ok_or_else(|| not("a duration in quotes", value, DURATION_FORM))?)
}

fn size(value: &DeValue<'_>) -> Result<u64, String> {
    match value.as_integer() {
        Some(number) if number.radix() == 10 => parse_size(number.as_str()),
        _ => parse_size(value.as_str().ok_or_else(|| not("a size", value, SIZE_FORM))?),
    }
}

fn not(wanted: &str, value: &DeValue<'_>, form: &str) -> String {
    let article = if value.type_str().starts_with(['a', 'i', 'o']) { "an" } else { "a" };
    format!("{article} {} is not {wanted}; {form}", value.type_str())
}

fn unknown(key: &str, value: &DeValue<'_>) -> String {
    if value.is_table() {
        return format!("there is no table {} here: all keys stand at the top level", quote(key));
    }
    match nearest(key) {
        Some(known) => format!("unknown key {}; did you mean `{known}`?", quote(key)),
        None => format!("unknown key {}; known are {}", quote(key), KEYS.join(", ")),
    }
}

/// The key that `text` is most likely a slip of.
fn nearest(text: &str) -> Option<&'static str> {
    let plain: String = text.chars().take(64).flat_map(char::to_lowercase).map(|c| if c == '_' { '-' } else { c }).collect();
    let ranked = KEYS.iter().map(|known| (distance(&plain, known), *known)).min()?;
    (ranked.0 <= 1 + plain.chars().count() / 4).then_some(ranked.1)
}

/// Levenshtein distance in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.iter().enumerate() {
            let changed = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

fn locate(name: &str, text: &str, offset: usize) -> Place {
    let before = text.get(..offset.min(text.len())).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = 1 + before.matches('\n').count();
    Place::File { path: name.to_owned(), line, column: 1 + before[line_start..].chars().count() }
}
