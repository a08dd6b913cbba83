//! Linkprobe's agent: loader, netlink, rings, files.

pub mod agent;
pub mod analyze;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod control;
pub mod export;
pub mod incident;
pub mod kernel;
pub mod logs;
pub mod metrics;
pub mod netlink;
pub mod probe;
pub mod readable;
pub mod recovery;
pub mod text;
