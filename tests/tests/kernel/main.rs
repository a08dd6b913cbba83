//! The kernel programs and their loader, on veth pairs in namespaces. Needs root: `cargo xtask test` runs it.
fn main() {}
