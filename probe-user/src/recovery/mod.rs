//! What a recovery does: [`Doer`] carries out its orders on a thread of its own, [`command`] runs the operator's command, [`keep`]
//! writes what became of it beside its incident.
//!
//! What is decided is decided by [`probe_core::recovery`].

pub mod command;
mod doer;
pub mod keep;
mod state;

pub use doer::Doer;
pub use state::StateFile;

use probe_core::recovery::Refusal;

/// What comes back.
#[derive(Debug)]
pub enum Report {
    /// Of the order of this number.
    Done(u64, Result<(), Refusal>),
    /// What became of a recovery is on disk; or why not.
    Kept(Result<(), String>),
    /// The command ended: whether well, and what is to be said of it.
    Command(bool, String),
}
