//! What a driver tells by the ethtool ioctl (linux/ethtool.h): it asks by name within this network namespace, which sysfs does not.

use std::{mem, os::fd::AsRawFd as _};

const ETHTOOL_GSET: u32 = 0x01;
const ETHTOOL_GFLAGS: u32 = 0x25;
const ETH_FLAG_RXVLAN: u32 = 1 << 8;

/// Whether VLAN tags are taken out of received frames; `None` where the driver does not tell.
pub fn rx_vlan_offload(name: &str) -> Option<bool> {
    // `struct ethtool_value`: command and data.
    let [_, flags] = ask(name, [ETHTOOL_GFLAGS, 0])?;
    Some(flags & ETH_FLAG_RXVLAN != 0)
}

/// Speed in bits per second; `None` where the driver does not tell, as without a carrier.
pub fn speed_bps(name: &str) -> Option<u64> {
    // `struct ethtool_cmd` has 44 bytes: the low half of the speed (Mbit/s) at 12, the high half at 28.
    let mut command = [0; 11];
    command[0] = ETHTOOL_GSET;
    let answer = ask(name, command)?;
    let half = |word: u32| {
        let [a, b, ..] = word.to_ne_bytes();
        u32::from(u16::from_ne_bytes([a, b]))
    };
    let megabits = half(answer[7]) << 16 | half(answer[3]);
    (megabits != 0 && megabits != u32::MAX && megabits != 0xffff).then_some(u64::from(megabits) * 1_000_000)
}

/// Sends a command, whose answer takes its place.
fn ask<const WORDS: usize>(name: &str, mut command: [u32; WORDS]) -> Option<[u32; WORDS]> {
    const SIOCETHTOOL: libc::c_ulong = 0x8946;

    let socket = std::net::UdpSocket::bind("127.0.0.1:0").or_else(|_| std::net::UdpSocket::bind("0.0.0.0:0")).ok()?;
    // SAFETY: zeros are an `ifreq`.
    let mut request: libc::ifreq = unsafe { mem::zeroed() };
    if name.len() >= request.ifr_name.len() {
        return None;
    }
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = from.cast_signed();
    }
    request.ifr_ifru.ifru_data = command.as_mut_ptr().cast();
    // SAFETY: the request names an interface and points to a structure of the size that each command above has; both outlive the call.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), SIOCETHTOOL as _, &raw mut request) };
    (result == 0).then_some(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_that_is_not_there_tells_nothing() {
        assert_eq!(rx_vlan_offload("nosuchlink0"), None);
        assert_eq!(speed_bps("a-name-that-is-longer-than-any"), None);
        assert_eq!(speed_bps("lo"), None);
    }
}
