//! Columns and wrapped lines of plain text.

/// A table: as wide as its cells need, the last columns perhaps flush right.
#[derive(Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
    /// The first column of numbers, from the left.
    numbers_from: usize,
}

impl Table {
    /// With these headings; columns from `numbers_from` on stand flush right (0 for none).
    pub fn new(headings: &[&str], numbers_from: usize) -> Self {
        let numbers_from = if numbers_from == 0 { headings.len() } else { numbers_from };
        Self { rows: vec![headings.iter().map(|&heading| heading.to_owned()).collect()], numbers_from }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The table as text. A row that would be wider than `width` is broken between cells.
    pub fn render(&self, width: usize) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|column| self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0))
            .collect();
        let mut out = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (column, (cell, wide)) in row.iter().zip(&widths).enumerate() {
                let padding = " ".repeat(wide - cell.chars().count());
                let cell = if column >= self.numbers_from { format!("{padding}{cell}") } else { format!("{cell}{padding}") };
                if column > 0 {
                    let breaks = line.chars().count() + 2 + cell.trim_end().chars().count() > width;
                    if breaks {
                        out.push_str(line.trim_end());
                        out.push('\n');
                        line.clear();
                    }
                    line.push_str(if breaks { "    " } else { "  " });
                }
                line.push_str(if line.trim().is_empty() && column > 0 { cell.trim_start() } else { &cell });
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}

/// `text` behind `first`, broken between words at `width` characters; further lines begin with `next`. Ends with a line feed.
pub fn wrap(text: &str, first: &str, next: &str, width: usize) -> String {
    let mut out = String::new();
    let mut line = first.to_owned();
    let mut empty = true;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let mut word = word;
        if !empty && line.chars().count() + 1 + word.chars().count() > width {
            out.push_str(line.trim_end());
            out.push('\n');
            next.clone_into(&mut line);
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        // A word that is longer than a line is cut.
        while line.chars().count() + word.chars().count() > width {
            let room = width.saturating_sub(line.chars().count()).max(1);
            let cut = word.char_indices().nth(room).map_or(word.len(), |(at, _)| at);
            line.push_str(&word[..cut]);
            out.push_str(&line);
            out.push('\n');
            next.clone_into(&mut line);
            word = &word[cut..];
        }
        line.push_str(word);
        empty = false;
    }
    out.push_str(line.trim_end());
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&["tap", "packets"], 1);
        table.row(vec!["eth1 ingress".to_owned(), "7".to_owned()]);
        assert_eq!(table.render(100), "tap           packets\neth1 ingress        7\n");
    }

    #[test]
    fn a_row_that_is_too_wide_is_broken() {
        let mut table = Table::new(&["a", "b"], 0);
        table.row(vec!["x".repeat(10), "y".repeat(10)]);
        assert!(table.render(15).lines().all(|line| line.chars().count() <= 15), "{}", table.render(15));
    }

    #[test]
    fn words_are_wrapped_and_long_ones_cut() {
        assert_eq!(wrap("one two three", "- ", "  ", 9), "- one two\n  three\n");
        assert_eq!(wrap("abcdefghij", "", " ", 4), "abcd\n efg\n hij\n");
        assert_eq!(wrap("", "- ", "  ", 9), "-\n");
    }
}
