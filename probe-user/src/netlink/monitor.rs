//! The socket that hears of every link change in this network namespace.

use std::io;

use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use rustix::net::sockopt::{set_socket_recv_buffer_size, set_socket_recv_buffer_size_force};

use crate::readable::Readable;

/// `RTNLGRP_LINK` as a bit of the address's group mask (linux/rtnetlink.h).
const LINK_GROUP: u32 = 1;
/// Receive buffer that is asked for, bytes: some thousand link messages.
const RECEIVE_BUFFER: usize = 4 << 20;
/// Most datagrams that are taken at once: more than the receive buffer holds.
const MOST_DRAINED: usize = 16_384;
/// Longest datagram that the kernel sends to a multicast group.
const DATAGRAM: usize = 64 << 10;

/// What came in.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// One datagram: one or several messages.
    Datagram(Vec<u8>),
    /// Messages were lost (ENOBUFS): ask for everything again.
    Overrun,
}

/// Hears of link changes.
pub struct Monitor {
    socket: Socket,
    readable: Readable,
}

impl Monitor {
    /// Opens the socket. `receive_buffer` (bytes) is for tests of overruns; `None` asks for 4 MiB.
    ///
    /// # Errors
    /// When the kernel refuses a netlink socket, or outside a tokio runtime.
    pub fn open(receive_buffer: Option<usize>) -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        // Above net.core.rmem_max only with CAP_NET_ADMIN; a smaller one works as well, with more overruns.
        let bytes = receive_buffer.unwrap_or(RECEIVE_BUFFER);
        if set_socket_recv_buffer_size_force(&socket, bytes).is_err() {
            set_socket_recv_buffer_size(&socket, bytes)?;
        }
        socket.bind(&SocketAddr::new(0, LINK_GROUP))?;
        socket.set_non_blocking(true)?;
        let readable = Readable::watch(&socket)?;
        Ok(Self { socket, readable })
    }

    /// The next datagram. Safe to drop before it is ready: nothing is lost.
    ///
    /// # Errors
    /// When the socket itself fails; an overrun is no error.
    pub async fn receive(&mut self) -> io::Result<Received> {
        loop {
            let mut guard = self.readable.ready().await?;
            match guard.try_io(|_| receive(&self.socket)) {
                Ok(Err(e)) if is_overrun(&e) => return Ok(Received::Overrun),
                Ok(Err(e)) if e.kind() == io::ErrorKind::Interrupted => {}
                Ok(result) => return result.map(Received::Datagram),
                Err(_would_block) => {}
            }
        }
    }

    /// Hands over what waits in the socket now, without waiting for more: what was sent before an overrun was told. Further overruns
    /// are part of the one that is being dealt with.
    pub fn drain(&mut self, mut take: impl FnMut(&[u8])) {
        for _ in 0..MOST_DRAINED {
            match receive(&self.socket) {
                Ok(datagram) => take(&datagram),
                Err(e) if is_overrun(&e) || e.kind() == io::ErrorKind::Interrupted => {}
                // Empty; or broken, which the next `receive` tells.
                Err(_) => return,
            }
        }
    }
}

fn is_overrun(error: &io::Error) -> bool {
    rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::NOBUFS)
}

fn receive(socket: &Socket) -> io::Result<Vec<u8>> {
    let mut buffer = Vec::with_capacity(DATAGRAM);
    let (_, from) = socket.recv_from(&mut buffer, 0)?;
    if from.port_number() != 0 {
        // Any process may send to our port; only the kernel is believed.
        return Err(io::ErrorKind::Interrupted.into());
    }
    buffer.shrink_to_fit();
    Ok(buffer)
}
