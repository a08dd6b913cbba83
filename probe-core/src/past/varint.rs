//! Numbers in as few bytes as they need (LEB128), the sign of differences in the lowest bit.

/// Appends a number: seven bits a byte, the lowest first.
pub fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Takes a number from `at` on, which goes behind it. 0 where the bytes end too early, which they never do where [`put`] wrote them.
pub fn take(bytes: &[u8], at: &mut usize) -> u64 {
    let (mut number, mut shift) = (0u64, 0);
    while let Some(&byte) = bytes.get(*at) {
        *at += 1;
        number |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        if byte < 0x80 {
            break;
        }
        shift += 7;
    }
    number
}

/// The way from one number to another, short where they are near to each other. Lossless for all numbers.
pub fn difference(from: u64, to: u64) -> u64 {
    let signed = to.wrapping_sub(from).cast_signed();
    ((signed << 1) ^ (signed >> 63)).cast_unsigned()
}

/// The number that [`difference`] leads to.
pub fn follow(from: u64, difference: u64) -> u64 {
    let signed = (difference >> 1).cast_signed() ^ -((difference & 1).cast_signed());
    from.wrapping_add(signed.cast_unsigned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Random;

    #[test]
    fn every_number_comes_back_and_small_ones_need_one_byte() {
        let mut random = Random(7);
        let mut numbers = vec![0, 1, 127, 128, 16_383, 16_384, u64::MAX, u64::MAX - 1, 1 << 63];
        numbers.extend((0..2000).map(|n| random.next() >> (n % 64)));
        let mut bytes = Vec::new();
        for number in &numbers {
            put(&mut bytes, *number);
        }
        let mut at = 0;
        let back: Vec<u64> = numbers.iter().map(|_| take(&bytes, &mut at)).collect();
        assert_eq!((back, at), (numbers, bytes.len()));
        let mut one = Vec::new();
        put(&mut one, 127);
        assert_eq!(one.len(), 1);
    }

    #[test]
    fn differences_lead_back_whatever_their_sign_and_size() {
        for (from, to) in [(0, 0), (5, 3), (3, 5), (0, u64::MAX), (u64::MAX, 0), (1 << 63, 3), (3, 1 << 63)] {
            assert_eq!(follow(from, difference(from, to)), to, "{from} to {to}");
        }
        assert_eq!((difference(10, 9), difference(10, 11)), (1, 2));
    }

    #[test]
    fn bytes_that_end_too_early_give_a_number_and_no_panic() {
        let mut at = 0;
        assert_eq!(take(&[0x80, 0x80], &mut at), 0);
        assert_eq!(at, 2);
        assert_eq!(take(&[0xff; 40], &mut 0), u64::MAX);
    }
}
