//! One connection to a receiver, whatever the transport.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

use rustix::net::sockopt;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, UdpSocket, UnixDatagram, UnixStream, lookup_host};

use super::file::LogFile;
use super::outstanding;
use super::spec::{HostPort, Transport};

/// Bytes that the kernel holds of a connection: what is not acknowledged when it breaks is sent anew.
const SEND_BUFFER: usize = 64 << 10;
/// A peer that says nothing is asked after this time, and then this often.
const KEEPALIVE: [Duration; 2] = [Duration::from_secs(30), Duration::from_secs(10)];
/// Questions that may go unanswered.
const KEEPALIVES: u32 = 3;
/// Longest time for which sent data may stay unacknowledged.
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);
/// How long a first datagram is given to be refused before the next ones follow.
const PROBATION: Duration = Duration::from_millis(300);

/// A connection.
#[derive(Debug)]
pub enum Connection {
    /// A connected socket. The first datagram decides whether anybody listens.
    Udp {
        /// The socket.
        socket: UdpSocket,
        /// Nobody refused so far.
        proven: bool,
        /// Length of the last datagram: a refusal is about it.
        last: u64,
    },
    /// A stream.
    Tcp(TcpStream),
    /// A local socket.
    Datagram(UnixDatagram),
    /// A local socket of an older kind: lines.
    Stream(UnixStream),
    /// A file.
    File(LogFile),
}

impl Connection {
    /// Opens one. Names are asked for each time: a collector may have moved.
    ///
    /// # Errors
    /// What the system says.
    pub async fn open(transport: &Transport, size: u64, files: u32) -> io::Result<Self> {
        match transport {
            Transport::Udp(to) => udp(to).await,
            Transport::Tcp(to) => tcp(to).await.map(Self::Tcp),
            Transport::Unix(path) => unix(path).await,
            Transport::File(path) => LogFile::open(path, size, files).map(Self::File),
        }
    }

    /// Sends a message that is framed already.
    ///
    /// # Errors
    /// What the system says: then it has not gone out as a whole, and the connection is of no more use.
    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Udp { socket, proven, last } => {
                socket.send(bytes).await?;
                *last = bytes.len() as u64;
                if !*proven {
                    if let Ok(error) = tokio::time::timeout(PROBATION, refused(socket)).await {
                        return Err(error);
                    }
                    *proven = true;
                }
                Ok(())
            }
            Self::Tcp(stream) => {
                // A peer that has closed takes nothing, though the first write after it would look like a success.
                is_open(|buffer| stream.try_read(buffer))?;
                stream.write_all(bytes).await
            }
            Self::Datagram(socket) => socket.send(bytes).await.map(|_| ()),
            Self::Stream(stream) => {
                is_open(|buffer| stream.try_read(buffer))?;
                stream.write_all(bytes).await?;
                stream.write_all(b"\n").await
            }
            // On a thread of its own.
            Self::File(file) => file.append(bytes),
        }
    }

    /// Waits until the connection is of no more use; for ever where that cannot be known. Safe to drop before it is ready.
    pub async fn broken(&self) -> io::Error {
        match self {
            Self::Udp { socket, .. } => refused(socket).await,
            Self::Tcp(stream) => loop {
                let readable = stream.readable().await;
                if let Err(error) = readable.and_then(|()| is_open(|buffer| stream.try_read(buffer))) {
                    return error;
                }
            },
            Self::Stream(stream) => loop {
                let readable = stream.readable().await;
                if let Err(error) = readable.and_then(|()| is_open(|buffer| stream.try_read(buffer))) {
                    return error;
                }
            },
            Self::Datagram(_) | Self::File(_) => std::future::pending().await,
        }
    }

    /// Bytes that were sent and of which it is not known that the other end's kernel has them.
    pub fn outstanding(&self) -> u64 {
        match self {
            Self::Udp { last, .. } => *last,
            Self::Tcp(stream) => outstanding::bytes(stream.as_fd()),
            Self::Datagram(_) | Self::Stream(_) | Self::File(_) => 0,
        }
    }

    /// Gives it up: what the kernel holds of it is not sent any more, as it is sent anew.
    pub fn abandon(self) {
        if let Self::Tcp(stream) = self {
            // Without it the kernel would go on delivering what the next connection delivers too.
            let _ = sockopt::set_socket_linger(&stream, Some(Duration::ZERO));
        }
    }

    /// Ends it in order: what was sent still goes out.
    pub async fn finish(&mut self) {
        // It ends anyway when it is dropped.
        let _ = match self {
            Self::Tcp(stream) => stream.shutdown().await,
            Self::Stream(stream) => stream.shutdown().await,
            Self::Udp { .. } | Self::Datagram(_) | Self::File(_) => Ok(()),
        };
    }
}

/// Reads away what the peer says; an error when it has closed.
fn is_open(read: impl Fn(&mut [u8]) -> io::Result<usize>) -> io::Result<()> {
    let mut buffer = [0; 512];
    match read(&mut buffer) {
        Ok(0) => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the other end closed the connection")),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
        Err(error) => Err(error),
    }
}

/// Waits for a refusal; datagrams that come back are of no interest.
async fn refused(socket: &UdpSocket) -> io::Error {
    let mut buffer = [0; 512];
    loop {
        if let Err(error) = socket.recv(&mut buffer).await {
            return error;
        }
    }
}

async fn addresses(to: &HostPort) -> io::Result<Vec<SocketAddr>> {
    let found: Vec<SocketAddr> = lookup_host((to.host.as_str(), to.port)).await?.collect();
    if found.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, format!("{} has no address", to.host)));
    }
    Ok(found)
}

async fn udp(to: &HostPort) -> io::Result<Connection> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "no address");
    for address in addresses(to).await? {
        let any: SocketAddr = match address {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = UdpSocket::bind(any).await?;
        match socket.connect(address).await {
            Ok(()) => return Ok(Connection::Udp { socket, proven: false, last: 0 }),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn tcp(to: &HostPort) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(addresses(to).await?.as_slice()).await?;
    stream.set_nodelay(true)?;
    let [idle, interval] = KEEPALIVE;
    sockopt::set_socket_keepalive(&stream, true)?;
    sockopt::set_tcp_keepidle(&stream, idle)?;
    sockopt::set_tcp_keepintvl(&stream, interval)?;
    sockopt::set_tcp_keepcnt(&stream, KEEPALIVES)?;
    sockopt::set_tcp_user_timeout(&stream, u32::try_from(UNACKNOWLEDGED.as_millis()).unwrap_or(u32::MAX))?;
    sockopt::set_socket_send_buffer_size(&stream, SEND_BUFFER)?;
    Ok(stream)
}

/// A daemon's datagram socket; a stream where the daemon has one of those.
async fn unix(path: &Path) -> io::Result<Connection> {
    let socket = UnixDatagram::unbound()?;
    match socket.connect(path) {
        Ok(()) => Ok(Connection::Datagram(socket)),
        // EPROTOTYPE: a socket of another type.
        Err(error) if error.raw_os_error() == Some(libc::EPROTOTYPE) => UnixStream::connect(path).await.map(Connection::Stream),
        Err(error) => Err(error),
    }
}
