//! Opens a capture file, packed or not, as a stream of its unpacked bytes.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// Bytes that are read of a packed file at once.
const PACKED_READ: usize = 256 * 1024;

/// Bytes of the file that were read, packed ones as they are: for the progress.
pub type Position = Arc<AtomicU64>;

/// How a file is packed.
enum Packing {
    Plain,
    Gzip,
    Zstd,
}

/// Opens a file, and gives its unpacked bytes; what is read of the file itself is added to `position`.
///
/// # Errors
/// The system's, and a path that is no regular file: captures are read twice.
pub fn open(path: &Path, position: &Position) -> io::Result<Box<dyn Read + Send>> {
    let file = File::open(path)?;
    let kind = file.metadata()?.file_type();
    if kind.is_dir() {
        return Err(io::Error::other("it is a directory"));
    }
    if !kind.is_file() {
        return Err(io::Error::other("it is no regular file, and captures are read twice: save it to a file first"));
    }
    let mut counted = Counted { file, position: Arc::clone(position) };
    let mut first = [0; 16];
    let length = read_up_to(&mut counted, &mut first)?;
    let packing = match &first[..length] {
        [0x1F, 0x8B, ..] => Packing::Gzip,
        [0x28, 0xB5, 0x2F, 0xFD, ..] | [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => Packing::Zstd,
        _ => Packing::Plain,
    };
    let whole = io::Cursor::new(first).take(length as u64).chain(counted);
    Ok(match packing {
        Packing::Plain => Box::new(whole),
        Packing::Gzip => Box::new(MultiGzDecoder::new(BufReader::with_capacity(PACKED_READ, whole))),
        Packing::Zstd => Box::new(Zstd::new(BufReader::with_capacity(PACKED_READ, whole))),
    })
}

fn read_up_to(reader: &mut impl Read, room: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < room.len() {
        match reader.read(&mut room[length..])? {
            0 => break,
            count => length += count,
        }
    }
    Ok(length)
}

/// A file that counts what is read of it.
struct Counted {
    file: File,
    position: Position,
}

impl Read for Counted {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(room)?;
        self.position.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Unpacks zstd's frames one after the other: `pzstd` and concatenated files have many.
struct Zstd<R> {
    packed: R,
    decoder: FrameDecoder,
    within: bool,
}

impl<R: BufRead> Zstd<R> {
    fn new(packed: R) -> Self {
        Self { packed, decoder: FrameDecoder::new(), within: false }
    }

    /// Begins the next frame; false at the end of the file.
    fn begin(&mut self) -> io::Result<bool> {
        while !self.packed.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.packed) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    io::copy(&mut self.packed.by_ref().take(length.into()), &mut io::sink())?;
                }
                Err(error) => return Err(io::Error::other(format!("zstd: {error}"))),
            }
        }
        Ok(false)
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.decoder.read(room)?;
            if count > 0 || room.is_empty() {
                return Ok(count);
            }
            if !self.within || self.decoder.is_finished() {
                self.within = self.begin()?;
                if !self.within {
                    return Ok(0);
                }
            }
            let strategy = BlockDecodingStrategy::UptoBytes(room.len().min(PACKED_READ));
            let decoded = self.decoder.decode_blocks(&mut self.packed, strategy);
            decoded.map_err(|error| io::Error::other(format!("zstd: {error}")))?;
        }
    }
}
