//! Walks either format.

use super::pcap::{self, Pcap};
use super::pcapng::{self, Pcapng};
use super::{DumpError, Format, Interface, Step};

/// Where a reader is in a file.
#[derive(Clone, Debug)]
pub struct Walker {
    kind: Kind,
    interfaces: Vec<Interface>,
    offset: u64,
}

#[derive(Clone, Debug)]
enum Kind {
    /// Nothing was seen yet.
    Fresh,
    Pcap(Pcap),
    Pcapng(Pcapng),
}

impl Default for Walker {
    fn default() -> Self {
        Self { kind: Kind::Fresh, interfaces: Vec::new(), offset: 0 }
    }
}

impl Walker {
    /// Says what comes next in `bytes`, which begin where the walker stands; a packet or what is skipped is then behind it.
    ///
    /// # Errors
    /// See [`DumpError`]. The file cannot be read from here on.
    #[inline]
    pub fn step(&mut self, bytes: &[u8]) -> Result<Step, DumpError> {
        let step = match &mut self.kind {
            Kind::Pcap(pcap) => pcap.step(self.offset, bytes),
            Kind::Pcapng(section) => section.step(self.offset, bytes, &mut self.interfaces),
            Kind::Fresh => self.begin(bytes),
        }?;
        match step {
            Step::Packet(head) => self.offset += head.used as u64,
            Step::Skip(bytes) => self.offset += bytes,
            Step::More(_) => {}
        }
        Ok(step)
    }

    /// The interfaces that were described so far.
    pub fn interfaces(&self) -> &[Interface] {
        &self.interfaces
    }

    /// Bytes from the start of the file to what comes next.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Which format it is; `None` before the first bytes were seen.
    pub fn format(&self) -> Option<Format> {
        match self.kind {
            Kind::Fresh => None,
            Kind::Pcap(_) => Some(Format::Pcap),
            Kind::Pcapng(_) => Some(Format::Pcapng),
        }
    }

    fn begin(&mut self, bytes: &[u8]) -> Result<Step, DumpError> {
        let Some(&first) = bytes.first_chunk::<4>() else { return Ok(Step::More(4)) };
        if first == pcapng::SECTION {
            let mut section = Pcapng::new();
            let step = section.step(0, bytes, &mut self.interfaces)?;
            if !matches!(step, Step::More(_)) {
                self.kind = Kind::Pcapng(section);
            }
            return Ok(step);
        }
        if pcap::magic(first).is_none() {
            return Err(DumpError::Foreign { what: foreign(bytes) });
        }
        let Some(header) = bytes.first_chunk() else { return Ok(Step::More(pcap::FILE_HEADER)) };
        let (pcap, interface) = Pcap::open(header)?;
        self.interfaces.push(interface);
        self.kind = Kind::Pcap(pcap);
        Ok(Step::Skip(pcap::FILE_HEADER as u64))
    }
}

/// What else a file may be that somebody takes for a capture.
fn foreign(bytes: &[u8]) -> String {
    const KNOWN: [(&[u8], &str); 9] = [
        (b"\xFD7zXZ", "it is packed with xz: unpack it first"),
        (b"BZh", "it is packed with bzip2: unpack it first"),
        (b"\x04\x22\x4D\x18", "it is packed with lz4: unpack it first"),
        (b"PK\x03\x04", "it is a zip archive: unpack it first"),
        (b"snoop\0\0\0", "it is Solaris snoop's format: convert it with editcap"),
        (b"GMBU", "it is Network Monitor's format: convert it with editcap"),
        (b"RTSS", "it is Network Monitor's format: convert it with editcap"),
        (b"TRSNIFF data", "it is Sniffer's format: convert it with editcap"),
        (b"\x7FELF", "it is a program"),
    ];
    let known = KNOWN.iter().find(|(magic, _)| bytes.starts_with(magic));
    let first: Vec<String> = bytes.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    known.map_or_else(|| format!("it begins with {}", first.join(" ")), |(_, what)| (*what).to_owned())
}
