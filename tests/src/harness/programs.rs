//! BPF programs on an interface: which are there, and one of somebody else's to be left alone (bpf(2)).
//!
//! By plain system calls, not by the agent's library: a mistake there would not be seen here.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use anyhow::{Context, Result};

use super::netns::Netns;

const PROG_LOAD: libc::c_int = 5;
const PROG_GET_FD_BY_ID: libc::c_int = 13;
const OBJ_GET_INFO_BY_FD: libc::c_int = 15;
const PROG_QUERY: libc::c_int = 16;
const LINK_CREATE: libc::c_int = 28;
const SCHED_CLS: u32 = 3;
const TCX_INGRESS: u32 = 46;
const TCX_EGRESS: u32 = 47;
const XDP: u32 = 37;
const XDP_PROGRAM: u32 = 6;

/// Where a program can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// tcx, what comes in.
    Ingress,
    /// tcx, what goes out.
    Egress,
    /// XDP.
    Xdp,
}

/// Names of the programs at a tcx hook of a link, in their order.
///
/// # Errors
/// The system's: no such link, no tcx in this kernel.
pub fn attached(netns: &Netns, link: &str, hook: Hook) -> Result<Vec<String>> {
    netns.run(|| query(link, hook))?.with_context(|| format!("programs at {hook:?} of {link}"))
}

/// A program of somebody else at a hook of a link: it lets everything pass. Gone with the value.
#[derive(Debug)]
pub struct Foreign {
    _link: OwnedFd,
}

impl Foreign {
    /// The name of such a program.
    pub const NAME: &'static str = "somebody_else";

    /// Attaches one.
    ///
    /// # Errors
    /// The system's.
    pub fn attach(netns: &Netns, link: &str, hook: Hook) -> Result<Foreign> {
        let link = netns.run(|| attach(link, hook))?.with_context(|| format!("a program at {hook:?} of {link}"))?;
        Ok(Foreign { _link: link })
    }
}

/// `union bpf_attr` as words of 32 bits, zero where nothing is said.
type Attributes = [u32; 36];

fn bpf(command: libc::c_int, attributes: &mut Attributes) -> io::Result<libc::c_int> {
    // SAFETY: the kernel reads and writes at most the size that is given, and what the addresses in `attributes` lead to; every
    // caller passes buffers that live through the call, with their true sizes.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, attributes.as_mut_ptr(), size_of::<Attributes>()) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result as libc::c_int) }
}

fn put_address(attributes: &mut Attributes, word: usize, address: u64) {
    attributes[word] = address as u32;
    attributes[word + 1] = (address >> 32) as u32;
}

fn query(link: &str, hook: Hook) -> io::Result<Vec<String>> {
    let mut ids = [0u32; 64];
    let mut attributes: Attributes = [0; 36];
    attributes[0] = index(link)?;
    attributes[1] = kind(hook);
    put_address(&mut attributes, 4, ids.as_mut_ptr() as u64);
    attributes[6] = 64;
    bpf(PROG_QUERY, &mut attributes)?;
    let count = (attributes[6] as usize).min(ids.len());
    ids[..count].iter().map(|id| name(*id)).collect()
}

fn name(id: u32) -> io::Result<String> {
    let mut attributes: Attributes = [0; 36];
    attributes[0] = id;
    let fd = bpf(PROG_GET_FD_BY_ID, &mut attributes)?;
    // SAFETY: the kernel has just opened `fd` for us.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    // struct bpf_prog_info: the name stands at byte 64
    let mut info = [0u8; 80];
    let mut attributes: Attributes = [0; 36];
    attributes[0] = fd.as_raw_fd().cast_unsigned();
    attributes[1] = info.len() as u32;
    put_address(&mut attributes, 2, info.as_mut_ptr() as u64);
    bpf(OBJ_GET_INFO_BY_FD, &mut attributes)?;
    let raw = &info[64..80];
    let end = raw.iter().position(|byte| *byte == 0).unwrap_or(raw.len());
    Ok(String::from_utf8_lossy(&raw[..end]).into_owned())
}

fn attach(link: &str, hook: Hook) -> io::Result<OwnedFd> {
    // r0 = TCX_NEXT (-1) or XDP_PASS (2); exit
    let verdict: i32 = if hook == Hook::Xdp { 2 } else { -1 };
    let program: [u64; 2] = [0xb7 | u64::from(verdict.cast_unsigned()) << 32, 0x95];
    let licence = c"GPL";
    let mut attributes: Attributes = [0; 36];
    attributes[0] = if hook == Hook::Xdp { XDP_PROGRAM } else { SCHED_CLS };
    attributes[1] = 2;
    put_address(&mut attributes, 2, program.as_ptr() as u64);
    put_address(&mut attributes, 4, licence.as_ptr() as u64);
    for (i, piece) in Foreign::NAME.as_bytes().chunks(4).enumerate() {
        let mut word = [0; 4];
        word[..piece.len()].copy_from_slice(piece);
        attributes[12 + i] = u32::from_ne_bytes(word);
    }
    attributes[17] = kind(hook);
    let program = bpf(PROG_LOAD, &mut attributes)?;
    // SAFETY: the kernel has just opened it for us.
    let program = unsafe { OwnedFd::from_raw_fd(program) };
    let mut attributes: Attributes = [0; 36];
    attributes[0] = program.as_raw_fd().cast_unsigned();
    attributes[1] = index(link)?;
    attributes[2] = kind(hook);
    let fd = bpf(LINK_CREATE, &mut attributes)?;
    // SAFETY: the kernel has just opened it for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn kind(hook: Hook) -> u32 {
    match hook {
        Hook::Ingress => TCX_INGRESS,
        Hook::Egress => TCX_EGRESS,
        Hook::Xdp => XDP,
    }
}

fn index(link: &str) -> io::Result<u32> {
    let name = CString::new(link)?;
    // SAFETY: `name` ends in NUL and outlives the call.
    match unsafe { libc::if_nametoindex(name.as_ptr()) } {
        0 => Err(io::Error::last_os_error()),
        index => Ok(index),
    }
}
