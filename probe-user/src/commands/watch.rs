//! `linkprobe watch`: one row per link at every change, as the polling script of old wrote them every minute.
//!
//! It needs no agent and no root: rtnetlink tells everybody. Where an agent runs, links' ages and the ping columns come from it.

use std::cell::Cell;
use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use probe_core::netlink::{LinkMessage, decode};
use probe_core::table::{Link, LinkTable, Watched};
use probe_core::time::{Mono, SECOND};
use probe_core::timeline::{Entry, Source};
use serde_json::json;

use super::AgentArgs;
use crate::agent::status::Status;
use crate::clock;
use crate::config::parse_duration;
use crate::control::Request;
use crate::netlink::{Monitor, Received, links};
use crate::text::print;

/// Options of `linkprobe watch`.
#[derive(Args, Clone, Debug)]
pub struct WatchArgs {
    /// Interfaces; a bond brings its slaves [default: every bond, or every interface where there is no bond]
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Also a row for each link at intervals, such as 60s
    #[arg(long, value_name = "DURATION", value_parser = parse_interval)]
    pub every: Option<Duration>,
    /// One JSON object per row, with what happened, instead of CSV
    #[arg(long)]
    pub json: bool,
    /// Which agent is asked for ages and probes.
    #[command(flatten)]
    pub agent: AgentArgs,
}

/// The header of the CSV: the columns of the script that it replaces. The two ping columns are what a running agent last heard: the
/// first of the next hop, the second of the first configured target. 1 for an answer, 0 for none; empty where nobody is asked.
const HEADER: &str = "date,                     if,       carr, state, age,        chngs, ping, ping";

/// Prints rows until it is interrupted.
///
/// # Errors
/// For a name that no link has, and when netlink or the output fail.
pub fn run(args: &WatchArgs) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(watch(args))
}

async fn watch(args: &WatchArgs) -> anyhow::Result<()> {
    let mut monitor = Monitor::open(None).context("rtnetlink")?;
    let found = links().context("rtnetlink")?.links;
    let mut watched = Watched::default();
    for name in &args.names {
        match found.iter().find(|link| link.name == *name) {
            Some(link) if link.bond.is_some() => watched.bonds.push(name.clone()),
            Some(_) => watched.interfaces.push(name.clone()),
            None => bail!("no interface is called {name} (there are: {})", names(found.iter().map(|link| link.name.as_str()))),
        }
    }
    if args.names.is_empty() {
        watched.bonds = found.iter().filter(|link| link.bond.is_some()).map(|link| link.name.clone()).collect();
        if watched.bonds.is_empty() {
            watched.interfaces = found.iter().map(|link| link.name.clone()).collect();
        }
    }
    let mut rows =
        Rows { table: LinkTable::new(watched), ages: ages(&args.agent), pings: Pings::new(&args.agent), json: args.json };
    rows.table.start(clock::now(), found);
    if !args.json {
        line(HEADER)?;
    }
    rows.all()?;
    let mut every = tokio::time::interval(args.every.unwrap_or(Duration::from_secs(3600)));
    every.tick().await;
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    loop {
        tokio::select! {
            received = monitor.receive() => match received.context("rtnetlink")? {
                Received::Datagram(datagram) => rows.take(&datagram)?,
                Received::Overrun => {
                    // What waits is older than the dump: it goes first.
                    let mut waiting = Vec::new();
                    monitor.drain(|datagram| waiting.push(datagram.to_vec()));
                    waiting.iter().try_for_each(|datagram| rows.take(datagram))?;
                    rows.resync()?;
                }
            },
            _ = every.tick() => if args.every.is_some() { rows.all()? },
            _ = tokio::signal::ctrl_c() => return Ok(()),
            _ = terminate.recv() => return Ok(()),
        }
    }
}

struct Rows {
    table: LinkTable,
    /// When links changed last, as an agent knows it.
    ages: HashMap<u32, Mono>,
    pings: Pings,
    json: bool,
}

impl Rows {
    fn resync(&mut self) -> anyhow::Result<()> {
        let found = links().context("rtnetlink")?.links;
        let entries = self.table.resync(clock::now(), "netlink messages were lost", found);
        self.changes(&entries)
    }

    fn take(&mut self, datagram: &[u8]) -> anyhow::Result<()> {
        let at = clock::now();
        for decoded in decode(datagram) {
            let entries = match decoded.message {
                Ok(LinkMessage::New(link)) => self.table.apply(at, Source::Netlink, *link),
                Ok(LinkMessage::Del { ifindex }) => self.table.remove(at, Source::Netlink, ifindex),
                Ok(_) => continue,
                Err(error) => {
                    log::warn!("{error}");
                    continue;
                }
            };
            self.changes(&entries)?;
        }
        Ok(())
    }

    /// One row per link that something happened to; in JSON one per thing that happened.
    fn changes(&self, entries: &[Entry]) -> anyhow::Result<()> {
        let mut last = None;
        for entry in entries {
            let ifindex = entry.link.as_ref().map(|link| link.ifindex);
            if self.json {
                self.json_row(ifindex, Some(entry))?;
            } else if ifindex != last {
                last = ifindex;
                if let Some(link) = ifindex.and_then(|ifindex| self.table.get(ifindex)) {
                    line(&self.csv_row(link))?;
                } else if let Some(link) = &entry.link {
                    line(&format!("{}, {:<8} 0,    gone,  0.000,      ,      ,     ", date(), format!("{},", link.name)))?;
                }
            }
        }
        Ok(())
    }

    fn all(&self) -> anyhow::Result<()> {
        for (link, _) in self.table.watched() {
            if self.json {
                self.json_row(Some(link.state.ifindex), None)?;
            } else {
                line(&self.csv_row(link))?;
            }
        }
        Ok(())
    }

    fn age_s(&self, link: &Link) -> Option<f64> {
        let now = clock::now();
        let known = self.ages.get(&link.state.ifindex).map(|at| now.since(*at));
        link.age(now).or(known).map(|ns| ns as f64 / 1e9)
    }

    /// Columns as wide as the header's; an age that nobody knows is left empty.
    fn csv_row(&self, link: &Link) -> String {
        let age = self.age_s(link).map_or_else(String::new, |s| format!("{s:.3}"));
        let [next_hop, target] = self.pings.now();
        let ping = |answered: Option<bool>| answered.map_or("", |answered| if answered { "1" } else { "0" });
        format!(
            "{}, {:<9} {},    {:<6} {:<11} {:<6} {:<5} {}",
            date(),
            format!("{},", link.state.name),
            u8::from(link.state.carrier),
            format!("{},", link.state.operstate),
            format!("{age},"),
            format!("{},", link.changes()),
            format!("{},", ping(next_hop)),
            ping(target),
        )
    }

    fn json_row(&self, ifindex: Option<u32>, entry: Option<&Entry>) -> anyhow::Result<()> {
        let link = ifindex.and_then(|ifindex| self.table.get(ifindex));
        let name = link.map(|link| link.state.name.clone()).or_else(|| entry?.link.as_ref().map(|link| link.name.clone()));
        line(
            &json!({
                "date": date(),
                "if": name,
                "ifindex": ifindex,
                "carrier": link.map(|link| link.state.carrier),
                "state": link.map(|link| link.state.operstate.to_string()),
                "age_s": link.and_then(|link| self.age_s(link)),
                "changes": link.map(Link::changes),
                "ping": self.pings.now(),
                "text": entry.map(ToString::to_string),
            })
            .to_string(),
        )
    }
}

/// What the agent hears of the next hop and of the first target. It is asked again after a second, so that a burst of rows asks once.
struct Pings {
    agent: AgentArgs,
    last: Cell<Option<(Mono, [Option<bool>; 2])>>,
}

impl Pings {
    fn new(agent: &AgentArgs) -> Self {
        Self { agent: agent.clone(), last: Cell::new(None) }
    }

    fn now(&self) -> [Option<bool>; 2] {
        let now = clock::now();
        if let Some((_, pings)) = self.last.get().filter(|(at, _)| now.since(*at) < SECOND) {
            return pings;
        }
        let targets = status(&self.agent).map(|status| status.targets).unwrap_or_default();
        let first = |next_hop| targets.iter().find(|target| target.next_hop == next_hop).and_then(|target| target.answered);
        let pings = [first(true), first(false)];
        self.last.set(Some((now, pings)));
        pings
    }
}

fn status(agent: &AgentArgs) -> Option<Status> {
    serde_json::from_value(agent.ask(&Request::Status).ok()?).ok()
}

/// An interval is at least 10 ms.
fn parse_interval(text: &str) -> Result<Duration, String> {
    let interval = parse_duration(text).map_err(|error| error.to_string())?;
    if interval < Duration::from_millis(10) {
        return Err("an interval is at least 10ms".into());
    }
    Ok(interval)
}

/// When the links changed last, as a running agent knows it; nothing where none runs.
fn ages(agent: &AgentArgs) -> HashMap<u32, Mono> {
    let now = clock::now();
    let links = status(agent).into_iter().flat_map(|status| status.links);
    links.filter_map(|link| Some((link.ifindex, now.minus((link.age_s? * 1e9) as u64)))).collect()
}

fn date() -> String {
    jiff::Zoned::now().strftime("%Y-%m-%dT%H:%M:%S%z").to_string()
}

fn line(text: &str) -> anyhow::Result<()> {
    print(&format!("{text}\n"))
}

fn names<'a>(all: impl Iterator<Item = &'a str>) -> String {
    all.collect::<Vec<_>>().join(", ")
}
