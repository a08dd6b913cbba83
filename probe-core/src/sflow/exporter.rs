//! From samples and counters to datagrams, with all the numbers that go on from one to the next.

use std::collections::BTreeMap;
use std::net::IpAddr;

use probe_common::event::Sample;

use super::datagram::Datagram;
use super::flow::{Flow, packet_length};
use super::{Interface, counters};
use crate::direction::Direction;
use crate::time::Mono;

/// Into so many parts the time between two counter samples is divided when interfaces are given their turns.
const TURNS: u64 = 8;

/// What does not change while it runs.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Address that tells this agent from others.
    pub agent: IpAddr,
    /// Number that tells this process from others of the agent.
    pub sub_agent: u32,
    /// Nanoseconds between two counter samples of an interface.
    pub counters: u64,
    /// Nanoseconds that a sample waits at most for others, to be sent together.
    pub wait: u64,
}

/// What was made so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// Datagrams.
    pub datagrams: u64,
    /// Flow samples in them.
    pub flows: u64,
    /// Counter samples in them.
    pub counters: u64,
}

/// Makes datagrams.
#[derive(Debug)]
pub struct Exporter {
    config: Config,
    datagram: Datagram,
    ready: Vec<Vec<u8>>,
    sources: BTreeMap<u32, Source>,
    made: Made,
}

/// A data source: an interface.
#[derive(Debug, Default)]
struct Source {
    flows: u32,
    counters: u32,
    pool: u32,
    drops: u32,
    /// When its counters are due.
    due: Mono,
}

impl Exporter {
    /// Begins, with all numbers from 0 on: collectors take that for an agent that was started anew, as its uptime says too.
    pub fn new(now: Mono, config: Config) -> Self {
        let datagram = Datagram::new(now, config.sub_agent);
        Self { config, datagram, ready: Vec::new(), sources: BTreeMap::new(), made: Made::default() }
    }

    /// Has another address from now on.
    pub fn set_agent(&mut self, agent: IpAddr) {
        self.config.agent = agent;
    }

    /// Takes what a tap of this interface has sampled.
    pub fn flow(&mut self, now: Mono, ifindex: u32, direction: Direction, sample: &Sample) {
        let source = source(&mut self.sources, now, ifindex, self.config.counters);
        source.flows = source.flows.wrapping_add(1);
        source.pool = source.pool.wrapping_add(sample.passed);
        source.drops = source.drops.wrapping_add(sample.lost);
        let captured = usize::from(sample.captured).min(sample.bytes.len());
        let header = sample.bytes.get(..captured).unwrap_or_default();
        let flow = Flow {
            ifindex,
            egress: direction == Direction::Egress,
            sequence: source.flows,
            rate: sample.rate.saturating_mul(sample.hits.max(1).into()),
            pool: source.pool,
            drops: source.drops,
            length: packet_length(header, sample.length, sample.segments),
            header,
        };
        self.made.flows += 1;
        let full = self.datagram.add(now, self.config.agent, |to| flow.put(to));
        self.ready.extend(full);
    }

    /// Takes the counters of the watched interfaces: those whose turn has come are sent. What is no longer there is forgotten; its
    /// numbers begin anew when it comes back.
    pub fn counters(&mut self, now: Mono, watched: &[u32], mut interface: impl FnMut(u32) -> Option<Interface>) {
        self.sources.retain(|ifindex, _| watched.contains(ifindex));
        for ifindex in watched {
            let interval = self.config.counters;
            let source = source(&mut self.sources, now, *ifindex, interval);
            if now < source.due {
                continue;
            }
            // One that cannot be told now has its turn when it can.
            let Some(interface) = interface(*ifindex) else { continue };
            let next = source.due.plus(interval);
            source.due = if next > now { next } else { now.plus(interval) };
            source.counters = source.counters.wrapping_add(1);
            let sequence = source.counters;
            self.made.counters += 1;
            let full = self.datagram.add(now, self.config.agent, |to| counters::put(to, &interface, sequence));
            self.ready.extend(full);
        }
    }

    /// The datagrams that are full, and the one that is not when its first sample has waited long enough.
    pub fn take(&mut self, now: Mono) -> Vec<Vec<u8>> {
        if self.datagram.waits(now).is_some_and(|waits| waits >= self.config.wait) {
            self.ready.extend(self.datagram.finish(now, self.config.agent));
        }
        self.made.datagrams += self.ready.len() as u64;
        std::mem::take(&mut self.ready)
    }

    /// Everything that waits.
    pub fn take_all(&mut self, now: Mono) -> Vec<Vec<u8>> {
        self.ready.extend(self.datagram.finish(now, self.config.agent));
        self.take(now)
    }

    /// What was made so far.
    pub fn made(&self) -> Made {
        self.made
    }
}

/// The source with this index. A new one has its first turn at another moment than those before it, so that not all of them are sent at
/// once.
fn source(sources: &mut BTreeMap<u32, Source>, now: Mono, ifindex: u32, interval: u64) -> &mut Source {
    let turn = sources.len() as u64 % TURNS;
    sources.entry(ifindex).or_insert_with(|| Source { due: now.plus(interval / TURNS * turn), ..Source::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::LinkStats;
    use crate::samples::at;
    use crate::sflow::Kind;
    use probe_common::event::SAMPLE_BYTES;

    fn exporter() -> Exporter {
        let config = Config { agent: IpAddr::from([192, 0, 2, 1]), sub_agent: 0, counters: 8_000_000_000, wait: 500_000_000 };
        Exporter::new(at(0), config)
    }

    fn sample(passed: u32, lost: u32) -> Sample {
        Sample {
            at_ns: 0,
            length: 1514,
            rate: 100,
            passed,
            lost,
            tap: 0,
            captured: 128,
            segments: 1,
            hits: 1,
            class: 0,
            flags: 0,
            reserved: [0; 6],
            bytes: [0; SAMPLE_BYTES],
        }
    }

    /// Samples of a datagram, each as words from its type on.
    fn samples(datagram: &[u8]) -> Vec<Vec<u32>> {
        let words: Vec<u32> = datagram.chunks(4).map(|word| u32::from_be_bytes(word.try_into().expect("four bytes"))).collect();
        let mut rest = &words[7..];
        let mut found = Vec::new();
        while let [_, length, ..] = rest {
            let end = 2 + usize::try_from(*length).expect("small") / 4;
            found.push(rest[..end].to_vec());
            rest = &rest[end..];
        }
        assert_eq!(found.len(), usize::try_from(words[6]).expect("small"));
        found
    }

    fn interface(ifindex: u32) -> Option<Interface> {
        Some(Interface {
            ifindex,
            name: format!("eth{ifindex}"),
            kind: Kind::Ethernet,
            speed_bps: None,
            admin_up: true,
            oper_up: true,
            promiscuous: false,
            stats: LinkStats::default(),
            lag: None,
        })
    }

    #[test]
    fn sequence_pool_and_drops_go_on_for_each_interface_in_both_directions_together() {
        let mut exporter = exporter();
        exporter.flow(at(0), 5, Direction::Ingress, &sample(90, 0));
        exporter.flow(at(0), 6, Direction::Ingress, &sample(70, 0));
        exporter.flow(at(0), 5, Direction::Egress, &sample(110, 3));
        let datagrams = exporter.take_all(at(1));
        let numbers: Vec<_> = samples(&datagrams[0]).iter().map(|words| words[2..9].to_vec()).collect();
        let expected = [[1, 5, 100, 90, 0, 5, 0], [1, 6, 100, 70, 0, 6, 0], [2, 5, 100, 200, 3, 0, 5]];
        assert_eq!(numbers, expected);
        assert_eq!(exporter.made(), Made { datagrams: 1, flows: 3, counters: 0 });
    }

    #[test]
    fn a_frame_of_many_packets_is_sampled_as_one_of_them_that_stands_for_all_that_were_drawn() {
        let mut exporter = exporter();
        let gso = Sample { segments: 10, hits: 2, length: 15_000, ..sample(20, 0) };
        exporter.flow(at(0), 5, Direction::Egress, &gso);
        let datagrams = exporter.take_all(at(0));
        let words = &samples(&datagrams[0])[0];
        assert_eq!((words[4], words[13]), (200, 1504), "rate, and length with FCS: {words:?}");
    }

    #[test]
    fn what_is_not_full_is_sent_when_it_has_waited() {
        let mut exporter = exporter();
        exporter.flow(at(100), 5, Direction::Ingress, &sample(1, 0));
        assert_eq!(exporter.take(at(599)).len(), 0);
        assert_eq!(exporter.take(at(600)).len(), 1);
        assert_eq!(exporter.take(at(2000)).len(), 0);
        (0..50).for_each(|_| exporter.flow(at(3000), 5, Direction::Ingress, &sample(1, 0)));
        let full = exporter.take(at(3000));
        assert!(full.len() == 7 && full.iter().all(|datagram| datagram.len() <= super::super::MAX_DATAGRAM));
        assert_eq!(samples(&exporter.take(at(3500))[0]).len(), 1);
    }

    #[test]
    fn each_interface_has_its_turn_for_its_counters_and_one_that_cannot_be_told_has_it_later() {
        let mut exporter = exporter();
        let mut sent: Vec<(u64, u32, u32)> = Vec::new();
        for ms in (0..=20_000).step_by(500) {
            let tells = |ifindex| if ifindex == 4 && ms < 3000 { None } else { interface(ifindex) };
            exporter.counters(at(ms), &[3, 4, 5], tells);
            for datagram in exporter.take_all(at(ms)) {
                sent.extend(samples(&datagram).iter().map(|words| (ms, words[3], words[2])));
            }
        }
        let of = |ifindex| -> Vec<_> { sent.iter().filter(|of| of.1 == ifindex).map(|(ms, _, n)| (*ms, *n)).collect() };
        assert_eq!(of(3), [(0, 1), (8000, 2), (16_000, 3)]);
        assert_eq!(of(4), [(3000, 1), (9000, 2), (17_000, 3)]);
        assert_eq!(of(5), [(2000, 1), (10_000, 2), (18_000, 3)]);
    }

    #[test]
    fn an_interface_that_is_gone_is_forgotten() {
        let mut exporter = exporter();
        exporter.flow(at(0), 3, Direction::Ingress, &sample(10, 0));
        exporter.counters(at(0), &[], interface);
        exporter.flow(at(0), 3, Direction::Ingress, &sample(10, 0));
        let datagrams = exporter.take_all(at(0));
        assert!(samples(&datagrams[0]).iter().all(|words| words[2] == 1));
    }

    #[test]
    fn any_sample_makes_a_datagram_that_fits_and_ends_where_it_says() {
        let mut exporter = exporter();
        let mut random = crate::samples::Random(77);
        for n in 0..20_000u64 {
            let mut odd = sample(u32::MAX, u32::MAX);
            odd.captured = u16::from(random.byte()) * 2;
            odd.length = u32::from(random.byte()) << random.below(25);
            odd.rate = u32::MAX;
            (odd.segments, odd.hits) = (u16::from(random.byte()), u16::from(random.byte()));
            (0..20).for_each(|_| odd.bytes[random.below(SAMPLE_BYTES)] = random.byte());
            exporter.flow(at(n), u32::MAX - u32::from(random.byte()), Direction::Ingress, &odd);
            for datagram in exporter.take(at(n)) {
                assert!(datagram.len() <= super::super::MAX_DATAGRAM);
                samples(&datagram);
            }
        }
    }
}
