//! Packets of the watched interfaces that the kernel drops. Runs only where the kernel lets a program see `kfree_skb`.

use aya_ebpf::{bindings::BPF_NOEXIST, helpers::bpf_probe_read_kernel, macros::raw_tracepoint, programs::RawTracePointContext};
use probe_common::{
    drops::DropKey,
    tap::{NO_TAP, TAP_SLOTS},
};

use crate::{
    maps,
    params::{DROP_FIRST, NET_INUM, NETDEV_IFINDEX, NETDEV_NET, NETNS, SKB_DEV},
};

/// `kfree_skb(skb, location, reason)`; from 6.11 on there is a fourth argument.
#[raw_tracepoint(tracepoint = "kfree_skb")]
pub fn lp_kfree_skb(ctx: RawTracePointContext) -> i32 {
    try_drop(&ctx);
    0
}

#[inline(always)]
fn try_drop(ctx: &RawTracePointContext) -> Option<()> {
    let reason: u32 = ctx.arg::<u64>(2) as u32;
    if reason < DROP_FIRST.load() {
        return None;
    }
    let skb = ctx.arg::<u64>(0) as *const u8;
    let device: *const u8 = field(skb, SKB_DEV.load())?;
    if device.is_null() {
        return None;
    }
    let ifindex: u32 = field(device, NETDEV_IFINDEX.load())?;
    let slot = maps::TAPS.get(ifindex & (TAP_SLOTS as u32 - 1))?;
    if slot.ifindex != ifindex || slot.ingress == NO_TAP && slot.egress == NO_TAP {
        return None;
    }
    let net: *const u8 = field(device, NETDEV_NET.load())?;
    if field::<u32>(net, NET_INUM.load())? != NETNS.load() {
        return None;
    }
    let key = DropKey { location: ctx.arg::<u64>(1), ifindex, reason };
    if let Some(count) = maps::DROPS.get_ptr_mut(key) {
        // SAFETY: a map value of this CPU, alive as long as the program runs.
        unsafe { *count += 1 };
    } else if maps::DROPS.insert(key, 1, BPF_NOEXIST.into()).is_err()
        && let Some(losses) = maps::LOSSES.get_ptr_mut(0)
    {
        // SAFETY: as above.
        unsafe { (*losses).drops_uncounted += 1 };
    }
    Some(())
}

/// A field of a kernel structure.
#[inline(always)]
fn field<T>(structure: *const u8, offset: u32) -> Option<T> {
    // SAFETY: the helper checks the address itself.
    unsafe { bpf_probe_read_kernel(structure.wrapping_add(offset as usize).cast()) }.ok()
}
