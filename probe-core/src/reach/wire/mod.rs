//! The packets of probes: built here, and answers read with checked reads. What does not fit is an error, never a panic.
//!
//! Sources: RFC 792 (ICMP), RFC 4443 (ICMPv6), RFC 826 (ARP), RFC 4861 (neighbour discovery).

mod arp;
mod icmp;
mod nd;

use thiserror::Error;

pub use arp::{ARP_FRAME, Arp, arp_reply, arp_request};
pub use icmp::{ECHO, Echo, echo_reply_v4, echo_reply_v6, echo_request_v4, echo_request_v6};
pub use nd::{SOLICITATION, advertisement, solicitation, solicited_node};

/// Why an answer cannot be taken for one.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum WireError {
    /// It ends too early.
    #[error("{what} has {length} bytes, not {wanted}")]
    Short {
        /// What.
        what: &'static str,
        /// Bytes that are there.
        length: usize,
        /// Bytes that there should be at least.
        wanted: usize,
    },
    /// A field has a value that an answer does not have.
    #[error("{field} is {value}")]
    Field {
        /// Its name.
        field: &'static str,
        /// The value.
        value: u32,
    },
    /// The checksum is wrong.
    #[error("the checksum of {0} is wrong")]
    Checksum(
        /// Of what.
        &'static str,
    ),
    /// It is an answer to somebody else.
    #[error("an answer to somebody else")]
    Foreign,
}

/// A field that must have a certain value.
fn expect(field: &'static str, value: impl Into<u32>, wanted: u32) -> Result<(), WireError> {
    let value = value.into();
    if value == wanted { Ok(()) } else { Err(WireError::Field { field, value }) }
}

/// The first bytes of something, and the rest.
fn head<'a, const N: usize>(what: &'static str, bytes: &'a [u8]) -> Result<(&'a [u8; N], &'a [u8]), WireError> {
    bytes.split_first_chunk().ok_or(WireError::Short { what, length: bytes.len(), wanted: N })
}

/// The internet checksum (RFC 1071): 0 over bytes that hold their own right one.
fn checksum(bytes: &[u8]) -> u16 {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let last = rest.first().map_or(0, |byte| u32::from(*byte) << 8);
    let mut sum = pairs.iter().fold(last, |sum, pair| sum.wrapping_add(u32::from(u16::from_be_bytes(*pair))));
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Random;

    #[test]
    fn the_checksum_is_that_of_the_rfc() {
        // RFC 1071, section 3: the sum is ddf2.
        assert_eq!(checksum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2);
        assert_eq!(checksum(&[0x01]), !0x0100);
        assert_eq!(checksum(&[]), 0xffff);
    }

    #[test]
    fn random_bytes_are_no_answers_and_never_a_panic() {
        let mut random = Random(5);
        let arp = Arp { mac: [2, 0, 0, 0, 0, 1], own: [10, 0, 0, 1].into(), target: [10, 0, 0, 2].into() };
        for _ in 0..50_000 {
            let mut bytes: Vec<u8> = (0..random.below(80)).map(|_| random.byte()).collect();
            if let Some(first) = bytes.first_mut().filter(|_| random.one_in(2)) {
                *first = 0x45;
            }
            assert!(echo_reply_v4(&bytes).is_err());
            let _ = echo_reply_v6(&bytes);
            assert!(arp_reply(&bytes, &arp).is_err());
            let _ = advertisement(&bytes, "fe80::1".parse().expect("an address"));
        }
    }
}
