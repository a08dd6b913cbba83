//! Text for people: tables with aligned columns, times, and the way to standard output.

use std::io::Write;

use anyhow::Context;

/// A table: columns are as wide as their widest cell; cells that look like numbers stand to the right.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// With these headings.
    pub fn new<const N: usize>(headings: [&str; N]) -> Self {
        Self { rows: vec![headings.iter().map(ToString::to_string).collect()] }
    }

    /// Adds a row.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    /// The table as lines, each after `indent` spaces, without spaces at its end.
    pub fn render(&self, indent: usize) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let cell = |row: &Vec<String>, column: usize| row.get(column).map_or(0, |text| text.chars().count());
        let widths: Vec<usize> = (0..columns).map(|c| self.rows.iter().map(|row| cell(row, c)).max().unwrap_or(0)).collect();
        let right: Vec<bool> =
            (0..columns).map(|c| self.rows.iter().skip(1).all(|row| row.get(c).is_none_or(|t| is_number(t)))).collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = " ".repeat(indent);
            for (column, cell) in row.iter().enumerate() {
                let gap = " ".repeat(widths[column] - cell.chars().count());
                let (left, after) = if right[column] { (gap.as_str(), "") } else { ("", gap.as_str()) };
                line.push_str(&format!("{left}{cell}{after}  "));
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

fn is_number(text: &str) -> bool {
    text == "-"
        || text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(|c| c.is_ascii_alphanumeric() || " .%/".contains(c))
}

/// Seconds for people: `0.250 s`, `12.3 s`, `5 min 10 s`, `3 h 5 min`, `2 d 3 h`.
pub fn seconds(s: f64) -> String {
    let whole = s as u64;
    match whole {
        0 => format!("{s:.3} s"),
        1..60 => format!("{s:.1} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        3600..86400 => format!("{} h {} min", whole / 3600, whole / 60 % 60),
        _ => format!("{} d {} h", whole / 86400, whole / 3600 % 24),
    }
}

/// A number in three or four digits and a prefix: `960`, `1.2k`, `108k`, `1.25G`.
pub fn si(number: u64) -> String {
    let (mut size, mut prefix) = (number as f64, 0);
    while size >= 999.5 && prefix < 6 {
        size /= 1000.0;
        prefix += 1;
    }
    let digits = match (prefix, size) {
        (0, _) => 0,
        (_, ..9.995) => 2,
        (_, ..99.95) => 1,
        _ => 0,
    };
    let text = format!("{size:.digits$}");
    let text = if digits > 0 { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{}", ["", "k", "M", "G", "T", "P", "E"][prefix])
}

/// Prints text at once, also into a pipe.
///
/// # Errors
/// When standard output fails; `main` takes a broken pipe for a reader who has seen enough.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("standard output")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_to_the_right_and_no_line_ends_in_spaces() {
        let mut table = Table::new(["name", "packets", "note"]);
        table.row(["eth1".into(), "7".into(), "a".into()]);
        table.row(["bond0".into(), "1200".into(), String::new()]);
        assert_eq!(table.render(1), " name   packets  note\n eth1         7  a\n bond0     1200\n");
    }

    #[test]
    fn large_numbers_have_a_prefix_and_few_digits() {
        let said: Vec<String> = [0, 999, 1000, 1204, 9999, 107_817, 999_600, 1_250_000_000, u64::MAX].map(si).into();
        assert_eq!(said, ["0", "999", "1k", "1.2k", "10k", "108k", "1M", "1.25G", "18.4E"]);
    }

    #[test]
    fn times_are_said_in_two_units_at_most() {
        let said: Vec<String> = [0.25, 12.34, 310.0, 11_100.0, 183_600.0].into_iter().map(seconds).collect();
        assert_eq!(said, ["0.250 s", "12.3 s", "5 min 10 s", "3 h 5 min", "2 d 3 h"]);
    }
}
