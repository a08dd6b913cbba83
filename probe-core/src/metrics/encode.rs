//! The two text formats: Prometheus' own, version 0.0.4, and OpenMetrics 1.0.0.

use std::collections::HashSet;
use std::fmt::Write as _;

use super::labels::escape;
use super::{Family, Kind, Number};

/// A format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus' exposition format, version 0.0.4.
    Classic,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

impl Format {
    /// Its media type, for `Content-Type`.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Classic => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// Writes all metrics. Those without samples are left out. Where two samples of one have the same labels, the first stays: a reader would
/// refuse everything.
pub fn encode(families: &[Family], format: Format) -> String {
    let samples: usize = families.iter().map(|family| family.samples.len()).sum();
    let mut text = String::with_capacity(samples * 120 + 64);
    for family in families.iter().filter(|family| !family.samples.is_empty()) {
        one(&mut text, family, format);
    }
    if format == Format::OpenMetrics {
        text.push_str("# EOF\n");
    }
    text
}

fn one(text: &mut String, family: &Family, format: Format) {
    let suffix = match family.kind {
        Kind::Counter => "_total",
        Kind::Info => "_info",
        Kind::Gauge => "",
    };
    // In the older format, a metric is called as its samples are.
    let (of_family, kind) = match (format, family.kind) {
        (_, Kind::Gauge) => ("", "gauge"),
        (Format::OpenMetrics, Kind::Counter) => ("", "counter"),
        (Format::OpenMetrics, Kind::Info) => ("", "info"),
        (Format::Classic, Kind::Counter) => (suffix, "counter"),
        (Format::Classic, Kind::Info) => (suffix, "gauge"),
    };
    let name = family.name;
    // A String takes everything.
    let _ = write!(text, "# HELP {name}{of_family} ");
    escape(text, family.help, format == Format::OpenMetrics);
    let _ = write!(text, "\n# TYPE {name}{of_family} {kind}\n");
    if let Some(unit) = family.unit.filter(|_| format == Format::OpenMetrics) {
        let _ = writeln!(text, "# UNIT {name} {unit}");
    }
    let mut seen = HashSet::with_capacity(family.samples.len());
    for sample in family.samples.iter().filter(|sample| seen.insert(sample.labels.as_str())) {
        text.push_str(name);
        text.push_str(suffix);
        if !sample.labels.as_str().is_empty() {
            let _ = write!(text, "{{{}}}", sample.labels.as_str());
        }
        text.push(' ');
        number(text, sample.value);
        text.push('\n');
    }
}

fn number(text: &mut String, number: Number) {
    let _ = match number {
        Number::Whole(whole) => write!(text, "{whole}"),
        Number::Real(real) if real.is_infinite() => write!(text, "{}Inf", if real > 0.0 { '+' } else { '-' }),
        // Also NaN, as both formats write it.
        Number::Real(real) => write!(text, "{real}"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Labels;

    fn families() -> Vec<Family> {
        let eth1 = Labels::none().and("interface", "eth1");
        vec![
            Family::info("linkprobe_build", "Version.").with(Labels::none().and("version", "1"), 1u64),
            Family::counter("linkprobe_link_receive_bytes", "By the \"driver\".\nOr \\ not.")
                .with(eth1.and("role", "slave"), u64::MAX)
                .with(Labels::none().and("interface", "a\"b\\c\nd"), 0u64)
                .with(eth1.and("role", "slave"), 7u64),
            Family::gauge("linkprobe_probe_rtt_seconds", "Time.").with(Labels::none(), 0.000_25),
            Family::gauge("linkprobe_nothing", "Nothing."),
            Family::gauge("linkprobe_odd", "Odd.").with(eth1.clone(), f64::INFINITY).with(Labels::none(), f64::NAN),
        ]
    }

    #[test]
    fn the_classic_format_calls_a_metric_as_its_samples() {
        let expected = r#"# HELP linkprobe_build_info Version.
# TYPE linkprobe_build_info gauge
linkprobe_build_info{version="1"} 1
# HELP linkprobe_link_receive_bytes_total By the "driver".\nOr \\ not.
# TYPE linkprobe_link_receive_bytes_total counter
linkprobe_link_receive_bytes_total{interface="eth1",role="slave"} 18446744073709551615
linkprobe_link_receive_bytes_total{interface="a\"b\\c\nd"} 0
# HELP linkprobe_probe_rtt_seconds Time.
# TYPE linkprobe_probe_rtt_seconds gauge
linkprobe_probe_rtt_seconds 0.00025
# HELP linkprobe_odd Odd.
# TYPE linkprobe_odd gauge
linkprobe_odd{interface="eth1"} +Inf
linkprobe_odd NaN
"#;
        assert_eq!(encode(&families(), Format::Classic), expected);
    }

    #[test]
    fn openmetrics_has_units_and_an_end() {
        let expected = r#"# HELP linkprobe_build Version.
# TYPE linkprobe_build info
linkprobe_build_info{version="1"} 1
# HELP linkprobe_link_receive_bytes By the \"driver\".\nOr \\ not.
# TYPE linkprobe_link_receive_bytes counter
# UNIT linkprobe_link_receive_bytes bytes
linkprobe_link_receive_bytes_total{interface="eth1",role="slave"} 18446744073709551615
linkprobe_link_receive_bytes_total{interface="a\"b\\c\nd"} 0
# HELP linkprobe_probe_rtt_seconds Time.
# TYPE linkprobe_probe_rtt_seconds gauge
# UNIT linkprobe_probe_rtt_seconds seconds
linkprobe_probe_rtt_seconds 0.00025
# HELP linkprobe_odd Odd.
# TYPE linkprobe_odd gauge
linkprobe_odd{interface="eth1"} +Inf
linkprobe_odd NaN
# EOF
"#;
        assert_eq!(encode(&families(), Format::OpenMetrics), expected);
    }

    #[test]
    fn nothing_is_still_a_whole_openmetrics_text() {
        assert_eq!((encode(&[], Format::Classic), encode(&[], Format::OpenMetrics)), (String::new(), "# EOF\n".to_owned()));
    }
}
