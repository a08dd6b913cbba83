//! Linkprobe's agent: loader, netlink, rings, files.

pub mod clock;
pub mod control;
pub mod netlink;
pub mod readable;
