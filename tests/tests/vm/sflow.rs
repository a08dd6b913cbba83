//! sFlow of a bond with LACP: samples come from the slaves, the bond sends counters, and the slaves tell of their LACP.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, ensure};
use linkprobe_tests::harness::sflow::{Collector, Sample, samples, write_pcap};
use linkprobe_tests::harness::wait::{patience, until_true};
use linkprobe_tests::harness::{Traffic, bond, json};
use probe_user::netlink::lacp_counters;
use serde_json::Value;

use crate::lab::{Lab, bond};

const LAG: u32 = 7;

/// What `ip` tells of a link.
fn link(lab: &Lab, name: &str) -> Result<Value> {
    let links = bond::links(&lab.bonds.router)?;
    links.into_iter().find(|link| link["ifname"] == name).with_context(|| format!("no {name}"))
}

/// LACPDUs received and sent by a slave, as the kernel counts them now.
fn lacpdus(lab: &Lab, slave: &str) -> Result<[u64; 2]> {
    let ifindex = u32::try_from(json::number(&link(lab, slave)?, "/ifindex")?)?;
    let counted = lab.bonds.router.run(|| lacp_counters(ifindex))??.with_context(|| format!("{slave} has no LACP"))?;
    Ok([counted.received, counted.sent])
}

/// A word of a record.
fn word(bytes: &[u8], index: usize) -> Result<u32> {
    let word = bytes.get(index * 4..).and_then(<[u8]>::first_chunk).context("a record that ends before")?;
    Ok(u32::from_be_bytes(*word))
}

/// The newest counter sample of each interface.
fn newest(all: &[Sample]) -> BTreeMap<u32, &Sample> {
    all.iter().filter(|sample| sample.format == 2).map(|sample| (sample.ifindex, sample)).collect()
}

fn record(sample: &Sample, format: u32) -> Option<&[u8]> {
    sample.records.iter().find(|(of, _)| *of == format).map(|(_, bytes)| bytes.as_slice())
}

/// The address of a link as `ip` tells it, in bytes.
fn mac(link: &Value) -> Result<Vec<u8>> {
    let text = json::text(link, "/address")?;
    text.split(':').map(|byte| u8::from_str_radix(byte, 16).with_context(|| text.to_owned())).collect()
}

#[test]
fn slaves_are_sampled_and_tell_of_their_lacp_and_the_bond_sends_counters_only() -> Result<()> {
    let lab = Lab::lacp()?;
    let own = Collector::start(&lab.bonds.router)?;
    let options = format!("--bond bond0 --memory 8MiB --sflow {} --sflow-counters 1s --sample 10", own.address());
    let mut agent = lab.launch(&options).start()?;
    let known = || Ok(json::list(&agent.status()?, "/lacp")?.iter().all(|slave| slave["ours"]["seen"] != 0));
    until_true("our LACPDUs", patience(10), known).with_context(|| agent.log())?;
    let before = [lacpdus(&lab, "slave0")?, lacpdus(&lab, "slave1")?];
    Traffic::send(&lab.bonds.router, bond(), "--kind udp,tcp --flows 16 --count 2000 --rate 500")?;
    // the drivers are asked for LACP each five seconds
    std::thread::sleep(patience(2).max(std::time::Duration::from_secs(8)));
    let status = agent.status()?;
    let after = [lacpdus(&lab, "slave0")?, lacpdus(&lab, "slave1")?];
    agent.trigger("so that there is an incident to bring back")?;
    agent.incident(patience(60))?;
    let datagrams = own.stop()?;
    let all = datagrams.iter().map(|datagram| samples(&datagram.bytes)).collect::<Result<Vec<_>>>()?.concat();

    let of_bond = link(&lab, bond())?;
    let master = u32::try_from(json::number(&of_bond, "/ifindex")?)?;
    for tap in json::list(&status, "/taps")? {
        let rate = if tap["interface"] == bond() { 0 } else { 10 };
        assert_eq!(tap["sample_rate"], rate, "{tap:#}");
    }
    let flows: Vec<&Sample> = all.iter().filter(|sample| sample.format == 1).collect();
    assert!(flows.len() > 100, "{} flow samples", flows.len());
    assert!(flows.iter().all(|sample| sample.ifindex != master), "the bond was sampled");
    let newest = newest(&all);
    let counters = newest.get(&master).context("counters of the bond")?;
    let formats: Vec<u32> = counters.records.iter().map(|(format, _)| *format).collect();
    assert_eq!((formats, word(&counters.records[0].1, 1)?), (vec![1, 1005], 161));
    let mut expected = String::new();
    for (number, slave) in ["slave0", "slave1"].into_iter().enumerate() {
        let ifindex = u32::try_from(json::number(&link(&lab, slave)?, "/ifindex")?)?;
        assert!(flows.iter().any(|sample| sample.ifindex == ifindex), "no sample of {slave}");
        let lag = newest.get(&ifindex).and_then(|sample| record(sample, LAG)).with_context(|| format!("no LAG of {slave}"))?;
        ensure!(lag.len() == 56, "{} bytes", lag.len());
        assert_eq!(&lag[..6], mac(&of_bond)?, "our system is the bond's address");
        let row = json::list(&status, "/lacp")?.iter().find(|row| row["name"] == slave).context("a row")?;
        let partner: Vec<u8> = mac(&serde_json::json!({ "address": row["ours"]["partner"]["system"] }))?;
        assert_eq!(&lag[8..14], partner);
        assert_eq!((word(lag, 4)?, &lag[20..24]), (master, &[7, 63, 0, 63][..]), "fast, and working at both ends");
        let counted = [word(lag, 6)?, word(lag, 11)?];
        for ((counted, before), after) in counted.into_iter().zip(before[number]).zip(after[number]) {
            // more may have passed until the last sample than when the kernel was asked
            ensure!(u64::from(counted) > before && u64::from(counted) <= after + 60, "{counted}: {before} before, {after} after");
        }
        expected += &format!("{master} {} {} {}\n", word(lag, 5)?, counted[0], counted[1]);
    }
    // for Wireshark's dissector, which is where this came from
    let out = agent.incidents_dir().join(".sflow");
    fs::create_dir_all(&out)?;
    write_pcap(&out.join("sflow.pcap"), &datagrams)?;
    fs::write(out.join("sflow.expected"), expected)?;
    Ok(())
}
