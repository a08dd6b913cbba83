//! Old captures, told to the engine as if they happened now.
//!
//! What a running agent knows from the kernel must be found in the packets themselves: first a [`Scout`] looks through the files,
//! then [`plan()`] decides which links there are, what they are to each other and which addresses are ours. [`Replay`] then tells the
//! engine of every packet.

mod engine;
mod name;
mod plan;
mod scout;
#[cfg(test)]
mod tests;

pub use engine::{Kept, Replay};
pub use name::link_name;
pub use plan::{LacpOf, Plan, Planned, Role, Wanted, plan};
pub use scout::Scout;

/// Links of all files together, at most; what passes further ones is taken for one link's, [`FURTHER`].
pub const MOST_LINKS: usize = 1024;
/// See [`MOST_LINKS`].
pub const FURTHER: &str = "further-links";

/// A hardware address.
pub type Mac = [u8; 6];

/// Whoever knows the links by name.
pub trait Links {
    /// Index of the link of this name, which is new where none has it; `mac` as its file describes it, or zeros.
    fn link(&mut self, name: &str, mac: Mac) -> usize;
}
