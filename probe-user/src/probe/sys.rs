//! Socket calls that have no safe wrapper.

use std::io;
use std::mem::size_of;
use std::os::fd::{AsFd, AsRawFd};

use probe_core::time::Mono;

use crate::clock;

/// Ethernet type of ARP.
pub const ETH_P_ARP: u16 = 0x0806;
/// `SIOCGSTAMPNS` (asm-generic/sockios.h): the time stamp of the packet that was read last.
const SIOCGSTAMPNS: libc::c_ulong = 0x8907;
/// A stamp older than this is none: the wall clock was set since, nanoseconds.
const OLDEST_STAMP: u64 = 60_000_000_000;

/// Binds a packet socket to an interface and an Ethernet type: from here on it receives.
///
/// # Errors
/// The system's.
pub fn bind_packet(socket: impl AsFd, ifindex: u32, ethertype: u16) -> io::Result<()> {
    // SAFETY: zeros are a `sockaddr_ll`.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = ethertype.to_be();
    address.sll_ifindex = ifindex.cast_signed();
    let length = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
    // SAFETY: `address` is a socket address of that length.
    let result = unsafe { libc::bind(socket.as_fd().as_raw_fd(), (&raw const address).cast(), length) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Makes a socket send and receive through one interface only.
///
/// # Errors
/// The system's.
pub fn bind_device(socket: impl AsFd, name: &str) -> io::Result<()> {
    let length = libc::socklen_t::try_from(name.len()).map_err(io::Error::other)?;
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: `name` has that many bytes; the kernel copies them and adds the zero.
    let result = unsafe { libc::setsockopt(fd, libc::SOL_SOCKET, libc::SO_BINDTODEVICE, name.as_ptr().cast(), length) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// When the kernel received the packet that was read last; now, where it does not tell. The first call turns the stamps on.
pub fn received_at(socket: impl AsFd) -> Mono {
    let now = clock::now();
    let mut stamp = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes a `timespec` to where one is.
    let result = unsafe { libc::ioctl(socket.as_fd().as_raw_fd(), SIOCGSTAMPNS as _, &raw mut stamp) };
    if result != 0 {
        return now;
    }
    // The stamp is of the wall clock: its age is that on any clock.
    let wall = i128::from(clock::wall_offset().wall_ns(now));
    let age = wall - (i128::from(stamp.tv_sec) * 1_000_000_000 + i128::from(stamp.tv_nsec));
    u64::try_from(age).ok().filter(|age| *age < OLDEST_STAMP).map_or(now, |age| now.minus(age))
}
