//! Packets that the kernel drops, by interface, reason and place.

/// Entries of the DROPS map.
pub const MAX_DROPS: u32 = 1024;
/// Reasons below this are none: `SKB_NOT_DROPPED_YET` and `SKB_CONSUMED` (include/net/dropreason-core.h). Before 6.4 1 is
/// `SKB_DROP_REASON_NOT_SPECIFIED`: the loader says where they begin.
pub const FIRST_REASON: u32 = 2;

/// Key of the DROPS map.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct DropKey {
    /// Address of the function that dropped.
    pub location: u64,
    /// Interface.
    pub ifindex: u32,
    /// `enum skb_drop_reason` of the running kernel.
    pub reason: u32,
}
const _: () = assert!(size_of::<DropKey>() == 16);
