//! The program that sends: a handful of instructions (RFC 9669), loaded by bpf(2).

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use crate::harness::bpf::{Attributes, PROG_LOAD, bpf, index, open, put_address};

use super::frames::{MARK, NUMBER};

const MAP_CREATE: libc::c_int = 0;
const PROG_TEST_RUN: libc::c_int = 10;
const ARRAY: u32 = 2;
const XDP: u32 = 6;
/// `BPF_F_TEST_XDP_LIVE_FRAMES`.
const LIVE_FRAMES: u32 = 2;
/// Frames that are sent at one go, and handed over before the next: what one turn of the receiver's loop takes (`NAPI_POLL_WEIGHT`).
const BATCH: u32 = 64;
/// The helper `bpf_redirect`.
const REDIRECT: u32 = 23;

/// A program that redirects frames into one link.
#[derive(Debug)]
pub struct Program {
    program: OwnedFd,
    // the numbers' map lives as long as the program does
    _numbers: Option<OwnedFd>,
}

impl Program {
    /// Loads one that redirects into `link` of the calling thread's network namespace, and puts a number into each frame, from 0 on, at
    /// [`NUMBER`].
    ///
    /// # Errors
    /// The system's: no such link, no CAP_BPF.
    pub fn numbering(link: &str) -> io::Result<Self> {
        let mut attributes: Attributes = [0; 36];
        // an array of one value of 8 bytes
        attributes[..4].copy_from_slice(&[ARRAY, 4, 8, 1]);
        let numbers = open(MAP_CREATE, &mut attributes)?;
        let fd = numbers.as_raw_fd().cast_unsigned();
        Ok(Self { program: load(&number_and_redirect(fd, index(link)?))?, _numbers: Some(numbers) })
    }

    /// Loads one that redirects into `link` and changes nothing.
    ///
    /// # Errors
    /// See [`Self::numbering`].
    pub fn plain(link: &str) -> io::Result<Self> {
        Ok(Self { program: load(&redirect(index(link)?))?, _numbers: None })
    }

    /// Sends `frame` so many times, as fast as it goes, on the CPU of the calling thread. All of them were handed to the link at
    /// the return; how many it took, the receiver's counters tell.
    ///
    /// # Errors
    /// The system's: EINTR when a signal came.
    pub fn send(&self, frame: &[u8], count: u32) -> io::Result<()> {
        let mut attributes: Attributes = [0; 36];
        attributes[0] = self.program.as_raw_fd().cast_unsigned();
        attributes[2] = u32::try_from(frame.len()).map_err(io::Error::other)?;
        put_address(&mut attributes, 4, frame.as_ptr() as u64);
        attributes[8] = count;
        attributes[16] = LIVE_FRAMES;
        attributes[18] = BATCH;
        bpf(PROG_TEST_RUN, &mut attributes)?;
        Ok(())
    }
}

/// Puts the number that the array `fd` holds into the frame, adds one to it, and redirects.
fn number_and_redirect(fd: u32, ifindex: u32) -> Vec<u64> {
    let mut code = vec![
        // r2 = data, r3 = data_end; out when the number's place is not in the frame
        instruction(0x61, 2, 1, 0, 0),
        instruction(0x61, 3, 1, 4, 0),
        instruction(0xbf, 4, 2, 0, 0),
        instruction(0x07, 4, 0, 0, MARK as u32),
        instruction(0x2d, 4, 3, 6, 0),
        // r5 = the value's place (BPF_PSEUDO_MAP_VALUE, two instructions long)
        instruction(0x18, 5, 2, 0, fd),
        0,
        // the number goes into the frame, and one is added
        instruction(0x79, 0, 5, 0, 0),
        instruction(0x7b, 2, 0, NUMBER as u16, 0),
        instruction(0x07, 0, 0, 0, 1),
        instruction(0x7b, 5, 0, 0, 0),
    ];
    code.extend(redirect(ifindex));
    code
}

/// `return bpf_redirect(ifindex, 0)`.
fn redirect(ifindex: u32) -> [u64; 4] {
    [
        instruction(0xb7, 1, 0, 0, ifindex),
        instruction(0xb7, 2, 0, 0, 0),
        instruction(0x85, 0, 0, 0, REDIRECT),
        instruction(0x95, 0, 0, 0, 0),
    ]
}

fn instruction(code: u8, to: u8, from: u8, offset: u16, number: u32) -> u64 {
    u64::from(code) | u64::from(to) << 8 | u64::from(from) << 12 | u64::from(offset) << 16 | u64::from(number) << 32
}

fn load(code: &[u64]) -> io::Result<OwnedFd> {
    let mut attributes: Attributes = [0; 36];
    attributes[0] = XDP;
    attributes[1] = u32::try_from(code.len()).map_err(io::Error::other)?;
    put_address(&mut attributes, 2, code.as_ptr() as u64);
    put_address(&mut attributes, 4, c"GPL".as_ptr() as u64);
    open(PROG_LOAD, &mut attributes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instruction_is_laid_out_as_the_kernel_reads_it() {
        // little-endian: opcode, registers, offset, immediate
        let bytes = instruction(0x7b, 2, 5, 42, 0x0102_0304).to_le_bytes();
        assert_eq!(bytes, [0x7b, 0x52, 42, 0, 4, 3, 2, 1]);
    }

    #[test]
    fn the_way_out_of_the_numbering_lands_on_the_redirection() {
        let code = number_and_redirect(3, 9);
        let (at, jump) = code.iter().enumerate().find(|(_, code)| **code as u8 == 0x2d).unwrap();
        let target = at + 1 + (jump >> 16) as usize % 0x10000;
        assert_eq!(code[target..], redirect(9));
    }
}
