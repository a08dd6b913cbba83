//! rtnetlink's two uses: [`Monitor`] hears of every change, [`links`] asks for everything at once.
//!
//! Only bytes move here; [`probe_core::netlink`] decodes them.

mod dump;
mod links;
mod monitor;
pub(crate) mod request;

use dump::dump_links;
pub use links::{Links, links};
pub use monitor::{Monitor, Received};
