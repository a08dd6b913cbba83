//! `linkprobe status`: what a running agent sees, holds and has lost.

use clap::Args;

use super::AgentArgs;
use crate::agent::status::{LinkStatus, Status};
use crate::control::Request;
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
    /// Which agent.
    #[command(flatten)]
    pub agent: AgentArgs,
}

/// Asks the agent and prints what it says.
///
/// # Errors
/// When no agent answers, or one of another version.
pub fn run(args: &StatusArgs) -> anyhow::Result<()> {
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
    text += "\nLinks\n";
    text += &links(&status.links);
    for name in &status.waiting {
        text += &format!("  waiting for {name}\n");
    }
    text += "\nTaps\n";
    text += &taps(status, classes);
    text += &recorder(status);
    text += &losses(status);
    if status.carrier_edges != "exact" {
        text += &format!("\nCarrier edges: {}\n", status.carrier_edges);
    }
    for note in &status.notes {
        text += &format!("Note: {note}\n");
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

fn taps(status: &Status, classes: bool) -> String {
    let mut table =
        Table::new(["interface", "direction", "hook", "class", "packets", "bytes", "on the wire", "recorded", "samples"]);
    for tap in &status.taps {
        let wire: u64 = tap.classes.iter().map(|c| c.segments).sum();
        let numbers = [tap.packets, tap.bytes, wire, tap.recorded, tap.samples].map(|n| n.to_string());
        let [packets, bytes, wire, recorded, samples] = numbers;
        let names = [tap.interface.clone(), tap.direction.clone(), tap.hook.clone(), "all".into()];
        let [interface, direction, hook, all] = names;
        table.row([interface, direction, hook, all, packets, bytes, wire, recorded, samples]);
        for class in tap.classes.iter().filter(|_| classes) {
            let empty = String::new;
            let [packets, bytes, wire] = [class.packets, class.bytes, class.segments].map(|n| n.to_string());
            table.row([empty(), empty(), empty(), class.class.clone(), packets, bytes, wire, empty(), empty()]);
        }
    }
    let mut text = table.render(2);
    for tap in status.taps.iter().filter(|tap| tap.direction == "ingress") {
        text += &format!("  {} is tapped at {}: {}\n", tap.interface, tap.hook, tap.why);
    }
    text
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
