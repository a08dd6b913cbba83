//! The zoo's table: what was made of each fault, and how fast.

use anyhow::Result;

use super::case::{Case, Outcome};
use super::expect::{Found, expected};
use super::fault::Mode;

/// One line for each fault, with a heading; the verdicts' headlines stand behind it.
pub fn table(results: &[(Case, Result<Outcome>)]) -> String {
    let mut text = format!(
        "{:<18} {:<14} {:<5} {:<22} {:>8} {:>10} {:>9}  verdict\n",
        "fault", "bond", "right", "found first", "alarm s", "incident s", "capture"
    );
    for (case, result) in results {
        let mode = match case.mode {
            Mode::Lacp => "802.3ad",
            Mode::ActiveBackup => "active-backup",
        };
        let row = match result {
            Ok(outcome) => row(outcome),
            Err(error) => ["FAILED".to_owned(), "-".to_owned(), "-".into(), "-".into(), "-".into(), format!("{error:#}")],
        };
        let [right, first, alarm, finished, size, words] = row;
        let name = case.fault.name();
        text += &format!("{name:<18} {mode:<14} {right:<5} {first:<22} {alarm:>8} {finished:>10} {size:>9}  {words}\n");
    }
    text
}

fn row(outcome: &Outcome) -> [String; 6] {
    let seconds = |s: Option<f64>| s.map_or_else(|| "-".to_owned(), |s| format!("{s:.1}"));
    let right = if expected(outcome.case.fault, outcome.case.mode).holds(outcome).is_ok() { "yes" } else { "NO" };
    let (found, size) = match outcome.incidents.first() {
        Some(incident) => {
            let size = std::fs::metadata(incident.capture_path()).map_or(0, |file| file.len());
            (Found::of(incident).unwrap_or_default(), format!("{} KiB", size / 1024))
        }
        None => (Found { headline: "no incident".to_owned(), ..Found::default() }, "-".to_owned()),
    };
    let first = found.chain.first().cloned().unwrap_or_else(|| "-".to_owned());
    [right.to_owned(), first, seconds(outcome.alarm_s), seconds(outcome.finished_s), size, found.headline]
}
