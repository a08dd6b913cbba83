//! Packets that the kernel dropped (`kfree_skb`), by interface, reason and place.

use serde::Serialize;

use crate::timeline::LinkName;

/// Drops of one reason at one place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DropTotal {
    /// The interface.
    pub link: LinkName,
    /// The kernel's name of the reason without its prefix: `QDISC_DROP`, `TC_INGRESS`…
    pub reason: String,
    /// The function that dropped, where symbols are known.
    pub place: String,
    /// How many.
    pub packets: u64,
}

/// Reasons that tell of trouble with a link or with this machine. All others are what hosts and routers do all day: no socket, a
/// firewall's rule, another host's frame, a protocol that nobody speaks here; and what kernels do not specify.
const TROUBLE: [&str; 11] = [
    "QDISC_",
    "FULL_RING",
    "NOMEM",
    "CPU_BACKLOG",
    "NEIGH_QUEUEFULL",
    "DEV_HDR",
    "DEV_READY",
    "SKB_CSUM",
    "SKB_GSO_SEG",
    "SKB_UCOPY_FAULT",
    "HDR_TRUNC",
];

/// True when drops of this reason are a link's trouble.
pub fn is_trouble(reason: &str) -> bool {
    TROUBLE.iter().any(|trouble| reason.starts_with(trouble))
}
