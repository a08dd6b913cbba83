//! rtnetlink's two uses: [`Monitor`] hears of every change, [`dump_links`] asks for everything at once.
//!
//! Only bytes move here; [`probe_core::netlink`] decodes them.

mod dump;
mod monitor;

pub use dump::dump_links;
pub use monitor::{Monitor, Received};
