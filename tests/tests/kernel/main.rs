//! The kernel programs and their loader, on veth pairs in namespaces. Needs root: `cargo xtask test` runs it.

mod classes;
mod edges;
mod killed;
mod lab;
mod others;
mod taps;
mod torn;
