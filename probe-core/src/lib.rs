//! Everything in Linkprobe that decides, and nothing that does I/O: no sockets, no files, no clock.
//!
//! Time is an argument ([`time::Mono`]), never a call.
#![forbid(unsafe_code)]

pub mod counts;
mod describe;
pub mod flight;
pub mod incident;
pub mod link;
pub mod netlink;
pub mod packet_id;
pub mod record;
#[cfg(test)]
mod samples;
pub mod table;
pub mod time;
pub mod timeline;
pub mod trigger;
