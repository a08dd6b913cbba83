//! Hash of a frame's bytes, as the kernel programs make it (`probe-ebpf/src/repeat.rs`).

/// What each of four lanes is multiplied with: odd, and half of its bits set.
const FACTORS: [u64; 4] = [0x9e37_79b9_7f4a_7c15, 0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb, 0xd6e8_feb8_6659_fd93];
/// Bytes that the lanes take in one turn.
const GROUP: usize = 32;

/// 64 bits of the frame's length and of its bytes, those of the last group filled up with zeros. Never 0.
pub fn hash(bytes: &[u8], length: u32) -> u64 {
    let mut lanes = FACTORS.map(|factor| factor ^ u64::from(length));
    let (groups, rest) = bytes.as_chunks::<GROUP>();
    for group in groups {
        turn(&mut lanes, group);
    }
    if !rest.is_empty() {
        let mut last = [0; GROUP];
        last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        turn(&mut lanes, &last);
    }
    let mut sum = 0u64;
    for lane in lanes {
        sum = (sum ^ lane).wrapping_mul(FACTORS[0]);
        sum ^= sum >> 32;
    }
    sum.max(1)
}

#[inline]
fn turn(lanes: &mut [u64; 4], group: &[u8; GROUP]) {
    let (words, _) = group.as_chunks::<8>();
    for ((lane, word), factor) in lanes.iter_mut().zip(words).zip(FACTORS) {
        *lane = (*lane ^ u64::from_ne_bytes(*word)).wrapping_mul(factor);
        *lane ^= *lane >> 32;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::samples::Random;

    #[test]
    fn one_changed_bit_anywhere_or_another_length_is_another_hash() {
        for size in [1usize, 14, 31, 32, 33, 60, 128, 200] {
            let mut random = Random(size as u64 + 1);
            let mut bytes: Vec<u8> = (0..size).map(|_| random.byte()).collect();
            let mut found = BTreeSet::from([hash(&bytes, 1000), hash(&bytes, 1001)]);
            for bit in 0..size * 8 {
                bytes[bit / 8] ^= 1 << (bit % 8);
                assert!(found.insert(hash(&bytes, 1000)), "{size} bytes, bit {bit}");
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
        }
    }

    #[test]
    fn a_million_counted_frames_have_a_million_hashes() {
        let mut frame = [0u8; 128];
        let mut found: Vec<u64> = (0..1_000_000u32)
            .map(|number| {
                frame[40..44].copy_from_slice(&number.to_be_bytes());
                hash(&frame, 128)
            })
            .collect();
        found.sort_unstable();
        found.dedup();
        assert_eq!(found.len(), 1_000_000);
        // And they spread over a table's places.
        let mut places = [0u32; 256];
        found.iter().for_each(|hash| places[usize::from(hash.to_be_bytes()[0])] += 1);
        assert!(places.iter().all(|count| (3400..4400).contains(count)), "{places:?}");
        let mut places = [0u32; 256];
        found.iter().for_each(|hash| places[usize::from(hash.to_le_bytes()[0])] += 1);
        assert!(places.iter().all(|count| (3400..4400).contains(count)), "{places:?}");
    }
}
