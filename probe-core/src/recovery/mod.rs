//! Recovery: one slave after another is taken out of its bond and put back, where an incident asks for it and it is safe.

mod cause;
mod mode;

pub use cause::{Cause, UnknownCause, causes};
pub use mode::{RecoverMode, UnknownMode};
