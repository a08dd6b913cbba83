//! Recovery: one slave after another is taken out of its bond and put back, where an incident asks for it and it is safe.
//!
//! Nothing is done but by [`Order`]s, one at a time, each only when the outcome of the one before is known; so a whole recovery is
//! a table in a unit test. [`guard`] says which slave may go, [`run`] is the way of one recovery, [`Recovery`] decides whether there
//! is to be one, and when the operator's command is run.

mod cause;
mod command;
mod config;
mod guard;
mod machine;
mod mode;
mod order;
mod record;
mod run;
mod sight;
mod status;
mod step;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod written;

pub use cause::{Cause, UnknownCause, causes};
pub use config::RecoveryConfig;
pub use machine::{Input, Recovery, STOP_WAIT};
pub use mode::{RecoverMode, UnknownMode};
pub use order::{Attempt, Call, Deed, Note, Order, Refusal, State};
pub use record::{Done, Outcome, Record};
pub use sight::{BondSight, LacpSight, Sight, SlaveSight, Trouble, TroubleKind};
pub use status::RecoveryStatus;
pub use step::Step;
pub use written::{Fire, Found, Written};
