//! bpf(2) by plain system calls.

use std::ffi::CString;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

/// `BPF_PROG_LOAD` of linux/bpf.h.
pub const PROG_LOAD: libc::c_int = 5;

/// `union bpf_attr` as words of 32 bits, zero where nothing is said.
pub type Attributes = [u32; 36];

/// One call.
///
/// # Errors
/// The system's.
pub fn bpf(command: libc::c_int, attributes: &mut Attributes) -> io::Result<libc::c_int> {
    // SAFETY: the kernel reads and writes at most the size that is given, and what the addresses in `attributes` lead to; every
    // caller passes buffers that live through the call, with their true sizes.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, attributes.as_mut_ptr(), size_of::<Attributes>()) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result as libc::c_int) }
}

/// A call that opens a descriptor.
///
/// # Errors
/// The system's.
pub fn open(command: libc::c_int, attributes: &mut Attributes) -> io::Result<OwnedFd> {
    let fd = bpf(command, attributes)?;
    // SAFETY: the kernel has just opened it for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Puts an address or another number of 64 bits at a word and the next.
pub fn put_address(attributes: &mut Attributes, word: usize, address: u64) {
    attributes[word] = address as u32;
    attributes[word + 1] = (address >> 32) as u32;
}

/// Number of a link of the calling thread's network namespace.
///
/// # Errors
/// The system's: no such link.
pub fn index(link: &str) -> io::Result<u32> {
    let name = CString::new(link)?;
    // SAFETY: `name` ends in NUL and outlives the call.
    match unsafe { libc::if_nametoindex(name.as_ptr()) } {
        0 => Err(io::Error::last_os_error()),
        index => Ok(index),
    }
}
