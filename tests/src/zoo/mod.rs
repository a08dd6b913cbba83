//! The fault zoo: real bonds that are broken by real means, and what the agent must make of each.

mod again;
mod breaks;
mod case;
mod expect;
pub mod fault;
mod lab;
mod table;

pub use again::run_fairly;
pub use breaks::Storm;
pub use case::{Case, Outcome, run_all};
pub use expect::{Expected, expected};
pub use fault::{Fault, Mode};
pub use lab::{Lab, NEXT_HOP, TARGET};
pub use table::table;
