//! XDR (RFC 4506), as far as sFlow needs it.

/// What cannot be told of a counter or a number.
pub(super) const UNKNOWN: u32 = u32::MAX;

/// Appends to a datagram.
pub(super) trait Put {
    /// An unsigned integer.
    fn u32(&mut self, value: u32);
    /// An unsigned hyper integer.
    fn u64(&mut self, value: u64);
    /// Opaque bytes of variable length: their length, they themselves, and zeros up to a multiple of four.
    fn opaque(&mut self, bytes: &[u8]);
    /// A hardware address in eight bytes.
    fn mac(&mut self, mac: [u8; 6]);
    /// What `write` appends, with its length in bytes before it.
    fn sized(&mut self, write: impl FnOnce(&mut Self));
}

impl Put for Vec<u8> {
    fn u32(&mut self, value: u32) {
        self.extend_from_slice(&value.to_be_bytes());
    }

    fn u64(&mut self, value: u64) {
        self.extend_from_slice(&value.to_be_bytes());
    }

    fn opaque(&mut self, bytes: &[u8]) {
        self.u32(length(bytes.len()));
        self.extend_from_slice(bytes);
        self.resize(self.len().next_multiple_of(4), 0);
    }

    fn mac(&mut self, mac: [u8; 6]) {
        self.extend_from_slice(&mac);
        self.extend_from_slice(&[0; 2]);
    }

    fn sized(&mut self, write: impl FnOnce(&mut Self)) {
        let at = self.len();
        self.u32(0);
        write(self);
        let size = length(self.len() - at - 4);
        if let Some(place) = self.get_mut(at..at + 4) {
            place.copy_from_slice(&size.to_be_bytes());
        }
    }
}

/// What is put into a datagram is far shorter than this could tell.
fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// A counter of 32 bits: it wraps around, as all of them do.
#[expect(clippy::cast_possible_truncation, reason = "the upper bits are what wraps around")]
pub(super) const fn counter(count: u64) -> u32 {
    count as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opaque_bytes_are_padded_and_a_length_stands_before_what_it_measures() {
        let mut bytes: Vec<u8> = Vec::new();
        bytes.sized(|bytes| bytes.opaque(b"eth10"));
        assert_eq!(bytes, b"\0\0\0\x0c\0\0\0\x05eth10\0\0\0");
        let mut bytes: Vec<u8> = Vec::new();
        bytes.mac([1, 2, 3, 4, 5, 6]);
        bytes.u64(7);
        assert_eq!(bytes, [1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]);
    }

    #[test]
    fn a_counter_wraps_around() {
        assert_eq!((counter(7), counter((1 << 32) + 7)), (7, 7));
    }
}
