//! A target as people write it: `10.0.80.11`, `icmp:2001:db8::1`, `arp:10.100.100.65%bond0.956`.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use thiserror::Error;

use super::Method;

/// What a target may look like, for messages.
pub const FORM: &str = "write ADDRESS or NAME, with %INTERFACE where it is asked on a certain one: 10.0.80.11, \
                        icmp:2001:db8::1%bond0, arp:10.100.100.65%bond0.956, nd:fe80::1%bond0";
/// Longest host name (RFC 1035), bytes.
const LONGEST_NAME: usize = 253;
/// Longest name of an interface, bytes.
const LONGEST_INTERFACE: usize = 15;

/// Where a target is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// At an address.
    Address(IpAddr),
    /// At the address that a name resolves to.
    Name(String),
}

/// A configured target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetSpec {
    /// How it is asked.
    pub method: Method,
    /// Where it is.
    pub host: Host,
    /// The interface that it is asked on.
    pub interface: Option<String>,
}

/// Why a text is no target.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{text:?} is no target: {problem}; {FORM}")]
pub struct SpecError {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub problem: String,
}

impl FromStr for TargetSpec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        parse(text).map_err(|problem| SpecError { text: text.chars().take(300).collect(), problem })
    }
}

fn parse(text: &str) -> Result<TargetSpec, String> {
    let (method, rest) = split_method(text)?;
    let (host, interface) = match rest.split_once('%') {
        Some((host, interface)) => (host, Some(check_interface(interface)?)),
        None => (rest, None),
    };
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let host = match bare.parse::<IpAddr>() {
        Ok(address) => Host::Address(address),
        Err(_) => Host::Name(check_name(host)?),
    };
    check_together(method, &host, interface.is_some())?;
    Ok(TargetSpec { method, host, interface })
}

/// An IPv6 address has colons too: only a known method before the first one is taken for a method.
fn split_method(text: &str) -> Result<(Method, &str), String> {
    for method in [Method::Icmp, Method::Arp, Method::Nd] {
        if let Some(rest) = text.strip_prefix(method.name()).and_then(|rest| rest.strip_prefix(':')) {
            return Ok((method, rest));
        }
    }
    let address = text.split('%').next().unwrap_or_default().trim_matches(['[', ']']);
    match text.split_once(':') {
        Some((word, _)) if address.parse::<Ipv6Addr>().is_err() => {
            Err(format!("{word:?} is neither a method (icmp, arp, nd) nor does an IPv6 address begin so"))
        }
        _ => Ok((Method::Icmp, text)),
    }
}

fn check_interface(name: &str) -> Result<String, String> {
    let odd = |c: char| c == '/' || c == ':' || c == '%' || c.is_whitespace() || c.is_control();
    if name.is_empty() || name.len() > LONGEST_INTERFACE || name.contains(odd) {
        return Err(format!("{name:?} after % is not a name of an interface"));
    }
    Ok(name.to_owned())
}

fn check_name(name: &str) -> Result<String, String> {
    let label = |label: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        !label.is_empty() && label.len() <= 63 && label.chars().all(allowed) && !label.starts_with('-')
    };
    let labels = name.strip_suffix('.').unwrap_or(name);
    // What is made of digits and points only is a slip in an address, not a name.
    let numeric = labels.split('.').next_back().is_some_and(|last| last.chars().all(|c| c.is_ascii_digit()));
    if name.len() > LONGEST_NAME || !labels.split('.').all(label) || numeric {
        return Err(format!("{name:?} is neither an address nor a host name"));
    }
    Ok(name.to_owned())
}

fn check_together(method: Method, host: &Host, interface: bool) -> Result<(), String> {
    let address = match host {
        Host::Address(address) => Some(*address),
        Host::Name(_) => None,
    };
    match (method, address) {
        (Method::Arp, Some(IpAddr::V4(_))) | (Method::Nd, Some(IpAddr::V6(_))) if !interface => {
            Err(format!("{method} asks on an interface: add %INTERFACE"))
        }
        (Method::Arp, None | Some(IpAddr::V6(_))) => Err("arp asks for an IPv4 address".to_owned()),
        (Method::Nd, None | Some(IpAddr::V4(_))) => Err("nd asks for an IPv6 address".to_owned()),
        (_, Some(address)) if address.is_unspecified() || address.is_multicast() => {
            Err(format!("{address} is not the address of one host"))
        }
        (_, Some(IpAddr::V4(address))) if address.is_broadcast() => Err(format!("{address} is not the address of one host")),
        (Method::Icmp, Some(IpAddr::V6(address))) if address.is_unicast_link_local() && !interface => {
            Err("a link-local address needs its interface: add %INTERFACE".to_owned())
        }
        _ => Ok(()),
    }
}

impl fmt::Display for TargetSpec {
    /// The shortest form that reads back the same: a target's name everywhere.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.method != Method::Icmp {
            write!(f, "{}:", self.method)?;
        }
        match &self.host {
            Host::Address(address) => write!(f, "{address}")?,
            Host::Name(name) => f.write_str(name)?,
        }
        match &self.interface {
            Some(interface) => write!(f, "%{interface}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_and_written_in_their_shortest_form() {
        for (text, shortest) in [
            ("10.0.80.11", "10.0.80.11"),
            ("icmp:10.0.80.11", "10.0.80.11"),
            ("icmp:2001:db8::1%bond0", "2001:db8::1%bond0"),
            ("2001:DB8:0::1", "2001:db8::1"),
            ("[2001:db8::1]%bond0", "2001:db8::1%bond0"),
            ("fe80::1%eth0", "fe80::1%eth0"),
            ("arp:10.100.100.65%bond0.956", "arp:10.100.100.65%bond0.956"),
            ("nd:fe80::1%bond0", "nd:fe80::1%bond0"),
            ("ns1.example.net", "ns1.example.net"),
            ("icmp:gateway%bond0", "gateway%bond0"),
        ] {
            let spec: TargetSpec = text.parse().expect(text);
            assert_eq!(spec.to_string(), shortest);
            assert_eq!(shortest.parse(), Ok(spec));
        }
    }

    #[test]
    fn what_is_no_target_is_refused_with_its_reason_and_what_is_allowed() {
        for (text, reason) in [
            ("", "neither an address nor a host name"),
            ("10.0.80", "neither an address nor a host name"),
            ("10.0.80.256", "neither an address nor a host name"),
            ("tcp:10.0.80.11", "neither a method"),
            ("arp:10.0.80.11", "add %INTERFACE"),
            ("arp:fe80::1%bond0", "arp asks for an IPv4 address"),
            ("arp:host%bond0", "arp asks for an IPv4 address"),
            ("nd:10.0.0.1%bond0", "nd asks for an IPv6 address"),
            ("fe80::1", "a link-local address needs its interface"),
            ("10.0.0.1%", "not a name of an interface"),
            ("10.0.0.1%bond0/1", "not a name of an interface"),
            ("10.0.0.1%a-name-that-is-too-long", "not a name of an interface"),
            ("0.0.0.0", "not the address of one host"),
            ("255.255.255.255", "not the address of one host"),
            ("ff02::1%bond0", "not the address of one host"),
            ("two words", "neither an address nor a host name"),
            ("-n", "neither an address nor a host name"),
        ] {
            let error = text.parse::<TargetSpec>().expect_err(text).to_string();
            assert!(error.contains(reason) && error.contains("arp:10.100.100.65%bond0.956"), "{text}: {error}");
        }
    }
}
