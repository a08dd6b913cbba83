//! An interval as `sar -n DEV` prints it (sysstat 12.6, pr_stats.c and common.c), so that what reads sar's lines reads these.

use std::fmt::Write as _;

use super::{Interval, LinkInterval};

/// What stands in the first line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Banner {
    /// `uname -s`.
    pub system: String,
    /// `uname -r`.
    pub release: String,
    /// `uname -n`.
    pub host: String,
    /// The date as `%m/%d/%y`, which the C locale has.
    pub date: String,
    /// `uname -m`.
    pub machine: String,
    /// Number of CPUs.
    pub cpus: u32,
}

/// Times of day as `%H:%M:%S`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Times {
    /// Of the interval's beginning: it stands before the names of the columns.
    pub from: String,
    /// Of its end: it stands before the figures.
    pub to: String,
}

/// The line that a stream begins with.
pub fn banner(banner: &Banner) -> String {
    let Banner { system, release, host, date, machine, cpus } = banner;
    format!("{system} {release} ({host}) \t{date} \t_{machine}_\t({cpus} CPU)\n")
}

/// The block of one interval: an empty line, the names of the columns, and a line for each link that is there, by its driver's counters as in
/// sar. Bond and slaves stand on lines of their own. Empty when no driver told anything.
pub fn block(interval: &Interval, times: &Times) -> String {
    let mut lines = String::new();
    for link in interval.links.iter().filter(|link| link.present) {
        line(&mut lines, link, &times.to);
    }
    if lines.is_empty() {
        return lines;
    }
    let mut block = format!("\n{:<11} {:>9}", times.from, "IFACE");
    for column in ["rxpck/s", "txpck/s", "rxkB/s", "txkB/s", "rxcmp/s", "txcmp/s", "rxmcst/s", "%ifutil"] {
        // A String takes everything.
        let _ = write!(block, " {column:>9}");
    }
    block.push('\n');
    block + &lines
}

fn line(lines: &mut String, link: &LinkInterval, time: &str) {
    let Some(driver) = link.driver else { return };
    let stats = &driver.stats;
    let per_second = |count: u64| count as f64 * 1e9 / driver.ns as f64;
    let (received, transmitted) = (per_second(stats.rx_bytes), per_second(stats.tx_bytes));
    // Of the busier direction, as sar does for full duplex.
    let used = link.speed_bps.filter(|speed| *speed > 0).map(|speed| received.max(transmitted) * 800.0 / speed as f64);
    let figures = [
        per_second(stats.rx_packets),
        per_second(stats.tx_packets),
        received / 1024.0,
        transmitted / 1024.0,
        per_second(stats.rx_compressed),
        per_second(stats.tx_compressed),
        per_second(stats.multicast),
        used.unwrap_or_default(),
    ];
    let _ = write!(lines, "{time:<11} {:>9}", link.link.name);
    for figure in figures {
        let _ = write!(lines, " {figure:>9.2}");
    }
    lines.push('\n');
}
