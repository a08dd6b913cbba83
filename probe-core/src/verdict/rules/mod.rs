//! The rules: each looks for one kind of finding, in a file of its own.

mod admin_down;
mod bond_carries_nothing;
mod bond_down;
mod carrier_loss;
mod degraded;
mod duplicate_storm;
mod flapping;
mod ghost_packets;
mod key_mismatch;
mod lacpdus_not_arriving;
mod lacpdus_not_sent;
mod local_drops;
mod log_failure;
mod next_hop;
mod partner_changed;
mod partner_silent;
mod path_loss;
mod receiving;
mod recovered;
mod rx_blackout;
mod slave_removed;
mod timeout_mismatch;
mod tx_blackout;

use super::Finding;
use super::case::Case;

pub use path_loss::has_probes;
pub use recovered::recovered;

/// A rule: what it finds in a case.
pub type Rule = fn(&Case<'_>) -> Vec<Finding>;

/// Every rule; what recovered is told once the chain is known ([`recovered`]).
pub const ALL: [Rule; 21] = [
    admin_down::admin_down,
    slave_removed::slave_removed,
    carrier_loss::carrier_loss,
    flapping::flapping,
    duplicate_storm::duplicate_storm,
    ghost_packets::ghost_packets,
    local_drops::local_drops,
    tx_blackout::tx_blackout,
    rx_blackout::rx_blackout,
    partner_silent::partner_silent,
    lacpdus_not_sent::lacpdus_not_sent,
    lacpdus_not_arriving::lacpdus_not_arriving,
    partner_changed::partner_changed,
    key_mismatch::key_mismatch,
    timeout_mismatch::timeout_mismatch,
    degraded::degraded,
    bond_carries_nothing::bond_carries_nothing,
    bond_down::bond_down,
    next_hop::next_hop,
    path_loss::path_loss,
    log_failure::log_failure,
];
