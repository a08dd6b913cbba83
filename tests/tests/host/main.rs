//! The agent on this machine's own kernel: veth pairs in network namespaces, no bonds. As root: `cargo xtask test`.

mod harness;
mod lab;
