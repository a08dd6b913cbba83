//! The results as text.

use linkprobe_tests::peers::plot::number;
use linkprobe_tests::peers::stats::Spread;
use serde_json::Value;

use crate::goals::Goal;
use crate::results::Row;

/// Prints the comparison: one table for each load.
pub fn comparison(rows: &[Row], rounds: usize) {
    println!(
        "Medians of {rounds} interleaved rounds, first and third quartile in brackets. kernel: CPU time of sender and softirq for a"
    );
    println!(
        "packet; over empty: that less the empty program's in the same round; process: CPU time of the capturing process for a packet;"
    );
    println!(
        "lost: packets that came and are not in the file (Linkprobe: in the window that its file claims); said: by its own account."
    );
    println!("Linkprobe's bytes are those of the one incident that it was asked for, with all that the recorder held.\n");
    let mut load = "";
    for row in rows {
        if row.load != load {
            load = row.load;
            println!("{load}");
            println!(
                "  {:<17} {:>10} {:>15} {:>17} {:>9} {:>17} {:>10} {:>8} {:>8} {:>9} {:>8}",
                "",
                "packets/s",
                "kernel ns",
                "over empty ns",
                "/tcpdump",
                "process ns",
                "/tcpdump",
                "lost %",
                "said %",
                "bytes/pkt",
                "MiB"
            );
        }
        println!(
            "  {:<17} {:>10.0} {:>15} {:>17} {:>9} {:>17} {:>10} {:>8} {:>8} {:>9} {:>8}",
            row.peer,
            row.rate.median,
            spread(row.kernel_ns),
            spread(row.over_empty_ns),
            maybe(row.over_empty_to_tcpdump, |median| format!("{median:.2}")),
            row.process_ns.map_or_else(String::new, spread),
            maybe(row.process_to_tcpdump, |median| format!("{median:.3}")),
            maybe(row.lost_percent, |median| format!("{median:.2}")),
            maybe(row.said_lost_percent, |median| format!("{median:.2}")),
            maybe(row.bytes_per_packet, |median| format!("{median:.1}")),
            maybe(row.memory_mib, |median| format!("{median:.1}")),
        );
    }
    let unseen: u64 = rows.iter().map(|row| row.unseen).sum();
    if unseen > 0 {
        println!("{unseen} packets found the queue of the pair full, before any peer.");
    }
    println!();
}

/// Prints what the reference incident's packets leave on the disk.
pub fn incident(rows: &[Row], packets: u64) {
    if rows.is_empty() {
        return;
    }
    println!(
        "The storm of the reference incident, {packets} packets of it ({REFERENCE} in all then, in 93 s): bytes on the disk"
    );
    for row in rows {
        let bytes = row.bytes.map_or(0.0, |bytes| bytes.median);
        let lost = maybe(row.lost_percent, |median| format!("{median:.2} % lost, "));
        println!("  {:<17} {:>14.0} bytes; {lost}at {:.0} packets/s", row.peer, bytes, row.rate.median);
    }
    println!();
}

/// Packets of the reference incident.
pub const REFERENCE: u64 = 7_040_000;

/// Prints what a day leaves on the disk.
pub fn per_day(rows: &[Row], load: &str, rate: u32, incident_bytes: Option<f64>) {
    let all = rows.iter().filter(|row| row.load == load);
    println!("Bytes on the disk in a day of {rate} packets/s ({load}), with one incident:");
    for row in all {
        let Some(bytes) = row.bytes_per_packet else { continue };
        let day = if row.peer == crate::peer::LINKPROBE {
            incident_bytes.unwrap_or(0.0)
        } else {
            bytes.median * f64::from(rate) * 86_400.0
        };
        println!("  {:<17} {:>8}B", row.peer, number(day));
    }
    println!();
}

/// Prints how soon after a fault there is a file.
pub fn ready(rows: &[Row], rate: u32) {
    println!("From the fault to a file that can be opened, at {rate} packets/s; and by how much it ends before the fault");
    for row in rows.iter().filter(|row| row.tail.is_some() || row.bytes.is_some()) {
        let tail = row.tail.map_or(f64::NAN, |tail| tail.median * 1e3 / f64::from(rate));
        println!("  {:<17} {:>9} ms; ends {tail:.0} ms before", row.peer, spread(row.ready_ms));
    }
    println!(
        "A tool is ended at once, and what it has not fetched from the kernel by then is not in its file. Left running, tcpdump -G closes"
    );
    println!("a file each 600 s. Linkprobe's window of 50 ms after the trigger is taken off.\n");
}

/// Prints the carrier flips.
pub fn events(events: &Value) {
    let link = events["link"].as_str().unwrap_or("");
    println!("{} carrier flips at random gaps from 5 ms to 2 s (seed {}), {link}", events["flips"], events["seed"]);
    println!("  {:<32} {:>7} {:>10} {:>10} {:>10}", "", "seen %", "p50 ms", "p95 ms", "p99 ms");
    for row in events["rows"].as_array().into_iter().flatten() {
        let ms = |name: &str| row[name].as_f64().map_or_else(|| "-".to_owned(), |ms| format!("{ms:.2}"));
        let share = row["share"].as_f64().unwrap_or(0.0) * 100.0;
        println!(
            "  {:<32} {share:>7.1} {:>10} {:>10} {:>10}",
            row["who"].as_str().unwrap_or(""),
            ms("p50_ms"),
            ms("p95_ms"),
            ms("p99_ms")
        );
    }
    println!("  exact times of edges from the kernel: {}", events["edges"].as_str().unwrap_or("unknown"));
    println!("The pollers are computed from the flips that were made, over 32 phases; what they do not see has no latency.\n");
}

/// Prints the way to the disk.
pub fn durable(durable: &Value) {
    let ms = |name: &str, which: &str| durable[name][which].as_f64().unwrap_or(0.0);
    println!(
        "Trigger to durable files ({:.0} bytes): {:.1} ms ({:.1}-{:.1}) behind the window; the same bytes written and synced by hand {:.1} ms \
         ({:.1}-{:.1}); {:.2} × ({:.2}-{:.2})\n",
        durable["bytes"].as_f64().unwrap_or(0.0),
        ms("after_window_ms", "median"),
        ms("after_window_ms", "low"),
        ms("after_window_ms", "high"),
        ms("floor_ms", "median"),
        ms("floor_ms", "low"),
        ms("floor_ms", "high"),
        ms("ratio", "median"),
        ms("ratio", "low"),
        ms("ratio", "high"),
    );
}

/// Prints how it scales.
pub fn scaling(scaling: &Value) {
    println!("Flat out on one CPU and on two (of {}), packets/s", scaling["cpus"]);
    for row in scaling["rows"].as_array().into_iter().flatten() {
        let of = |name: &str| row[name]["median"].as_f64().unwrap_or(0.0);
        println!("  {:<17} {:>10.0} {:>10.0}  {:.2} ×", row["peer"].as_str().unwrap_or(""), of("one"), of("two"), of("speedup"));
    }
    println!();
}

/// Prints the goals.
pub fn goals(goals: &[Goal]) {
    println!("{:<48} {:<34} {:<44} ", "goal", "", "measured");
    for goal in goals {
        println!("{:<48} {:<34} {:<44} {}", goal.what, goal.goal, goal.measured, goal.verdict());
    }
}

fn spread(spread: Spread) -> String {
    let digits = usize::from(spread.median.abs() < 10.0);
    format!("{:.digits$} ({:.digits$}-{:.digits$})", spread.median, spread.low, spread.high)
}

fn maybe(spread: Option<Spread>, text: impl Fn(f64) -> String) -> String {
    spread.map_or_else(String::new, |spread| text(spread.median))
}
