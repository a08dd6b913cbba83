//! What was run, how it ended and how long it took; and the tests' own counts, read from libtest's lines.

use std::io::{self, Write};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::exec::ExitWith;
use crate::ui;

/// The steps so far.
pub struct Summary {
    start: Instant,
    rows: Vec<Row>,
}

struct Row {
    name: String,
    took: Duration,
    counts: Option<Counts>,
    /// libtest's result lines, of programs with tests
    results: Vec<String>,
    end: End,
}

enum End {
    Good,
    Failed(u8),
    Skipped(String),
}

/// libtest's counts, added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    passed: u32,
    failed: u32,
    ignored: u32,
    /// how many result lines there were
    results: u32,
}

impl Counts {
    /// Adds what a line of libtest's says, if it is a result line.
    pub fn add_line(&mut self, line: &str) {
        let Some(rest) = line.trim().strip_prefix("test result:") else { return };
        self.results += 1;
        for part in rest.split([';', '.']) {
            let mut words = part.split_whitespace();
            if let (Some(Ok(count)), Some(what)) = (words.next().map(str::parse::<u32>), words.next()) {
                match what {
                    "passed" => self.passed += count,
                    "failed" => self.failed += count,
                    "ignored" => self.ignored += count,
                    _ => {}
                }
            }
        }
    }
}

/// Passes the tests' output on to standard output, at once or at their end, and counts what it tells.
#[derive(Default)]
pub struct Seen {
    counts: Counts,
    results: Vec<String>,
    line: Vec<u8>,
    /// What waits for the end of the tests.
    held: Option<Vec<u8>>,
}

impl Seen {
    fn held() -> Self {
        Self { held: Some(Vec::new()), ..Self::default() }
    }
}

impl Write for Seen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.held {
            Some(held) => held.extend_from_slice(bytes),
            None => io::stdout().write_all(bytes)?,
        }
        for &byte in bytes {
            if byte == b'\n' {
                let line = String::from_utf8_lossy(&self.line);
                self.counts.add_line(&line);
                if line.starts_with("test result:") && !line.contains(" 0 passed; 0 failed; 0 ignored") {
                    self.results.push(line.trim_end().to_owned());
                }
                self.line.clear();
            } else {
                self.line.push(byte);
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush()
    }
}

impl Summary {
    /// An empty one; its clock starts now.
    pub fn new() -> Self {
        Self { start: Instant::now(), rows: Vec::new() }
    }

    /// Runs a step. A failure is shown at once and remembered.
    pub fn run(&mut self, name: &str, work: impl FnOnce() -> Result<()>) {
        self.rows.push(timed(name, work));
    }

    /// Runs a step of tests, whose output goes through the [`Seen`]. Without a single result line it counts as failed.
    pub fn test(&mut self, name: &str, work: impl FnOnce(&mut Seen) -> Result<()>) {
        let mut seen = Seen::default();
        let row = timed(name, || work(&mut seen));
        self.rows.push(row.counted(seen));
    }

    /// Runs steps of tests side by side. The first one's output is shown as it comes, the others' when all have ended.
    pub fn tests<W: FnOnce(&mut Seen) -> Result<()> + Send>(&mut self, steps: Vec<(String, W)>) {
        let ended = thread::scope(|scope| {
            let run = |(place, (name, work)): (usize, (String, W))| {
                let mut seen = if place == 0 { Seen::default() } else { Seen::held() };
                scope.spawn(move || {
                    let row = timed(&name, || work(&mut seen));
                    (row, seen)
                })
            };
            let threads: Vec<_> = steps.into_iter().enumerate().map(run).collect();
            threads.into_iter().map(thread::ScopedJoinHandle::join).collect::<Vec<_>>()
        });
        for thread in ended {
            let Ok((row, seen)) = thread else {
                // what it panicked with stands on standard error
                self.rows.push(Row {
                    name: "tests".to_owned(),
                    took: Duration::ZERO,
                    counts: None,
                    results: Vec::new(),
                    end: End::Failed(101),
                });
                continue;
            };
            if let Some(held) = &seen.held {
                println!("\n{}:", row.name);
                // an output that is gone is no reason to fail: the summary's exit code tells
                let _ = io::stdout().write_all(held);
            }
            self.rows.push(row.counted(seen));
        }
    }

    /// Notes a step that is not run, and why.
    pub fn skip(&mut self, name: &str, why: &str) {
        let end = End::Skipped(why.to_owned());
        self.rows.push(Row { name: name.to_owned(), took: Duration::ZERO, counts: None, results: Vec::new(), end });
    }

    /// Prints the table, the overall result, and at the end cargo's own result lines.
    pub fn print(&self) {
        println!("\nsummary");
        let mut all = Counts::default();
        for row in &self.rows {
            let end = match &row.end {
                End::Good => "ok".to_owned(),
                End::Failed(code) => format!("FAILED ({code})"),
                End::Skipped(why) => format!("not run: {why}"),
            };
            let counts = row.counts.map(|counts| {
                all.passed += counts.passed;
                all.failed += counts.failed;
                all.ignored += counts.ignored;
                format!("{} passed, {} failed, {} ignored", counts.passed, counts.failed, counts.ignored)
            });
            println!("  {:<34} {:>12}  {end:<14} {}", row.name, ui::seconds(row.took), counts.unwrap_or_default());
        }
        let good = self.exit_code() == 0;
        let word = ui::verdict(good, if good { "ok" } else { "FAILED" });
        let took = ui::seconds(self.start.elapsed());
        let skipped = self.rows.iter().filter(|row| matches!(row.end, End::Skipped(_))).count();
        let skipped = if skipped > 0 { format!("; {skipped} steps not run") } else { String::new() };
        println!(
            "overall result: {word}. {} passed; {} failed; {} ignored{skipped}; in {took}",
            all.passed, all.failed, all.ignored
        );
        // cargo's own words last, and of those what failed
        let (good, bad): (Vec<_>, Vec<_>) =
            self.rows.iter().flat_map(|row| &row.results).partition(|line| line.contains(": ok."));
        good.into_iter().chain(bad).for_each(|line| println!("{line}"));
    }

    /// 0, or the code of the first step that failed.
    pub fn exit_code(&self) -> u8 {
        let codes = self.rows.iter().filter_map(|row| if let End::Failed(code) = row.end { Some(code) } else { None });
        codes.into_iter().next().unwrap_or(0)
    }
}

impl Row {
    /// With what its tests counted: without a single result line it failed.
    fn counted(mut self, seen: Seen) -> Self {
        let counts = seen.counts;
        (self.counts, self.results) = (Some(counts), seen.results);
        if matches!(self.end, End::Good) && counts.results == 0 {
            eprintln!("{} {}: no result of any test was seen", ui::verdict(false, "failed:"), self.name);
            self.end = End::Failed(101);
        }
        self
    }
}

fn timed(name: &str, work: impl FnOnce() -> Result<()>) -> Row {
    let start = Instant::now();
    let end = match ui::loud(name, work) {
        Ok(()) => End::Good,
        Err(error) => {
            eprintln!("{} {name}: {error:#}", ui::verdict(false, "failed:"));
            End::Failed(error.downcast_ref::<ExitWith>().map_or(1, |ended| ended.0.max(1)))
        }
    };
    Row { name: name.to_owned(), took: start.elapsed(), counts: None, results: Vec::new(), end }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libtests_result_lines_are_added_up() {
        let mut counts = Counts::default();
        counts.add_line("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.02s");
        counts.add_line("test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.10s");
        counts.add_line("test a_result_is_told ... ok");
        assert_eq!(counts, Counts { passed: 14, failed: 1, ignored: 1, results: 2 });
    }
}
