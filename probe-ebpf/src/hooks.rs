//! The entries. Each passes the frame on, whatever comes of looking at it.

use aya_ebpf::{
    bindings::{tcx_action_base::TCX_NEXT, xdp_action::XDP_PASS},
    macros::{classifier, xdp},
    programs::{TcContext, XdpContext},
};

use crate::tap::{Direction, try_tap};

/// Frames that an interface receives, before the stack.
#[xdp(frags)]
pub fn lp_xdp_ingress(ctx: XdpContext) -> u32 {
    try_tap(&ctx, Direction::Ingress);
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
