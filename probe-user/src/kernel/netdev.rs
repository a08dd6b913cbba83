//! What an interface is and can do, as far as the choice of a hook needs it.

use std::io;

use netlink_sys::protocols::NETLINK_ROUTE;
use serde::Serialize;

use super::{KernelError, ethtool};
use crate::netlink::{
    genl,
    request::{self as nl, Ask},
};

/// Bits of `NETDEV_A_DEV_XDP_FEATURES` (linux/netdev.h).
const NETDEV_XDP_ACT_BASIC: u64 = 1;
const NETDEV_XDP_ACT_RX_SG: u64 = 32;

/// An interface.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Device {
    /// Index.
    pub ifindex: u32,
    /// Name.
    pub name: String,
    /// Hardware address.
    pub mac: [u8; 6],
    /// bond, veth, vlan…; `None` for what needs no kind, such as a network card.
    pub kind: Option<String>,
    /// Id of the XDP program that is attached.
    pub xdp_program: Option<u32>,
    /// Native XDP; `None` where the kernel does not tell (before 6.3).
    pub native_xdp: Option<bool>,
    /// Native XDP with frames in several buffers; `None` where the kernel does not tell.
    pub native_xdp_frags: Option<bool>,
    /// VLAN tags are taken out of received frames; `None` where the driver does not tell.
    pub rx_vlan_offload: Option<bool>,
    /// Bits per second; `None` where the driver does not tell.
    pub speed_bps: Option<u64>,
}

/// Asks the kernel about an interface.
///
/// # Errors
/// [`KernelError::NoInterface`], [`KernelError::NotEthernet`], [`KernelError::Netlink`].
pub fn device(ifindex: u32) -> Result<Device, KernelError> {
    let mut device = link(ifindex)?;
    let features = xdp_features(ifindex);
    device.native_xdp = features.map(|features| features & NETDEV_XDP_ACT_BASIC != 0);
    device.native_xdp_frags = features.map(|features| features & NETDEV_XDP_ACT_RX_SG != 0);
    device.rx_vlan_offload = ethtool::rx_vlan_offload(&device.name);
    device.speed_bps = ethtool::speed_bps(&device.name);
    Ok(device)
}

fn link(ifindex: u32) -> Result<Device, KernelError> {
    const RTM_GETLINK: u16 = 18;
    const IFLA_ADDRESS: u16 = 1;
    const IFLA_IFNAME: u16 = 3;
    const IFLA_LINKINFO: u16 = 18;
    const IFLA_INFO_KIND: u16 = 1;
    const IFLA_XDP: u16 = 43;
    const IFLA_XDP_PROG_ID: u16 = 4;
    const IFINFOMSG: usize = 16;
    const ARPHRD_ETHER: u16 = 1;
    const ARPHRD_LOOPBACK: u16 = 772;

    let mut payload = [0; IFINFOMSG];
    payload[4..8].copy_from_slice(&ifindex.to_ne_bytes());
    let answers = nl::request(NETLINK_ROUTE, RTM_GETLINK, &Ask::One, &payload).map_err(|source| match source.raw_os_error() {
        Some(libc::ENODEV | libc::EINVAL) => KernelError::NoInterface { name: "?".into(), ifindex },
        _ => KernelError::Netlink { what: "asking for a link", source },
    })?;
    let malformed = || KernelError::Netlink { what: "asking for a link", source: io::ErrorKind::InvalidData.into() };
    let answer = answers.first().ok_or_else(malformed)?;
    let attributes = answer.get(IFINFOMSG..).ok_or_else(malformed)?;
    let find = |kind| nl::find(attributes, kind);
    let name = nl::text(find(IFLA_IFNAME).unwrap_or(&[]));
    let hardware = nl::u16_at(answer, 2).ok_or_else(malformed)?;
    if ![ARPHRD_ETHER, ARPHRD_LOOPBACK].contains(&hardware) {
        return Err(KernelError::NotEthernet { name, hardware });
    }
    Ok(Device {
        ifindex,
        name,
        mac: find(IFLA_ADDRESS).and_then(|mac| mac.try_into().ok()).unwrap_or_default(),
        kind: find(IFLA_LINKINFO).and_then(|info| nl::find(info, IFLA_INFO_KIND)).map(nl::text),
        xdp_program: find(IFLA_XDP)
            .and_then(|xdp| nl::find(xdp, IFLA_XDP_PROG_ID))
            .and_then(|id| nl::u32_at(id, 0))
            .filter(|&id| id != 0),
        native_xdp: None,
        native_xdp_frags: None,
        rx_vlan_offload: None,
        speed_bps: None,
    })
}

/// From the `netdev` family (Documentation/netlink/specs/netdev.yaml).
fn xdp_features(ifindex: u32) -> Option<u64> {
    const NETDEV_CMD_DEV_GET: u8 = 1;
    const NETDEV_A_DEV_IFINDEX: u16 = 1;
    const NETDEV_A_DEV_XDP_FEATURES: u16 = 3;

    let device = genl::ask("netdev", NETDEV_CMD_DEV_GET, NETDEV_A_DEV_IFINDEX, &ifindex.to_ne_bytes())?;
    nl::u64_at(nl::find(&device, NETDEV_A_DEV_XDP_FEATURES)?, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_is_known_and_an_index_that_is_not_there_is_named() {
        let device = device(1).unwrap();
        assert_eq!((device.name.as_str(), device.ifindex), ("lo", 1));
        assert!(matches!(super::device(0x7fff_0000), Err(KernelError::NoInterface { ifindex: 0x7fff_0000, .. })));
    }
}
