//! Settings of what is sent to collectors, and of what is kept to compare with.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use clap::Args;

use super::units::{parse_duration, parse_size, quote};
use crate::export::spec::{Format, HostPort, SinkSpec};

/// Port of the metrics where none is said.
const METRICS_PORT: u16 = 9469;
/// Port of sFlow collectors (IANA).
const SFLOW_PORT: u16 = 6343;
/// How the address of the metrics is written, for messages.
const METRICS_FORM: &str = "write on, off, a port, or an address and a port such as 192.0.2.1:9469";

/// Options of exporters and of the history.
#[derive(Args, Clone, Debug, Default, PartialEq)]
pub struct ExportSettings {
    /// Send events to a syslog server, RFC 5424; may be given several times
    ///
    /// udp://HOST[:514], tcp://HOST[:601] with octet counting, or unix:/dev/log. ?level=warning after it: only what is at least as bad
    /// [default: notice]. Incident, bond, slave and finding are in the structured data.
    #[arg(long, value_name = "URL", value_parser = parse_syslog, help_heading = "Collectors")]
    pub syslog: Option<Vec<SinkSpec>>,
    /// Send events and traffic as lines of JSON, in the Elastic Common Schema; may be given several times
    ///
    /// tcp://HOST:PORT, udp://HOST:PORT or file:PATH. After it ?level=warning for events [default: info], traffic=off for no traffic;
    /// a file is rotated at size=10MiB, and files=5 are kept beside it.
    #[arg(long, value_name = "URL", value_parser = parse_json, help_heading = "Collectors")]
    pub json: Option<Vec<SinkSpec>>,
    /// Send traffic as the lines of sar -n DEV; may be given several times
    ///
    /// tcp://HOST:PORT, udp://HOST:PORT or file:PATH (?size=10MiB&files=5).
    #[arg(long, value_name = "URL", value_parser = parse_sar, help_heading = "Collectors")]
    pub sar: Option<Vec<SinkSpec>>,
    /// Keep a log of events in a file of text
    ///
    /// It is rotated at ?size=1MiB, and files=10 are kept beside it; level=warning leaves out what is less bad [default: info].
    #[arg(long, value_name = "FILE", value_parser = parse_event_log, help_heading = "Collectors")]
    pub event_log: Option<SinkSpec>,
    /// Time over which traffic is summed up for --json and --sar, 1s to 1h [default: 60s]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, help_heading = "Collectors")]
    pub traffic_interval: Option<Duration>,
    /// Serve metrics for Prometheus at http://127.0.0.1:9469/metrics: on, off, a port, or ADDRESS:PORT [default: off]
    #[arg(long, value_name = "on|off|PORT|ADDRESS:PORT", value_parser = parse_metrics, help_heading = "Collectors")]
    pub metrics: Option<Metrics>,
    /// Send samples and counters to an sFlow collector; may be given several times
    ///
    /// The port is 6343 unless another is said. Frames are sampled at slaves and other interfaces; a bond sends counters only.
    #[arg(long, value_name = "HOST[:PORT]", value_parser = parse_sflow, help_heading = "Collectors")]
    pub sflow: Option<Vec<HostPort>>,
    /// Address by which sFlow collectors know this router [default: the one that datagrams leave from]
    #[arg(long, value_name = "ADDRESS", value_parser = parse_address, help_heading = "Collectors")]
    pub sflow_agent: Option<IpAddr>,
    /// Number of this agent where the router has several sFlow agents [default: 0]
    #[arg(long, value_name = "N", help_heading = "Collectors")]
    pub sflow_sub_agent: Option<u32>,
    /// Time between two counter samples of an interface in sFlow [default: 20s]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, help_heading = "Collectors")]
    pub sflow_counters: Option<Duration>,

    /// Keep the traffic of each second and the states for so long, in memory; 0 for not at all [default: 24h]
    ///
    /// Incidents say what was normal before, and `linkprobe status --since 1h` shows it.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, help_heading = "History")]
    pub history: Option<Duration>,
    /// Most memory that this takes; when it is full, the oldest goes first [default: 4MiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_size, help_heading = "History")]
    pub history_memory: Option<u64>,
}

/// Where metrics are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metrics {
    /// Nowhere.
    Off,
    /// Here.
    On(SocketAddr),
}

impl Metrics {
    /// The address, where there is one.
    pub fn address(self) -> Option<SocketAddr> {
        match self {
            Self::Off => None,
            Self::On(address) => Some(address),
        }
    }
}

impl ExportSettings {
    /// These settings, and those of `below` where these have none.
    #[must_use]
    pub fn over(self, below: Self) -> Self {
        macro_rules! first { ($($field:ident),*) => { Self { $($field: self.$field.or(below.$field)),* } } }
        first!(
            syslog,
            json,
            sar,
            event_log,
            traffic_interval,
            metrics,
            sflow,
            sflow_agent,
            sflow_sub_agent,
            sflow_counters,
            history,
            history_memory
        )
    }
}

/// Reads a syslog server.
///
/// # Errors
/// What is wrong with it, and how it is written.
pub fn parse_syslog(text: &str) -> Result<SinkSpec, String> {
    SinkSpec::parse(text, Format::Syslog)
}

/// Reads a receiver of JSON.
///
/// # Errors
/// What is wrong with it, and how it is written.
pub fn parse_json(text: &str) -> Result<SinkSpec, String> {
    SinkSpec::parse(text, Format::Json)
}

/// Reads a receiver of sar's lines.
///
/// # Errors
/// What is wrong with it, and how it is written.
pub fn parse_sar(text: &str) -> Result<SinkSpec, String> {
    SinkSpec::parse(text, Format::Sar)
}

/// Reads the file of the event log.
///
/// # Errors
/// What is wrong with it, and how it is written.
pub fn parse_event_log(text: &str) -> Result<SinkSpec, String> {
    SinkSpec::parse(text, Format::Text)
}

/// Reads a collector of sFlow.
///
/// # Errors
/// What is wrong with it.
pub fn parse_sflow(text: &str) -> Result<HostPort, String> {
    HostPort::parse(text, Some(SFLOW_PORT)).map_err(|error| format!("{}: {error}; write HOST or HOST:PORT", quote(text)))
}

/// Reads an address.
///
/// # Errors
/// That it is none.
pub fn parse_address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| format!("{} is not an address; write 192.0.2.1 or 2001:db8::1", quote(text)))
}

/// Reads where metrics are served. A port alone is one of the loopback.
///
/// # Errors
/// That it is none of what is allowed.
pub fn parse_metrics(text: &str) -> Result<Metrics, String> {
    let local = |port| Metrics::On(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    match text {
        "off" => Ok(Metrics::Off),
        "on" => Ok(local(METRICS_PORT)),
        _ => match (text.parse::<u16>(), text.parse::<SocketAddr>()) {
            (Ok(port), _) if port > 0 => Ok(local(port)),
            (_, Ok(address)) if address.port() > 0 => Ok(Metrics::On(address)),
            _ => Err(format!("{} is not known; {METRICS_FORM}", quote(text))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_on_the_loopback_unless_an_address_is_said() {
        let address = |text: &str| parse_metrics(text).map(|metrics| metrics.address().map(|address| address.to_string()));
        assert_eq!(address("on"), Ok(Some("127.0.0.1:9469".to_owned())));
        assert_eq!(address("9100"), Ok(Some("127.0.0.1:9100".to_owned())));
        assert_eq!(address("[::]:9100"), Ok(Some("[::]:9100".to_owned())));
        assert_eq!(address("off"), Ok(None));
        for text in ["", "0", "65536", "localhost:1", "1.2.3.4", "1.2.3.4:0", "yes"] {
            assert!(parse_metrics(text).expect_err(text).contains("write on, off"), "{text}");
        }
    }
}
