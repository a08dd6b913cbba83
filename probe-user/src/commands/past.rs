//! `linkprobe status --since`: what links were like and carried in the last while.

use std::io::IsTerminal;
use std::time::Duration;

use super::sparkline::Bars;
use super::status::StatusArgs;
use crate::agent::history::{ChangeHistory, History, LinkHistory, StateHistory, WayHistory};
use crate::control::Request;
use crate::text::{Table, print, seconds, si};

/// Bars of a trend, at most.
const TREND: usize = 30;
/// Changes and gaps that are listed; `--json` has more.
const MOST_CHANGES: usize = 40;
const MOST_GAPS: usize = 5;

/// Asks the agent and prints what it says.
///
/// # Errors
/// When no agent answers, or one of another version.
pub fn run(args: &StatusArgs, since: Duration) -> anyhow::Result<()> {
    let since_s = since.as_secs() + u64::from(since.subsec_nanos() > 0);
    let answer = args.agent.ask(&Request::History { since_s: since_s.max(1) })?;
    if args.json {
        return print(&format!("{}\n", serde_json::to_string_pretty(&answer)?));
    }
    let bars = Bars::of_locale(|name| std::env::var(name).ok());
    let colours = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    print(&render(&serde_json::from_value(answer)?, bars, colours))
}

fn render(history: &History, bars: Bars, colours: bool) -> String {
    if history.extent.wanted_s == 0.0 {
        return "The agent keeps no history (history = \"0s\").\n".to_owned();
    }
    let mut text = head(history);
    text += "\nLinks\n";
    text += &states(history.links.iter().map(|link| (&link.states, link.master.is_some())), "link");
    text += &rates(history, bars);
    if history.links_left_out > 0 {
        text += &format!("  and {} more links\n", history.links_left_out);
    }
    if !history.targets.is_empty() {
        text += "\nTargets\n";
        text += &states(history.targets.iter().map(|target| (target, false)), "target");
    }
    text + &changes(history, colours)
}

/// What time this is about.
fn head(history: &History) -> String {
    let extent = &history.extent;
    let (asked, reaches) = (history.asked_s as f64, extent.reaches_s);
    let held = seconds(reaches.min(asked));
    let mut text = format!("The last {held}, {} to {}\n", moment(&history.from, 0), moment(&history.to, 0));
    if reaches + 1.0 < asked {
        let why = match (extent.memory_full, asked > extent.wanted_s) {
            (true, _) => "history-memory is full",
            (false, true) if reaches + 1.0 >= extent.wanted_s => "history is no longer",
            _ => "the agent has not run for longer",
        };
        text += &format!("The history reaches back {held}, not {}: {why}.\n", seconds(asked));
    }
    if history.gaps_total > 0 {
        let missing = (reaches.min(asked) - history.known_s).max(0.0);
        text += &format!("Counters were not read for {} of it:\n", seconds(missing));
        let left_out = history.gaps_total.saturating_sub(MOST_GAPS.min(history.gaps.len()) as u64);
        if left_out > 0 {
            text += &format!("  ({left_out} earlier gaps)\n");
        }
        for gap in history.gaps.iter().skip(history.gaps.len().saturating_sub(MOST_GAPS)) {
            text += &format!("  from {} for {}\n", moment(&gap.from, 0), seconds(gap.s));
        }
    }
    text
}

fn states<'a>(all: impl Iterator<Item = (&'a StateHistory, bool)>, what: &str) -> String {
    let mut table = Table::new([what, "now", "for", "up", "changes", "went down"]);
    for (states, below) in all {
        let indent = if below { "  " } else { "" };
        let for_s = states.for_s.map_or_else(|| "-".to_owned(), seconds);
        table.row([
            format!("{indent}{}", states.name),
            if states.state.is_empty() { "-".to_owned() } else { states.state.clone() },
            if states.at_least { format!("{for_s} or more") } else { for_s },
            states.up_share.map_or_else(|| "-".to_owned(), |share| percent(share, states.downs)),
            states.changes.to_string(),
            states.downs.to_string(),
        ]);
    }
    table.render(2)
}

/// 100 % is said only of what was never down.
fn percent(share: f64, downs: u64) -> String {
    if share >= 1.0 && downs == 0 {
        return "100 %".to_owned();
    }
    format!("{:.3} %", (share * 100.0).min(99.999))
}

fn rates(history: &History, bars: Bars) -> String {
    let headings = ["link", "way", "pkt/s min", "median", "p95", "max", "bit/s min", "median", "p95", "max", "lost", "trend"];
    let mut table = Table::new(headings);
    let mut bars_of = 0;
    let mut row = |link: &LinkHistory, name: &str, way: &str, of: &WayHistory| {
        let most = &of.series.packets.max;
        bars_of = most.len();
        let [p_min, p_median, p95, p_max] = [of.packets.min, of.packets.median, of.packets.p95, of.packets.max].map(si);
        let [b_min, b_median, b95, b_max] = [of.bits.min, of.bits.median, of.bits.p95, of.bits.max].map(si);
        let indent = if link.master.is_some() && !name.is_empty() { "  " } else { "" };
        table.row([
            format!("{indent}{name}"),
            way.to_owned(),
            p_min,
            p_median,
            p95,
            p_max,
            b_min,
            b_median,
            b95,
            b_max,
            of.lost.map_or_else(|| "-".to_owned(), |lost| lost.to_string()),
            format!("|{}|", bars.row(most, TREND)),
        ]);
    };
    for link in &history.links {
        let ways = [("rx", &link.rx), ("tx", &link.tx)];
        let there = ways.into_iter().filter_map(|(way, of)| Some((way, of.as_ref()?)));
        for (number, (way, of)) in there.enumerate() {
            row(link, if number == 0 { &link.states.name } else { "" }, way, of);
        }
    }
    if bars_of == 0 {
        return "\nNo rates: nothing was counted in this time.\n".to_owned();
    }
    let each = history.bucket_s * bars_of as f64 / bars_of.min(TREND) as f64;
    let table = table.render(2);
    format!("\nRates of the seconds; trend: the most packets in a second of each {}\n{table}", seconds(each))
}

fn changes(history: &History, colours: bool) -> String {
    if history.changes_total == 0 {
        return "\nChanges: none\n".to_owned();
    }
    let mut text = format!("\nChanges: {}\n", history.changes_total);
    let listed = history.changes.get(history.changes.len().saturating_sub(MOST_CHANGES)..).unwrap_or_default();
    let told: u64 = listed.iter().map(|change| u64::from(change.count)).sum();
    if told < history.changes_total {
        text += &format!("  ({} earlier)\n", history.changes_total - told);
    }
    for change in listed {
        text += &line(change, colours);
    }
    text
}

fn line(change: &ChangeHistory, colours: bool) -> String {
    let many = if change.count > 1 { format!(" ({} changes within a second)", change.count) } else { String::new() };
    let text = format!("{}: {}{many}", change.name, change.text);
    let text = match (colours, change.tone.as_str()) {
        (true, "failure") => format!("\x1b[31m{text}\x1b[0m"),
        (true, "recovery") => format!("\x1b[32m{text}\x1b[0m"),
        _ => text,
    };
    format!("  {}  {text}\n", moment(&change.at, 3))
}

/// Date and time of day of an RFC 3339 time, with so many digits behind the point.
fn moment(rfc3339: &str, digits: usize) -> String {
    let end = if digits == 0 { 19 } else { 20 + digits };
    rfc3339.get(..end).unwrap_or(rfc3339).replace('T', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::history::{Columns, Gap, HistoryExtent, SeriesHistory};
    use probe_core::past::Spread;

    fn history() -> History {
        let spread = Spread { min: 10, p5: 20, median: 1204, p95: 1500, max: 107_817, mean: 1300 };
        let values: Vec<Option<u64>> = (0..300).map(|n| (n != 150).then_some(if n == 280 { 107_817 } else { 1200 })).collect();
        let columns = Columns { min: values.clone(), mean: values.clone(), max: values };
        let way = WayHistory {
            packets: spread,
            bits: Spread { max: 1_200_000_000, ..spread },
            lost: Some(3),
            series: SeriesHistory { packets: columns.clone(), bits: columns },
            ..WayHistory::default()
        };
        let states = |name: &str, downs| StateHistory {
            name: name.to_owned(),
            state: "up".to_owned(),
            up: Some(true),
            for_s: Some(310.0),
            at_least: downs == 0,
            known_s: 3600.0,
            up_share: Some(if downs == 0 { 1.0 } else { 0.999_999 }),
            changes: 2 * downs,
            downs,
        };
        let link = |name, master: Option<&str>, downs| LinkHistory {
            master: master.map(str::to_owned),
            states: states(name, downs),
            rx: Some(way.clone()),
            tx: Some(way.clone()),
            ..LinkHistory::default()
        };
        let change = |at: &str, text: &str, tone: &str| ChangeHistory {
            at: at.to_owned(),
            name: "eth1".to_owned(),
            text: text.to_owned(),
            tone: tone.to_owned(),
            count: 1,
        };
        History {
            asked_s: 3600,
            from: "2017-12-05T14:12:51.447649123+09:00".to_owned(),
            to: "2017-12-05T15:12:51.447649123+09:00".to_owned(),
            extent: HistoryExtent { reaches_s: 7200.0, wanted_s: 86_400.0, ..HistoryExtent::default() },
            known_s: 3588.0,
            bucket_s: 12.0,
            gaps: vec![Gap { from: "2017-12-05T14:20:00.000000000+09:00".to_owned(), s: 12.0 }],
            gaps_total: 1,
            links: vec![link("bond0", None, 0), link("eth1", Some("bond0"), 1)],
            targets: vec![states("10.0.80.11", 0)],
            changes: vec![
                change("2017-12-05T15:07:41.001000000+09:00", "down: carrier lost", "failure"),
                change("2017-12-05T15:07:41.100000000+09:00", "up: carrier came", "recovery"),
            ],
            changes_total: 9,
            ..History::default()
        }
    }

    #[test]
    fn the_text_has_states_rates_trends_targets_and_changes() {
        let text = render(&history(), Bars::Blocks, false);
        for line in [
            "The last 1 h 0 min, 2017-12-05 14:12:51 to 2017-12-05 15:12:51",
            "Counters were not read for 12.0 s of it:",
            "  from 2017-12-05 14:20:00 for 12.0 s",
            "    eth1  up           5 min 10 s  99.999 %        2          1",
            "Rates of the seconds; trend: the most packets in a second of each 2 min 0 s",
            "Changes: 9",
            "  (7 earlier)",
            "  2017-12-05 15:07:41.001  eth1: down: carrier lost",
        ] {
            assert!(text.lines().any(|of| of == line), "{line}\nin\n{text}");
        }
        let row = text.lines().find(|line| line.contains("bond0") && line.contains('|')).expect("a row");
        for word in ["1.2k", "108k", "1.2G", "|▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂█▂|"]
        {
            assert!(row.contains(word), "{word} in {row}");
        }
        assert!(!text.contains('\x1b'), "no colours");
        let coloured = render(&history(), Bars::Ascii, true);
        assert!(coloured.contains("\x1b[31meth1: down: carrier lost\x1b[0m") && coloured.contains("..#.|"), "{coloured}");
    }

    #[test]
    fn a_history_that_is_shorter_than_asked_says_why() {
        let asked = |asked_s, extent| head(&History { asked_s, extent, ..history() });
        let extent =
            |reaches_s, memory_full| HistoryExtent { reaches_s, wanted_s: 3600.0, memory_full, ..HistoryExtent::default() };
        let told =
            |asked_s, reaches_s, full| asked(asked_s, extent(reaches_s, full)).lines().nth(1).unwrap_or_default().to_owned();
        assert_eq!(
            told(7200, 310.0, false),
            "The history reaches back 5 min 10 s, not 2 h 0 min: the agent has not run for longer."
        );
        assert_eq!(told(7200, 310.0, true), "The history reaches back 5 min 10 s, not 2 h 0 min: history-memory is full.");
        assert_eq!(told(7200, 3900.0, false), "The history reaches back 1 h 5 min, not 2 h 0 min: history is no longer.");
        assert!(told(60, 59.5, false).starts_with("Counters were not read"), "no more than a second is missing");
        assert_eq!(render(&History::default(), Bars::Blocks, false), "The agent keeps no history (history = \"0s\").\n");
    }
}
