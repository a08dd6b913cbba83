//! A frame as the stages see it, whichever hook it came from.

use core::mem::MaybeUninit;

use aya_ebpf::{
    EbpfContext as _,
    helpers::generated::{bpf_skb_load_bytes, bpf_xdp_get_buff_len, bpf_xdp_load_bytes},
    programs::{TcContext, XdpContext},
};
use probe_common::recorder::NO_QUEUE;

use crate::hide::{forget, hide, mask};

/// A frame at a hook.
pub trait Frame {
    /// Interface.
    fn ifindex(&self) -> u32;
    /// Length in bytes, without a tag that is not in the data.
    fn length(&self) -> u32;
    /// First byte that can be read directly.
    fn data(&self) -> usize;
    /// One past the last byte that can be read directly.
    fn data_end(&self) -> usize;
    /// Copies bytes, wherever they lie. False when they are not there.
    ///
    /// # Safety
    /// `to` takes `len` bytes; `len` is not 0.
    unsafe fn load(&self, from: u32, to: *mut u8, len: u32) -> bool;
    /// A VLAN tag that is not in the data.
    fn tag(&self) -> Tag;
    /// Packets that it is on the wire.
    fn segments(&self) -> u16;
    /// Queue.
    fn queue(&self, ingress: bool) -> u16;
}

/// A VLAN tag that is not in the data, or none. One integer, so that it lives in a register: of bytes on the stack old verifiers lose track,
/// and then take no two ways for the same.
#[derive(Clone, Copy)]
pub struct Tag(u64);

impl Tag {
    /// No tag.
    pub const NONE: Self = Self(0);
    const PRESENT: u64 = 1 << 32;

    /// The tag with these four bytes, as they would stand in the frame.
    #[inline(always)]
    pub fn new(bytes: [u8; 4]) -> Self {
        Self(Self::PRESENT | u64::from(u32::from_ne_bytes(bytes)))
    }

    /// True when there is one.
    #[inline(always)]
    pub fn is_some(self) -> bool {
        self.0 != 0
    }

    /// Its bytes; zeros when there is none.
    #[inline(always)]
    pub fn bytes(self) -> [u8; 4] {
        (self.0 as u32).to_ne_bytes()
    }
}

/// A header at `offset`, or `None` when the frame ends before its end. Reads directly where it can.
#[inline(always)]
pub fn header<F: Frame, T: Copy>(frame: &F, offset: usize) -> Option<T> {
    let start = hide((frame.data() + offset) as u64) as usize;
    if start + size_of::<T>() <= frame.data_end() {
        // SAFETY: the bytes are within the packet, as just compared; any bytes make a header.
        return Some(unsafe { (start as *const T).read_unaligned() });
    }
    let mut value = MaybeUninit::<T>::uninit();
    // SAFETY: `value` takes the bytes, and is read only when all were written; any bytes make a header.
    unsafe { frame.load(offset as u32, value.as_mut_ptr().cast(), size_of::<T>() as u32).then(|| value.assume_init()) }
}

/// Copies `captured` bytes of the frame, at least one, the tag put back.
///
/// # Safety
/// `to` takes `ROOM` bytes, a power of two, and `captured` is no more.
#[inline(always)]
pub unsafe fn fill<F: Frame, const ROOM: usize>(frame: &F, tag: Tag, to: *mut u8, captured: u32) -> bool {
    const TAG_AT: u32 = 12;
    // SAFETY: the caller's promise; the masks keep each copy within it.
    unsafe {
        if !tag.is_some() {
            let length = mask(u64::from(captured.wrapping_sub(1)), ROOM as u64) as u32 + 1;
            return frame.load(0, to, length);
        }
        if captured <= TAG_AT + 4 || !frame.load(0, to, TAG_AT) {
            return false;
        }
        to.add(TAG_AT as usize).cast::<[u8; 4]>().write(tag.bytes());
        // The test stands last, on a value that LLVM cannot trace, and 0 is excluded by an addition: 6.1's verifier follows
        // neither another order nor a test for "not 0".
        let less = hide(u64::from(captured - TAG_AT - 4 - 1));
        if less >= ROOM as u64 - u64::from(TAG_AT) - 4 {
            return false;
        }
        frame.load(TAG_AT, to.add(TAG_AT as usize + 4), less as u32 + 1)
    }
}

/// A frame at XDP.
pub struct XdpFrame {
    /// The program's context.
    pub ctx: XdpContext,
    /// The frame may be in several buffers: known by the program. Then its length takes a helper call.
    pub frags: bool,
}

impl Frame for XdpFrame {
    #[inline(always)]
    fn ifindex(&self) -> u32 {
        self.ctx.ingress_ifindex() as u32
    }

    #[inline(always)]
    fn length(&self) -> u32 {
        if self.frags {
            // Nothing in the context tells whether there are more buffers, so every frame pays for the call. The IP header's length would
            // do for most frames, but who sends bytes behind the packet would not be counted right. `xdp_buff.flags` can be read without a
            // call from Linux 6.2 on (`bpf_cast_to_kern_ctx`), which takes a loader that links kfuncs.
            // SAFETY: `ctx` is the program's context.
            unsafe { bpf_xdp_get_buff_len(self.ctx.ctx) as u32 }
        } else {
            forget((self.data_end() - self.data()) as u64) as u32
        }
    }

    #[inline(always)]
    fn data(&self) -> usize {
        self.ctx.data()
    }

    #[inline(always)]
    fn data_end(&self) -> usize {
        self.ctx.data_end()
    }

    #[inline(always)]
    unsafe fn load(&self, from: u32, to: *mut u8, len: u32) -> bool {
        // SAFETY: `ctx` is the program's context; the caller vouches for the rest.
        unsafe { bpf_xdp_load_bytes(self.ctx.ctx, from, to.cast(), len) == 0 }
    }

    #[inline(always)]
    fn tag(&self) -> Tag {
        Tag::NONE
    }

    #[inline(always)]
    fn segments(&self) -> u16 {
        1
    }

    #[inline(always)]
    fn queue(&self, _ingress: bool) -> u16 {
        self.ctx.rx_queue_index() as u16
    }
}

impl Frame for TcContext {
    #[inline(always)]
    fn ifindex(&self) -> u32 {
        // SAFETY: `skb` is the program's context.
        unsafe { (*self.skb.skb).ifindex }
    }

    #[inline(always)]
    fn length(&self) -> u32 {
        self.len()
    }

    #[inline(always)]
    fn data(&self) -> usize {
        TcContext::data(self)
    }

    #[inline(always)]
    fn data_end(&self) -> usize {
        TcContext::data_end(self)
    }

    #[inline(always)]
    unsafe fn load(&self, from: u32, to: *mut u8, len: u32) -> bool {
        // SAFETY: the pointer is the program's context; the caller vouches for the rest.
        unsafe { bpf_skb_load_bytes(self.as_ptr(), from, to.cast(), len) == 0 }
    }

    #[inline(always)]
    fn tag(&self) -> Tag {
        // SAFETY: `skb` is the program's context.
        let (present, proto, tci) =
            unsafe { ((*self.skb.skb).vlan_present, (*self.skb.skb).vlan_proto, (*self.skb.skb).vlan_tci) };
        // `vlan_proto` is in network order already, `vlan_tci` in the host's.
        let [p0, p1] = (proto as u16).to_ne_bytes();
        let [t0, t1] = (tci as u16).to_be_bytes();
        let tag = if present == 0 { Tag::NONE } else { Tag::new([p0, p1, t0, t1]) };
        // One way on with a tag and without, until it matters.
        Tag(forget(tag.0))
    }

    #[inline(always)]
    fn segments(&self) -> u16 {
        // SAFETY: `skb` is the program's context.
        let (segments, size) = unsafe { ((*self.skb.skb).gso_segs, (*self.skb.skb).gso_size) };
        let segments = match segments {
            // A guest's packet says how long its segments are, and leaves their number to whoever asks: what is behind some 66 bytes
            // of headers, divided.
            0 if size != 0 => {
                (self.length().saturating_sub(66).saturating_add(size - 1) / size).clamp(1, u32::from(u16::MAX)) as u16
            }
            0 => 1,
            n if n > u32::from(u16::MAX) => u16::MAX,
            n => n as u16,
        };
        forget(u64::from(segments)) as u16
    }

    #[inline(always)]
    fn queue(&self, ingress: bool) -> u16 {
        // The transmit queue is chosen after this hook; what stands here then is left over from elsewhere.
        // SAFETY: `skb` is the program's context.
        match unsafe { (*self.skb.skb).queue_mapping } {
            n if ingress && n > 0 => (n - 1) as u16,
            _ => NO_QUEUE,
        }
    }
}
