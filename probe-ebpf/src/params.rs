//! Load-time parameters. They are constants to the verifier, which removes the code of what is off.

use aya_ebpf::Global;
use probe_common::stage;

macro_rules! params {
    ($($name:ident = $default:expr;)*) => {
        $(
            #[doc = concat!("See `probe_common::names::global::", stringify!($name), "`.")]
            #[unsafe(no_mangle)]
            pub static $name: Global<u32> = Global::new($default);
        )*
    };
}

params! {
    STAGES = stage::COUNT | stage::CLASSIFY | stage::RECORD;
    SNAPLEN = 128;
    CONTROL_SNAPLEN = 256;
    BLOCKS_CONTROL = 2;
    BLOCKS_BULK = 2;
    STORM_NS = 1_000_000;
    REPEAT_WINDOW_NS = 1_000_000_000;
    ATOMIC = 1;
    NETDEV_IFINDEX = 0;
    NETDEV_STATE = 0;
    NETDEV_NET = 0;
    NET_INUM = 0;
    NETNS = 0;
    SKB_DEV = 0;
    DROP_FIRST = 2;
}

/// True when the stage (a bit of [`probe_common::stage`]) is on.
#[inline(always)]
pub fn on(stage: u32) -> bool {
    STAGES.load() & stage != 0
}
