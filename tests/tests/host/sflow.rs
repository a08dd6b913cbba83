//! sFlow against those who receive it: pmacct's sfacctd, and Wireshark's dissector.

use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use linkprobe_tests::harness::json::{list, number};
use linkprobe_tests::harness::sflow::{AGENT, Collector, Datagram, Sample, samples, write_pcap};
use linkprobe_tests::harness::wait::{patience, until_true};
use linkprobe_tests::harness::{Agent, Scratch, Sfacctd, Traffic, tshark};
use linkprobe_tests::traffic::{Kind, Numbers};
use probe_core::direction::Direction;
use probe_core::link::LinkStats;
use probe_core::sflow::{self, Config, Exporter, Interface};
use probe_core::time::Mono;
use serde_json::Value;

use crate::lab::{Lab, status_tap};

/// One packet in so many is sampled.
const RATE: u64 = 20;
/// Bytes of the FCS, which sFlow counts and no tap sees.
const FCS: u64 = 4;
/// Id of the generator's tags.
const VLAN: u64 = 956;

/// That an estimate by samples is what it should be: within four standard deviations, which the 95 % bound of 196·√(1/c) % is two of.
fn close(what: &str, estimate: u64, sent: u64, samples: u64) -> Result<()> {
    let allowed = 2.0 * 196.0 / (samples as f64).sqrt();
    let off = (estimate as f64 / sent as f64 - 1.0).abs() * 100.0;
    println!("{what}: {estimate} of {sent}, {off:.2} % off with {samples} samples; {allowed:.1} % are allowed");
    ensure!(off <= allowed, "{what}: {estimate} of {sent}: {off:.2} %");
    Ok(())
}

/// A column of `tshark -T fields` as numbers: each row may have several of them.
fn numbers(column: &str) -> Result<Vec<u64>> {
    let texts = column.split(',').filter(|text| !text.is_empty());
    let number = |text: &str| match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => text.parse(),
    };
    texts.map(|text| number(text).with_context(|| format!("{text:?} in {column:?}"))).collect()
}

/// That Wireshark's dissector reads of the LAG structures in a pcap what the file `sflow.expected` beside it has: index of the aggregator,
/// states of both ends, LACPDUs received and sent, a line for each slave. The states are looked at as the word that they are: Wireshark
/// 4.0 gives its bytes their names in the order from the last to the first, and sflow_lag.txt from the first to the last.
pub fn lag_is_as_expected(pcap: &Path) -> Result<()> {
    let columns = ["attached_agg_id", "state", "lacpdus.rx", "lacpdus.tx"];
    let columns = columns.map(|name| format!("sflow.lag_port.{name}"));
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    ensure!(tshark::fields(pcap, "_ws.malformed || _ws.expert", &["frame.number"])?.is_empty(), "something is malformed");
    let mut found = Vec::new();
    for row in tshark::fields(pcap, &columns[0], &names)? {
        let of: Vec<Vec<u64>> = row.iter().map(|column| numbers(column)).collect::<Result<_>>()?;
        let counts = of.first().map_or(0, Vec::len);
        ensure!(of.iter().all(|column| column.len() == counts), "{row:?}");
        found.extend((0..counts).map(|n| of.iter().map(|column| column[n]).collect::<Vec<u64>>()));
    }
    let expected = fs::read_to_string(pcap.with_extension("expected"))?;
    for line in expected.lines() {
        let wanted: Vec<u64> = line.split(' ').map(str::parse).collect::<Result<_, _>>()?;
        ensure!(found.contains(&wanted), "{wanted:?} is not among {found:?}");
    }
    ensure!(expected.lines().count() == 2, "{expected}");
    println!("{}: Wireshark reads {} LAG structures, {expected}", pcap.display(), found.len());
    Ok(())
}

/// Waits until what was sampled has left.
fn settled(agent: &Agent) -> Result<Value> {
    std::thread::sleep(Duration::from_millis(1600));
    agent.status()
}

fn by_ip(lab: &Lab, way: &str, what: &str) -> Result<u64> {
    let text = lab.near.ip("-s -j link show wan0")?;
    let links: Value = serde_json::from_str(&text).with_context(|| text.clone())?;
    number(&links[0]["stats64"][way], what)
}

#[test]
fn what_collectors_make_of_the_samples_is_what_was_sent_within_the_sampling_error() -> Result<()> {
    let lab = Lab::new()?;
    let (sfacctd, own) = (Sfacctd::start(&lab.near, &lab.scratch)?, Collector::start(&lab.near)?);
    let options = format!(
        "--interface wan0 --sflow 127.0.0.1 --sflow {} --sample {RATE} --sflow-counters 1s --sflow-sub-agent 7",
        own.address()
    );
    let agent = lab.launch(&options).start()?;
    let came = Traffic::send(&lab.far, "far0", "--kind udp,vlan --count 120000 --rate 20000")?;
    let sent = Traffic::send(&lab.near, "wan0", "--kind tcp --count 60000 --rate 20000 --size 700")?;
    let status = settled(&agent)?;
    let lost: Vec<&Value> = list(&status, "/losses")?.iter().filter(|loss| loss["name"] == "samples-lost").collect();
    assert!(!lost.is_empty() && lost.iter().all(|loss| loss["count"] == 0), "{lost:?}");
    let (rx, tx) = (by_ip(&lab, "rx", "/packets")?, by_ip(&lab, "tx", "/packets")?);
    let accounted = sfacctd.stop()?;
    let datagrams = own.stop()?;

    assert_eq!(number(&status, "/sflow/collectors/0/lost")? + number(&status, "/sflow/collectors/1/lost")?, 0, "{status:#}");
    let ifindex = number(status_tap(&status, "wan0", "ingress")?, "/ifindex")?;
    by_sfacctd(&accounted.flows, ifindex, &came, &sent).context("sfacctd")?;
    let newest = accounted.counters.iter().rfind(|of| of["sf_cnt_type"] == "sflow_cnt_generic").context("counters")?;
    assert_eq!((number(newest, "/ifIndex")?, number(newest, "/ifType")?, number(newest, "/ifStatus")?), (ifindex, 6, 3));
    assert_eq!((number(newest, "/ifInUcastPkts")?, number(newest, "/ifOutUcastPkts")?), (rx, tx), "{newest:#}");
    let pcap = lab.scratch.path().join("sflow.pcap");
    write_pcap(&pcap, &datagrams)?;
    by_tshark(&pcap, ifindex, &came, &sent).context("tshark")?;
    numbers_go_on(&datagrams, &status)
}

/// What sfacctd has accounted, which multiplies by the packets between two samples.
fn by_sfacctd(flows: &[Value], ifindex: u64, came: &Numbers, sent: &Numbers) -> Result<()> {
    let sum = |input: u64, vlan: u64, protocol: &str, what: &str| -> u64 {
        let output = if input == 0 { ifindex } else { 0 };
        let of = flows.iter().filter(|flow| {
            (flow["iface_in"].as_u64(), flow["iface_out"].as_u64()) == (Some(input), Some(output))
                && flow["vlan"] == vlan
                && flow["ip_proto"] == protocol
        });
        of.filter_map(|flow| flow[what].as_u64()).sum()
    };
    for (what, of, input, vlan, protocol) in [
        ("udp in", came.of(Kind::Udp), ifindex, 0, "udp"),
        ("vlan in", came.of(Kind::Vlan), ifindex, VLAN, "udp"),
        ("tcp out", sent.of(Kind::Tcp), 0, 0, "tcp"),
    ] {
        let expected = of.packets / RATE;
        close(&format!("packets, {what}"), sum(input, vlan, protocol, "packets"), of.packets, expected)?;
        let bytes = of.bytes + FCS * of.packets;
        close(&format!("bytes, {what}"), sum(input, vlan, protocol, "bytes"), bytes, expected)?;
    }
    ensure!(flows.iter().all(|flow| flow["peer_ip_src"] == AGENT.to_string()), "{flows:?}");
    Ok(())
}

/// What Wireshark's dissector reads, multiplied by the sampling rate.
fn by_tshark(pcap: &Path, ifindex: u64, came: &Numbers, sent: &Numbers) -> Result<()> {
    ensure!(tshark::fields(pcap, "_ws.malformed || _ws.expert", &["frame.number"])?.is_empty(), "something is malformed");
    let head = ["sflow_245.agent", "sflow_245.sub_agent_id", "sflow_245.sequence_number", "sflow_245.sysuptime"];
    let mut before = (0, 0);
    for row in tshark::fields(pcap, "", &head)? {
        ensure!(row[..2] == [AGENT.to_string(), "7".to_owned()], "{row:?}");
        let (sequence, uptime) = (row[2].parse()?, row[3].parse()?);
        ensure!(sequence == before.0 + 1 && uptime >= before.1, "{row:?} after {before:?}");
        before = (sequence, uptime);
    }
    let columns = [
        "sflow.flow_sample.input_interface",
        "sflow.flow_sample.output_interface_value",
        "sflow.flow_sample.sampling_rate",
        "sflow_245.header.frame_length",
        "sflow_245.header.payload_stripped",
        "sflow.flow_sample.dropped_packets",
        "sflow_245.header.sampled_header_length",
    ];
    let mut found = [[0u64; 3]; 2];
    let mut tagged = 0;
    for row in tshark::fields(pcap, "sflow.flow_sample.sampling_rate", &columns)? {
        let of: Vec<Vec<u64>> = row.iter().map(|column| numbers(column)).collect::<Result<_>>()?;
        let [input, output, rate, length, stripped, dropped, header] = &of[..] else { anyhow::bail!("{row:?}") };
        ensure!([output, rate, length, stripped, dropped, header].iter().all(|other| other.len() == input.len()), "{row:?}");
        for n in 0..input.len() {
            let way = usize::from(input[n] == 0);
            ensure!([input[n], output[n]] == if way == 0 { [ifindex, 0] } else { [0, ifindex] }, "{row:?}");
            ensure!((rate[n], stripped[n], dropped[n], header[n]) == (RATE, FCS, 0, 128), "{row:?}");
            let found = &mut found[way];
            *found = [found[0] + 1, found[1] + rate[n], found[2] + rate[n] * length[n]];
        }
    }
    for row in tshark::fields(pcap, "vlan", &["vlan.id"])? {
        let ids = numbers(&row[0])?;
        ensure!(ids.iter().all(|id| *id == VLAN), "{ids:?}");
        tagged += ids.len() as u64;
    }
    for (way, of, found) in [("in", &came.total, found[0]), ("out", &sent.total, found[1])] {
        close(&format!("packets {way}"), found[1], of.packets, of.packets / RATE)?;
        close(&format!("bytes {way}"), found[2], of.bytes + FCS * of.packets, of.packets / RATE)?;
    }
    close("packets with a tag", tagged * RATE, came.of(Kind::Vlan).packets, came.of(Kind::Vlan).packets / RATE)
}

/// Sequence, pool and drops go on from sample to sample, and `status` has counted them.
fn numbers_go_on(datagrams: &[Datagram], status: &Value) -> Result<()> {
    let (mut flows, mut counters, mut pool) = (0, 0, 0);
    for sample in datagrams.iter().map(|datagram| samples(&datagram.bytes)).collect::<Result<Vec<_>>>()?.concat() {
        let before = if sample.format == 1 { &mut flows } else { &mut counters };
        ensure!(sample.sequence == *before + 1, "{} after {before}", sample.sequence);
        *before += 1;
        if let [_, now, ..] = sample.words[..] {
            ensure!(now > pool, "pool {now} after {pool}");
            pool = now;
        }
        if sample.format == 2 {
            let formats: Vec<u32> = sample.records.iter().map(|(format, _)| *format).collect();
            ensure!(formats == [1, 2, 1005] && sample.records[2].1 == b"\0\0\0\x04wan0", "{formats:?}");
        }
    }
    let passed: u64 =
        ["ingress", "egress"].iter().map(|way| number(status_tap(status, "wan0", way)?, "/packets")).sum::<Result<u64>>()?;
    // what has passed since the last sample of each tap and CPU is not in it
    let cpus = std::thread::available_parallelism()?.get() as u64;
    ensure!(u64::from(pool) <= passed && u64::from(pool) + 2 * cpus * 2 * RATE > passed, "pool {pool}, {passed} passed");
    ensure!(u64::from(flows) == number(status, "/sflow/flow_samples")?, "{flows} flow samples");
    ensure!(counters >= 5 && u64::from(counters) >= number(status, "/sflow/counter_samples")?, "{counters} counter samples");
    Ok(())
}

/// Flow samples of datagrams, in order.
fn flows(datagrams: &[Datagram]) -> Result<Vec<Sample>> {
    let all = datagrams.iter().map(|datagram| samples(&datagram.bytes)).collect::<Result<Vec<_>>>()?.concat();
    Ok(all.into_iter().filter(|sample| sample.format == 1).collect())
}

#[test]
fn without_a_collector_nothing_is_sampled_and_one_that_is_configured_later_gets_samples_at_the_rate_of_the_speed() -> Result<()> {
    let lab = Lab::new()?;
    let file = lab.scratch.path().join("agent.toml");
    fs::write(&file, "interface = [\"wan0\"]\n")?;
    let options = format!("--config {}", file.display());
    let agent = lab.launch(&options).start()?;
    let rates = || -> Result<[u64; 2]> {
        let status = agent.status()?;
        let tap = |way| -> Result<u64> { number(status_tap(&status, "wan0", way)?, "/sample_rate") };
        Ok([tap("ingress")?, tap("egress")?])
    };
    Traffic::send(&lab.far, "far0", "--count 40000 --rate 20000")?;
    let status = settled(&agent)?;
    assert_eq!((rates()?, &status["sflow"]), ([0, 0], &Value::Null));
    assert_eq!(number(status_tap(&status, "wan0", "ingress")?, "/samples")?, 0);

    let own = Collector::start(&lab.near)?;
    fs::write(&file, format!("interface = [\"wan0\"]\nsflow = [\"{}\"]\n", own.address()))?;
    agent.signal(libc::SIGHUP)?;
    // a veth says that it has 10 Gbit/s
    until_true("sampling", patience(10), || Ok(rates()? == [10_000, 10_000])).with_context(|| agent.log())?;
    fs::write(&file, format!("interface = [\"wan0\"]\nsflow = [\"{}\"]\nsample = [\"wan0=100\"]\n", own.address()))?;
    agent.signal(libc::SIGHUP)?;
    until_true("another rate", patience(10), || Ok(rates()? == [100, 100])).with_context(|| agent.log())?;
    let sent = Traffic::send(&lab.far, "far0", "--count 40000 --rate 20000")?;
    let status = settled(&agent)?;
    fs::write(&file, "interface = [\"wan0\"]\n")?;
    agent.signal(libc::SIGHUP)?;
    until_true("no sampling", patience(10), || Ok(rates()? == [0, 0])).with_context(|| agent.log())?;
    let datagrams = own.stop()?;
    let of_sent: Vec<Sample> = flows(&datagrams)?.into_iter().filter(|sample| sample.words[0] == 100).collect();
    close("packets", of_sent.len() as u64 * 100, sent.total.packets, sent.total.packets / 100)?;
    assert!(number(&status, "/sflow/flow_samples")? >= of_sent.len() as u64);
    Ok(())
}

#[test]
fn samples_that_come_faster_than_the_agents_tick_are_taken_in_time_and_leave_within_a_second() -> Result<()> {
    let lab = Lab::new()?;
    let own = Collector::start(&lab.near)?;
    let agent = lab.launch(&format!("--interface wan0 --sflow {} --sample 2", own.address())).start()?;
    // 10000 samples a second: at a tick each half a second seven of ten would be lost
    let sent = Traffic::send(&lab.far, "far0", "--count 60000 --rate 20000")?;
    let status = settled(&agent)?;
    let datagrams = own.stop()?;
    let found = flows(&datagrams)?;
    let last = found.last().context("samples")?;
    println!("{} samples of {} packets; the last: {:?}", found.len(), sent.total.packets, last.words);
    let lost = list(&status, "/losses")?.iter().filter(|loss| loss["name"] == "samples-lost");
    let lost: u64 = lost.filter_map(|loss| loss["count"].as_u64()).sum();
    assert!(lost < 12_000, "{lost} samples lost of 30000");
    let last_sent = sent.total.last.context("a time")?.wall_ns;
    let last_came = datagrams.last().context("datagrams")?.at_ns;
    assert!(last_came.saturating_sub(last_sent) < 1_500_000_000, "{} ms late", (last_came - last_sent) / 1_000_000);
    Ok(())
}

#[test]
fn samples_that_are_lost_are_told_as_drops() -> Result<()> {
    let lab = Lab::new()?;
    let own = Collector::start(&lab.near)?;
    let agent = lab.launch(&format!("--interface wan0 --sflow {} --sample 1", own.address())).start()?;
    Traffic::send(&lab.far, "far0", "--flat-out --size 82 --duration 2s")?;
    // whoever was lost last is told by the next sample of its CPU
    Traffic::send(&lab.far, "far0", "--count 2000 --rate 2000")?;
    let status = settled(&agent)?;
    let datagrams = own.stop()?;
    let found = flows(&datagrams)?;
    let last = found.last().context("samples")?;
    let [rate, pool, drops, ..] = last.words[..] else { anyhow::bail!("{last:?}") };
    let lost = list(&status, "/losses")?.iter().filter(|loss| loss["name"] == "samples-lost");
    let lost: u64 = lost.filter_map(|loss| loss["count"].as_u64()).sum();
    println!("{} samples and {drops} drops of {pool}; {lost} lost", last.sequence);
    assert_eq!((rate, last.sequence + drops), (1, pool), "each packet is a sample that was sent, or one that was lost");
    assert!(drops > 0 && u64::from(drops) <= lost, "{drops} drops, {lost} lost");
    Ok(())
}

#[test]
fn an_index_too_large_for_the_compact_form_and_an_agent_of_ipv6_are_read_by_wireshark() -> Result<()> {
    const INDEX: u32 = 1 << 25;
    let scratch = Scratch::new("sflow")?;
    let agent: IpAddr = "2001:db8::7".parse()?;
    let mut exporter = Exporter::new(Mono(0), Config { agent, sub_agent: 1, counters: 1_000_000_000, wait: 0 });
    let sample = probe_common::event::Sample {
        at_ns: 0,
        length: 1000,
        rate: 500,
        passed: 123,
        lost: 4,
        tap: 0,
        captured: 64,
        segments: 1,
        hits: 1,
        class: 0,
        flags: 0,
        reserved: [0; 6],
        bytes: [0; 128],
    };
    exporter.flow(Mono(0), INDEX, Direction::Egress, &sample);
    let interface = Interface {
        ifindex: INDEX,
        name: "ppp4".into(),
        kind: sflow::Kind::Ethernet,
        speed_bps: Some(1_000_000_000),
        admin_up: true,
        oper_up: true,
        promiscuous: false,
        stats: LinkStats { rx_bytes: 1 << 33, ..LinkStats::default() },
        lag: None,
    };
    exporter.counters(Mono(0), &[INDEX], |_| Some(interface.clone()));
    let made = exporter.take_all(Mono(0)).into_iter().map(|bytes| Datagram { at_ns: 0, bytes });
    let pcap = scratch.path().join("sflow.pcap");
    write_pcap(&pcap, &made.collect::<Vec<_>>())?;
    ensure!(tshark::fields(&pcap, "_ws.malformed || _ws.expert", &["frame.number"])?.is_empty(), "something is malformed");
    let columns = [
        "sflow_245.agent.v6",
        "sflow.flow_sample.source_id_index",
        "sflow.flow_sample.sampling_rate",
        "sflow.flow_sample.sample_pool",
        "sflow.flow_sample.dropped_packets",
        "sflow.flow_sample.output_interface_value",
        "sflow.counters_sample.source_id_index",
        "sflow_245.ifindex",
        "sflow_245.ifinoct",
    ];
    let index = INDEX.to_string();
    let expected: [&str; 9] = ["2001:db8::7", &index, "500", "123", "4", &index, &index, &index, "8589934592"];
    let rows = tshark::fields(&pcap, "", &columns)?;
    assert_eq!(rows, [expected.map(str::to_owned).to_vec()]);
    Ok(())
}
