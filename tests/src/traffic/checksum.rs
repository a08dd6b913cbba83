//! Checksums: the Internet's (RFC 1071) for headers, FNV-1a for what the tests compare.

/// Sum of 16-bit words, not yet folded; `sum` is what came before (its byte count was even).
pub fn partial(bytes: &[u8], sum: u64) -> u64 {
    let mut words = bytes.chunks_exact(2);
    let mut total = sum;
    for word in &mut words {
        total += u64::from(u16::from_be_bytes([word[0], word[1]]));
    }
    if let [last] = words.remainder() {
        total += u64::from(*last) << 8;
    }
    total
}

/// Folds and complements a sum.
pub fn finish(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(u16::MAX)
}

/// The sum alone, folded and not complemented: what a NIC is given to start from.
pub fn folded(sum: u64) -> u16 {
    !finish(sum)
}

/// FNV-1a, 32 bits, starting from `hash`.
pub fn fnv(bytes: &[u8], hash: u32) -> u32 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// Where FNV-1a starts.
pub const FNV_START: u32 = 0x811c_9dc5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_of_rfc_1071_is_computed() {
        let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(finish(partial(&bytes, 0)), !0xddf2);
    }
}
