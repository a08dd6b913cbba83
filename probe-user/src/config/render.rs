//! The effective settings as a file.

use std::fmt::Write;

use probe_core::filter::Filter;

use super::Config;
use super::units::{format_duration, format_size};
use crate::kernel::HookChoice;

/// As a file that would give the same. What is not set and has no value that says so is left out.
pub fn to_toml(config: &Config) -> String {
    let mut out = String::new();
    for (key, value) in lines(config).into_iter().filter(|(_, value)| !value.is_empty()) {
        let _ = writeln!(out, "{key} = {value}");
    }
    out
}

/// Every key with its value as TOML; an empty text where it has none.
pub fn lines(config: &Config) -> Vec<(&'static str, String)> {
    let hook = match config.hook {
        HookChoice::Auto => "auto",
        HookChoice::Xdp => "xdp",
        HookChoice::Tc => "tc",
        HookChoice::XdpGeneric => "xdp-generic",
    };
    vec![
        ("bond", list(&config.bonds)),
        ("interface", list(&config.interfaces)),
        ("hook", text(hook)),
        ("snaplen", config.snaplen.to_string()),
        ("control-snaplen", config.control_snaplen.to_string()),
        ("memory", text(&format_size(config.memory))),
        ("sample", each(&config.sample.texts())),
        ("triggers", list(&config.triggers.iter().map(|kind| kind.name().to_owned()).collect::<Vec<_>>())),
        ("min-slaves", config.min_slaves.to_string()),
        ("storm-rate", config.storm_rate.to_string()),
        ("drop-burst", config.drop_burst.to_string()),
        ("cooldown", text(&format_duration(config.cooldown))),
        ("ignore-shorter", text(&format_duration(config.ignore_shorter))),
        ("before", text(&format_duration(config.before))),
        ("after", text(&format_duration(config.after))),
        ("max-window", text(&format_duration(config.max_window))),
        ("target", each(&config.targets)),
        ("next-hop", text(if config.next_hops { "auto" } else { "off" })),
        ("probe-interval", text(&format_duration(config.probe_interval))),
        ("probe-timeout", text(&format_duration(config.probe_timeout))),
        ("probe-loss", text(&format!("{}/{}", config.probe_loss.lost, config.probe_loss.of))),
        ("kernel-log", config.kernel_log.to_string()),
        ("log-file", list(&config.log_files.iter().map(|path| path.to_string_lossy().into_owned()).collect::<Vec<_>>())),
        ("log-failure", patterns(config, true)),
        ("log-recovery", patterns(config, false)),
        ("incidents", text(&config.incidents.to_string_lossy())),
        ("capture-limit", text(&format_size(config.capture_limit))),
        ("filter", text(config.filter.as_ref().map_or("", Filter::text))),
        ("keep-incidents", config.keep_incidents.to_string()),
        ("keep-bytes", text(&format_size(config.keep_bytes))),
        ("keep-days", config.keep_days.to_string()),
        ("syslog", each(&config.syslog)),
        ("json", each(&config.json)),
        ("sar", each(&config.sar)),
        ("event-log", config.event_log.as_ref().map_or_else(String::new, |spec| text(&spec.to_string()))),
        ("traffic-interval", text(&format_duration(config.traffic_interval))),
        ("metrics", text(&config.metrics.map_or_else(|| "off".to_owned(), |address| address.to_string()))),
        ("sflow", each(&config.sflow)),
        ("sflow-agent", config.sflow_agent.map_or_else(String::new, |address| text(&address.to_string()))),
        ("sflow-sub-agent", config.sflow_sub_agent.to_string()),
        ("sflow-counters", text(&format_duration(config.sflow_counters))),
        ("history", text(&format_duration(config.history))),
        ("history-memory", text(&format_size(config.history_memory))),
        ("recover", text(config.recover.name())),
        ("recover-on", list(&config.recover_on)),
        ("recover-limit", config.recover_limit.to_string()),
        ("recover-wait", text(&format_duration(config.recover_wait))),
        ("command", list(&config.command)),
        ("command-on", list(&config.command_on)),
        ("command-timeout", text(&format_duration(config.command_timeout))),
        ("instance", text(&config.instance)),
        ("run-dir", text(&config.run_dir.to_string_lossy())),
        ("log", text(&config.log)),
    ]
}

fn each(items: &[impl ToString]) -> String {
    list(&items.iter().map(ToString::to_string).collect::<Vec<_>>())
}

fn patterns(config: &Config, failure: bool) -> String {
    let wanted = config.log_patterns.iter().filter(|pattern| pattern.failure == failure);
    list(&wanted.map(|pattern| format!("{}={}", pattern.name, pattern.regex)).collect::<Vec<_>>())
}

fn list(names: &[String]) -> String {
    format!("[{}]", names.iter().map(|name| text(name)).collect::<Vec<_>>().join(", "))
}

/// A basic string of TOML: what may not stand in one is escaped.
fn text(value: &str) -> String {
    let mut out = String::from("\"");
    for c in value.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
