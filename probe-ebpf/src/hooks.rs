//! The entries. Each passes the frame on, whatever comes of looking at it.

use aya_ebpf::{
    bindings::{tcx_action_base::TCX_NEXT, xdp_action::XDP_PASS},
    macros::{classifier, xdp},
    programs::{TcContext, XdpContext},
};

use crate::{
    frame::XdpFrame,
    tap::{Direction, try_tap},
};

/// Frames that an interface receives, before the stack, from a driver that has each in one buffer.
#[xdp]
pub fn lp_xdp_ingress(ctx: XdpContext) -> u32 {
    try_tap(&XdpFrame { ctx, frags: false }, Direction::Ingress);
    XDP_PASS
}

/// Frames that an interface receives, before the stack, in one buffer or several.
#[xdp(frags)]
pub fn lp_xdp_frags(ctx: XdpContext) -> u32 {
    try_tap(&XdpFrame { ctx, frags: true }, Direction::Ingress);
    XDP_PASS
}

/// Frames that an interface receives.
#[classifier]
pub fn lp_tc_ingress(ctx: TcContext) -> i32 {
    try_tap(&ctx, Direction::Ingress);
    TCX_NEXT
}

/// Frames that an interface transmits.
#[classifier]
pub fn lp_tc_egress(ctx: TcContext) -> i32 {
    try_tap(&ctx, Direction::Egress);
    TCX_NEXT
}

/// Nothing: what the benchmark subtracts.
#[xdp(frags)]
pub fn lp_xdp_empty(_ctx: XdpContext) -> u32 {
    XDP_PASS
}

/// Nothing: what the benchmark subtracts.
#[classifier]
pub fn lp_tc_empty(_ctx: TcContext) -> i32 {
    TCX_NEXT
}
