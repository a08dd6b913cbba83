//! Somebody who takes everything that an agent sends, and counts it. For what real collectors say, the tests start those.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};

use super::netns::{Netns, enter};

/// How often a thread looks whether it is to end.
const LOOK: Duration = Duration::from_millis(100);

/// Receivers on the loopback of a namespace, and a reader of metrics. They end with the value.
#[derive(Debug)]
pub struct Collectors {
    /// Takes datagrams.
    pub udp: SocketAddr,
    /// Takes connections.
    pub tcp: SocketAddr,
    /// Where the agent is to serve its metrics, which are read each second.
    pub metrics: SocketAddr,
    taken: Arc<Taken>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Taken {
    stop: AtomicBool,
    datagrams: AtomicU64,
    bytes: AtomicU64,
    scrapes: AtomicU64,
}

impl Collectors {
    /// Starts them.
    ///
    /// # Errors
    /// The system's.
    pub fn start(netns: &Netns) -> Result<Self> {
        let taken = Arc::new(Taken::default());
        let udp = netns.run(|| UdpSocket::bind("127.0.0.1:0"))?.context("a socket for datagrams")?;
        let tcp = netns.run(|| TcpListener::bind("127.0.0.1:0"))?.context("a socket for connections")?;
        // Let go again: the agent takes it.
        let metrics = netns.run(|| TcpListener::bind("127.0.0.1:0")?.local_addr())?.context("a free port")?;
        let (udp_at, tcp_at) = (udp.local_addr()?, tcp.local_addr()?);
        udp.set_read_timeout(Some(LOOK))?;
        tcp.set_nonblocking(true)?;
        let inside = netns.file()?;
        let threads = vec![
            spawn(&taken, move |taken| datagrams(&udp, taken)),
            spawn(&taken, move |taken| connections(&tcp, taken)),
            spawn(&taken, move |taken| {
                if enter(inside.as_raw_fd(), libc::CLONE_NEWNET).is_ok() {
                    scrapes(metrics, taken);
                }
            }),
        ];
        Ok(Self { udp: udp_at, tcp: tcp_at, metrics, taken, threads })
    }

    /// Datagrams, bytes of connections and readings of the metrics so far.
    pub fn counts(&self) -> (u64, u64, u64) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (read(&self.taken.datagrams), read(&self.taken.bytes), read(&self.taken.scrapes))
    }
}

impl Drop for Collectors {
    fn drop(&mut self) {
        self.taken.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn spawn(taken: &Arc<Taken>, work: impl FnOnce(&Taken) + Send + 'static) -> JoinHandle<()> {
    let taken = Arc::clone(taken);
    thread::spawn(move || work(&taken))
}

fn datagrams(socket: &UdpSocket, taken: &Taken) {
    let mut buffer = vec![0; 65_536];
    while !taken.stop.load(Ordering::Relaxed) {
        if socket.recv(&mut buffer).is_ok() {
            taken.datagrams.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn connections(listener: &TcpListener, taken: &Taken) {
    let mut streams: Vec<TcpStream> = Vec::new();
    let mut buffer = vec![0; 65_536];
    while !taken.stop.load(Ordering::Relaxed) {
        streams
            .extend(listener.accept().ok().filter(|(stream, _)| stream.set_nonblocking(true).is_ok()).map(|(stream, _)| stream));
        streams.retain_mut(|stream| match stream.read(&mut buffer) {
            Ok(0) => false,
            Ok(length) => {
                taken.bytes.fetch_add(length as u64, Ordering::Relaxed);
                true
            }
            Err(error) => error.kind() == std::io::ErrorKind::WouldBlock,
        });
        thread::sleep(Duration::from_millis(20));
    }
}

fn scrapes(metrics: SocketAddr, taken: &Taken) {
    while !taken.stop.load(Ordering::Relaxed) {
        let scraped = TcpStream::connect_timeout(&metrics, LOOK).and_then(|mut stream| {
            stream.set_read_timeout(Some(Duration::from_secs(1)))?;
            stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n\r\n")?;
            stream.read_to_end(&mut Vec::new())
        });
        if scraped.is_ok_and(|length| length > 1000) {
            taken.scrapes.fetch_add(1, Ordering::Relaxed);
        }
        thread::sleep(Duration::from_secs(1));
    }
}
