//! The drivers' counters of some links: asked for every second, so on a socket that stays, several in one system call.

use std::io;
use std::time::Duration;

use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use probe_core::link::LinkStats;
use probe_core::netlink::{LinkMessage, decode, stats_request};
use rustix::net::sockopt::{Timeout, set_socket_timeout};

/// The kernel answers before the request's system call returns: whoever waits longer waits for nothing.
const PATIENCE: Duration = Duration::from_millis(200);
/// Links that are asked for at once: their answers must find room in the socket's receive buffer.
const AT_ONCE: usize = 32;

/// Asks for counters.
#[derive(Default)]
pub struct Stats {
    socket: Option<Socket>,
    sequence: u32,
}

impl Stats {
    /// The counters of these links, of those that are there.
    ///
    /// # Errors
    /// When the kernel refuses a socket, or does not answer. The next call begins anew.
    pub fn of(&mut self, links: &[u32]) -> io::Result<Vec<(u32, LinkStats)>> {
        let mut found = Vec::with_capacity(links.len());
        let asked = links.chunks(AT_ONCE).try_for_each(|some| self.ask(some, &mut found));
        if asked.is_err() {
            self.socket = None;
        }
        asked.map(|()| found)
    }

    fn ask(&mut self, links: &[u32], found: &mut Vec<(u32, LinkStats)>) -> io::Result<()> {
        let first = self.sequence.wrapping_add(1);
        let mut requests = Vec::new();
        for link in links {
            self.sequence = self.sequence.wrapping_add(1);
            requests.extend_from_slice(&stats_request(*link, self.sequence));
        }
        let socket = match &mut self.socket {
            Some(socket) => socket,
            none => none.insert(open()?),
        };
        socket.send_to(&requests, &SocketAddr::new(0, 0), 0)?;
        let mut open = links.len();
        while open > 0 {
            let (datagram, from) = socket.recv_from_full()?;
            if from.port_number() != 0 {
                continue;
            }
            for decoded in decode(&datagram) {
                if decoded.sequence.wrapping_sub(first) as usize >= links.len() {
                    continue;
                }
                open -= 1;
                match decoded.message {
                    Ok(LinkMessage::Stats { ifindex, stats }) => found.push((ifindex, stats)),
                    // A link that is gone.
                    Ok(_) => {}
                    Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
                }
                if open == 0 {
                    break;
                }
            }
        }
        Ok(())
    }
}

fn open() -> io::Result<Socket> {
    let mut socket = Socket::new(NETLINK_ROUTE)?;
    socket.bind_auto()?;
    set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE))?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_counts_and_a_link_that_is_not_there_is_left_out() {
        let mut stats = Stats::default();
        let mut links = vec![1, 4_000_000];
        links.extend((0..100).map(|_| 1));
        let found = stats.of(&links).expect("rtnetlink answers");
        assert_eq!(found.len(), 101);
        assert!(found.iter().all(|(ifindex, _)| *ifindex == 1));
        let again = stats.of(&[1]).expect("rtnetlink answers");
        assert!(again[0].1.rx_packets >= found[0].1.rx_packets);
    }
}
