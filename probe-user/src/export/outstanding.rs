//! What a TCP socket has not had acknowledged.

use std::os::fd::{AsRawFd, BorrowedFd};

/// Bytes in the send queue: written, and not yet acknowledged by the other end's kernel (`SIOCOUTQ`, tcp(7)). All that can be known to be
/// there is what is not in it.
pub fn bytes(socket: BorrowedFd<'_>) -> u64 {
    let mut value: libc::c_int = 0;
    // SAFETY: the descriptor is borrowed and so open; the request writes one int, to which the pointer is valid.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut value) };
    // Not known: as if nothing was acknowledged.
    if result == 0 { u64::try_from(value).unwrap_or(0) } else { u64::MAX }
}
