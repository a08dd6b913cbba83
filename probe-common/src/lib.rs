//! The ABI between Linkprobe's kernel programs and its agent: `#[repr(C)]` records, constants and map names.
//!
//! Everything here is `Copy`, made of integers, without padding, and has its size asserted beside it.
//! A change to any layout or meaning raises [`ABI_VERSION`].
#![no_std]
#![forbid(unsafe_code)]

pub mod class;
pub mod counters;
pub mod drops;
pub mod event;
pub mod names;
pub mod recorder;
pub mod repeat;
pub mod tap;

/// Raised at every change of a layout or of a meaning in this crate.
/// An agent adopts maps that an earlier agent pinned only when both have the same version.
pub const ABI_VERSION: u32 = 3;

/// What the packet programs do, as bits of the global [`names::global::STAGES`]. Stages that are off cost nothing: the verifier removes them.
pub mod stage {
    /// Count per tap.
    pub const COUNT: u32 = 1;
    /// Parse; without it everything is of the class `other`.
    pub const CLASSIFY: u32 = 2;
    /// Record.
    pub const RECORD: u32 = 4;
    /// Sample.
    pub const SAMPLE: u32 = 8;
    /// Find repeats among what is recorded.
    pub const REPEAT: u32 = 16;
    /// Everything.
    pub const ALL: u32 = COUNT | CLASSIFY | RECORD | SAMPLE | REPEAT;
}
