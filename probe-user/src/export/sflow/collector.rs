//! One collector: its address, and a socket that never blocks.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use probe_core::time::{Mono, SECOND};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::CollectorStatus;
use crate::export::spec::HostPort;

/// Time between two looks at the addresses of a name, and that after one that failed.
const REFRESH: Duration = Duration::from_secs(300);
const RETRY: Duration = Duration::from_secs(10);
/// Time between two attempts to open a socket, nanoseconds.
const RECONNECT: u64 = 5 * SECOND;

/// A collector.
pub(super) struct Collector {
    name: String,
    address: Address,
    socket: Option<(SocketAddr, UdpSocket)>,
    /// When a socket may be opened again.
    again: Mono,
    sent: u64,
    lost: u64,
    refused: u64,
    error: Option<String>,
}

/// Where it is.
enum Address {
    Known(SocketAddr),
    /// Of a name: a task asks for it, and ends with this.
    Named {
        found: watch::Receiver<Option<Result<SocketAddr, String>>>,
        task: JoinHandle<()>,
    },
}

impl Drop for Address {
    fn drop(&mut self) {
        if let Self::Named { task, .. } = self {
            task.abort();
        }
    }
}

impl Collector {
    /// Not connected yet.
    pub fn new(to: &HostPort) -> Self {
        let address = match to.host.parse::<IpAddr>() {
            Ok(address) => Address::Known(SocketAddr::new(address, to.port)),
            Err(_) => {
                let (sender, found) = watch::channel(None);
                Address::Named { found, task: tokio::spawn(resolve(to.clone(), sender)) }
            }
        };
        Self { name: to.to_string(), address, socket: None, again: Mono(0), sent: 0, lost: 0, refused: 0, error: None }
    }

    /// Opens a socket where there is none, or none to the address that the name has now. Returns the address that it sends from, when one
    /// was opened.
    pub fn connect(&mut self, now: Mono) -> Option<IpAddr> {
        let wanted = match &self.address {
            Address::Known(address) => Ok(*address),
            Address::Named { found, .. } => found.borrow().clone()?,
        };
        let address = match wanted {
            Ok(address) => address,
            // What it resolved to before is good until it resolves to something else.
            Err(why) => {
                if self.socket.is_none() {
                    self.tell(Some(why));
                }
                return None;
            }
        };
        if self.socket.as_ref().is_some_and(|(to, _)| *to == address) || now < self.again {
            return None;
        }
        self.again = now.plus(RECONNECT);
        let opened = open(address);
        self.tell(opened.as_ref().err().map(ToString::to_string));
        let local = opened.as_ref().ok().and_then(|socket| Some(socket.local_addr().ok()?.ip()));
        self.socket = opened.ok().map(|socket| (address, socket));
        local
    }

    /// Sends a datagram, or counts it.
    pub fn send(&mut self, now: Mono, datagram: &[u8]) {
        let Some((_, socket)) = &self.socket else {
            self.lost += 1;
            return;
        };
        let mut result = socket.send(datagram);
        if let Err(error) = &result
            && error.kind() == io::ErrorKind::ConnectionRefused
        {
            // That is the answer to an earlier one, and kept this one from being sent.
            self.refused += 1;
            self.tell(Some("nobody listens there".to_owned()));
            result = self.socket.as_ref().map_or(result, |(_, socket)| socket.send(datagram));
        } else if result.is_ok() {
            self.tell(None);
        }
        match result {
            Ok(_) => self.sent += 1,
            Err(error) => {
                self.lost += 1;
                if error.kind() != io::ErrorKind::WouldBlock {
                    self.tell(Some(error.to_string()));
                    // The address that it was bound to may be gone: a new socket finds another.
                    self.socket = None;
                    self.again = now.plus(RECONNECT);
                }
            }
        }
    }

    /// Keeps what is wrong, and says so when that is news.
    fn tell(&mut self, error: Option<String>) {
        match &error {
            Some(why) if self.error.is_none() => log::warn!("sFlow collector {}: {why}", self.name),
            None if self.error.is_some() => log::info!("sFlow collector {} is sent to again", self.name),
            _ => {}
        }
        self.error = error;
    }

    /// Datagrams that were not sent.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Times that nobody listened.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// For `linkprobe status`.
    pub fn status(&self) -> CollectorStatus {
        CollectorStatus {
            name: self.name.clone(),
            sent: self.sent,
            lost: self.lost,
            refused: self.refused,
            error: self.error.clone(),
        }
    }
}

/// A socket that sends to `address`. This asks nobody: the kernel looks at its routes.
fn open(address: SocketAddr) -> io::Result<UdpSocket> {
    let any: IpAddr = if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    socket.set_nonblocking(true)?;
    socket.connect(address)?;
    Ok(socket)
}

/// Asks for the address of a name, over and over. One that is still among the addresses stays: resolvers give them in another order
/// each time.
async fn resolve(to: HostPort, results: watch::Sender<Option<Result<SocketAddr, String>>>) {
    loop {
        let found = match tokio::net::lookup_host((to.host.as_str(), to.port)).await {
            Ok(found) => {
                let found: Vec<SocketAddr> = found.collect();
                let known = results.borrow().as_ref().and_then(|known| known.as_ref().ok().copied());
                let address = known.filter(|known| found.contains(known)).or(found.first().copied());
                address.ok_or_else(|| "it has no address".to_owned())
            }
            Err(error) => Err(format!("it does not resolve: {error}")),
        };
        let pause = if found.is_ok() { REFRESH } else { RETRY };
        results.send_if_modified(|known| {
            // An outage takes the name servers away too: what was known is not forgotten for that.
            let keep = found.is_err() && matches!(known, Some(Ok(_)));
            if !keep {
                *known = Some(found);
            }
            !keep
        });
        tokio::time::sleep(pause).await;
    }
}
