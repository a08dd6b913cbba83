//! Makes new inputs out of old ones.

/// Longest input.
const LONGEST: usize = 16 * 1024;
/// Numbers at which things break.
const EDGES: [u64; 14] = [0, 1, 2, 3, 4, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0xFFFF_FFFF, u64::MAX];

/// xorshift64*: the same numbers from the same seed.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.max(1))
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// One of 0 to `end` - 1.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() >> 33) as usize % end.max(1)
    }
}

/// One of the corpus, changed in one to eight places.
pub fn mutated(corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut input = corpus[random.below(corpus.len())].clone();
    for _ in 0..=random.below(8) {
        change(&mut input, corpus, random);
    }
    input.truncate(LONGEST);
    input
}

fn change(input: &mut Vec<u8>, corpus: &[Vec<u8>], random: &mut Random) {
    let (from, length) = (random.below(input.len() + 1), random.below(32));
    let to = (from + length).min(input.len());
    match random.below(8) {
        0 if from < input.len() => input[from] ^= 1 << random.below(8),
        1 if from < input.len() => input[from] = random.next() as u8,
        2 => overwrite(input, from, random),
        3 => input.truncate(from),
        4 => drop(input.drain(from..to)),
        5 => {
            let again = input[from..to].to_vec();
            input.splice(from..from, again);
        }
        6 => {
            let other = &corpus[random.below(corpus.len())];
            let at = random.below(other.len() + 1);
            input.truncate(from);
            input.extend_from_slice(&other[at..]);
        }
        _ => {
            let byte = random.next() as u8;
            input.splice(from..from, std::iter::repeat_n(byte, length));
        }
    }
}

/// Two, four or eight bytes with a number at which things break, or near one, in either byte order.
fn overwrite(input: &mut [u8], from: usize, random: &mut Random) {
    let value = EDGES[random.below(EDGES.len())].wrapping_add(random.below(5) as u64).wrapping_sub(2);
    let size = [2, 4, 8][random.below(3)];
    let (little, big) = (value.to_le_bytes(), value.to_be_bytes());
    let bytes = if random.below(2) == 0 { &little[..size] } else { &big[8 - size..] };
    if let Some(room) = input.get_mut(from..from + size) {
        room.copy_from_slice(bytes);
    }
}
