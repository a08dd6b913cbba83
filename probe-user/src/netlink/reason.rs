//! Asks drivers why their links have no carrier: on threads of their own, for a driver may take its time.

use std::sync::Arc;

use probe_core::netlink::link_reason;
use tokio::sync::{Semaphore, mpsc};

use super::genl;
use super::request::put;

/// `ETHTOOL_MSG_LINKSTATE_GET`, `ETHTOOL_A_LINKSTATE_HEADER`, `ETHTOOL_A_HEADER_DEV_INDEX` (linux/ethtool_netlink.h).
const LINKSTATE_GET: u8 = 6;
const LINKSTATE_HEADER: u16 = 1;
const HEADER_DEV_INDEX: u16 = 1;
/// An attribute that holds others.
const NESTED: u16 = 0x8000;
/// Drivers that are asked at the same time; what does not fit is asked at the next change.
const AT_ONCE: usize = 4;

/// A link and its reason, in words.
pub type Reason = (u32, String);

/// Asks.
#[derive(Debug)]
pub struct ReasonAsker {
    told: mpsc::UnboundedSender<Reason>,
    room: Arc<Semaphore>,
}

impl ReasonAsker {
    /// Reasons come through the receiver; of drivers that tell none nothing comes.
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Reason>) {
        let (told, reasons) = mpsc::unbounded_channel();
        (Self { told, room: Arc::new(Semaphore::new(AT_ONCE)) }, reasons)
    }

    /// Asks about a link. Never blocks; to be called within the runtime.
    pub fn ask(&self, ifindex: u32) {
        let Ok(permit) = Arc::clone(&self.room).try_acquire_owned() else { return };
        let told = self.told.clone();
        tokio::task::spawn_blocking(move || {
            if let Some(reason) = reason(ifindex) {
                // Who no longer listens is about to end.
                let _ = told.send((ifindex, reason));
            }
            drop(permit);
        });
    }
}

fn reason(ifindex: u32) -> Option<String> {
    let mut header = Vec::new();
    put(&mut header, HEADER_DEV_INDEX, &ifindex.to_ne_bytes());
    link_reason(ifindex, &genl::ask("ethtool", LINKSTATE_GET, LINKSTATE_HEADER | NESTED, &header)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_is_answered_for_and_has_no_reason() {
        let mut header = Vec::new();
        put(&mut header, HEADER_DEV_INDEX, &1u32.to_ne_bytes());
        let answer = genl::ask("ethtool", LINKSTATE_GET, LINKSTATE_HEADER | NESTED, &header).expect("the kernel answers");
        let link = super::super::request::find(&answer, 2).expect("ETHTOOL_A_LINKSTATE_LINK");
        assert_eq!(link, [1], "it has its link");
        assert_eq!(reason(1), None);
        assert_eq!(reason(u32::MAX >> 1), None, "no such link");
    }
}
