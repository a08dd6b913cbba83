//! The kernel side: loads the programs, attaches them, and reads what they keep.
//!
//! [`Kernel`] is for the agent's loop; [`Recorder`] is a handle of its own for the thread that reads the recorder.

pub mod attach;
mod btf;
mod carrier;
pub mod config;
pub mod cpus;
pub mod drops;
pub mod error;
pub mod ethtool;
pub mod features;
pub mod follow;
pub mod hook;
mod leftovers;
pub mod load;
pub mod lock;
pub mod netdev;
pub mod object;
mod pin;
mod pod;
pub mod recorder;
pub mod repeats;
pub mod rings;
mod sampling;
mod table;
pub mod test_run;

pub use attach::{LinkToTap, Tap};
pub use config::KernelConfig;
pub use error::KernelError;
pub use follow::{Follower, Passed};
pub use hook::{Hook, HookChoice};
pub use load::Kernel;
pub use recorder::{Depth, RawBlock, Recorder, Snapshot};
