//! LACP in `linkprobe status`.

use probe_core::flight::{LacpRow, LacpSide};
use probe_core::lacp::{PortInfo, letters};
use probe_core::link::mac_text;
use serde::{Deserialize, Serialize};

/// A slave of an 802.3ad bond, or an interface that carries LACPDUs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LacpStatus {
    /// Name.
    pub name: String,
    /// Its bond.
    pub bond: Option<String>,
    /// The aggregator that it is in, as the kernel says.
    pub aggregator: Option<u16>,
    /// Whether that is the one that the bond uses.
    pub selected: Option<bool>,
    /// working, failed, converging (since its link came back), new (not seen to work yet) or link-down.
    pub phase: String,
    /// Our end.
    pub ours: LacpEnd,
    /// The partner's.
    pub partner: LacpEnd,
    /// What the bonding driver counted since the slave was put into its bond, when it was asked last.
    pub counters: Option<LacpCounts>,
}

/// One end of a slave.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LacpEnd {
    /// What its newest LACPDU says of itself.
    pub actor: Option<LacpPort>,
    /// What its newest LACPDU says of the other end.
    pub partner: Option<LacpPort>,
    /// Seconds since that LACPDU.
    pub age_s: Option<f64>,
    /// Its state as the kernel says, bits.
    pub kernel_state: Option<u8>,
    /// How often it has to send: fast or slow; `None` where it does not have to, or nothing is known.
    pub rate: Option<String>,
    /// Seconds between its last two LACPDUs.
    pub gap_s: Option<f64>,
    /// Longest time between two since the link is up, seconds.
    pub longest_gap_s: f64,
    /// Three LACPDUs are missing.
    pub silent: bool,
    /// LACPDUs since the agent's start.
    pub seen: u64,
    /// Frames that could not be understood since then.
    pub malformed: u64,
}

/// A port, as a LACPDU describes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LacpPort {
    /// System.
    pub system: String,
    /// Its priority.
    pub system_priority: u16,
    /// Key.
    pub key: u16,
    /// Port number.
    pub port: u16,
    /// Its priority.
    pub port_priority: u16,
    /// State, bits.
    pub state: u8,
    /// Names of the bits that are set.
    pub flags: Vec<String>,
    /// State in letters.
    pub letters: String,
}

/// The bonding driver's counters.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LacpCounts {
    /// LACPDUs sent.
    pub sent: u64,
    /// LACPDUs received.
    pub received: u64,
    /// Frames of slow protocols that it does not know.
    pub unknown: u64,
    /// Frames of slow protocols that it could not understand.
    pub illegal: u64,
    /// Seconds since it was asked.
    pub age_s: f64,
}

impl From<LacpRow> for LacpStatus {
    fn from(row: LacpRow) -> Self {
        let age_s = row.counters_age_s.unwrap_or_default();
        let counters = row.counters.map(|counted| LacpCounts {
            sent: counted.sent,
            received: counted.received,
            unknown: counted.unknown,
            illegal: counted.illegal,
            age_s,
        });
        Self {
            name: row.name,
            bond: row.master,
            aggregator: row.aggregator,
            selected: row.selected,
            phase: row.phase.into(),
            ours: row.ours.into(),
            partner: row.partner.into(),
            counters,
        }
    }
}

impl From<LacpSide> for LacpEnd {
    fn from(side: LacpSide) -> Self {
        Self {
            actor: side.pdu.map(|pdu| pdu.actor.into()),
            partner: side.pdu.map(|pdu| pdu.partner.into()),
            age_s: side.age_s,
            kernel_state: side.kernel_state,
            rate: side.rate.map(Into::into),
            gap_s: side.gap_s,
            longest_gap_s: side.longest_gap_s,
            silent: side.silent,
            seen: side.seen,
            malformed: side.malformed,
        }
    }
}

impl From<PortInfo> for LacpPort {
    fn from(info: PortInfo) -> Self {
        Self {
            system: mac_text(info.system),
            system_priority: info.system_priority,
            key: info.key,
            port: info.port,
            port_priority: info.port_priority,
            state: info.state.0,
            flags: info.state.names().map(Into::into).collect(),
            letters: letters(info.state),
        }
    }
}
