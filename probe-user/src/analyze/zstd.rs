//! zstd's frames, unpacked one after the other: `pzstd` and concatenated files have many.
//!
//! A file that is cut or damaged gives all that was unpacked before that, then the error.

use std::error::Error;
use std::io::{self, BufRead, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// Largest window: a decoder holds as much in memory. `zstd -21` has this one, `zstd -19` has 8 MiB; only `--ultra -22` and `--long` go beyond.
const MOST_WINDOW: u64 = 64 << 20;
/// Bytes that are unpacked at once, and a block more: by more than twice this the decoder would double its memory.
const STEP: usize = 64 * 1024;
/// An empty block that is the last of its frame, and a checksum: after that the decoder gives its whole window.
const LAST_BLOCK: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];

/// Unpacks.
pub struct Zstd<R> {
    packed: R,
    decoder: FrameDecoder,
    within: bool,
    /// What ended it. It is told when all that was unpacked before has been handed out.
    broken: Option<io::Error>,
    over: bool,
}

impl<R: BufRead> Zstd<R> {
    /// Of these bytes.
    pub fn new(packed: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MOST_WINDOW);
        Self { packed, decoder, within: false, broken: None, over: false }
    }

    /// Begins the next frame; false at the end of the file.
    fn begin(&mut self) -> io::Result<bool> {
        while !self.packed.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.packed) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    io::copy(&mut self.packed.by_ref().take(length.into()), &mut io::sink())?;
                }
                Err(error) => return Err(told(&error)),
            }
        }
        Ok(false)
    }

    /// The frame is at its end, and all of it was handed out: whether it is what was packed.
    fn check(&self) -> io::Result<()> {
        match self.decoder.get_checksum_from_data() {
            Some(sum) if self.decoder.get_calculated_checksum() != Some(sum) => {
                Err(io::Error::other("zstd: a frame's checksum is not that of its bytes: they are damaged"))
            }
            _ => Ok(()),
        }
    }

    /// Goes on until there is something to hand out. False at the end of the file.
    fn unpack(&mut self) -> io::Result<bool> {
        if !self.within || self.decoder.is_finished() {
            if self.within {
                self.check()?;
            }
            self.within = self.begin()?;
            if !self.within {
                return Ok(false);
            }
        }
        match self.decoder.decode_blocks(&mut self.packed, BlockDecodingStrategy::UptoBytes(STEP)) {
            Ok(_) => Ok(true),
            Err(error) => {
                self.broken = Some(told(&error));
                // It holds the window back while blocks may still refer to it. None will.
                let ended = self.decoder.decode_blocks(&LAST_BLOCK[..], BlockDecodingStrategy::All);
                ended.map(|_| true).map_err(|error| told(&error))
            }
        }
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.decoder.read(room)?;
            if count > 0 || room.is_empty() {
                return Ok(count);
            }
            if let Some(error) = self.broken.take() {
                self.over = true;
                return Err(error);
            }
            if self.over || !self.unpack()? {
                return Ok(0);
            }
        }
    }
}

/// An error in words.
fn told(error: &FrameDecoderError) -> io::Error {
    if let FrameDecoderError::WindowSizeTooBig { requested, max } = error {
        let (wants, most) = (requested.div_ceil(1 << 20), max >> 20);
        return io::Error::other(format!("zstd: its window has {wants} MiB, {most} are the most: unpack it first"));
    }
    let mut cause: Option<&dyn Error> = Some(error);
    while let Some(of) = cause {
        if of.downcast_ref::<io::Error>().is_some_and(|of| of.kind() == io::ErrorKind::UnexpectedEof) {
            return io::Error::other("zstd: the file ends within a frame");
        }
        cause = of.source();
    }
    io::Error::other(format!("zstd: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    /// Bytes of which no part is like another, and so none is packed away: xorshift.
    fn bytes(count: usize) -> Vec<u8> {
        let mut state = 88_172_645_463_325_252u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        };
        (0..count).map(|_| next()).collect()
    }

    /// All that is unpacked, and what ended it.
    fn unpacked(packed: &[u8]) -> (Vec<u8>, Option<String>) {
        let (mut all, mut room) = (Vec::new(), vec![0; 10_000]);
        let mut zstd = Zstd::new(packed);
        loop {
            match zstd.read(&mut room) {
                Ok(0) => return (all, None),
                Ok(count) => all.extend_from_slice(&room[..count]),
                Err(error) => return (all, Some(error.to_string())),
            }
        }
    }

    #[test]
    fn frames_follow_each_other() {
        let whole = bytes(3_000_000);
        let packed: Vec<u8> = whole.chunks(1_000_000).flat_map(|part| compress_to_vec(part, CompressionLevel::Fastest)).collect();
        assert!(unpacked(&packed) == (whole, None));
    }

    #[test]
    fn a_file_that_is_cut_gives_all_blocks_before_the_cut_then_the_error() {
        let whole = bytes(1_000_000);
        let packed = compress_to_vec(whole.as_slice(), CompressionLevel::Fastest);
        for cut in [packed.len() / 2, packed.len() - 2] {
            let (part, error) = unpacked(&packed[..cut]);
            assert!(part.len() + 140_000 > cut && whole.starts_with(&part), "{} of {cut}", part.len());
            assert_eq!(error.as_deref(), Some("zstd: the file ends within a frame"));
        }
    }

    #[test]
    fn bytes_that_are_not_those_that_were_packed_are_told() {
        let whole = bytes(300_000);
        let mut packed = compress_to_vec(whole.as_slice(), CompressionLevel::Fastest);
        let middle = packed.len() / 2;
        packed[middle] ^= 1;
        let (part, error) = unpacked(&packed);
        assert_eq!(part.len(), whole.len());
        assert_eq!(error.as_deref(), Some("zstd: a frame's checksum is not that of its bytes: they are damaged"));
    }

    #[test]
    fn a_window_that_would_take_too_much_memory_is_refused_with_its_size() {
        // Magic, no content size, a window of 2^27 bytes (RFC 8878, 3.1.1).
        let (part, error) = unpacked(&[0x28, 0xB5, 0x2F, 0xFD, 0, (27 - 10) << 3, 1, 0, 0]);
        assert_eq!((part, error.as_deref()), (vec![], Some("zstd: its window has 128 MiB, 64 are the most: unpack it first")));
    }
}
