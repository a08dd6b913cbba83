//! What all rounds together say.

use std::collections::BTreeMap;

use linkprobe_tests::peers::stats::Spread;
use serde::Serialize;

use crate::cell::{Load, Sample};
use crate::peer::{EMPTY, LINKPROBE, TCPDUMP_CUT};

/// The samples of one load, by the number of the peer, in the order of the rounds. A round that a peer failed in has none of it.
pub type Samples = BTreeMap<usize, Vec<Option<Sample>>>;

/// A peer at a load.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Name of the load.
    pub load: &'static str,
    /// Name of the peer.
    pub peer: &'static str,
    /// Packets a second.
    pub rate: Spread,
    /// CPU of sender and softirq for a packet, nanoseconds.
    pub kernel_ns: Spread,
    /// The same less that of the empty program in the same round.
    pub over_empty_ns: Spread,
    /// The same, divided by that of tcpdump -s128 in the same round: 1 is as much as the cost of an AF_PACKET socket.
    pub over_empty_to_tcpdump: Option<Spread>,
    /// CPU of the process for a packet, nanoseconds.
    pub process_ns: Option<Spread>,
    /// The same, divided by that of tcpdump -s128 in the same round.
    pub process_to_tcpdump: Option<Spread>,
    /// Lost packets, percent.
    pub lost_percent: Option<Spread>,
    /// Lost packets by the peer's own account, percent.
    pub said_lost_percent: Option<Spread>,
    /// Lost in the worst round.
    pub lost_most: Option<u64>,
    /// Rounds in which it counted another number of packets than came; `None` where it does not count.
    pub miscounted_rounds: Option<usize>,
    /// Bytes on the disk for each packet that came.
    pub bytes_per_packet: Option<Spread>,
    /// Bytes on the disk.
    pub bytes: Option<Spread>,
    /// Most resident memory, MiB.
    pub memory_mib: Option<Spread>,
    /// Milliseconds from asking for the file until it was there.
    pub ready_ms: Spread,
    /// Packets that are missing at the file's end.
    pub tail: Option<Spread>,
    /// Packets that no peer could see, in all rounds.
    pub unseen: u64,
}

/// The rows of one load.
pub fn rows(load: Load, names: &[&'static str], samples: &Samples) -> Vec<Row> {
    let number = |name: &str| names.iter().position(|known| *known == name);
    let of = |peer: Option<usize>| peer.and_then(|peer| samples.get(&peer));
    let (empty, tcpdump) = (of(number(EMPTY)), of(number(TCPDUMP_CUT)));
    let mut rows = Vec::new();
    for (peer, all) in samples {
        let some = || all.iter().flatten();
        let spread = |pick: &dyn Fn(&Sample) -> f64| Spread::of(some().map(pick));
        let maybe = |pick: &dyn Fn(&Sample) -> Option<f64>| {
            let spread = Spread::of(some().filter_map(pick));
            (spread.count > 0).then_some(spread)
        };
        let percent = |sample: &Sample, of: Option<u64>| Some(of? as f64 * 100.0 / sample.packets.max(1) as f64);
        let counted = some().filter_map(|sample| Some((sample.counted?, sample.packets)));
        let counts = some().any(|sample| sample.counted.is_some());
        rows.push(Row {
            load: load.name,
            peer: names[*peer],
            rate: spread(&|sample| sample.rate),
            kernel_ns: spread(&|sample| sample.kernel_ns),
            over_empty_ns: paired(all, empty, |own, empty| Some(own.kernel_ns - empty.kernel_ns)),
            over_empty_to_tcpdump: over_tcpdump(all, empty, tcpdump),
            process_ns: maybe(&|sample| sample.process_ns),
            process_to_tcpdump: ratio(paired(all, tcpdump, |own, other| Some(own.process_ns? / other.process_ns?))),
            lost_percent: maybe(&|sample| percent(sample, sample.lost)),
            said_lost_percent: maybe(&|sample| percent(sample, sample.said_lost)),
            lost_most: some().filter_map(|sample| sample.lost).max(),
            miscounted_rounds: counts.then(|| counted.filter(|(counted, came)| counted != came).count()),
            bytes_per_packet: maybe(&|sample| Some(sample.bytes? as f64 / sample.packets.max(1) as f64)),
            bytes: maybe(&|sample| Some(sample.bytes? as f64)),
            memory_mib: maybe(&|sample| Some(sample.memory? as f64 / 1_048_576.0)),
            ready_ms: spread(&|sample| sample.ready.as_secs_f64() * 1e3),
            tail: maybe(&|sample| Some(sample.tail? as f64)),
            unseen: some().map(|sample| sample.unseen).sum(),
        });
    }
    rows
}

fn ratio(spread: Spread) -> Option<Spread> {
    (spread.count > 0).then_some(spread)
}

/// Of the rounds that have both.
fn paired(own: &[Option<Sample>], other: Option<&Vec<Option<Sample>>>, with: impl Fn(&Sample, &Sample) -> Option<f64>) -> Spread {
    let pairs = own.iter().zip(other.into_iter().flatten());
    Spread::of(pairs.filter_map(|(own, other)| with(own.as_ref()?, other.as_ref()?)))
}

/// What it costs over the empty program, by what tcpdump costs over it.
fn over_tcpdump(
    own: &[Option<Sample>],
    empty: Option<&Vec<Option<Sample>>>,
    tcpdump: Option<&Vec<Option<Sample>>>,
) -> Option<Spread> {
    let rounds = own.iter().zip(empty?).zip(tcpdump?);
    let ratios = rounds.filter_map(|((own, empty), tcpdump)| {
        let empty = empty.as_ref()?.kernel_ns;
        Some((own.as_ref()?.kernel_ns - empty) / (tcpdump.as_ref()?.kernel_ns - empty))
    });
    ratio(Spread::of(ratios))
}

/// Linkprobe's rows.
pub fn ours(rows: &[Row]) -> impl Iterator<Item = &Row> {
    rows.iter().filter(|row| row.peer == LINKPROBE)
}
