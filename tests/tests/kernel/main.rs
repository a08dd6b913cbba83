//! The kernel programs and their loader, on veth pairs in namespaces. Needs root: `cargo xtask test` runs it.

mod classes;
mod drops;
mod edges;
mod events;
mod killed;
mod lab;
mod others;
mod repeats;
mod samples;
mod taps;
mod torn;
mod versions;
