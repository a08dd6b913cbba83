//! tc filters that outlived the agent that made them. They are known by the name of their program, and others' are left alone.

use std::io;

use netlink_sys::protocols::NETLINK_ROUTE;
use probe_common::names::program;

use super::{KernelError, lock::Lock};
use crate::netlink::request::{self as nl, Ask};

/// linux/rtnetlink.h, linux/pkt_sched.h, linux/pkt_cls.h
const RTM_DELQDISC: u16 = 37;
const RTM_DELTFILTER: u16 = 45;
const RTM_GETTFILTER: u16 = 46;
const CLSACT_HANDLE: u32 = 0xffff_0000;
const CLSACT_PARENT: u32 = 0xffff_fff1;
const INGRESS_PARENT: u32 = 0xffff_fff2;
const EGRESS_PARENT: u32 = 0xffff_fff3;
const TCA_KIND: u16 = 1;
const TCA_OPTIONS: u16 = 2;
const TCA_BPF_NAME: u16 = 7;
const TCMSG: usize = 20;

/// A filter's place.
#[derive(Clone, Copy)]
struct Filter {
    ifindex: u32,
    handle: u32,
    parent: u32,
    /// Priority and protocol.
    info: u32,
}

/// Removes our filters from an interface. Returns how many there were.
pub fn remove_filters(ifindex: u32) -> Result<usize, KernelError> {
    let failed = |source| KernelError::Netlink { what: "removing an old tc filter", source };
    let filters = our_filters(ifindex).map_err(failed)?;
    for filter in &filters {
        let mut payload = tcmsg(*filter);
        nl::put(&mut payload, TCA_KIND, b"bpf\0");
        nl::request(NETLINK_ROUTE, RTM_DELTFILTER, &Ask::One, &payload).map_err(failed)?;
    }
    Ok(filters.len())
}

/// Removes our filters from every interface of this namespace that no agent watches. Returns how many there were.
pub fn sweep() -> Result<usize, KernelError> {
    let mut removed = 0;
    for ifindex in interfaces().map_err(|source| KernelError::Netlink { what: "listing links", source })? {
        if our_filters(ifindex).is_ok_and(|filters| filters.is_empty()) {
            continue;
        }
        // Whoever holds the lock is alive, and so are its filters.
        if let Ok(_lock) = Lock::interface(ifindex, "") {
            removed += remove_filters(ifindex)?;
        }
    }
    Ok(removed)
}

/// Removes the clsact qdisc when no filter is left on it. It is only asked of one that we made.
pub fn remove_empty_clsact(ifindex: u32) {
    let empty = |parent| filters(ifindex, parent).is_ok_and(|filters| filters.is_empty());
    if empty(INGRESS_PARENT) && empty(EGRESS_PARENT) {
        let mut payload = tcmsg(Filter { ifindex, handle: CLSACT_HANDLE, parent: CLSACT_PARENT, info: 0 });
        nl::put(&mut payload, TCA_KIND, b"clsact\0");
        // An interface that has vanished has no qdisc to remove.
        let _ = nl::request(NETLINK_ROUTE, RTM_DELQDISC, &Ask::One, &payload);
    }
}

fn our_filters(ifindex: u32) -> io::Result<Vec<Filter>> {
    let mut found = Vec::new();
    for (parent, ours) in [(INGRESS_PARENT, program::TC_INGRESS), (EGRESS_PARENT, program::TC_EGRESS)] {
        for answer in filters(ifindex, parent)? {
            let attributes = answer.get(TCMSG..).unwrap_or(&[]);
            let name = nl::find(attributes, TCA_OPTIONS).and_then(|options| nl::find(options, TCA_BPF_NAME)).map(nl::text);
            if name.as_deref() == Some(ours)
                && let (Some(handle), Some(info)) = (nl::u32_at(&answer, 8), nl::u32_at(&answer, 16))
            {
                found.push(Filter { ifindex, handle, parent, info });
            }
        }
    }
    Ok(found)
}

/// Every filter that is bound to a parent. None where there is no clsact qdisc.
fn filters(ifindex: u32, parent: u32) -> io::Result<Vec<Vec<u8>>> {
    let payload = tcmsg(Filter { ifindex, handle: 0, parent, info: 0 });
    match nl::request(NETLINK_ROUTE, RTM_GETTFILTER, &Ask::Dump, &payload) {
        // A chain answers for itself too, without a filter in it.
        Ok(answers) => Ok(answers.into_iter().filter(|answer| nl::u32_at(answer, 8).is_some_and(|handle| handle != 0)).collect()),
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::EINVAL | libc::EOPNOTSUPP | libc::ENODEV)) => {
            Ok(Vec::new())
        }
        Err(error) => Err(error),
    }
}

fn interfaces() -> io::Result<Vec<u32>> {
    const RTM_GETLINK: u16 = 18;
    let answers = nl::request(NETLINK_ROUTE, RTM_GETLINK, &Ask::Dump, &[0; 16])?;
    Ok(answers.iter().filter_map(|answer| nl::u32_at(answer, 4)).collect())
}

/// `struct tcmsg`.
fn tcmsg(filter: Filter) -> Vec<u8> {
    let mut message = vec![0; 4];
    for field in [filter.ifindex, filter.handle, filter.parent, filter.info] {
        message.extend_from_slice(&field.to_ne_bytes());
    }
    message
}
