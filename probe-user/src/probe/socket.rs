//! The socket of one target: sends its question, and receives nothing but answers to it.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddrV4, SocketAddrV6};
use std::os::fd::OwnedFd;

use probe_core::reach::wire::{
    self, Echo, WireError, advertisement, arp_reply, echo_reply_v4, echo_reply_v6, echo_request_v4, echo_request_v6,
    solicitation, solicited_node,
};
use probe_core::reach::{Device, Question};
use probe_core::time::Mono;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, ipproto, recv, send, sendto, socket_with, sockopt,
};
use tokio::io::unix::AsyncFdReadyGuard;

use super::{filter, sys};
use crate::readable::Readable;

/// Longest answer that is read; the rest of a longer one says nothing.
const ANSWER: usize = 512;
/// Packets that may have come between a socket and its filter.
const MOST_BEFORE_FILTER: usize = 4096;

/// What was received.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// An answer to the question of this number, or to one of them where answers carry none.
    Answer(Option<u64>, Mono),
    /// Something that cannot be taken for an answer.
    Malformed(WireError),
    /// An answer to somebody else's question.
    Foreign,
    /// Nothing more.
    Nothing,
}

/// An open socket.
pub struct Socket {
    fd: OwnedFd,
    readable: Readable,
    question: Question,
    id: u16,
    key: u64,
}

impl Socket {
    /// Opens it. Nothing is sent.
    ///
    /// # Errors
    /// When the kernel refuses it (CAP_NET_RAW), or the interface is gone; or outside a tokio runtime.
    pub fn open(question: Question) -> io::Result<Self> {
        // Two words of the process's own random state, another one for each socket.
        let [key, id] = [0, 1].map(|word: u32| RandomState::new().hash_one(word));
        let id = (id & 0xffff) as u16;
        let fd = match &question {
            Question::Echo { address: IpAddr::V4(_), device } => {
                let fd = raw(AddressFamily::INET, SocketType::RAW, Some(ipproto::ICMP), device.as_ref())?;
                filter::attach(&fd, &filter::echo_v4(id))?;
                fd
            }
            Question::Echo { address: IpAddr::V6(_), device } => {
                let fd = raw(AddressFamily::INET6, SocketType::RAW, Some(ipproto::ICMPV6), device.as_ref())?;
                filter::attach(&fd, &filter::echo_v6(id))?;
                fd
            }
            Question::Nd { device, target, .. } => {
                let fd = raw(AddressFamily::INET6, SocketType::RAW, Some(ipproto::ICMPV6), Some(device))?;
                filter::attach(&fd, &filter::advertisement(*target))?;
                // What a router passed on is no neighbour's question (RFC 4861, section 7.1.1).
                sockopt::set_ipv6_multicast_hops(&fd, 255)?;
                fd
            }
            Question::Arp { device, arp } => {
                let fd = raw(AddressFamily::PACKET, SocketType::RAW, None, None)?;
                filter::attach(&fd, &filter::arp(arp.target))?;
                sys::bind_packet(&fd, device.ifindex, sys::ETH_P_ARP)?;
                fd
            }
        };
        for _ in 0..MOST_BEFORE_FILTER {
            if recv(&fd, &mut [0u8; 1], RecvFlags::empty()).is_err() {
                break;
            }
        }
        sys::received_at(&fd);
        Ok(Self { readable: Readable::watch(&fd)?, fd, question, id, key })
    }

    /// Sends question `number`.
    ///
    /// # Errors
    /// Why the kernel does not send it.
    pub fn send(&self, number: u64) -> io::Result<()> {
        let echo = Echo { id: self.id, key: self.key, number };
        let none = SendFlags::empty();
        let scope = |address: Ipv6Addr, device: Option<&Device>| {
            let local = address.is_unicast_link_local() || address.is_multicast();
            let scope = device.filter(|_| local).map_or(0, |device| device.ifindex);
            SocketAddrV6::new(address, 0, 0, scope)
        };
        match &self.question {
            Question::Echo { address: IpAddr::V4(address), .. } => {
                sendto(&self.fd, &echo_request_v4(echo), none, &SocketAddrV4::new(*address, 0))?
            }
            Question::Echo { address: IpAddr::V6(address), device } => {
                sendto(&self.fd, &echo_request_v6(echo), none, &scope(*address, device.as_ref()))?
            }
            Question::Arp { arp, .. } => send(&self.fd, &wire::arp_request(arp), none)?,
            Question::Nd { device, mac, target } => {
                sendto(&self.fd, &solicitation(*target, *mac), none, &scope(solicited_node(*target), Some(device)))?
            }
        };
        Ok(())
    }

    /// Waits until something can be received. Clear the guard when [`Socket::receive`] finds nothing more.
    ///
    /// # Errors
    /// When the event loop fails.
    pub async fn ready(&self) -> io::Result<AsyncFdReadyGuard<'_, OwnedFd>> {
        self.readable.ready().await
    }

    /// What has been received, one after the other.
    pub fn receive(&self) -> Received {
        let mut buffer = [0u8; ANSWER];
        let length = loop {
            match recv(&self.fd, &mut buffer, RecvFlags::empty()) {
                Ok((_, length)) => break length,
                Err(rustix::io::Errno::INTR) => {}
                // Nothing there; or the interface went down, which sending tells.
                Err(_) => return Received::Nothing,
            }
        };
        let at = sys::received_at(&self.fd);
        let answer = buffer.get(..length).unwrap_or(&buffer);
        match self.read(answer) {
            Ok(number) => Received::Answer(number, at),
            Err(WireError::Foreign) => Received::Foreign,
            Err(error) => Received::Malformed(error),
        }
    }

    fn read(&self, answer: &[u8]) -> Result<Option<u64>, WireError> {
        let ours = |echo: Echo| if echo.key == self.key { Ok(Some(echo.number)) } else { Err(WireError::Foreign) };
        match &self.question {
            Question::Echo { address: IpAddr::V4(address), .. } => {
                let (from, echo) = echo_reply_v4(answer)?;
                if from == *address { ours(echo) } else { Err(WireError::Foreign) }
            }
            Question::Echo { address: IpAddr::V6(_), .. } => ours(echo_reply_v6(answer)?),
            Question::Arp { arp, .. } => arp_reply(answer, arp).map(|()| None),
            Question::Nd { target, .. } => advertisement(answer, *target).map(|()| None),
        }
    }
}

fn raw(
    family: AddressFamily,
    kind: SocketType,
    protocol: Option<rustix::net::Protocol>,
    device: Option<&Device>,
) -> io::Result<OwnedFd> {
    let fd = socket_with(family, kind, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC, protocol)?;
    if let Some(device) = device {
        sys::bind_device(&fd, &device.name)?;
    }
    Ok(fd)
}
