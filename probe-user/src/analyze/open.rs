//! Opens a capture file, packed or not, as a stream of its unpacked bytes.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use super::zstd::Zstd;

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
