//! Datagrams: samples put together until no more fit.

use std::net::IpAddr;

use super::xdr::Put;
use crate::time::Mono;

/// Most bytes of a datagram: what fits into a packet on any ordinary path.
pub const MAX_DATAGRAM: usize = 1400;
const VERSION: u32 = 5;
/// Version, address of IPv6 with its type, sub-agent, sequence, uptime, number of samples.
const LONGEST_HEADER: usize = 40;

/// Samples that wait to be sent together.
#[derive(Debug)]
pub(super) struct Datagram {
    /// Datagrams made so far.
    sequence: u32,
    started: Mono,
    sub_agent: u32,
    samples: Vec<u8>,
    count: u32,
    /// When the first of them came.
    since: Mono,
}

impl Datagram {
    /// An empty one.
    pub fn new(started: Mono, sub_agent: u32) -> Self {
        Self { sequence: 0, started, sub_agent, samples: Vec::with_capacity(MAX_DATAGRAM), count: 0, since: started }
    }

    /// Appends a sample. Returns the samples before it as a datagram when it does not fit behind them.
    pub fn add(&mut self, now: Mono, agent: IpAddr, sample: impl FnOnce(&mut Vec<u8>)) -> Option<Vec<u8>> {
        let before = self.samples.len();
        sample(&mut self.samples);
        let full = before > 0 && self.samples.len() > MAX_DATAGRAM - LONGEST_HEADER;
        let finished = full.then(|| {
            let last = self.samples.split_off(before);
            let finished = self.finish(now, agent);
            self.samples.extend(last);
            finished
        });
        if self.count == 0 {
            self.since = now;
        }
        self.count += 1;
        finished.flatten()
    }

    /// How long the first sample waits, nanoseconds; `None` when there is none.
    pub fn waits(&self, now: Mono) -> Option<u64> {
        (self.count > 0).then(|| now.since(self.since))
    }

    /// The datagram, as it is.
    pub fn finish(&mut self, now: Mono, agent: IpAddr) -> Option<Vec<u8>> {
        if self.count == 0 {
            return None;
        }
        self.sequence = self.sequence.wrapping_add(1);
        let mut bytes = Vec::with_capacity(LONGEST_HEADER + self.samples.len());
        bytes.u32(VERSION);
        match agent {
            IpAddr::V4(address) => {
                bytes.u32(1);
                bytes.extend_from_slice(&address.octets());
            }
            IpAddr::V6(address) => {
                bytes.u32(2);
                bytes.extend_from_slice(&address.octets());
            }
        }
        bytes.u32(self.sub_agent);
        bytes.u32(self.sequence);
        bytes.u32(super::xdr::counter(now.since(self.started) / 1_000_000));
        bytes.u32(std::mem::take(&mut self.count));
        bytes.append(&mut self.samples);
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::at;

    const AGENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    #[test]
    fn the_header_has_agent_sub_agent_sequence_and_uptime() {
        let mut datagram = Datagram::new(at(1000), 7);
        assert_eq!((datagram.finish(at(1000), AGENT), datagram.waits(at(5000))), (None, None));
        assert_eq!(datagram.add(at(1500), AGENT, |bytes| bytes.u32(0xabcd)), None);
        assert_eq!(datagram.waits(at(1700)), Some(200_000_000));
        let bytes = datagram.finish(at(3500), AGENT).expect("a datagram");
        assert_eq!(bytes, b"\0\0\0\x05\0\0\0\x01\xc0\0\x02\x01\0\0\0\x07\0\0\0\x01\0\0\x09\xc4\0\0\0\x01\0\0\xab\xcd");
        datagram.add(at(4000), AGENT, |bytes| bytes.u32(1));
        let six = datagram.finish(at(4000), "2001:db8::1".parse().expect("an address")).expect("a datagram");
        assert_eq!(six[4..24], *b"\0\0\0\x02\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01");
        assert_eq!((six[31], six.len()), (2, 44), "the second one, with one sample");
    }

    #[test]
    fn a_sample_that_does_not_fit_goes_into_the_next_one() {
        let mut datagram = Datagram::new(at(0), 0);
        let mut sample = |n: u8| datagram.add(at(n.into()), AGENT, |bytes| bytes.extend([n; 192]));
        let early: Vec<_> = (0..7).map(&mut sample).collect();
        assert!(early.iter().all(Option::is_none));
        let full = sample(7).expect("seven of them");
        assert_eq!((full.len(), full[27]), (28 + 7 * 192, 7));
        assert_eq!(datagram.waits(at(8)), Some(1_000_000));
        let rest = datagram.finish(at(9), AGENT).expect("the eighth");
        assert_eq!((rest[19], rest[27], rest[28], rest.len()), (2, 1, 7, 28 + 192));
        assert!(full.len() <= MAX_DATAGRAM);
    }
}
