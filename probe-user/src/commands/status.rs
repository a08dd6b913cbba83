//! `linkprobe status`: what a running agent sees, holds and has lost.

use std::time::Duration;

use clap::Args;
use probe_core::recovery::{RecoverMode, RecoveryStatus};

use super::{AgentArgs, lacp};
use crate::agent::history::HistoryExtent;
use crate::agent::status::{LinkStatus, MatrixStatus, Passed, Status, StormStatus, TargetStatus};
use crate::config::parse_duration;
use crate::control::Request;
use crate::export::status::SinkStatus;
use crate::text::{Table, print, seconds};

/// Options of `linkprobe status`.
#[derive(Args, Clone, Debug)]
pub struct StatusArgs {
    /// Print everything as JSON
    #[arg(long)]
    pub json: bool,
    /// Packets by class as well
    #[arg(long)]
    pub classes: bool,
    /// Show instead what links were like and carried in the last while: 90s, 1h, 24h
    ///
    /// As far back as the agent's history reaches, at most (`linkprobe run --history`). With --json, also the series.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, conflicts_with = "classes")]
    pub since: Option<Duration>,
    /// Which agent.
    #[command(flatten)]
    pub agent: AgentArgs,
}

/// Asks the agent and prints what it says.
///
/// # Errors
/// When no agent answers, or one of another version.
pub fn run(args: &StatusArgs) -> anyhow::Result<()> {
    if let Some(since) = args.since {
        return super::past::run(args, since);
    }
    let answer = args.agent.ask(&Request::Status)?;
    if args.json {
        print(&format!("{}\n", serde_json::to_string_pretty(&answer)?))
    } else {
        print(&render(&serde_json::from_value(answer)?, args.classes))
    }
}

fn render(status: &Status, classes: bool) -> String {
    let mut text =
        format!("linkprobe {} ({}), process {}, up {}\n", status.version, status.instance, status.pid, seconds(status.uptime_s));
    text += &incidents(status);
    text += &recovery(&status.recovery);
    text += "\nLinks\n";
    text += &links(&status.links);
    for name in &status.waiting {
        text += &format!("  waiting for {name}\n");
    }
    text += &lacp::table(&status.lacp);
    text += &targets(&status.targets);
    text += "\nTaps\n";
    text += &taps(status, classes);
    text += &storms(&status.storms);
    text += &drops(status);
    text += &matrix(&status.matrix);
    text += &sflow(status);
    text += &recorder(status);
    text += &history(&status.history);
    text += &sinks(&status.sinks);
    text += &losses(status);
    if status.carrier_edges != "exact" {
        text += &format!("\nCarrier edges: {}\n", status.carrier_edges);
    }
    for note in &status.notes {
        text += &format!("Note: {note}\n");
    }
    text
}

fn recovery(recovery: &RecoveryStatus) -> String {
    if recovery.mode.is_empty() || recovery.mode == RecoverMode::Off.name() {
        // What an earlier agent left undone is done in any mode.
        return if recovery.now.is_empty() { String::new() } else { format!("Recovery: {}\n", recovery.now) };
    }
    let left: Vec<String> = recovery.left.iter().map(|left| format!("{} {}", left.what, left.count)).collect();
    let mut text = format!("Recovery: {}; left within this hour: {}\n", recovery.mode, left.join(", "));
    if !recovery.now.is_empty() {
        text += &format!("  now: {}\n", recovery.now);
    }
    if let Some(age) = recovery.last_age_s {
        text += &format!("  last, {} ago: {}\n", seconds(age), recovery.last);
    }
    text
}

fn incidents(status: &Status) -> String {
    let i = &status.incidents;
    let mut text = format!("Incidents: {} written to {}", i.written, i.directory);
    for (count, what) in [(i.waiting, "waiting to be written"), (i.lost, "LOST")] {
        if count > 0 {
            text += &format!(", {count} {what}");
        }
    }
    if let Some(last) = &i.last {
        text += &format!(", the last is {last}");
    }
    text.push('\n');
    if let Some(open) = &i.open {
        text += &format!("Open now: {open}\n");
    }
    if let Some(alarm) = &i.alarm {
        text += &format!("ALARM: {alarm}\n");
    }
    text
}

fn links(links: &[LinkStatus]) -> String {
    let mut table = Table::new(["name", "role", "admin", "carrier", "state", "in the bond", "age", "changes"]);
    for link in links {
        let role = match &link.master {
            Some(master) => format!("{} of {master}", link.role),
            None => link.role.clone(),
        };
        table.row([
            link.name.clone(),
            role,
            up(link.admin_up),
            u8::from(link.carrier).to_string(),
            link.operstate.clone(),
            link.slave_state.clone().unwrap_or_else(|| "-".into()),
            link.age_s.map_or_else(|| "-".into(), seconds),
            link.changes.to_string(),
        ]);
    }
    table.render(2)
}

fn targets(targets: &[TargetStatus]) -> String {
    if targets.is_empty() {
        return String::new();
    }
    let mut table = Table::new(["target", "by", "state", "lost", "lost of all", "last answer after", "note"]);
    for target in targets {
        let state = if target.state == "never" { "never answered" } else { &target.state };
        table.row([
            target.name.clone(),
            target.method.clone(),
            state.to_owned(),
            format!("{}/{}", target.lost, target.of),
            format!("{}/{}", target.lost_of_all, target.probes),
            target.rtt_ms.map_or_else(|| "-".into(), |ms| format!("{ms:.3} ms")),
            target.send_error.clone().unwrap_or_default(),
        ]);
    }
    format!("\nTargets\n{}", table.render(2))
}

fn taps(status: &Status, classes: bool) -> String {
    let mut table = Table::new([
        "interface",
        "direction",
        "hook",
        "class",
        "packets",
        "bytes",
        "on the wire",
        "recorded",
        "repeats",
        "samples",
    ]);
    for tap in &status.taps {
        let wire: u64 = tap.classes.iter().map(|c| c.segments).sum();
        let numbers = [tap.packets, tap.bytes, wire, tap.recorded, tap.repeats, tap.samples].map(|n| n.to_string());
        let [packets, bytes, wire, recorded, repeats, samples] = numbers;
        let names = [tap.interface.clone(), tap.direction.clone(), tap.hook.clone(), "all".into()];
        let [interface, direction, hook, all] = names;
        table.row([interface, direction, hook, all, packets, bytes, wire, recorded, repeats, samples]);
        for class in tap.classes.iter().filter(|_| classes) {
            let empty = String::new;
            let [packets, bytes, wire] = [class.packets, class.bytes, class.segments].map(|n| n.to_string());
            table.row([empty(), empty(), empty(), class.class.clone(), packets, bytes, wire, empty(), empty(), empty()]);
        }
    }
    let mut text = table.render(2);
    for tap in status.taps.iter().filter(|tap| tap.direction == "ingress") {
        text += &format!("  {} is tapped at {}: {}\n", tap.interface, tap.hook, tap.why);
    }
    text
}

fn sflow(status: &Status) -> String {
    let Some(sflow) = &status.sflow else { return String::new() };
    let agent = sflow.agent.map_or_else(|| "not known yet".to_owned(), |agent| agent.to_string());
    let rates = status.taps.iter().filter(|tap| tap.direction == "ingress" && tap.sample_rate > 0);
    let rates: Vec<String> = rates.map(|tap| format!("{} 1 in {}", tap.interface, tap.sample_rate)).collect();
    let rates = if rates.is_empty() { "nothing is sampled".to_owned() } else { rates.join(", ") };
    let mut text = format!(
        "\nsFlow: agent {agent}, sub-agent {}; {} flow samples and {} counter samples in {} datagrams; {rates}\n",
        sflow.sub_agent, sflow.flow_samples, sflow.counter_samples, sflow.datagrams
    );
    let mut table = Table::new(["collector", "sent", "lost", "refused", "note"]);
    for collector in &sflow.collectors {
        let [sent, lost, refused] = [collector.sent, collector.lost, collector.refused].map(|n| n.to_string());
        table.row([collector.name.clone(), sent, lost, refused, collector.error.clone().unwrap_or_default()]);
    }
    text += &table.render(2);
    text
}

fn drops(status: &Status) -> String {
    let mut text = String::new();
    if !status.drops.is_empty() {
        let mut table = Table::new(["interface", "packets", "reason", "where"]);
        for drop in &status.drops {
            table.row([drop.interface.clone(), drop.packets.to_string(), drop.reason.clone(), drop.place.clone()]);
        }
        text += &format!("\nDropped by the kernel\n{}", table.render(2));
    }
    if status.drop_reasons != "counted" {
        text += &format!("\nDrops by reason: {}\n", status.drop_reasons);
    }
    text
}

fn storms(storms: &[StormStatus]) -> String {
    if storms.is_empty() {
        return String::new();
    }
    let mut table = Table::new(["interface", "direction", "copies", "per second", "frame"]);
    for storm in storms {
        let [copies, rate] = [storm.copies, storm.rate].map(|n| n.to_string());
        table.row([storm.interface.clone(), storm.direction.clone(), copies, rate, storm.what.clone()]);
    }
    format!("\nSTORMS of copies of one frame\n{}", table.render(2))
}

fn matrix(matrix: &MatrixStatus) -> String {
    if matrix.rows.is_empty() {
        return String::new();
    }
    let headings = ["interface", "in", "bytes", "driver in", "lost", "out", "bytes", "driver out", "lost"];
    let mut table = Table::new(headings);
    for row in &matrix.rows {
        let number = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
        let packets = |passed: Option<Passed>| number(passed.map(|passed| passed.packets));
        let bytes = |passed: Option<Passed>| number(passed.map(|passed| passed.bytes));
        let indent = if row.master.is_some() { "  " } else { "" };
        table.row([
            format!("{indent}{}", row.interface),
            packets(row.ingress),
            bytes(row.ingress),
            packets(row.driver_rx),
            number(row.driver_rx_lost),
            packets(row.egress),
            bytes(row.egress),
            packets(row.driver_tx),
            number(row.driver_tx_lost),
        ]);
    }
    format!("\nTap matrix: packets at the taps and by the drivers, last {:.1} s\n{}", matrix.seconds, table.render(2))
}

fn recorder(status: &Status) -> String {
    let recorder = &status.recorder;
    let lanes = recorder.lanes.iter().map(|lane| {
        let since = if lane.everything { " (everything so far)" } else { "" };
        format!("{} {}{since}", lane.lane, seconds(lane.depth_s))
    });
    let lanes: Vec<String> = lanes.collect();
    let mib = recorder.memory_bytes as f64 / f64::from(1 << 20);
    format!("\nRecorder: {mib:.1} MiB on {} CPUs; reaches back: {}\n", recorder.cpus, lanes.join(", "))
}

fn sinks(sinks: &[SinkStatus]) -> String {
    if sinks.is_empty() {
        return String::new();
    }
    let mut table = Table::new(["receiver", "to", "level", "state", "sent", "bytes", "waiting", "lost", "last error"]);
    for sink in sinks {
        let state = match (sink.connected, &sink.last_error) {
            (true, _) => "works",
            (false, Some(_)) => "DOWN",
            (false, None) => "not used yet",
        };
        let [sent, bytes, waiting, lost] = [sink.sent, sink.bytes, sink.queued, sink.dropped].map(|n| n.to_string());
        let level = sink.level.clone().unwrap_or_else(|| "-".into());
        let error = sink.last_error.clone().unwrap_or_default();
        table.row([sink.kind.clone(), sink.to.clone(), level, state.into(), sent, bytes, waiting, lost, error]);
    }
    format!("\nReceivers\n{}", table.render(2))
}

fn history(history: &HistoryExtent) -> String {
    if history.wanted_s == 0.0 {
        return "History: none is kept\n".to_owned();
    }
    let [bytes, limit] = [history.memory_bytes, history.memory_limit].map(|bytes| bytes as f64 / f64::from(1 << 20));
    let (reaches, wanted) = (seconds(history.reaches_s), seconds(history.wanted_s));
    let full = if history.memory_full { ", as far as its memory goes" } else { "" };
    format!("History: reaches back {reaches} of {wanted}{full}; {bytes:.1} of {limit:.1} MiB (linkprobe status --since 1h)\n")
}

fn losses(status: &Status) -> String {
    let mut table = Table::new(["where", "what", "count"]);
    let lost: Vec<_> = status.losses.iter().filter(|loss| loss.count > 0).collect();
    if lost.is_empty() {
        return format!("Losses: none ({} counters)\n", status.losses.len());
    }
    for loss in lost {
        table.row([loss.place.clone(), loss.name.clone(), loss.count.to_string()]);
    }
    format!("Losses\n{}", table.render(2))
}

fn up(up: bool) -> String {
    if up { "up" } else { "down" }.into()
}
