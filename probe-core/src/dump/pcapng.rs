//! pcapng: blocks of type and length (draft-ietf-opsawg-pcapng).

use super::{DumpError, Head, Interface, LinkType, MOST_BLOCK, MOST_INTERFACES, MOST_NAME, MOST_PACKET, Order, Step};
use crate::direction::Direction;

/// Type of a section header; the same in both byte orders.
pub(super) const SECTION: [u8; 4] = [0x0A, 0x0D, 0x0D, 0x0A];
const SECTION_TYPE: u32 = 0x0A0D_0D0A;
const INTERFACE: u32 = 1;
const OLD_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const STATISTICS: u32 = 5;
const PACKET: u32 = 6;
const BYTE_ORDER_MAGIC: u32 = 0x1A2B_3C4D;
/// Least bytes of any block.
const LEAST_BLOCK: u32 = 12;
/// Bytes of a packet block before the packet.
const PACKET_HEAD: usize = 28;

/// The section that is being read.
#[derive(Clone, Debug)]
pub(super) struct Pcapng {
    order: Order,
    /// Index of the section's first interface among all of the file.
    base: usize,
    clocks: Vec<Clock>,
}

/// How an interface counts time.
#[derive(Clone, Copy, Debug)]
struct Clock {
    /// `if_tsresol`: bit 7 for powers of two.
    resolution: u8,
    /// `if_tsoffset`, seconds.
    offset: i64,
}

impl Pcapng {
    pub(super) fn new() -> Self {
        Self { order: Order::Little, base: 0, clocks: Vec::new() }
    }

    /// What comes next in `bytes`, at offset `at` of the file.
    #[inline]
    pub(super) fn step(&mut self, at: u64, bytes: &[u8], interfaces: &mut Vec<Interface>) -> Result<Step, DumpError> {
        let Some(kind) = self.order.u32(bytes, 0) else { return Ok(Step::More(LEAST_BLOCK as usize)) };
        if kind == SECTION_TYPE {
            return self.section(at, bytes, interfaces);
        }
        let Some(total) = self.order.u32(bytes, 4) else { return Ok(Step::More(LEAST_BLOCK as usize)) };
        check(at, total)?;
        if !matches!(kind, INTERFACE | OLD_PACKET | SIMPLE_PACKET | STATISTICS | PACKET) {
            return Ok(Step::Skip(total.into()));
        }
        let Some(block) = self.whole(at, bytes, total)? else { return Ok(Step::More(total as usize)) };
        let packet = match kind {
            PACKET => self.packet(at, block)?,
            SIMPLE_PACKET => self.simple_packet(at, block, interfaces)?,
            OLD_PACKET => self.old_packet(at, block)?,
            INTERFACE => {
                self.interface(at, block, interfaces)?;
                return Ok(Step::Skip(total.into()));
            }
            _ => {
                self.statistics(block, interfaces);
                return Ok(Step::Skip(total.into()));
            }
        };
        Ok(Step::Packet(packet))
    }

    /// A block that must be seen as a whole; `None` when it is not yet.
    fn whole<'a>(&self, at: u64, bytes: &'a [u8], total: u32) -> Result<Option<&'a [u8]>, DumpError> {
        if total > MOST_BLOCK {
            return Err(DumpError::Length { at, what: "block", length: total.into(), limit: MOST_BLOCK.into() });
        }
        let Some(block) = bytes.get(..total as usize) else { return Ok(None) };
        let trailer = self.order.u32(block, block.len() - 4);
        if trailer != Some(total) {
            let what = format!("block of {total} bytes says {} at its end", trailer.unwrap_or(0));
            return Err(DumpError::Broken { at, what });
        }
        Ok(Some(block))
    }

    fn section(&mut self, at: u64, bytes: &[u8], interfaces: &[Interface]) -> Result<Step, DumpError> {
        const HEAD: usize = 28;
        if bytes.len() < HEAD {
            return Ok(Step::More(HEAD));
        }
        self.order = match (Order::Little.u32(bytes, 8), Order::Big.u32(bytes, 8)) {
            (Some(BYTE_ORDER_MAGIC), _) => Order::Little,
            (_, Some(BYTE_ORDER_MAGIC)) => Order::Big,
            _ => return Err(DumpError::Broken { at, what: "section header without the byte-order magic".to_owned() }),
        };
        let total = self.order.u32(bytes, 4).unwrap_or(0);
        check(at, total)?;
        let (major, minor) = (self.order.u16(bytes, 12).unwrap_or(0), self.order.u16(bytes, 14).unwrap_or(0));
        if major != 1 {
            return Err(DumpError::Version { at, format: "pcapng", major, minor });
        }
        self.base = interfaces.len();
        self.clocks.clear();
        Ok(Step::Skip(total.into()))
    }

    fn interface(&mut self, at: u64, block: &[u8], interfaces: &mut Vec<Interface>) -> Result<(), DumpError> {
        if interfaces.len() >= MOST_INTERFACES {
            return Err(DumpError::Broken { at, what: format!("more than {MOST_INTERFACES} interfaces") });
        }
        let mut interface = Interface {
            link_type: LinkType(self.order.u16(block, 8).unwrap_or(0)),
            snaplen: self.order.u32(block, 12).unwrap_or(0),
            ..Interface::default()
        };
        let mut clock = Clock { resolution: 6, offset: 0 };
        for (code, value) in self.options(block, 16) {
            match (code, value) {
                (2, name) => {
                    let name = name.get(..MOST_NAME).unwrap_or(name);
                    interface.name = String::from_utf8_lossy(name).trim_end_matches('\0').to_owned();
                }
                (6, &[a, b, c, d, e, f]) => interface.mac = [a, b, c, d, e, f],
                (8, speed) => interface.speed_bps = self.order.u64(speed, 0).unwrap_or(0),
                (9, &[resolution, ..]) => clock.resolution = resolution,
                (14, offset) => clock.offset = self.order.u64(offset, 0).unwrap_or(0).cast_signed(),
                _ => {}
            }
        }
        interfaces.push(interface);
        self.clocks.push(clock);
        Ok(())
    }

    #[inline]
    fn packet(&self, at: u64, block: &[u8]) -> Result<Head, DumpError> {
        let field = |at| self.order.u32(block, at).unwrap_or(0);
        let (number, captured) = (field(8), field(20) as usize);
        let mut packet = self.head(at, block, number, PACKET_HEAD, captured, field(24))?;
        packet.at_ns = Some(self.time(number, field(12), field(16)));
        let options = PACKET_HEAD + captured.next_multiple_of(4);
        // Four bytes follow in any case: the block's length.
        if options + 4 < block.len() {
            packet.direction = self.direction(block, options);
        }
        Ok(packet)
    }

    /// A simple packet block has neither stamp nor interface: it is of the first one.
    fn simple_packet(&self, at: u64, block: &[u8], interfaces: &[Interface]) -> Result<Head, DumpError> {
        let length = self.order.u32(block, 8).unwrap_or(0);
        let snaplen = interfaces.get(self.base).map_or(0, |interface| interface.snaplen);
        let room = block.len().saturating_sub(16);
        let most = if snaplen == 0 { room } else { room.min(snaplen as usize) };
        self.head(at, block, 0, 12, most.min(length as usize), length)
    }

    fn old_packet(&self, at: u64, block: &[u8]) -> Result<Head, DumpError> {
        let number = u32::from(self.order.u16(block, 8).unwrap_or(0));
        let field = |at| self.order.u32(block, at).unwrap_or(0);
        let packet = self.head(at, block, number, PACKET_HEAD, field(20) as usize, field(24))?;
        Ok(Head { at_ns: Some(self.time(number, field(12), field(16))), ..packet })
    }

    #[inline]
    fn head(&self, at: u64, block: &[u8], number: u32, start: usize, captured: usize, length: u32) -> Result<Head, DumpError> {
        if number as usize >= self.clocks.len() {
            let what = format!("packet of interface {number}: the section has {} so far", self.clocks.len());
            return Err(DumpError::Broken { at, what });
        }
        let room = block.len().saturating_sub(start + 4);
        if captured > room || captured > MOST_PACKET as usize {
            let limit = room.min(MOST_PACKET as usize) as u64;
            return Err(DumpError::Length { at, what: "packet", length: captured as u64, limit });
        }
        // Not more than MOST_INTERFACES.
        let interface = (self.base + number as usize) as u32;
        let length = length.max(captured as u32);
        Ok(Head { interface, start, captured, length, used: block.len(), ..Head::default() })
    }

    /// `epb_flags`, bits 0 and 1.
    fn direction(&self, block: &[u8], options: usize) -> Option<Direction> {
        let (_, flags) = self.options(block, options).find(|(code, _)| *code == 2)?;
        match self.order.u32(flags, 0)? & 3 {
            1 => Some(Direction::Ingress),
            2 => Some(Direction::Egress),
            _ => None,
        }
    }

    /// `isb_ifdrop` and `isb_osdrop`: the last block that tells is right.
    fn statistics(&self, block: &[u8], interfaces: &mut [Interface]) {
        let number = self.order.u32(block, 8).unwrap_or(u32::MAX) as usize;
        let Some(interface) = self.base.checked_add(number).and_then(|index| interfaces.get_mut(index)) else { return };
        let told = self.options(block, 20).filter(|(code, _)| matches!(code, 5 | 7));
        // A block that says nothing of drops takes nothing back.
        if let Some(dropped) = told.filter_map(|(_, value)| self.order.u64(value, 0)).reduce(u64::saturating_add) {
            interface.dropped = dropped;
        }
    }

    /// The options from `at` on to the end of the block.
    fn options<'a>(&self, block: &'a [u8], at: usize) -> impl Iterator<Item = (u16, &'a [u8])> + use<'a> {
        let order = self.order;
        let mut rest = block.get(at..block.len().saturating_sub(4)).unwrap_or(&[]);
        std::iter::from_fn(move || {
            let (code, length) = (order.u16(rest, 0)?, usize::from(order.u16(rest, 2)?));
            let value = rest.get(4..4 + length).filter(|_| code != 0)?;
            rest = rest.get(4 + length.next_multiple_of(4)..).unwrap_or(&[]);
            Some((code, value))
        })
    }

    /// A stamp in nanoseconds since 1970, as near as 64 bits can say it.
    #[inline]
    fn time(&self, number: u32, high: u32, low: u32) -> u64 {
        let ticks = u64::from(high) << 32 | u64::from(low);
        match self.clocks.get(number as usize) {
            Some(Clock { resolution: 9, offset: 0 }) => ticks,
            Some(Clock { resolution: 6, offset: 0 }) => ticks.saturating_mul(1000),
            Some(clock) => clock.time(ticks),
            None => 0,
        }
    }
}

impl Clock {
    fn time(self, ticks: u64) -> u64 {
        let exponent = u32::from(self.resolution & 0x7F);
        let ticks = u128::from(ticks);
        let ns = match (self.resolution & 0x80 != 0, exponent) {
            (true, exponent) => (ticks * 1_000_000_000) >> exponent.min(127),
            (false, 0..=9) => ticks.saturating_mul(10u128.pow(9 - exponent)),
            (false, exponent) => ticks / 10u128.checked_pow(exponent - 9).unwrap_or(u128::MAX),
        };
        let ns = i128::try_from(ns).unwrap_or(i128::MAX).saturating_add(i128::from(self.offset) * 1_000_000_000);
        u64::try_from(ns.max(0)).unwrap_or(u64::MAX)
    }
}

fn check(at: u64, total: u32) -> Result<(), DumpError> {
    if total < LEAST_BLOCK || !total.is_multiple_of(4) {
        return Err(DumpError::Length { at, what: "block", length: total.into(), limit: 0 });
    }
    Ok(())
}
