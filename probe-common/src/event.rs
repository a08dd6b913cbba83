//! What the programs send to userspace: EVENTS at once, SAMPLES when they are asked for.
//!
//! An entry of EVENTS is a [`CarrierEdge`] or a [`FrameEvent`], by its [`kind`].

/// Kinds of events, as numbers of [`CarrierEdge::kind`].
pub mod kind {
    /// The kernel is about to turn an interface's carrier on.
    pub const CARRIER_ON: u32 = 1;
    /// The kernel is about to turn an interface's carrier off.
    pub const CARRIER_OFF: u32 = 2;
    /// A LACPDU passed: a [`super::FrameEvent`].
    pub const LACPDU: u32 = 3;
    /// An exemplar of a repeated frame: a [`super::FrameEvent`].
    pub const REPEAT: u32 = 4;
}

/// An edge of an interface's carrier, at the instruction that makes it (`netif_carrier_on`, `netif_carrier_off`).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CarrierEdge {
    /// `CLOCK_MONOTONIC`, nanoseconds.
    pub at_ns: u64,
    /// One of [`kind`].
    pub kind: u32,
    /// Interface.
    pub ifindex: u32,
}
const _: () = assert!(size_of::<CarrierEdge>() == 16);

/// Most LACPDUs that one tap sends to userspace in a second, per CPU. Two ends that work send one a second each.
pub const MOST_LACPDUS: u64 = 64;

/// Bytes of a frame in an event. A power of two.
pub const FRAME_BYTES: usize = 256;

/// A frame that userspace must see at once. Begins like a [`CarrierEdge`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameEvent {
    /// `CLOCK_MONOTONIC`, nanoseconds.
    pub at_ns: u64,
    /// [`kind::LACPDU`] or [`kind::REPEAT`].
    pub kind: u32,
    /// Interface.
    pub ifindex: u32,
    /// When the first copy of a repeated frame passed; else `at_ns`.
    pub first_ns: u64,
    /// Hash of what is compared of a repeated frame; else 0.
    pub hash: u64,
    /// Copies of a repeated frame so far, this one and the first included; else 1.
    pub copies: u64,
    /// Length of the frame in bytes, VLAN tags included, without FCS.
    pub length: u32,
    /// Tap id.
    pub tap: u16,
    /// Bytes of [`Self::bytes`] that are the frame's.
    pub captured: u16,
    /// One of [`crate::class::id`].
    pub class: u8,
    /// Bits of [`crate::recorder::flags`].
    pub flags: u8,
    /// 0: received, 1: transmitted.
    pub egress: u8,
    /// Zero.
    pub reserved: [u8; 5],
    /// The frame's first bytes.
    pub bytes: [u8; FRAME_BYTES],
}
const _: () = assert!(size_of::<FrameEvent>() == 56 + FRAME_BYTES);

/// Bytes of a frame in a sample.
pub const SAMPLE_BYTES: usize = 128;

/// Bytes of the SAMPLES ring buffer.
pub const SAMPLES_SIZE: u32 = 256 * 1024;
/// Bytes in it from which on userspace is woken: else it might be full before it is drained of itself.
pub const SAMPLES_WAKE: u64 = SAMPLES_SIZE as u64 / 2;

/// The frame of one packet out of N. What is drawn from are the packets on the wire: a frame that is many of them (GSO) is taken as many
/// times as often, and stands for one of them.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// `CLOCK_MONOTONIC`, nanoseconds.
    pub at_ns: u64,
    /// Length of the frame in bytes, VLAN tags included, without FCS.
    pub length: u32,
    /// The N of one in N.
    pub rate: u32,
    /// Packets on the wire that passed this tap on this CPU since the sample before that was not lost, those of this frame included.
    pub passed: u32,
    /// Samples of this tap and CPU that were lost in that time.
    pub lost: u32,
    /// Tap id.
    pub tap: u16,
    /// Bytes of [`Self::bytes`] that are the frame's.
    pub captured: u16,
    /// `gso_segs`, or 1.
    pub segments: u16,
    /// How many of its packets were drawn: 1 unless it is of more than N packets.
    pub hits: u16,
    /// One of [`crate::class::id`].
    pub class: u8,
    /// Bits of [`crate::recorder::flags`].
    pub flags: u8,
    /// Zero.
    pub reserved: [u8; 6],
    /// The frame's first bytes.
    pub bytes: [u8; SAMPLE_BYTES],
}
const _: () = assert!(size_of::<Sample>() == 40 + SAMPLE_BYTES);
