//! BPF programs on an interface: which are there, and one of somebody else's to be left alone (bpf(2)).
//!
//! By plain system calls, not by the agent's library: a mistake there would not be seen here.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use anyhow::{Context, Result};

use super::bpf::{Attributes, PROG_LOAD, bpf, index, open, put_address};
use super::netns::Netns;

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
    let fd = open(PROG_GET_FD_BY_ID, &mut attributes)?;
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
    let program = open(PROG_LOAD, &mut attributes)?;
    let mut attributes: Attributes = [0; 36];
    attributes[0] = program.as_raw_fd().cast_unsigned();
    attributes[1] = index(link)?;
    attributes[2] = kind(hook);
    open(LINK_CREATE, &mut attributes)
}

fn kind(hook: Hook) -> u32 {
    match hook {
        Hook::Ingress => TCX_INGRESS,
        Hook::Egress => TCX_EGRESS,
        Hook::Xdp => XDP,
    }
}
