//! `RTM_NEWLINK` and `RTM_DELLINK`: `struct ifinfomsg` and the attributes after it.

use super::attribute::{Attribute, Attributes};
use super::{DecodeError, LinkMessage, RTM_DELLINK, RTM_NEWLINK, bond};
use crate::link::{LinkState, LinkStats, OperState};

/// `struct ifinfomsg`: family u8, pad u8, type u16, index i32, flags u32, change u32.
const IFINFOMSG: usize = 16;
/// Anything else is another subsystem's message about a link: `AF_BRIDGE` tells of bridge ports, with `RTM_DELLINK` when
/// the port, not the link, goes away.
const AF_UNSPEC: u8 = 0;
const IFF_UP: u32 = 1;
const IFF_PROMISC: u32 = 0x100;

const IFLA_ADDRESS: u16 = 1;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_LINK: u16 = 5;
const IFLA_MASTER: u16 = 10;
const IFLA_OPERSTATE: u16 = 16;
const IFLA_LINKINFO: u16 = 18;
const IFLA_STATS64: u16 = 23;
const IFLA_NUM_TX_QUEUES: u16 = 31;
const IFLA_CARRIER: u16 = 33;
const IFLA_LINK_NETNSID: u16 = 37;
const IFLA_CARRIER_UP_COUNT: u16 = 47;
const IFLA_CARRIER_DOWN_COUNT: u16 = 48;

const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;
const IFLA_INFO_SLAVE_KIND: u16 = 4;
const IFLA_INFO_SLAVE_DATA: u16 = 5;

/// Decodes the payload of `RTM_NEWLINK`.
pub fn new(payload: &[u8]) -> Result<LinkMessage, DecodeError> {
    let header = Header::read(RTM_NEWLINK, payload)?;
    if header.family != AF_UNSPEC {
        return Ok(LinkMessage::Other);
    }
    let ifindex = header.ifindex;
    let (admin_up, promiscuous) = (header.flags & IFF_UP != 0, header.flags & IFF_PROMISC != 0);
    let mut state = LinkState { ifindex, admin_up, promiscuous, ..LinkState::default() };
    let (mut has_operstate, mut has_carrier, mut lower_is_elsewhere) = (false, false, false);
    for attribute in Attributes::new(ifindex, header.attributes) {
        let attribute = attribute?;
        match attribute.kind {
            IFLA_ADDRESS => state.mac = attribute.mac(),
            IFLA_IFNAME => state.name = attribute.text(),
            IFLA_MTU => state.mtu = attribute.u32("IFLA_MTU")?,
            IFLA_LINK => state.lower = attribute.ifindex("IFLA_LINK")?,
            IFLA_LINK_NETNSID => lower_is_elsewhere = true,
            IFLA_MASTER => state.master = attribute.ifindex("IFLA_MASTER")?,
            IFLA_OPERSTATE => {
                has_operstate = true;
                state.operstate = operstate(attribute.u8("IFLA_OPERSTATE")?);
            }
            IFLA_CARRIER => {
                has_carrier = true;
                state.carrier = attribute.u8("IFLA_CARRIER")? != 0;
            }
            IFLA_CARRIER_UP_COUNT => state.carrier_up_count = attribute.u32("IFLA_CARRIER_UP_COUNT")?,
            IFLA_CARRIER_DOWN_COUNT => state.carrier_down_count = attribute.u32("IFLA_CARRIER_DOWN_COUNT")?,
            IFLA_NUM_TX_QUEUES => state.tx_queues = attribute.u32("IFLA_NUM_TX_QUEUES")?,
            IFLA_STATS64 => state.stats = stats(attribute)?,
            IFLA_LINKINFO => link_info(attribute, &mut state)?,
            _ => {}
        }
    }
    if lower_is_elsewhere {
        // The index counts in another namespace, where it means another link.
        state.lower = None;
    }
    if !has_operstate || !has_carrier || state.name.is_empty() {
        // Wireless extensions send their events as link messages that hold a name and nothing else.
        return Ok(LinkMessage::Other);
    }
    Ok(LinkMessage::New(Box::new(state)))
}

/// Decodes the payload of `RTM_DELLINK`.
pub fn del(payload: &[u8]) -> Result<LinkMessage, DecodeError> {
    let header = Header::read(RTM_DELLINK, payload)?;
    Ok(if header.family == AF_UNSPEC { LinkMessage::Del { ifindex: header.ifindex } } else { LinkMessage::Other })
}

struct Header<'a> {
    family: u8,
    ifindex: u32,
    flags: u32,
    attributes: &'a [u8],
}

impl<'a> Header<'a> {
    fn read(kind: u16, payload: &'a [u8]) -> Result<Self, DecodeError> {
        let short = DecodeError::Short { kind, length: payload.len() };
        let Some((fixed, attributes)) = payload.split_first_chunk::<IFINFOMSG>() else { return Err(short) };
        let [family, _, _, _, i0, i1, i2, i3, f0, f1, f2, f3, ..] = *fixed;
        let index = i32::from_ne_bytes([i0, i1, i2, i3]);
        let ifindex = u32::try_from(index).ok().filter(|index| *index != 0).ok_or(DecodeError::Index(index))?;
        Ok(Self { family, ifindex, flags: u32::from_ne_bytes([f0, f1, f2, f3]), attributes })
    }
}

/// `IF_OPER_*` of linux/if.h. A number that a later kernel may add is a state that we do not know.
fn operstate(value: u8) -> OperState {
    match value {
        1 => OperState::NotPresent,
        2 => OperState::Down,
        3 => OperState::LowerLayerDown,
        4 => OperState::Testing,
        5 => OperState::Dormant,
        6 => OperState::Up,
        _ => OperState::Unknown,
    }
}

/// The first twenty-three numbers of `struct rtnl_link_stats64`, which every kernel has; some have more.
pub(super) fn stats(attribute: Attribute<'_>) -> Result<LinkStats, DecodeError> {
    const NUMBERS: usize = 23;
    let Attribute { ifindex, value, .. } = attribute;
    let Some(fixed) = value.first_chunk::<{ 8 * NUMBERS }>() else {
        return Err(DecodeError::Size { ifindex, name: "IFLA_STATS64", length: value.len() });
    };
    let mut numbers = [0u64; NUMBERS];
    for (number, bytes) in numbers.iter_mut().zip(fixed.as_chunks().0) {
        *number = u64::from_ne_bytes(*bytes);
    }
    let [rx_packets, tx_packets, rx_bytes, tx_bytes, rx_errors, tx_errors, rx_dropped, tx_dropped, multicast, ..] = numbers;
    let [
        ..,
        collisions,
        rx_length_errors,
        rx_over_errors,
        rx_crc_errors,
        rx_frame_errors,
        rx_fifo_errors,
        rx_missed,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
    ] = numbers;
    let [
        ..,
        tx_aborted_errors,
        tx_carrier_errors,
        tx_fifo_errors,
        tx_heartbeat_errors,
        tx_window_errors,
        rx_compressed,
        tx_compressed,
    ] = numbers;
    Ok(LinkStats {
        rx_packets,
        tx_packets,
        rx_bytes,
        tx_bytes,
        rx_errors,
        tx_errors,
        rx_dropped,
        tx_dropped,
        multicast,
        collisions,
        rx_length_errors,
        rx_over_errors,
        rx_crc_errors,
        rx_frame_errors,
        rx_fifo_errors,
        rx_missed,
        tx_aborted_errors,
        tx_carrier_errors,
        tx_fifo_errors,
        tx_heartbeat_errors,
        tx_window_errors,
        rx_compressed,
        tx_compressed,
    })
}

/// `IFLA_LINKINFO`: what kind of link it is, and of what kind its master; each with data of its own.
fn link_info(info: Attribute<'_>, state: &mut LinkState) -> Result<(), DecodeError> {
    let (mut data, mut slave_kind, mut slave_data) = (None, None, None);
    for attribute in info.nested() {
        let attribute = attribute?;
        match attribute.kind {
            IFLA_INFO_KIND => state.kind = Some(attribute.text()),
            IFLA_INFO_DATA => data = Some(attribute),
            IFLA_INFO_SLAVE_KIND => slave_kind = Some(attribute.text()),
            IFLA_INFO_SLAVE_DATA => slave_data = Some(attribute),
            _ => {}
        }
    }
    if let Some(data) = data.filter(|_| state.kind.as_deref() == Some("bond")) {
        state.bond = Some(bond::bond(data)?);
    }
    if let Some(data) = slave_data.filter(|_| slave_kind.as_deref() == Some("bond")) {
        state.slave = Some(bond::slave(data)?);
    }
    Ok(())
}
