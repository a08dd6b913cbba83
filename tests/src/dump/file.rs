//! Writes a pcap as tcpdump does: microseconds, little-endian, Ethernet.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// A pcap that is being written.
#[derive(Debug)]
pub struct PcapFile {
    out: BufWriter<File>,
}

impl PcapFile {
    /// Begins a file.
    ///
    /// # Errors
    /// Those of the file system; the same holds for all that follows.
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
        for word in [0xA1B2_C3D4u32, 0x0004_0002, 0, 0, 262_144, 1] {
            out.write_all(&word.to_le_bytes())?;
        }
        Ok(Self { out })
    }

    /// Writes a packet that passed so many nanoseconds after 1970.
    ///
    /// # Errors
    /// See [`Self::create`].
    pub fn packet(&mut self, at_ns: u64, frame: &[u8]) -> io::Result<()> {
        let low = |value: u64| value as u32;
        let length = frame.len() as u32;
        for word in [low(at_ns / 1_000_000_000), low(at_ns % 1_000_000_000 / 1000), length, length] {
            self.out.write_all(&word.to_le_bytes())?;
        }
        self.out.write_all(frame)
    }

    /// Ends the file.
    ///
    /// # Errors
    /// See [`Self::create`].
    pub fn finish(mut self) -> io::Result<()> {
        self.out.flush()
    }
}
