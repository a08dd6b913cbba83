//! What tests with root need: network namespaces, links and bonds, the agent as a child process, and what it wrote.
//!
//! Everything that is made here has a name of its own, and is taken away when it goes out of scope, also when a test panics.

pub mod agent;
pub mod bond;
pub mod bpf;
pub mod browser;
pub mod collectors;
pub mod command;
pub mod disk;
pub mod healer;
pub mod incident;
pub mod json;
pub mod metrics;
pub mod mounts;
pub mod netns;
pub mod pcapng;
pub mod place;
pub mod programs;
pub mod scratch;
pub mod sender;
pub mod sfacctd;
pub mod sflow;
pub mod stall;
pub mod story;
pub mod syslogd;
pub mod tshark;
pub mod veth;
pub mod wait;

pub use agent::{Agent, Launch};
pub use bond::Bonds;
pub use collectors::Collectors;
pub use disk::Disk;
pub use healer::Healer;
pub use incident::Incident;
pub use mounts::Mounts;
pub use netns::Netns;
pub use scratch::Scratch;
pub use sender::Traffic;
pub use sfacctd::Sfacctd;
pub use syslogd::Syslogd;
pub use veth::Veth;
