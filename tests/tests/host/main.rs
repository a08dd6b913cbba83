//! The agent on this machine's own kernel: veth pairs in network namespaces, no bonds. As root: `cargo xtask test`.

mod commands;
mod disk;
mod files;
mod harness;
mod lab;
mod links;
mod load;
mod netlink;
mod recorded;
mod refusals;
mod restart;
mod triggers;
