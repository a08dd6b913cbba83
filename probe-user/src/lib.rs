//! Linkprobe's agent: loader, netlink, rings, files.

pub mod clock;
pub mod config;
pub mod control;
pub mod kernel;
pub mod netlink;
pub mod readable;
