//! Test traffic: what is sent ([`kind`], [`frame`]), what it carries ([`mark`]), how it is sent ([`sender`], [`run`]), and what the
//! sender says about it ([`numbers`]).

pub(crate) mod checksum;
pub mod frame;
mod headers;
pub mod kind;
pub mod mark;
pub mod numbers;
mod real;
pub mod run;
pub mod sender;

pub use frame::{Plan, build};
pub use kind::Kind;
pub use mark::{Seen, Verdict, verify};
pub use numbers::Numbers;
