//! An AF_PACKET socket that sends many frames with one system call (packet(7), sendmmsg(2)).

use std::ffi::CString;
use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use super::headers::TARGET4;

/// `PACKET_VNET_HDR` and `PACKET_QDISC_BYPASS` of linux/if_packet.h.
const PACKET_VNET_HDR: libc::c_int = 15;
const PACKET_QDISC_BYPASS: libc::c_int = 20;
/// Discard (RFC 863).
const PORT: u16 = 9;

/// A socket that sends on one interface and receives nothing that matters.
pub struct Sender {
    socket: OwnedFd,
}

impl Sender {
    /// Opens a socket on `interface` of the calling thread's network namespace.
    ///
    /// `vnet`: every frame begins with a `virtio_net_hdr`. `bypass`: past the qdisc, and so past programs on tc egress.
    ///
    /// # Errors
    /// The system's: no such interface, no CAP_NET_RAW.
    pub fn open(interface: &str, vnet: bool, bypass: bool) -> io::Result<Sender> {
        let name = CString::new(interface)?;
        // SAFETY: `name` is a string that ends in NUL and outlives the call.
        let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
        let Ok(index @ 1..) = i32::try_from(index) else {
            return Err(io::Error::last_os_error());
        };
        // SAFETY: no pointers; the result is checked.
        let fd = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: `fd` was just opened and belongs to nobody else.
        let socket = unsafe { OwnedFd::from_raw_fd(fd) };
        // SAFETY: sockaddr_ll is made of integers: all zeros is a value of it.
        let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        address.sll_family = libc::AF_PACKET.cast_unsigned() as u16;
        address.sll_ifindex = index;
        let length = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
        // SAFETY: `address` lives through the call and `length` is its size.
        check(unsafe { libc::bind(fd, (&raw const address).cast(), length) })?;
        let sender = Sender { socket };
        if vnet {
            sender.set(libc::SOL_PACKET, PACKET_VNET_HDR, 1)?;
        }
        if bypass {
            sender.set(libc::SOL_PACKET, PACKET_QDISC_BYPASS, 1)?;
        }
        Ok(sender)
    }

    /// Opens an ordinary UDP socket to 198.51.100.2 through `interface`, whose packets the kernel cuts into pieces of `segment` bytes.
    ///
    /// # Errors
    /// The system's: no such interface, no address on it.
    pub fn udp(interface: &str, segment: usize) -> io::Result<Sender> {
        let socket = UdpSocket::bind("0.0.0.0:0")?;
        let fd = socket.as_raw_fd();
        let length = libc::socklen_t::try_from(interface.len()).map_err(io::Error::other)?;
        // SAFETY: the name lives through the call and `length` is its size.
        check(unsafe { libc::setsockopt(fd, libc::SOL_SOCKET, libc::SO_BINDTODEVICE, interface.as_ptr().cast(), length) })?;
        socket.connect((Ipv4Addr::from(TARGET4), PORT))?;
        let sender = Sender { socket: socket.into() };
        let segment = libc::c_int::try_from(segment).map_err(io::Error::other)?;
        sender.set(libc::SOL_UDP, libc::UDP_SEGMENT, segment)?;
        Ok(sender)
    }

    /// Sends frames in order; says how many went before the first that did not. 0 is never returned for a batch that is not empty.
    ///
    /// # Errors
    /// That of the first frame, when it did not go.
    pub fn send(&self, frames: &[Vec<u8>]) -> io::Result<usize> {
        let mut pieces: Vec<libc::iovec> =
            frames.iter().map(|frame| libc::iovec { iov_base: frame.as_ptr().cast_mut().cast(), iov_len: frame.len() }).collect();
        let mut messages: Vec<libc::mmsghdr> = pieces
            .iter_mut()
            .map(|piece| {
                // SAFETY: mmsghdr is made of integers and pointers: all zeros is a value of it.
                let mut message: libc::mmsghdr = unsafe { std::mem::zeroed() };
                message.msg_hdr.msg_iov = piece;
                message.msg_hdr.msg_iovlen = 1;
                message
            })
            .collect();
        let count = libc::c_uint::try_from(messages.len()).unwrap_or(libc::c_uint::MAX);
        // SAFETY: `messages` and what it points to (`pieces`, `frames`) live through the call, which does not write to the frames.
        let sent = unsafe { libc::sendmmsg(self.socket.as_raw_fd(), messages.as_mut_ptr(), count, 0) };
        usize::try_from(sent).map_err(|_| io::Error::last_os_error())
    }

    fn set(&self, level: libc::c_int, option: libc::c_int, value: libc::c_int) -> io::Result<()> {
        let length = size_of::<libc::c_int>() as libc::socklen_t;
        // SAFETY: `value` lives through the call and `length` is its size.
        check(unsafe { libc::setsockopt(self.socket.as_raw_fd(), level, option, (&raw const value).cast(), length) })
    }
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
