//! Names that the kernel programs and their loader agree on.

/// Programs. They begin with `lp_`, so that leftovers can be told from other people's; the kernel keeps 15 characters.
pub mod program {
    /// XDP, receive, each frame in one buffer.
    pub const XDP_INGRESS: &str = "lp_xdp_ingress";
    /// XDP, receive, frames in several buffers too.
    pub const XDP_FRAGS: &str = "lp_xdp_frags";
    /// Classifier, receive.
    pub const TC_INGRESS: &str = "lp_tc_ingress";
    /// Classifier, transmit.
    pub const TC_EGRESS: &str = "lp_tc_egress";
    /// At entry of `netif_carrier_on`.
    pub const CARRIER_ON: &str = "lp_carrier_on";
    /// At entry of `netif_carrier_off`.
    pub const CARRIER_OFF: &str = "lp_carrier_off";
    /// At the tracepoint `kfree_skb`.
    pub const KFREE_SKB: &str = "lp_kfree_skb";
    /// An XDP program that does nothing: the benchmark's zero.
    pub const XDP_EMPTY: &str = "lp_xdp_empty";
    /// A classifier that does nothing: the benchmark's zero.
    pub const TC_EMPTY: &str = "lp_tc_empty";
}

/// Maps.
pub mod map {
    /// `Array<TapSlot>`, [`crate::tap::TAP_SLOTS`] entries.
    pub const TAPS: &str = "TAPS";
    /// `Array<TapInfo>`, [`crate::tap::MAX_TAPS`] entries; only userspace uses it.
    pub const TAP_INFO: &str = "TAP_INFO";
    /// `PerCpuArray<TapCounters>`, [`crate::tap::MAX_TAPS`] entries.
    pub const COUNTERS: &str = "COUNTERS";
    /// `PerCpuArray<Losses>`, 1 entry.
    pub const LOSSES: &str = "LOSSES";
    /// `PerCpuArray<Lanes>`, 1 entry.
    pub const LANES: &str = "LANES";
    /// `Array<Block>`, mmap-able.
    pub const RECORDER: &str = "RECORDER";
    /// Ring buffer of [`crate::event::Sample`].
    pub const SAMPLES: &str = "SAMPLES";
    /// Ring buffer of [`crate::event::CarrierEdge`] and [`crate::event::FrameEvent`].
    pub const EVENTS: &str = "EVENTS";
    /// Ring buffer of [`crate::recorder::Filled`].
    pub const FILLED: &str = "FILLED";
    /// `PerCpuArray<FrameEvent>`, 1 entry: where an event is put together.
    pub const EVENT: &str = "EVENT";
    /// `Array<RepeatTable>`, one entry per CPU, mmap-able.
    pub const REPEATS: &str = "REPEATS";
    /// `PerCpuHashMap<DropKey, u64>`.
    pub const DROPS: &str = "DROPS";
    /// `Array<Layout>`, 1 entry: how the maps were made; only userspace uses it.
    pub const LAYOUT: &str = "LAYOUT";
}

/// Load-time parameters; all are `u32` but where noted.
pub mod global {
    /// Bits of [`crate::stage`].
    pub const STAGES: &str = "STAGES";
    /// Bytes kept of a frame in the bulk lane: 64 to [`crate::recorder::MAX_SNAPLEN`].
    pub const SNAPLEN: &str = "SNAPLEN";
    /// Bytes kept of a frame in the control lane: the same limits.
    pub const CONTROL_SNAPLEN: &str = "CONTROL_SNAPLEN";
    /// Blocks of the control lane per CPU, at least 2.
    pub const BLOCKS_CONTROL: &str = "BLOCKS_CONTROL";
    /// Blocks of the bulk lane per CPU, at least 2.
    pub const BLOCKS_BULK: &str = "BLOCKS_BULK";
    /// Nanoseconds from copy to copy below which a repeat is a storm.
    pub const STORM_NS: &str = "STORM_NS";
    /// Nanoseconds within which an equal frame is a repeat; other than [`crate::repeat::WINDOW_NS`] in benchmarks only.
    pub const REPEAT_WINDOW_NS: &str = "REPEAT_WINDOW_NS";
    /// Not 0: publish with atomic instructions. Needed where plain stores may pass each other (any CPU but x86),
    /// and where a program may be preempted by another on its CPU (PREEMPT_RT).
    pub const ATOMIC: &str = "ATOMIC";
    /// Offset of `ifindex` in `struct net_device`, from BTF.
    pub const NETDEV_IFINDEX: &str = "NETDEV_IFINDEX";
    /// Offset of `state` in `struct net_device`, from BTF.
    pub const NETDEV_STATE: &str = "NETDEV_STATE";
    /// Offset of `nd_net` in `struct net_device`, from BTF; 0 when namespaces cannot be told apart.
    pub const NETDEV_NET: &str = "NETDEV_NET";
    /// Offset of `ns.inum` in `struct net`, from BTF.
    pub const NET_INUM: &str = "NET_INUM";
    /// Offset of `dev` in `struct sk_buff`, from BTF.
    pub const SKB_DEV: &str = "SKB_DEV";
    /// The first of `enum skb_drop_reason` that is a drop.
    pub const DROP_FIRST: &str = "DROP_FIRST";
    /// Inode of the network namespace whose edges are wanted: an ifindex means nothing without its namespace.
    pub const NETNS: &str = "NETNS";
    /// `u8`: aya-log's level, 0 for off.
    pub const AYA_LOG_LEVEL: &str = "AYA_LOG_LEVEL";
}
