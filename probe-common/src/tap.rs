//! Taps: the places where frames are seen. A tap is an interface and a hook.

/// Most taps that one agent can have. A power of two.
pub const MAX_TAPS: usize = 256;
/// Slots of the map from ifindex to tap, addressed by `ifindex % TAP_SLOTS`. A power of two.
pub const TAP_SLOTS: usize = 65536;
/// No tap.
pub const NO_TAP: u16 = u16::MAX;

/// One slot of the map from ifindex to its taps.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TapSlot {
    /// The interface that the slot is for; 0 when it is free. Another ifindex may share the slot: compare.
    pub ifindex: u32,
    /// The tap that counts what comes in, or [`NO_TAP`].
    pub ingress: u16,
    /// The tap that counts what goes out, or [`NO_TAP`].
    pub egress: u16,
    /// Of this interface's packets one in so many is sampled, in either direction; 0 for none. Userspace may change it at any time.
    pub sample_rate: u32,
}
const _: () = assert!(size_of::<TapSlot>() == 12);

impl TapSlot {
    /// No interface's.
    pub const FREE: Self = Self { ifindex: 0, ingress: NO_TAP, egress: NO_TAP, sample_rate: 0 };
}

/// Hooks, as numbers of [`TapInfo::hook`].
pub mod hook {
    /// Native XDP.
    pub const XDP: u8 = 1;
    /// Generic XDP (only when it was asked for).
    pub const XDP_GENERIC: u8 = 2;
    /// tcx (6.6 and later).
    pub const TCX: u8 = 3;
    /// A classifier on the clsact qdisc.
    pub const CLSACT: u8 = 4;
}

/// Directions, as numbers of [`TapInfo::direction`].
pub mod direction {
    /// Frames that the interface receives.
    pub const INGRESS: u8 = 1;
    /// Frames that the interface transmits.
    pub const EGRESS: u8 = 2;
}

/// What a tap is: kept beside the recorder so that it describes itself, even to a later agent.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TapInfo {
    /// Interface; 0 when this tap id was never used.
    pub ifindex: u32,
    /// ifindex of the bond that the interface was a slave of when the tap was made, or 0.
    pub master: u32,
    /// Name of the interface, padded with zeros (`IFNAMSIZ`).
    pub name: [u8; 16],
    /// Hardware address.
    pub mac: [u8; 6],
    /// One of [`hook`].
    pub hook: u8,
    /// One of [`direction`].
    pub direction: u8,
}
const _: () = assert!(size_of::<TapInfo>() == 32);
