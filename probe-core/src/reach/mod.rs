//! Reachability: which targets are asked, when, and what their answers mean.
//!
//! The agent sends and receives; [`Schedule`] tells it when, [`wire`] what, and [`Reach`] makes of the outcomes whether a
//! target answers.

mod next_hop;
mod question;
mod schedule;
mod spec;
mod tracker;
pub mod wire;

use std::fmt;

use serde::Serialize;

pub use next_hop::{Network, NextHop, NextHops};
pub use question::{Device, Question};
pub use schedule::{Answered, Schedule};
pub use spec::{Host, SpecError, TargetSpec};
pub use tracker::{Change, Loss, Reach, TargetRow, TargetState};

use crate::time::Mono;
use crate::timeline::LinkName;

/// How a target is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// ICMP or ICMPv6 echo, by the address.
    Icmp,
    /// ARP request.
    Arp,
    /// Neighbour solicitation.
    Nd,
}

impl Method {
    /// Its name, as in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Method::Icmp => "icmp",
            Method::Arp => "arp",
            Method::Nd => "nd",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Something that is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its name, by which samples are told apart.
    pub name: String,
    /// How it is asked.
    pub method: Method,
    /// The interface that it is asked on, when it is asked on a certain one.
    pub link: Option<LinkName>,
    /// It was found in the routing table, not configured.
    pub next_hop: bool,
}

/// What became of one probe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It was answered after so many nanoseconds.
    Rtt(u64),
    /// No answer came in time.
    Lost,
    /// It could not be sent: why, in words.
    SendError(String),
}

/// One probe of a target, for the incident's plot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProbeSample {
    /// When it was sent.
    pub at: Mono,
    /// The target's name: `10.0.80.11`, or `next-hop 10.100.100.65 dev bond0`.
    pub target: String,
    /// How.
    pub method: Method,
    /// The outcome.
    pub answer: Answer,
}
