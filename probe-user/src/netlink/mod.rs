//! rtnetlink's uses: [`Monitor`] hears of every change, [`links`] asks for everything at once, [`StatsAsker`] for counters every second,
//! [`link`] and [`lacp_counters`] for what nobody tells unasked.
//!
//! [`network`] asks for addresses and routes as well.
//!
//! Only bytes move here; [`probe_core::netlink`] decodes them.

mod ask;
mod asker;
mod dump;
mod enslave;
pub(crate) mod genl;
mod links;
mod monitor;
mod network;
mod reason;
pub(crate) mod request;
mod stats;

pub use ask::{lacp_counters, link};
pub use asker::{Question, StatsAnswer, StatsAsker};
use dump::dump_links;
pub use enslave::{enslave, release, set_active, set_primary, set_slave, set_up};
pub use links::{Links, links};
pub use monitor::{Monitor, Received};
pub use network::{Changes, network};
pub use reason::{Reason, ReasonAsker};
