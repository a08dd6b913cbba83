//! The agent on real bonds, on the kernels of the VM rig. As root, inside: `cargo xtask test --only vm`.

mod bond_down;
mod changes;
mod clock;
mod diagnostics;
mod edges;
mod exported;
mod harness;
mod lab;
mod lacp;
mod logs;
mod recorded;
mod recovery;
mod restart;
mod sflow;
mod zoo;
