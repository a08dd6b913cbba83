//! Echo requests and their replies, ICMP and ICMPv6.

use std::net::Ipv4Addr;

use super::{WireError, checksum, expect, head};

/// Bytes of a request after its IP header: type, code, checksum, identifier, sequence; key and number as data.
pub const ECHO: usize = 24;

const REPLY_V4: u32 = 0;
const REQUEST_V4: u8 = 8;
const REQUEST_V6: u8 = 128;
const REPLY_V6: u32 = 129;
const ICMP: u32 = 1;

/// What tells one question from every other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Echo {
    /// Identifier: of this target's socket.
    pub id: u16,
    /// Of this agent: another one, or an earlier one, may use the same identifier.
    pub key: u64,
    /// Number of the question; the sequence on the wire is its lower half word.
    pub number: u64,
}

/// An ICMP echo request, checksum included.
pub fn echo_request_v4(echo: Echo) -> [u8; ECHO] {
    let mut message = request(REQUEST_V4, echo);
    let sum = checksum(&message).to_be_bytes();
    message[2] = sum[0];
    message[3] = sum[1];
    message
}

/// An ICMPv6 echo request. The kernel fills the checksum in, which covers the addresses too.
pub fn echo_request_v6(echo: Echo) -> [u8; ECHO] {
    request(REQUEST_V6, echo)
}

/// Reads an IPv4 packet with an ICMP echo reply to one of our requests: who sent it, and which question it answers.
///
/// # Errors
/// What is wrong with it.
pub fn echo_reply_v4(packet: &[u8]) -> Result<(Ipv4Addr, Echo), WireError> {
    let (header, _) = head::<20>("an IPv4 packet", packet)?;
    let [first, _, _, _, _, _, _, _, _, protocol, _, _, s0, s1, s2, s3, ..] = *header;
    expect("the IP version", first >> 4, 4)?;
    expect("the IP protocol", protocol, ICMP)?;
    let length = usize::from(first & 0xf) * 4;
    let short = WireError::Short { what: "an IPv4 packet", length: packet.len(), wanted: length.max(20) };
    let message = packet.get(length.max(20)..).filter(|_| length >= 20).ok_or(short)?;
    let echo = reply(message, REPLY_V4)?;
    if checksum(message) != 0 {
        return Err(WireError::Checksum("an echo reply"));
    }
    Ok((Ipv4Addr::new(s0, s1, s2, s3), echo))
}

/// Reads an ICMPv6 echo reply without its IP header. The kernel has checked the checksum.
///
/// # Errors
/// What is wrong with it.
pub fn echo_reply_v6(message: &[u8]) -> Result<Echo, WireError> {
    reply(message, REPLY_V6)
}

fn request(kind: u8, echo: Echo) -> [u8; ECHO] {
    let [i0, i1] = echo.id.to_be_bytes();
    let number = echo.number.to_be_bytes();
    let [.., q0, q1] = number;
    let mut message = [0; ECHO];
    message[..8].copy_from_slice(&[kind, 0, 0, 0, i0, i1, q0, q1]);
    message[8..16].copy_from_slice(&echo.key.to_be_bytes());
    message[16..].copy_from_slice(&number);
    message
}

fn reply(message: &[u8], wanted: u32) -> Result<Echo, WireError> {
    let (header, data) = head::<8>("an echo reply", message)?;
    let [kind, code, _, _, i0, i1, q0, q1] = *header;
    expect("the ICMP type", kind, wanted)?;
    expect("the ICMP code", code, 0)?;
    let (key, data) = head::<8>("the data of an echo reply", data)?;
    let (number, _) = head::<8>("the data of an echo reply", data)?;
    if number[6..] != [q0, q1] {
        return Err(WireError::Field { field: "the sequence", value: u32::from(u16::from_be_bytes([q0, q1])) });
    }
    Ok(Echo { id: u16::from_be_bytes([i0, i1]), key: u64::from_be_bytes(*key), number: u64::from_be_bytes(*number) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: Echo = Echo { id: 0x1234, key: 0x0102_0304_0506_0708, number: 0x10007 };

    /// The reply of 10.0.80.11 to [`ASKED`].
    const REPLY: [u8; 44] = [
        0x45, 0x00, 0x00, 0x2c, 0x12, 0x34, 0x00, 0x00, 0x40, 0x01, 0x00, 0x00, 10, 0, 80, 11, 10, 0, 0, 1, // IPv4
        0x00, 0x00, 0xdd, 0xa8, 0x12, 0x34, 0x00, 0x07, // echo reply, id, sequence
        1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 1, 0, 7, // key, number
    ];

    #[test]
    fn a_request_has_its_bytes_in_place() {
        let message = echo_request_v4(ASKED);
        assert_eq!(message[..8], [8, 0, 0xd5, 0xa8, 0x12, 0x34, 0, 7]);
        assert_eq!(message[8..], REPLY[28..]);
        assert_eq!(checksum(&message), 0);
        assert_eq!(echo_request_v6(ASKED)[..4], [128, 0, 0, 0]);
    }

    #[test]
    fn a_reply_gives_back_what_was_asked_also_behind_ip_options() {
        let from = Ipv4Addr::new(10, 0, 80, 11);
        assert_eq!(echo_reply_v4(&REPLY), Ok((from, ASKED)));
        let mut options = REPLY[..20].to_vec();
        options[0] = 0x46;
        options.extend([1, 1, 1, 1]);
        options.extend(&REPLY[20..]);
        assert_eq!(echo_reply_v4(&options), Ok((from, ASKED)));
        let mut six = REPLY[20..].to_vec();
        six[0] = 129;
        assert_eq!(echo_reply_v6(&six), Ok(ASKED));
    }

    #[test]
    fn what_is_no_reply_is_an_error_that_says_why() {
        let with = |at: usize, byte: u8| {
            let mut reply = REPLY;
            reply[at] = byte;
            echo_reply_v4(&reply)
        };
        assert_eq!(with(0, 0x65), Err(WireError::Field { field: "the IP version", value: 6 }));
        assert_eq!(with(9, 17), Err(WireError::Field { field: "the IP protocol", value: 17 }));
        assert_eq!(with(20, 8), Err(WireError::Field { field: "the ICMP type", value: 8 }));
        assert_eq!(with(21, 1), Err(WireError::Field { field: "the ICMP code", value: 1 }));
        assert_eq!(with(27, 9), Err(WireError::Field { field: "the sequence", value: 9 }));
        assert_eq!(with(30, 9), Err(WireError::Checksum("an echo reply")));
        assert!(matches!(with(0, 0x41), Err(WireError::Short { .. })));
        assert!(matches!(with(0, 0x4f), Err(WireError::Short { .. })));
        for length in 0..REPLY.len() {
            assert!(echo_reply_v4(&REPLY[..length]).is_err(), "{length}");
        }
    }
}
