//! Netlink requests: small, blocking, answered by the kernel at once.

use std::{io, time::Duration};

use netlink_sys::{Socket, SocketAddr};
use rustix::net::sockopt::{Timeout, set_socket_timeout};

/// `NLM_F_REQUEST`, `NLM_F_ACK`, `NLM_F_DUMP` (linux/netlink.h).
const REQUEST: u16 = 0x001;
const ACK: u16 = 0x004;
const DUMP: u16 = 0x300;
/// `NLMSG_ERROR`, `NLMSG_DONE`.
const ERROR: u16 = 2;
const DONE: u16 = 3;
const HEADER: usize = 16;
const PATIENCE: Duration = Duration::from_secs(5);

/// What is asked of the kernel.
pub enum Ask {
    /// Something to do, or one thing to tell.
    One,
    /// A list.
    Dump,
}

/// Sends a message of `kind` with this payload; returns the payloads of the answers.
///
/// # Errors
/// What the kernel answers, or that it does not within 5 s.
pub fn request(protocol: isize, kind: u16, ask: &Ask, payload: &[u8]) -> io::Result<Vec<Vec<u8>>> {
    let mut answers = Vec::new();
    exchange(protocol, kind, ask, payload, |datagram| collect(datagram, &mut answers))?;
    Ok(answers)
}

/// Sends a message of `kind` with this payload, and hands over the datagrams that come back while `take` returns true.
///
/// # Errors
/// Those of `take`; that the kernel refuses a socket, or does not answer within 5 s.
pub fn exchange(
    protocol: isize,
    kind: u16,
    ask: &Ask,
    payload: &[u8],
    mut take: impl FnMut(&[u8]) -> io::Result<bool>,
) -> io::Result<()> {
    let mut socket = Socket::new(protocol)?;
    socket.bind_auto()?;
    set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE))?;
    let flags = match ask {
        Ask::One => REQUEST | ACK,
        Ask::Dump => REQUEST | DUMP,
    };
    let length = u32::try_from(HEADER + payload.len()).map_err(io::Error::other)?;
    let mut message = Vec::with_capacity(HEADER + payload.len());
    message.extend_from_slice(&length.to_ne_bytes());
    message.extend_from_slice(&kind.to_ne_bytes());
    message.extend_from_slice(&flags.to_ne_bytes());
    message.extend_from_slice(&1u32.to_ne_bytes());
    message.extend_from_slice(&0u32.to_ne_bytes());
    message.extend_from_slice(payload);
    socket.send_to(&message, &SocketAddr::new(0, 0), 0)?;
    loop {
        let (datagram, from) = socket.recv_from_full()?;
        if from.port_number() == 0 && !take(&datagram)? {
            return Ok(());
        }
    }
}

/// Takes the messages of a datagram. False after the last one.
fn collect(mut rest: &[u8], answers: &mut Vec<Vec<u8>>) -> io::Result<bool> {
    let malformed = || io::Error::new(io::ErrorKind::InvalidData, "malformed netlink message");
    while !rest.is_empty() {
        let length = u32_at(rest, 0).ok_or_else(malformed)? as usize;
        let kind = u16_at(rest, 4).ok_or_else(malformed)?;
        let payload = rest.get(HEADER..length).ok_or_else(malformed)?;
        match kind {
            ERROR | DONE => {
                let code = u32_at(payload, 0).unwrap_or(0).cast_signed();
                return if code < 0 { Err(io::Error::from_raw_os_error(-code)) } else { Ok(false) };
            }
            _ => answers.push(payload.to_vec()),
        }
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or(&[]);
    }
    Ok(true)
}

/// Appends an attribute.
pub fn put(payload: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = u16::try_from(4 + value.len()).unwrap_or(u16::MAX);
    payload.extend_from_slice(&length.to_ne_bytes());
    payload.extend_from_slice(&kind.to_ne_bytes());
    payload.extend_from_slice(value);
    payload.resize(payload.len().next_multiple_of(4), 0);
}

/// Value of the first attribute of this kind among those in `bytes`.
pub fn find(bytes: &[u8], kind: u16) -> Option<&[u8]> {
    const KIND_MASK: u16 = 0x3fff;
    let mut rest = bytes;
    loop {
        let length = usize::from(u16_at(rest, 0)?);
        let value = rest.get(4..length)?;
        if u16_at(rest, 2)? & KIND_MASK == kind {
            return Some(value);
        }
        rest = rest.get(length.next_multiple_of(4)..)?;
    }
}

/// A 16-bit integer of this machine's order.
pub fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

/// A 32-bit integer of this machine's order.
pub fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// A 64-bit integer of this machine's order.
pub fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_ne_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

/// Text up to the first zero.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.split(|&b| b == 0).next().unwrap_or(&[])).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_found_among_others_and_cut_ones_are_none() {
        let mut bytes = Vec::new();
        put(&mut bytes, 1, b"abc");
        put(&mut bytes, 2 | 0x8000, &7u32.to_ne_bytes());
        assert_eq!(find(&bytes, 2).and_then(|value| u32_at(value, 0)), Some(7));
        assert_eq!(find(&bytes, 3), None);
        assert_eq!(find(&bytes[..bytes.len() - 1], 2), None);
        assert_eq!(find(&[0, 0, 1, 0], 1), None);
    }

    #[test]
    fn a_message_that_claims_more_than_there_is_is_an_error() {
        let mut message = vec![0u8; 16];
        message[..4].copy_from_slice(&99u32.to_ne_bytes());
        assert!(collect(&message, &mut Vec::new()).is_err());
        message[..4].copy_from_slice(&3u32.to_ne_bytes());
        assert!(collect(&message, &mut Vec::new()).is_err());
    }
}
