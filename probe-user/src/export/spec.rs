//! Where things are sent, as it is written in the configuration: `tcp://collector:5170?level=warning`, `file:/var/log/links.json`.

use std::fmt;
use std::net::Ipv6Addr;
use std::path::PathBuf;

use probe_core::level::Level;

use crate::config::{format_size, parse_size};

/// What is sent, and so where it can go to and what is used where nothing is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// RFC 5424.
    Syslog,
    /// Lines of JSON.
    Json,
    /// The lines of `sar -n DEV`.
    Sar,
    /// The local log.
    Text,
}

/// One receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkSpec {
    /// Where.
    pub transport: Transport,
    /// Events that are at least as bad are sent.
    pub level: Level,
    /// Traffic figures are sent too.
    pub traffic: bool,
    /// Syslog in the older form of RFC 3164, which is what listens at `/dev/log` understands.
    pub old_syslog: bool,
    /// Of a file: bytes from which on it is rotated.
    pub size: u64,
    /// Of a file: how many rotated ones are kept beside it.
    pub files: u32,
    format: Format,
}

/// A way to a receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Datagrams.
    Udp(HostPort),
    /// A connection.
    Tcp(HostPort),
    /// A local socket.
    Unix(PathBuf),
    /// A file that is appended to.
    File(PathBuf),
}

/// A host by name or address, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// Name or address, without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
}

impl Format {
    /// How a receiver of it is written, for messages.
    pub const fn form(self) -> &'static str {
        match self {
            Self::Syslog => {
                "write udp://HOST, tcp://HOST:PORT or unix:PATH; after it may stand ?level=warning&format=rfc3164, as in \
                 unix:/dev/log?format=rfc3164"
            }
            Self::Json => "write udp://HOST:PORT, tcp://HOST:PORT or file:PATH; after it may stand ?level=warning&traffic=off",
            Self::Sar => "write udp://HOST:PORT, tcp://HOST:PORT or file:PATH",
            Self::Text => "write a path, such as /var/log/linkprobe.log?level=info&size=1MiB&files=10",
        }
    }

    fn port(self, scheme: &str) -> Option<u16> {
        match (self, scheme) {
            (Self::Syslog, "udp") => Some(514),
            (Self::Syslog, "tcp") => Some(601),
            _ => None,
        }
    }

    fn rotation(self) -> (u64, u32) {
        match self {
            Self::Text => (1 << 20, 10),
            Self::Json | Self::Sar | Self::Syslog => (10 << 20, 5),
        }
    }

    fn level(self) -> Level {
        if self == Self::Syslog { Level::Notice } else { Level::Info }
    }
}

impl SinkSpec {
    /// Reads what stands in the configuration.
    ///
    /// # Errors
    /// What is wrong with it, and how it is written.
    pub fn parse(text: &str, format: Format) -> Result<Self, String> {
        let wrong = |what: String| format!("{text:?}: {what}; {}", format.form());
        let (address, query) = text.split_once('?').map_or((text, None), |(address, query)| (address, Some(query)));
        let transport = transport(address, format).map_err(wrong)?;
        let (size, files) = format.rotation();
        let mut spec = Self { transport, level: format.level(), traffic: true, old_syslog: false, size, files, format };
        for pair in query.into_iter().flat_map(|query| query.split('&')) {
            let (key, value) = pair.split_once('=').ok_or_else(|| wrong(format!("{pair:?} is not NAME=VALUE")))?;
            spec.set(key, value).map_err(wrong)?;
        }
        Ok(spec)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        let is_file = matches!(self.transport, Transport::File(_));
        let number = || value.parse::<u32>().map_err(|_| format!("{key}={value:?} is not a whole number"));
        match key {
            "level" if self.format != Format::Sar => self.level = value.parse().map_err(|error| format!("{key}: {error}"))?,
            "traffic" if self.format == Format::Json => {
                self.traffic = match value {
                    "on" => true,
                    "off" => false,
                    _ => return Err(format!("traffic={value:?} is neither on nor off")),
                }
            }
            "format" if self.format == Format::Syslog => {
                self.old_syslog = match value {
                    "rfc5424" => false,
                    "rfc3164" => true,
                    _ => return Err(format!("format={value:?} is neither rfc5424 nor rfc3164")),
                }
            }
            "size" if is_file => {
                self.size = parse_size(value)?;
                if self.size < 4096 {
                    return Err(format!("size={value}: a file holds at least 4KiB"));
                }
            }
            "files" if is_file => {
                self.files = number()?;
                if self.files > 1000 {
                    return Err(format!("files={value}: at most 1000 are kept"));
                }
            }
            "level" | "traffic" | "format" | "size" | "files" => return Err(format!("{key} has no meaning here")),
            _ => return Err(format!("there is no parameter {key:?}")),
        }
        Ok(())
    }
}

fn transport(address: &str, format: Format) -> Result<Transport, String> {
    if format == Format::Text || (format != Format::Syslog && address.starts_with('/')) {
        return path(address.strip_prefix("file:").unwrap_or(address)).map(Transport::File);
    }
    let (scheme, rest) = address.split_once(':').ok_or("it has no scheme")?;
    let host_port = || {
        let rest = rest.strip_prefix("//").ok_or_else(|| format!("// is missing after {scheme}:"))?;
        HostPort::parse(rest, format.port(scheme))
    };
    match (scheme, format) {
        ("udp", _) => host_port().map(Transport::Udp),
        ("tcp", _) => host_port().map(Transport::Tcp),
        ("unix", Format::Syslog) => path(rest).map(Transport::Unix),
        ("file", Format::Json | Format::Sar) => path(rest).map(Transport::File),
        _ => Err(format!("{scheme}: is no way for this")),
    }
}

/// An absolute path; also as in `file:///var/log/x`.
fn path(text: &str) -> Result<PathBuf, String> {
    let path = text.strip_prefix("//").unwrap_or(text);
    if !path.starts_with('/') {
        return Err(format!("{path:?} is not an absolute path"));
    }
    if path.contains('\0') || path.ends_with('/') {
        return Err(format!("{path:?} is not a path of a file"));
    }
    Ok(PathBuf::from(path))
}

impl HostPort {
    /// Reads `HOST:PORT`; an IPv6 address stands in brackets where a port follows. Without a port, `default` is taken.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str, default: Option<u16>) -> Result<Self, String> {
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, rest)) => {
                host.parse::<Ipv6Addr>().map_err(|_| format!("{host:?} is not an IPv6 address"))?;
                (host, if rest.is_empty() { None } else { Some(rest.strip_prefix(':').ok_or("after ] comes : and a port")?) })
            }
            None if text.parse::<Ipv6Addr>().is_ok() => (text, None),
            None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
        };
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        if host.is_empty() || host.len() > 253 || !host.chars().all(allowed) {
            return Err(format!("{host:?} is not a name or an address of a host"));
        }
        let port = match port {
            Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or_else(|| format!("{port:?} is not a port"))?,
            None => default.ok_or_else(|| "the port is missing".to_owned())?,
        };
        Ok(Self { host: host.to_owned(), port })
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Udp(to) => write!(f, "udp://{to}"),
            Self::Tcp(to) => write!(f, "tcp://{to}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

impl fmt::Display for SinkSpec {
    /// As it is written in the configuration; what is as it would be by default is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.transport)?;
        let (size, files) = self.format.rotation();
        let said = [
            (self.level != self.format.level()).then(|| format!("level={}", self.level)),
            self.old_syslog.then(|| "format=rfc3164".to_owned()),
            (!self.traffic).then(|| "traffic=off".to_owned()),
            (self.size != size).then(|| format!("size={}", format_size(self.size))),
            (self.files != files).then(|| format!("files={}", self.files)),
        ];
        let said: Vec<String> = said.into_iter().flatten().collect();
        if said.is_empty() { Ok(()) } else { write!(f, "?{}", said.join("&")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, format: Format) -> Result<SinkSpec, String> {
        SinkSpec::parse(text, format)
    }

    #[test]
    fn what_is_written_is_read_and_shown_as_the_same() {
        for (text, format, shown) in [
            ("udp://192.0.2.1", Format::Syslog, "udp://192.0.2.1:514"),
            ("tcp://logs.example.net:6514?level=warning", Format::Syslog, "tcp://logs.example.net:6514?level=warning"),
            ("unix:/dev/log?format=rfc3164&level=err", Format::Syslog, "unix:/dev/log?level=error&format=rfc3164"),
            ("tcp://[2001:db8::1]:5170?traffic=off", Format::Json, "tcp://[2001:db8::1]:5170?traffic=off"),
            ("file:///var/log/links.json?files=3&size=64KiB", Format::Json, "file:/var/log/links.json?size=64KiB&files=3"),
            ("udp://2001:db8::1", Format::Syslog, "udp://[2001:db8::1]:514"),
            ("tcp://h:9", Format::Sar, "tcp://h:9"),
            ("/var/log/sar.txt?files=1", Format::Sar, "file:/var/log/sar.txt?files=1"),
            ("/var/log/linkprobe.log", Format::Text, "file:/var/log/linkprobe.log"),
        ] {
            let spec = parse(text, format).expect(text);
            assert_eq!(spec.to_string(), shown);
            assert_eq!(parse(shown, format), Ok(spec));
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_how_it_is_written() {
        for (text, format, why) in [
            ("", Format::Syslog, "it has no scheme"),
            ("192.0.2.1", Format::Syslog, "it has no scheme"),
            ("http://h", Format::Json, "http: is no way for this"),
            ("udp:h", Format::Syslog, "// is missing after udp:"),
            ("tcp://h", Format::Json, "the port is missing"),
            ("tcp://h:0", Format::Json, "\"0\" is not a port"),
            ("tcp://h:70000", Format::Json, "\"70000\" is not a port"),
            ("tcp://a b:1", Format::Json, "is not a name or an address of a host"),
            ("tcp://[h]:1", Format::Json, "\"h\" is not an IPv6 address"),
            ("file:x.json", Format::Json, "is not an absolute path"),
            ("file:/x/", Format::Json, "is not a path of a file"),
            ("file:/x", Format::Syslog, "file: is no way for this"),
            ("udp://h?level=loud", Format::Syslog, "level"),
            ("udp://h?size=1MiB", Format::Syslog, "size has no meaning here"),
            ("file:/x?size=1", Format::Json, "at least 4KiB"),
            ("unix:/x?format=new", Format::Syslog, "neither rfc5424 nor rfc3164"),
            ("file:/x?traffic=maybe", Format::Json, "neither on nor off"),
            ("file:/x?colour=red", Format::Sar, "no parameter \"colour\""),
            ("file:/x?size", Format::Sar, "is not NAME=VALUE"),
        ] {
            let error = parse(text, format).expect_err(text);
            assert!(error.contains(why) && error.contains("; write"), "{text}: {error}");
        }
    }
}
