//! Sends sFlow datagrams. What is in them [`probe_core::sflow`] decides; here they go out, without waiting for anything: UDP takes a datagram
//! at once, or refuses it, and that is counted.

mod collector;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use probe_common::event::Sample;
use probe_core::direction::Direction;
use probe_core::sflow::{Config, Exporter, Interface};
use probe_core::time::Mono;
use probe_core::traffic::{LinkSnapshot, Snapshot};
use serde::{Deserialize, Serialize};

use super::spec::HostPort;
use collector::Collector;

/// Time that a sample waits for others. It has waited in the kernel for up to half a second before.
const WAIT: Duration = Duration::from_millis(400);

/// Who gets samples, and from whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SflowConfig {
    /// Collectors; with none of them nothing is sampled.
    pub collectors: Vec<HostPort>,
    /// The agent's address; the one that the first collector is reached from when it is `None`.
    pub agent: Option<IpAddr>,
    /// Number of this process among those of that address.
    pub sub_agent: u32,
    /// Time between two counter samples of an interface.
    pub counters: Duration,
}

/// Sends samples and counters. What it has begun ends with it.
pub struct Sflow {
    exporter: Exporter,
    collectors: Vec<Collector>,
    sub_agent: u32,
    /// The agent's address; `None` until a collector is known to be reached.
    agent: Option<IpAddr>,
    /// Of the newest counters that were looked at.
    counted: Option<Mono>,
}

/// sFlow in `linkprobe status`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SflowStatus {
    /// The agent's address; `None` until a collector could be reached.
    pub agent: Option<IpAddr>,
    /// Its sub-agent.
    pub sub_agent: u32,
    /// Datagrams made.
    pub datagrams: u64,
    /// Flow samples in them.
    pub flow_samples: u64,
    /// Counter samples in them.
    pub counter_samples: u64,
    /// Those that are sent to.
    pub collectors: Vec<CollectorStatus>,
}

/// A collector.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CollectorStatus {
    /// As it is configured.
    pub name: String,
    /// Datagrams that the system took.
    pub sent: u64,
    /// Datagrams that it did not take.
    pub lost: u64,
    /// Times that the collector's host said that nobody listens there.
    pub refused: u64,
    /// What is wrong now.
    pub error: Option<String>,
}

impl Sflow {
    /// Begins, in a tokio runtime. `None` where there is no collector.
    pub fn start(config: &SflowConfig, now: Mono) -> Option<Self> {
        if config.collectors.is_empty() {
            return None;
        }
        let numbers = Config {
            agent: config.agent.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            sub_agent: config.sub_agent,
            counters: u64::try_from(config.counters.as_nanos()).unwrap_or(u64::MAX),
            wait: u64::try_from(WAIT.as_nanos()).unwrap_or(u64::MAX),
        };
        Some(Self {
            exporter: Exporter::new(now, numbers),
            collectors: config.collectors.iter().map(Collector::new).collect(),
            sub_agent: config.sub_agent,
            agent: config.agent,
            counted: None,
        })
    }

    /// Takes what a tap of this interface has sampled.
    pub fn flow(&mut self, now: Mono, ifindex: u32, direction: Direction, sample: &Sample) {
        self.exporter.flow(now, ifindex, direction, sample);
    }

    /// Takes the counters of the watched interfaces whose turn it is. Does nothing with a snapshot that it has seen.
    pub fn counters(&mut self, now: Mono, snapshot: &Snapshot, mut interface: impl FnMut(&LinkSnapshot) -> Option<Interface>) {
        if self.counted.replace(snapshot.at) == Some(snapshot.at) {
            return;
        }
        let watched: Vec<u32> = snapshot.links.iter().map(|link| link.link.ifindex).collect();
        self.exporter
            .counters(now, &watched, |ifindex| interface(snapshot.links.iter().find(|link| link.link.ifindex == ifindex)?));
    }

    /// Sends what is due.
    pub fn send(&mut self, now: Mono) {
        self.connect(now);
        for datagram in self.exporter.take(now) {
            self.collectors.iter_mut().for_each(|collector| collector.send(now, &datagram));
        }
    }

    /// Sends everything that waits.
    pub fn finish(&mut self, now: Mono) {
        self.connect(now);
        for datagram in self.exporter.take_all(now) {
            self.collectors.iter_mut().for_each(|collector| collector.send(now, &datagram));
        }
    }

    /// Opens sockets where there are none, and so finds the agent's address. It stays when the way to the collector changes: another address
    /// would be another agent.
    fn connect(&mut self, now: Mono) {
        for collector in &mut self.collectors {
            if let Some(local) = collector.connect(now)
                && self.agent.is_none()
            {
                self.agent = Some(local);
                self.exporter.set_agent(local);
            }
        }
    }

    /// Numbers for the list of losses, by name; zeros where nothing is sent.
    pub fn losses(sflow: Option<&Self>) -> [(&'static str, u64); 2] {
        let sum = |count: fn(&Collector) -> u64| sflow.map_or(0, |sflow| sflow.collectors.iter().map(count).sum());
        [("sflow-datagrams-lost", sum(Collector::lost)), ("sflow-refused", sum(Collector::refused))]
    }

    /// For `linkprobe status`.
    pub fn status(&self) -> SflowStatus {
        let made = self.exporter.made();
        SflowStatus {
            agent: self.agent,
            sub_agent: self.sub_agent,
            datagrams: made.datagrams,
            flow_samples: made.flows,
            counter_samples: made.counters,
            collectors: self.collectors.iter().map(Collector::status).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use probe_core::link::{LinkState, LinkStats};
    use probe_core::table::Role;
    use probe_core::timeline::LinkName;

    use super::*;

    const fn at(ms: u64) -> Mono {
        Mono(ms * 1_000_000)
    }

    fn snapshot(at: Mono) -> Snapshot {
        let link = LinkSnapshot {
            link: LinkName { ifindex: 5, name: "eth1".into() },
            role: Role::Plain,
            master: None,
            ingress: None,
            egress: None,
            driver: Some(LinkStats::default()),
            speed_bps: None,
        };
        Snapshot { at, links: vec![link] }
    }

    /// One counter sample at this moment.
    fn count(sflow: &mut Sflow, at: Mono) {
        let state = LinkState { ifindex: 5, admin_up: true, carrier: true, ..LinkState::default() };
        sflow.counters(at, &snapshot(at), |link| Interface::of(link, &state, None, None));
        sflow.finish(at);
    }

    fn config(ports: &[u16]) -> SflowConfig {
        let collector = |port: &u16| HostPort { host: "127.0.0.1".into(), port: *port };
        let collectors = ports.iter().map(collector).collect();
        SflowConfig { collectors, agent: None, sub_agent: 3, counters: Duration::from_secs(1) }
    }

    #[test]
    fn without_a_collector_there_is_nothing() {
        assert!(Sflow::start(&config(&[]), at(0)).is_none());
    }

    #[tokio::test]
    async fn every_collector_gets_every_datagram_and_one_that_nobody_listens_at_harms_no_other() {
        let receiver = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let free = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
        let ports = [free.port(), receiver.local_addr().expect("bound").port()];
        let mut sflow = Sflow::start(&config(&ports), at(0)).expect("collectors");
        for second in 0..3u64 {
            count(&mut sflow, at(second * 1000));
            std::thread::sleep(Duration::from_millis(50));
        }
        let mut bytes = [0; 2000];
        receiver.set_read_timeout(Some(Duration::from_secs(5))).expect("a time");
        for n in 1..=3u8 {
            let length = receiver.recv(&mut bytes).expect("a datagram");
            assert_eq!(bytes[..20], [0, 0, 0, 5, 0, 0, 0, 1, 127, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, n]);
            assert!(length > 200);
        }
        let status = sflow.status();
        assert_eq!((status.agent, status.datagrams, status.counter_samples), (Some(IpAddr::from([127, 0, 0, 1])), 3, 3));
        assert_eq!((status.collectors[1].sent, status.collectors[1].lost), (3, 0));
        assert!(status.collectors[0].refused > 0, "{status:?}");
        assert_eq!(Sflow::losses(Some(&sflow))[1].1, status.collectors[0].refused);
    }

    #[tokio::test]
    async fn what_cannot_be_sent_is_counted() {
        let mut none = config(&[9]);
        // no way leads to a broadcast address
        none.collectors[0].host = "255.255.255.255".into();
        let mut sflow = Sflow::start(&none, at(0)).expect("a collector");
        count(&mut sflow, at(0));
        let status = sflow.status();
        assert!(status.collectors[0].lost == 1 && status.collectors[0].error.is_some(), "{status:?}");
        assert_eq!((Sflow::losses(Some(&sflow))[0].1, status.agent), (1, None));
    }

    #[tokio::test]
    async fn a_name_is_resolved_meanwhile() {
        let receiver = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let mut named = config(&[receiver.local_addr().expect("bound").port()]);
        named.collectors[0].host = "localhost".into();
        let mut sflow = Sflow::start(&named, at(0)).expect("a collector");
        for round in 0..200u64 {
            count(&mut sflow, at(round * 1000));
            if sflow.status().collectors[0].sent > 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{:?}", sflow.status());
    }
}
