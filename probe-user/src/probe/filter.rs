//! Classic BPF on the probes' sockets: only answers to our own questions wake the agent, however much else is received.

use std::io;
use std::mem::size_of_val;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd, AsRawFd};

use libc::sock_filter;

/// Takes the whole packet.
const TAKE: u32 = u32::MAX;
/// Offsets from here on count from the network header (`SKF_NET_OFF`, linux/filter.h).
const NETWORK: u32 = (-0x10_0000_i32).cast_unsigned();
/// Sizes of a load (linux/bpf_common.h).
const WORD: u32 = libc::BPF_W;
const HALF: u32 = libc::BPF_H;
const BYTE: u32 = libc::BPF_B;

/// One condition: what is loaded must be this.
#[derive(Clone, Copy)]
struct Is {
    size: u32,
    mode: u32,
    offset: u32,
    value: u32,
}

fn at(size: u32, offset: u32, value: u32) -> Is {
    Is { size, mode: libc::BPF_ABS, offset, value }
}

/// At an offset behind the IPv4 header.
fn behind_ip(size: u32, offset: u32, value: u32) -> Is {
    Is { size, mode: libc::BPF_IND, offset, value }
}

/// ICMP echo replies with this identifier; the data begins at the IPv4 header.
pub fn echo_v4(id: u16) -> Vec<sock_filter> {
    // X = length of the IPv4 header.
    let mut program = vec![instruction(libc::BPF_LDX | libc::BPF_B | libc::BPF_MSH, 0)];
    program.extend(all(&[behind_ip(BYTE, 0, 0), behind_ip(HALF, 4, id.into())]));
    program
}

/// ICMPv6 echo replies with this identifier; the data begins at the ICMPv6 header.
pub fn echo_v6(id: u16) -> Vec<sock_filter> {
    all(&[at(BYTE, 0, 129), at(HALF, 4, id.into())])
}

/// Advertisements of this address that no router has passed on (hop limit 255); the data begins at the ICMPv6 header.
pub fn advertisement(target: Ipv6Addr) -> Vec<sock_filter> {
    let mut conditions = vec![at(BYTE, 0, 136), at(BYTE, NETWORK + 7, 255)];
    let octets = target.octets();
    let words = octets.as_chunks::<4>().0.iter().map(|word| u32::from_be_bytes(*word));
    conditions.extend((8..).step_by(4).zip(words).map(|(offset, word)| at(WORD, offset, word)));
    all(&conditions)
}

/// ARP replies from this address; the data begins at the Ethernet header.
pub fn arp(target: Ipv4Addr) -> Vec<sock_filter> {
    all(&[at(HALF, 20, 2), at(WORD, 28, target.into())])
}

/// Lets a packet through for which all conditions hold.
fn all(conditions: &[Is]) -> Vec<sock_filter> {
    let mut program = Vec::new();
    for (place, is) in conditions.iter().enumerate() {
        program.push(instruction(libc::BPF_LD | is.size | is.mode, is.offset));
        // Over the rest of the conditions and the taking: to the last instruction.
        let rest = u8::try_from((conditions.len() - place - 1) * 2 + 1).unwrap_or(u8::MAX);
        let code = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
        program.push(sock_filter { jf: rest, ..instruction(code, is.value) });
    }
    program.push(instruction(libc::BPF_RET | libc::BPF_K, TAKE));
    program.push(instruction(libc::BPF_RET | libc::BPF_K, 0));
    program
}

fn instruction(code: u32, k: u32) -> sock_filter {
    sock_filter { code: u16::try_from(code).unwrap_or(0), jt: 0, jf: 0, k }
}

/// Gives a socket its filter.
///
/// # Errors
/// When the kernel refuses it.
pub fn attach(socket: impl AsFd, program: &[sock_filter]) -> io::Result<()> {
    let len = u16::try_from(program.len()).map_err(io::Error::other)?;
    let filter = libc::sock_fprog { len, filter: program.as_ptr().cast_mut() };
    let length = libc::socklen_t::try_from(size_of_val(&filter)).map_err(io::Error::other)?;
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: `filter` is a `sock_fprog` of that length, and points to as many instructions as it says; the kernel copies them.
    let result = unsafe { libc::setsockopt(fd, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, (&raw const filter).cast(), length) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_that_does_not_hold_leads_to_the_last_instruction_which_takes_nothing() {
        let all = [echo_v4(7), echo_v6(7), advertisement(Ipv6Addr::LOCALHOST), arp(Ipv4Addr::LOCALHOST)];
        for program in all {
            let last = program.len() - 1;
            let conditions = program.iter().enumerate().filter(|(_, is)| u32::from(is.code) & 7 == libc::BPF_JMP);
            for (place, jump) in conditions {
                assert_eq!((place + 1 + usize::from(jump.jf), jump.jt), (last, 0));
            }
            assert_eq!((program[last - 1].k, program[last].k), (TAKE, 0));
        }
    }

    #[test]
    fn the_kernel_takes_every_filter() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a socket");
        for program in [echo_v4(7), echo_v6(7), advertisement(Ipv6Addr::LOCALHOST), arp(Ipv4Addr::LOCALHOST)] {
            attach(&socket, &program).expect("attached");
        }
    }
}
