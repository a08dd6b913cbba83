//! Edges of carriers, at the instruction that makes them. Runs only where the kernel allows tracing programs.

use aya_ebpf::{
    helpers::{bpf_probe_read_kernel, generated::bpf_ktime_get_ns},
    macros::fentry,
    programs::FEntryContext,
};
use probe_common::event::{CarrierEdge, kind};

use crate::{
    maps,
    params::{NET_INUM, NETDEV_IFINDEX, NETDEV_NET, NETDEV_STATE, NETNS},
};

/// `__LINK_STATE_NOCARRIER` of include/linux/netdevice.h, as a bit of `net_device.state`.
const NOCARRIER: u64 = 1 << 2;

/// `netif_carrier_on(dev)`.
#[fentry(function = "netif_carrier_on")]
pub fn lp_carrier_on(ctx: FEntryContext) -> i32 {
    try_edge(&ctx, kind::CARRIER_ON);
    0
}

/// `netif_carrier_off(dev)`.
#[fentry(function = "netif_carrier_off")]
pub fn lp_carrier_off(ctx: FEntryContext) -> i32 {
    try_edge(&ctx, kind::CARRIER_OFF);
    0
}

/// Both functions do nothing when the carrier is so already, and drivers call them again and again: only a change is an edge.
#[inline(always)]
fn try_edge(ctx: &FEntryContext, kind: u32) -> Option<()> {
    let device: *const u8 = ctx.arg(0);
    let state: u64 = field(device, NETDEV_STATE.load())?;
    let no_carrier = state & NOCARRIER != 0;
    if no_carrier != (kind == kind::CARRIER_ON) {
        return None;
    }
    if NETDEV_NET.load() != 0 {
        let net: *const u8 = field(device, NETDEV_NET.load())?;
        if field::<u32>(net, NET_INUM.load())? != NETNS.load() {
            return None;
        }
    }
    let ifindex: u32 = field(device, NETDEV_IFINDEX.load())?;
    // SAFETY: the helper takes nothing and cannot fail.
    let at_ns = unsafe { bpf_ktime_get_ns() };
    let edge = CarrierEdge { at_ns, kind, ifindex };
    match maps::EVENTS.reserve::<CarrierEdge>(0) {
        Some(mut entry) => {
            entry.write(edge);
            entry.submit(0);
        }
        None => {
            let losses = maps::LOSSES.get_ptr_mut(0)?;
            // SAFETY: a map value of this CPU, alive as long as the program runs.
            unsafe { (*losses).events_lost += 1 };
        }
    }
    Some(())
}

/// A field of a kernel structure.
#[inline(always)]
fn field<T>(structure: *const u8, offset: u32) -> Option<T> {
    // SAFETY: the helper checks the address itself.
    unsafe { bpf_probe_read_kernel(structure.wrapping_add(offset as usize).cast()) }.ok()
}
