//! An sFlow collector of our own: keeps every datagram, walks through it, and writes it for Wireshark's programs.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::netns::Netns;
use crate::dump::file::PcapFile;
use crate::traffic::numbers::Moment;

/// A datagram.
#[derive(Clone, Debug)]
pub struct Datagram {
    /// When it came, nanoseconds since 1970.
    pub at_ns: u64,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A sample in a datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// 1: flow, 2: counters.
    pub format: u32,
    /// Its number.
    pub sequence: u32,
    /// ifIndex of its interface.
    pub ifindex: u32,
    /// What stands between these and the records, in words: of a flow sample rate, pool, drops, input and output.
    pub words: Vec<u32>,
    /// Format and bytes of each record.
    pub records: Vec<(u32, Vec<u8>)>,
}

/// Takes datagrams until it is stopped.
#[derive(Debug)]
pub struct Collector {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<io::Result<Vec<Datagram>>>,
}

impl Collector {
    /// Listens in `netns` on a free port of the loopback.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn start(netns: &Netns) -> Result<Self> {
        let socket = netns.run(|| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)))??;
        socket.set_read_timeout(Some(Duration::from_millis(50)))?;
        let address = socket.local_addr()?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || receive(&socket, &stopped));
        Ok(Self { address, stop, thread })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Everything that came.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn stop(self) -> Result<Vec<Datagram>> {
        self.stop.store(true, Ordering::Relaxed);
        Ok(self.thread.join().map_err(|_| anyhow::anyhow!("the collector's thread panicked"))??)
    }
}

fn receive(socket: &UdpSocket, stop: &AtomicBool) -> io::Result<Vec<Datagram>> {
    let (mut found, mut bytes) = (Vec::new(), [0; 65536]);
    loop {
        match socket.recv(&mut bytes) {
            Ok(length) => found.push(Datagram { at_ns: Moment::now().wall_ns, bytes: bytes[..length].to_vec() }),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                if stop.load(Ordering::Relaxed) {
                    return Ok(found);
                }
            }
            Err(error) => return Err(error),
        }
    }
}

/// The samples of a datagram with the address of an IPv4 agent. It does without the code under test.
///
/// # Errors
/// When lengths and numbers do not agree, or an interface is told in the expanded form.
pub fn samples(datagram: &[u8]) -> Result<Vec<Sample>> {
    let mut rest = Words(datagram);
    ensure!([rest.next()?, rest.next()?] == [5, 1], "neither version 5 nor an agent of IPv4");
    (0..4).try_for_each(|_| rest.next().map(drop))?;
    let count = rest.next()?;
    let found = (0..count).map(|_| sample(&mut rest)).collect::<Result<Vec<_>>>()?;
    ensure!(rest.0.is_empty(), "{} bytes behind the last sample", rest.0.len());
    Ok(found)
}

fn sample(rest: &mut Words<'_>) -> Result<Sample> {
    let format = rest.next()?;
    let length = rest.next()?;
    let mut of = Words(rest.bytes(length)?);
    let (sequence, ifindex) = (of.next()?, of.next()?);
    let between = match format {
        1 => 5,
        2 => 0,
        _ => anyhow::bail!("a sample of format {format}"),
    };
    let words = (0..between).map(|_| of.next()).collect::<Result<Vec<_>>>()?;
    let count = of.next()?;
    let record = |of: &mut Words<'_>| -> Result<(u32, Vec<u8>)> {
        let format = of.next()?;
        let length = of.next()?;
        Ok((format, of.bytes(length)?.to_vec()))
    };
    let records = (0..count).map(|_| record(&mut of)).collect::<Result<Vec<_>>>()?;
    ensure!(of.0.is_empty(), "{} bytes behind the last record", of.0.len());
    Ok(Sample { format, sequence, ifindex, words, records })
}

struct Words<'a>(&'a [u8]);

impl<'a> Words<'a> {
    fn next(&mut self) -> Result<u32> {
        let (word, rest) = self.0.split_first_chunk::<4>().context("it ends within a word")?;
        self.0 = rest;
        Ok(u32::from_be_bytes(*word))
    }

    fn bytes(&mut self, length: u32) -> Result<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(usize::try_from(length)?).context("it ends within what it claims")?;
        self.0 = rest;
        Ok(bytes)
    }
}

/// Writes datagrams as a pcap, each in a packet to sFlow's port.
///
/// # Errors
/// Those of the file system.
pub fn write_pcap(path: &Path, datagrams: &[Datagram]) -> Result<()> {
    let mut file = PcapFile::create(path)?;
    for datagram in datagrams {
        file.packet(datagram.at_ns, &packet(&datagram.bytes)?)?;
    }
    Ok(file.finish()?)
}

fn packet(payload: &[u8]) -> Result<Vec<u8>> {
    let udp = u16::try_from(8 + payload.len())?;
    let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0];
    let mut ip = vec![0x45, 0];
    ip.extend((20 + udp).to_be_bytes());
    ip.extend([0, 0, 0x40, 0, 64, 17, 0, 0]);
    for address in [Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2)] {
        ip.extend(address.octets());
    }
    let sum: u32 = ip.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    ip[10..12].copy_from_slice(&(!(folded as u16)).to_be_bytes());
    frame.extend(ip);
    for word in [40_000, 6343, udp, 0] {
        frame.extend(word.to_be_bytes());
    }
    frame.extend(payload);
    Ok(frame)
}

/// The loopback's address, as the agent finds it.
pub const AGENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
