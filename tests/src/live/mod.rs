//! Frames from the kernel's own hand: a program of a few instructions numbers a frame and redirects it into a link, and
//! BPF_PROG_TEST_RUN with live frames runs it as often as is asked for (Documentation/bpf/bpf_prog_run.rst). No socket, no buffer of the
//! stack, no copy: what a frame costs is then what its receiver does with it. [`frames`] builds the frames, [`program`] is the program,
//! [`generator`] paces it, and [`cpu`] tells what it took.
//!
//! The link is an end of a veth pair whose other end takes frames without buffers (`ethtool -K LINK gro on`, or a program of XDP there).

pub mod cpu;
pub mod frames;
pub mod generator;
pub mod program;

pub use generator::{Length, Order, Sent, send};
pub use program::Program;
