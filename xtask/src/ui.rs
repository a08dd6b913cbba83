//! Progress on standard error: what is being done, and how long it took. Colour only on a terminal.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

use anyhow::Result;

const BOLD: &str = "\x1b[1m";
const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";
const DIM: &str = "\x1b[2m";

/// A step that prints nothing itself: `what … 1.2 s` on one line.
///
/// # Errors
/// What `work` returns.
pub fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprint!("   {what} … ");
    let _ = stderr().flush();
    let start = Instant::now();
    let result = work();
    let took = seconds(start.elapsed());
    match &result {
        Ok(_) => eprintln!("{}", paint(GREEN, &took)),
        Err(_) => eprintln!("{}", paint(RED, &format!("failed after {took}"))),
    }
    result
}

/// A step that prints for itself: a line before, and a line with the time after.
///
/// # Errors
/// What `work` returns.
pub fn loud<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("{}", paint(BOLD, &format!("-- {what}")));
    let start = Instant::now();
    let result = work();
    let took = seconds(start.elapsed());
    match &result {
        Ok(_) => eprintln!("{}", paint(DIM, &format!("   {what}: {took}"))),
        Err(_) => eprintln!("{}", paint(RED, &format!("   {what}: failed after {took}"))),
    }
    result
}

/// Something that was already there.
pub fn present(what: &str) {
    eprintln!("   {what} … {}", paint(DIM, "there already"));
}

/// A remark.
pub fn note(text: &str) {
    eprintln!("   {}", paint(DIM, text));
}

/// Green or red text for a result.
pub fn verdict(good: bool, text: &str) -> String {
    paint(if good { GREEN } else { RED }, text)
}

/// A duration as `0.4 s` or `2 min 05 s`.
pub fn seconds(took: Duration) -> String {
    let whole = took.as_secs();
    if whole < 100 { format!("{:.1} s", took.as_secs_f64()) } else { format!("{} min {:02} s", whole / 60, whole % 60) }
}

fn paint(colour: &str, text: &str) -> String {
    let plain = !stderr().is_terminal() || std::env::var_os("NO_COLOR").is_some();
    if plain { text.to_owned() } else { format!("{colour}{text}\x1b[0m") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_duration_is_told_in_minutes() {
        assert_eq!(seconds(Duration::from_millis(1240)), "1.2 s");
        assert_eq!(seconds(Duration::from_secs(125)), "2 min 05 s");
    }
}
