//! Values of maps as aya wants them.

use aya::Pod;
use probe_common::{
    counters::{Losses, TapCounters},
    drops::DropKey,
    recorder::{Lanes, Layout},
    tap::{TapInfo, TapSlot},
};

/// A value of the ABI that any bytes make.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Value<T>(pub T);

macro_rules! pod {
    ($($ty:ty),*) => {
        $(
            // SAFETY: `repr(C)`, made of integers, without padding (size asserted in probe-common): any bytes are a value.
            unsafe impl Pod for Value<$ty> {}
        )*
    };
}

pod!(DropKey, Layout, Lanes, Losses, TapCounters, TapInfo, TapSlot);
