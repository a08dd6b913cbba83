//! Probes of this machine's own loopback, where it allows raw sockets.

use probe_core::reach::{Answer, Host, Method};

use super::*;

fn config(address: &str) -> ProbeConfig {
    let spec = TargetSpec { method: Method::Icmp, host: Host::Address(address.parse().expect("an address")), interface: None };
    let (interval, timeout) = (Duration::from_millis(20), Duration::from_secs(2));
    ProbeConfig { targets: vec![spec], interval, timeout, ..ProbeConfig::default() }
}

/// The first outcome, or what kept it from being sent.
async fn first(address: &str) -> Answer {
    let mut probes = Probes::start(config(address)).expect("started");
    loop {
        if let Report::Sample(sample) = probes.next().await {
            return sample.answer;
        }
    }
}

#[tokio::test]
async fn the_loopback_answers_in_less_than_a_second() {
    match tokio::time::timeout(Duration::from_secs(10), first("127.0.0.1")).await.expect("an outcome") {
        Answer::Rtt(rtt) => assert!(rtt < 1_000_000_000, "{rtt}"),
        Answer::SendError(why) => assert!(why.contains("CAP_NET_RAW"), "{why}"),
        Answer::Lost => panic!("lost"),
    }
}

#[tokio::test]
async fn without_targets_nothing_is_told() {
    let mut probes = Probes::start(ProbeConfig::default()).expect("started");
    assert!(tokio::time::timeout(Duration::from_millis(100), probes.next()).await.is_err());
}
