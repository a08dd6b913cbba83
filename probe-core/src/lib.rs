//! Everything in Linkprobe that decides, and nothing that does I/O: no sockets, no files, no clock.
//!
//! Time is an argument ([`time::Mono`]), never a call.
#![forbid(unsafe_code)]

pub mod counts;
mod describe;
pub mod incident;
pub mod link;
pub mod netlink;
pub mod packet_id;
pub mod table;
pub mod record;
pub mod time;
pub mod timeline;
