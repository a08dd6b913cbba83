//! Everything in Linkprobe that decides, and nothing that does I/O: no sockets, no files, no clock.
//!
//! Time is an argument ([`time::Mono`]), never a call.
#![forbid(unsafe_code)]

pub mod classify;
pub mod counts;
mod describe;
pub mod direction;
pub mod drops;
pub mod dump;
pub mod facts;
pub mod filter;
pub mod flight;
pub mod frame;
pub mod incident;
pub mod lacp;
pub mod level;
pub mod link;
pub mod logs;
pub mod matrix;
pub mod metrics;
pub mod netlink;
pub mod notice;
pub mod packet_id;
pub mod past;
pub mod reach;
pub mod record;
pub mod recovery;
pub mod repeat;
pub mod replay;
#[cfg(test)]
mod samples;
pub mod sampling;
pub mod sflow;
pub mod table;
pub mod time;
pub mod timeline;
pub mod tone;
pub mod traffic;
pub mod trigger;
pub mod verdict;
