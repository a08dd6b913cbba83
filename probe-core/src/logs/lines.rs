//! Bytes of a log file to lines: whole ones only, bounded, and readable whatever is in them.

/// Bytes of a line that are looked at; the rest of a longer one is left out.
pub const LONGEST_LINE: usize = 4096;

/// The lines of a file that is read piece by piece.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    partial: Vec<u8>,
    /// The line goes on beyond its bound.
    cutting: bool,
    cut: u64,
}

impl Lines {
    /// Takes the next bytes; hands over each line that is whole now.
    pub fn push(&mut self, bytes: &[u8], mut take: impl FnMut(&str)) {
        let mut pieces = bytes.split(|byte| *byte == b'\n').peekable();
        while let Some(piece) = pieces.next() {
            let room = LONGEST_LINE.saturating_sub(self.partial.len());
            self.partial.extend_from_slice(piece.get(..room).unwrap_or(piece));
            self.cutting |= piece.len() > room;
            if pieces.peek().is_some() {
                take(&readable(&self.partial));
                self.cut += u64::from(self.cutting);
                self.forget();
            }
        }
    }

    /// Forgets the line that is not whole: the file is another one now.
    pub fn forget(&mut self) {
        self.partial.clear();
        self.cutting = false;
    }

    /// Lines that were longer than is looked at, since the last call.
    pub fn take_cut(&mut self) -> u64 {
        std::mem::take(&mut self.cut)
    }
}

/// Text of a stranger's bytes: what is not UTF-8 is replaced, control characters are spaces.
pub(super) fn readable(bytes: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(bytes).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(lines: &mut Lines, pieces: &[&[u8]]) -> Vec<String> {
        let mut found = Vec::new();
        for piece in pieces {
            lines.push(piece, |line| found.push(line.to_owned()));
        }
        found
    }

    #[test]
    fn a_line_is_handed_over_when_it_is_whole() {
        let mut all = Lines::default();
        assert_eq!(lines(&mut all, &[b"one\ntw", b"o\n\nthr", b"ee"]), ["one", "two", ""]);
        assert_eq!(lines(&mut all, &[b"\n"]), ["three"]);
        all.push(b"half a li", |_| panic!("not whole"));
        all.forget();
        assert_eq!(lines(&mut all, &[b"new\n"]), ["new"]);
    }

    #[test]
    fn a_very_long_line_is_cut_and_counted_and_the_next_one_is_whole() {
        let mut all = Lines::default();
        let long = vec![b'x'; 3 * LONGEST_LINE];
        let found = lines(&mut all, &[&long, &long, b"\nnext\n"]);
        assert_eq!((found[0].len(), found[1].as_str()), (LONGEST_LINE, "next"));
        assert_eq!((all.take_cut(), all.take_cut()), (1, 0));
    }

    #[test]
    fn odd_bytes_are_made_readable() {
        let mut all = Lines::default();
        assert_eq!(lines(&mut all, &[b"a\xffb\x1b[31mc\r\n"]), ["a\u{fffd}b [31mc"]);
    }
}
