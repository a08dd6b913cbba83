//! pcapng blocks (draft-ietf-opsawg-pcapng), written one after the other to any [`Write`].
//!
//! Written by hand because the crates that there are do not know `epb_queue`, `epb_packetid` or journal blocks, and put the two
//! halves of an interface statistics block's stamps in the wrong order on little-endian machines.
//! All stamps are nanoseconds since 1970 (UTC): `if_tsresol` is 9.

use std::io::{self, Write};

mod block {
    pub(super) const INTERFACE: u32 = 1;
    pub(super) const STATISTICS: u32 = 5;
    pub(super) const PACKET: u32 = 6;
    pub(super) const JOURNAL: u32 = 9;
    pub(super) const SECTION: u32 = 0x0A0D_0D0A;
}

const BYTE_ORDER_MAGIC: u32 = 0x1A2B_3C4D;
const LINKTYPE_ETHERNET: u16 = 1;
/// Bytes that a packet takes in the file beside its own: its block, and the options of every packet (direction, packet id, queue). A comment
/// comes on top.
pub const PACKET_OVERHEAD: usize = 64;

/// Longest text of an option: what fits into its 16-bit length.
const MAX_TEXT: usize = 65_000;

/// The section header: who made the file, on what.
#[derive(Clone, Copy, Debug, Default)]
pub struct Section<'a> {
    /// `shb_hardware`: the machine.
    pub hardware: &'a str,
    /// `shb_os`: the operating system and its kernel's release.
    pub os: &'a str,
    /// `shb_userappl`: the program and its version.
    pub application: &'a str,
    /// `opt_comment`: what the file is about.
    pub comment: &'a str,
}

/// An interface description.
#[derive(Clone, Copy, Debug, Default)]
pub struct Interface<'a> {
    /// `if_name`: as the system calls it.
    pub name: &'a str,
    /// `if_description`.
    pub description: &'a str,
    /// `if_MACaddr`.
    pub mac: [u8; 6],
    /// `if_speed`, bits per second.
    pub speed_bps: Option<u64>,
    /// `if_filter`: an expression of pcap-filter(7).
    pub filter: Option<&'a str>,
    /// Longest capture of a packet, bytes; 0 for no limit.
    pub snaplen: u32,
    /// `if_os`.
    pub os: &'a str,
}

/// Which way a packet went (`epb_flags`, bits 0 and 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Received.
    Inbound,
    /// Transmitted.
    Outbound,
}

/// A packet.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// Number of its interface: the first one is 0.
    pub interface: u32,
    /// Nanoseconds since 1970.
    pub wall_ns: u64,
    /// Captured bytes.
    pub bytes: &'a [u8],
    /// Length of the frame before it was cut, bytes.
    pub length: u32,
    /// Which way it went.
    pub direction: Option<Direction>,
    /// `epb_queue`.
    pub queue: Option<u32>,
    /// `epb_packetid`: the same where one packet was seen at several interfaces.
    pub id: u64,
    /// `epb_dropcount`: packets of this interface lost since the one before.
    pub dropped: u64,
    /// `opt_comment`.
    pub comment: Option<&'a str>,
}

/// Statistics of one interface, at the end of the file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Statistics<'a> {
    /// Number of the interface.
    pub interface: u32,
    /// `isb_starttime`, nanoseconds since 1970.
    pub start_ns: u64,
    /// `isb_endtime`, nanoseconds since 1970; also the block's own stamp.
    pub end_ns: u64,
    /// `isb_ifrecv`: packets counted at the tap.
    pub received: u64,
    /// `isb_filteraccept`: of those, all that the filter did not leave out; `None` without one.
    pub accepted: Option<u64>,
    /// `isb_ifdrop`: packets lost at the tap.
    pub dropped_at_tap: u64,
    /// `isb_osdrop`: packets lost between the tap and the file.
    pub dropped_later: u64,
    /// `isb_usrdeliv`: packets in the file.
    pub delivered: u64,
    /// `opt_comment`.
    pub comment: Option<&'a str>,
}

/// Writes blocks. One buffer serves them all, so that no packet costs an allocation.
#[derive(Debug)]
pub struct PcapngWriter<W> {
    out: W,
    buffer: Vec<u8>,
    written: u64,
}

impl<W: Write> PcapngWriter<W> {
    /// Starts a file with its section header.
    ///
    /// # Errors
    /// Those of `out`; the same holds for all that follows.
    pub fn new(out: W, section: &Section<'_>) -> io::Result<Self> {
        let mut writer = Self { out, buffer: Vec::with_capacity(32 * 1024), written: 0 };
        writer.begin(block::SECTION);
        writer.u32(BYTE_ORDER_MAGIC);
        writer.u16(1);
        writer.u16(0);
        // The length of the section is not known yet.
        writer.u64(u64::MAX);
        writer.text(1, section.comment);
        writer.text(2, section.hardware);
        writer.text(3, section.os);
        writer.text(4, section.application);
        writer.end_of_options();
        writer.finish()?;
        Ok(writer)
    }

    /// Describes the next interface; they are numbered from 0.
    ///
    /// # Errors
    /// See [`Self::new`].
    pub fn interface(&mut self, interface: &Interface<'_>) -> io::Result<()> {
        self.begin(block::INTERFACE);
        self.u16(LINKTYPE_ETHERNET);
        self.u16(0);
        self.u32(interface.snaplen);
        self.text(2, interface.name);
        self.text(3, interface.description);
        if interface.mac != [0; 6] {
            self.option(6, &interface.mac);
        }
        if let Some(speed) = interface.speed_bps {
            self.option(8, &speed.to_le_bytes());
        }
        self.option(9, &[9]);
        if let Some(filter) = interface.filter {
            // The first byte says what the rest is: text.
            self.text(11, &format!("\0{filter}"));
        }
        self.text(12, interface.os);
        self.end_of_options();
        self.finish()
    }

    /// Writes a packet.
    ///
    /// # Errors
    /// See [`Self::new`].
    pub fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        let captured = u32::try_from(packet.bytes.len()).map_err(io::Error::other)?;
        let [upper, lower] = halves(packet.wall_ns);
        // All at once, because there may be a hundred thousand of them. The block's length, the second word, comes when it is known.
        let head = [block::PACKET, 0, packet.interface, upper, lower, captured, packet.length];
        self.buffer.clear();
        self.buffer.extend_from_slice(bytes(head).as_flattened());
        self.buffer.extend_from_slice(packet.bytes);
        self.pad();
        if let Some(comment) = packet.comment {
            self.text(1, comment);
        }
        if let Some(direction) = packet.direction {
            let bits: u32 = match direction {
                Direction::Inbound => 0b01,
                Direction::Outbound => 0b10,
            };
            self.option(2, &bits.to_le_bytes());
        }
        if packet.dropped > 0 {
            self.option(4, &packet.dropped.to_le_bytes());
        }
        self.option(5, &packet.id.to_le_bytes());
        if let Some(queue) = packet.queue {
            self.option(6, &queue.to_le_bytes());
        }
        self.end_of_options();
        self.finish()
    }

    /// Writes a systemd journal export block: something that happened between the packets.
    ///
    /// Its stamp has microseconds only: [`journal_stamp`] says which. `fields` follow the stamp; one whose value holds a line
    /// feed is written in the format's binary form, so that no text can forge a field.
    ///
    /// # Errors
    /// See [`Self::new`].
    pub fn journal(&mut self, wall_ns: u64, fields: &[(&str, &str)]) -> io::Result<()> {
        self.begin(block::JOURNAL);
        self.buffer.extend_from_slice(format!("__REALTIME_TIMESTAMP={}\n", wall_ns / 1000).as_bytes());
        for (name, value) in fields {
            self.buffer.extend_from_slice(name.as_bytes());
            if value.contains('\n') {
                self.buffer.push(b'\n');
                self.buffer.extend_from_slice(&(value.len() as u64).to_le_bytes());
            } else {
                self.buffer.push(b'=');
            }
            self.buffer.extend_from_slice(value.as_bytes());
            self.buffer.push(b'\n');
        }
        self.pad();
        self.finish()
    }

    /// Writes the statistics of an interface.
    ///
    /// # Errors
    /// See [`Self::new`].
    pub fn statistics(&mut self, statistics: &Statistics<'_>) -> io::Result<()> {
        self.begin(block::STATISTICS);
        self.u32(statistics.interface);
        self.stamp(statistics.end_ns);
        if let Some(comment) = statistics.comment {
            self.text(1, comment);
        }
        self.option(2, bytes(halves(statistics.start_ns)).as_flattened());
        self.option(3, bytes(halves(statistics.end_ns)).as_flattened());
        self.option(4, &statistics.received.to_le_bytes());
        self.option(5, &statistics.dropped_at_tap.to_le_bytes());
        if let Some(accepted) = statistics.accepted {
            self.option(6, &accepted.to_le_bytes());
        }
        self.option(7, &statistics.dropped_later.to_le_bytes());
        self.option(8, &statistics.delivered.to_le_bytes());
        self.end_of_options();
        self.finish()
    }

    /// Bytes written so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Flushes, and gives back what was written to.
    ///
    /// # Errors
    /// See [`Self::new`].
    pub fn into_inner(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }

    fn begin(&mut self, kind: u32) {
        self.buffer.clear();
        self.u32(kind);
        self.u32(0);
    }

    fn finish(&mut self) -> io::Result<()> {
        let total = u32::try_from(self.buffer.len() + 4).map_err(io::Error::other)?;
        self.buffer[4..8].copy_from_slice(&total.to_le_bytes());
        self.u32(total);
        self.out.write_all(&self.buffer)?;
        self.written += u64::from(total);
        Ok(())
    }

    fn u16(&mut self, value: u16) {
        self.buffer.extend_from_slice(&value.to_le_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.buffer.extend_from_slice(&value.to_le_bytes());
    }

    fn u64(&mut self, value: u64) {
        self.buffer.extend_from_slice(&value.to_le_bytes());
    }

    fn stamp(&mut self, ns: u64) {
        self.buffer.extend_from_slice(bytes(halves(ns)).as_flattened());
    }

    fn pad(&mut self) {
        self.buffer.resize(self.buffer.len().next_multiple_of(4), 0);
    }

    fn option(&mut self, code: u16, value: &[u8]) {
        debug_assert!(value.len() <= MAX_TEXT, "an option's length has 16 bits");
        self.u16(code);
        self.u16(value.len() as u16);
        self.buffer.extend_from_slice(value);
        self.pad();
    }

    fn text(&mut self, code: u16, text: &str) {
        if !text.is_empty() {
            let end = (0..=text.len().min(MAX_TEXT)).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
            self.option(code, &text.as_bytes()[..end]);
        }
    }

    fn end_of_options(&mut self) {
        self.u32(0);
    }
}

/// The stamp that a reader shows for a journal block: whole microseconds, rounded down.
///
/// Sort events by it, not by the exact time, or the stamps in the file go backwards.
pub fn journal_stamp(wall_ns: u64) -> u64 {
    wall_ns / 1000 * 1000
}

/// A stamp as the format has it: the upper half first, whatever the byte order.
const fn halves(ns: u64) -> [u32; 2] {
    [(ns >> 32) as u32, ns as u32]
}

/// Words as they stand in the file.
fn bytes<const N: usize>(words: [u32; N]) -> [[u8; 4]; N] {
    words.map(u32::to_le_bytes)
}
