//! What is known of one link: the state that rtnetlink reports, decoded and checked.

use std::fmt;

use serde::{Serialize, Serializer};

/// Operational state (RFC 2863, `IF_OPER_*` of linux/if.h).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OperState {
    /// The driver does not say.
    #[default]
    Unknown,
    /// Some part is missing.
    NotPresent,
    /// No carrier, or administratively down.
    Down,
    /// A layer below is down.
    LowerLayerDown,
    /// In a test mode.
    Testing,
    /// Waiting for something outside, such as 802.1X.
    Dormant,
    /// Passes packets.
    Up,
}

impl OperState {
    /// The state as sysfs's `operstate` calls it.
    pub fn name(self) -> &'static str {
        match self {
            OperState::Unknown => "unknown",
            OperState::NotPresent => "notpresent",
            OperState::Down => "down",
            OperState::LowerLayerDown => "lowerlayerdown",
            OperState::Testing => "testing",
            OperState::Dormant => "dormant",
            OperState::Up => "up",
        }
    }

    /// Whether packets cannot pass: the driver says so, or a layer below.
    pub fn is_down(self) -> bool {
        matches!(self, OperState::NotPresent | OperState::Down | OperState::LowerLayerDown)
    }
}

impl fmt::Display for OperState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// State of a link as rtnetlink tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LinkState {
    /// Index of the interface in its network namespace.
    pub ifindex: u32,
    /// Name.
    pub name: String,
    /// Hardware address; zeros where there is none of six bytes.
    #[serde(serialize_with = "serialize_mac")]
    pub mac: [u8; 6],
    /// Maximum transmission unit, bytes.
    pub mtu: u32,
    /// `IFF_UP`.
    pub admin_up: bool,
    /// `IFF_PROMISC`: it takes frames for others too.
    pub promiscuous: bool,
    /// `IFLA_CARRIER`.
    pub carrier: bool,
    /// `IFLA_OPERSTATE`.
    pub operstate: OperState,
    /// `IFLA_CARRIER_UP_COUNT`: times that the carrier came.
    pub carrier_up_count: u32,
    /// `IFLA_CARRIER_DOWN_COUNT`: times that it went.
    pub carrier_down_count: u32,
    /// ifindex of the bond or bridge that it is a port of.
    pub master: Option<u32>,
    /// ifindex of the link below (VLAN, macvlan, veth peer).
    pub lower: Option<u32>,
    /// `IFLA_INFO_KIND`: bond, veth, vlan…; `None` for a physical port.
    pub kind: Option<String>,
    /// Attributes of a bond.
    pub bond: Option<BondState>,
    /// Attributes of a bond's slave.
    pub slave: Option<SlaveState>,
    /// Transmit queues.
    pub tx_queues: u32,
    /// The driver's own counters.
    pub stats: LinkStats,
}

/// Attributes of a bond.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BondState {
    /// `IFLA_BOND_MODE`, by name: 802.3ad, active-backup…
    pub mode: String,
    /// `IFLA_BOND_MIIMON`, milliseconds.
    pub miimon_ms: u32,
    /// `IFLA_BOND_MIN_LINKS`.
    pub min_links: u32,
    /// `IFLA_BOND_ACTIVE_SLAVE` of the modes that have one.
    pub active_slave: Option<u32>,
    /// `IFLA_BOND_PRIMARY`, of the same modes.
    pub primary: Option<u32>,
    /// `IFLA_BOND_AD_INFO` of 802.3ad.
    pub aggregator: Option<Aggregator>,
    /// `IFLA_BOND_AD_LACP_RATE`: true for fast (1 s).
    pub lacp_fast: bool,
}

/// The active aggregator of an 802.3ad bond.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Aggregator {
    /// Aggregator id.
    pub id: u16,
    /// Ports in it.
    pub ports: u16,
    /// Key of the actor.
    pub actor_key: u16,
    /// Key of the partner.
    pub partner_key: u16,
    /// System of the partner; zeros when there is none.
    #[serde(serialize_with = "serialize_mac")]
    pub partner_mac: [u8; 6],
}

/// Attributes of a bond's slave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SlaveState {
    /// `IFLA_BOND_SLAVE_STATE`: true for active, false for backup.
    pub active: bool,
    /// `IFLA_BOND_SLAVE_MII_STATUS`.
    pub mii: MiiStatus,
    /// `IFLA_BOND_SLAVE_LINK_FAILURE_COUNT`.
    pub link_failures: u32,
    /// `IFLA_BOND_SLAVE_PERM_HWADDR`.
    #[serde(serialize_with = "serialize_mac")]
    pub permanent_mac: [u8; 6],
    /// `IFLA_BOND_SLAVE_QUEUE_ID`: the queue that is its own; 0 for none.
    pub queue_id: u16,
    /// `IFLA_BOND_SLAVE_PRIO`: who becomes active first; 0 unless set.
    pub prio: i32,
    /// `IFLA_BOND_SLAVE_AD_AGGREGATOR_ID` (802.3ad).
    pub aggregator_id: Option<u16>,
    /// `IFLA_BOND_SLAVE_AD_ACTOR_OPER_PORT_STATE` (802.3ad): LACP state bits.
    pub actor_state: Option<u8>,
    /// `IFLA_BOND_SLAVE_AD_PARTNER_OPER_PORT_STATE` (802.3ad): LACP state bits.
    pub partner_state: Option<u16>,
}

/// What the bond's link monitor says of a slave (`BOND_LINK_*`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MiiStatus {
    /// Up.
    #[default]
    Up,
    /// Down, but within downdelay.
    GoingDown,
    /// Down.
    Down,
    /// Up, but within updelay.
    GoingBack,
}

impl fmt::Display for MiiStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            MiiStatus::Up => "up",
            MiiStatus::GoingDown => "going down",
            MiiStatus::Down => "down",
            MiiStatus::GoingBack => "going back",
        })
    }
}

/// `IFLA_STATS64` (`struct rtnl_link_stats64`), the driver's own counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LinkStats {
    /// Packets received.
    pub rx_packets: u64,
    /// Packets transmitted.
    pub tx_packets: u64,
    /// Bytes received.
    pub rx_bytes: u64,
    /// Bytes transmitted.
    pub tx_bytes: u64,
    /// Receive errors.
    pub rx_errors: u64,
    /// Transmit errors.
    pub tx_errors: u64,
    /// Receive drops.
    pub rx_dropped: u64,
    /// Transmit drops.
    pub tx_dropped: u64,
    /// Multicast packets received.
    pub multicast: u64,
    /// Collisions.
    pub collisions: u64,
    /// Frames of a wrong length: like the next four, a part of `rx_errors`.
    pub rx_length_errors: u64,
    /// Receive buffer overruns.
    pub rx_over_errors: u64,
    /// Frames with a wrong checksum.
    pub rx_crc_errors: u64,
    /// Frames out of alignment.
    pub rx_frame_errors: u64,
    /// Receive FIFO overruns.
    pub rx_fifo_errors: u64,
    /// Frames that the device had no room for: they are no part of `rx_dropped`.
    pub rx_missed: u64,
    /// Transmissions that were given up: like the next four, a part of `tx_errors`.
    pub tx_aborted_errors: u64,
    /// Carrier lost while transmitting.
    pub tx_carrier_errors: u64,
    /// Transmit FIFO underruns.
    pub tx_fifo_errors: u64,
    /// SQE test errors.
    pub tx_heartbeat_errors: u64,
    /// Late collisions.
    pub tx_window_errors: u64,
    /// Compressed packets received.
    pub rx_compressed: u64,
    /// Compressed packets transmitted.
    pub tx_compressed: u64,
}

/// A hardware address as people write it: `00:1b:21:3c:4d:5e`.
pub fn mac_text(mac: [u8; 6]) -> String {
    mac.map(|byte| format!("{byte:02x}")).join(":")
}

/// Serializes a hardware address as [`mac_text`] writes it.
///
/// # Errors
/// Those of the serializer.
pub fn serialize_mac<S: Serializer>(mac: &[u8; 6], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&mac_text(*mac))
}
