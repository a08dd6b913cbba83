//! The agent on this machine's own kernel: veth pairs in network namespaces, no bonds. As root: `cargo xtask test`.

mod analyze;
mod command;
mod commands;
mod degrades;
mod disk;
mod files;
mod filter;
mod harness;
mod held;
mod history;
mod lab;
mod links;
mod load;
mod logs;
mod matrix;
mod netlink;
mod page;
mod reach;
mod recorded;
mod refusals;
mod reload;
mod restart;
mod storm;
mod triggers;
