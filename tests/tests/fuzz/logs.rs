//! Lines that anybody can put into a log.

use std::sync::OnceLock;

use probe_core::logs::{LONGEST_LINE, Lines, Pattern, Patterns, Stamps, record};
use probe_core::time::{Mono, SECOND};

/// Most bytes of a line made readable: what is not UTF-8 becomes three.
const LONGEST: usize = 3 * LONGEST_LINE;

/// The default patterns and one that looks at all of a line.
fn patterns() -> &'static Patterns {
    static PATTERNS: OnceLock<Patterns> = OnceLock::new();
    PATTERNS.get_or_init(|| {
        let own = Pattern::parse("own=(?i)(lost|gone).*[^ ]+$", true).expect("a pattern");
        Patterns::new(&[own]).expect("patterns")
    })
}

/// A record of the kernel's log, and a file whose pieces end anywhere.
pub fn log(input: &[u8]) {
    let now = Mono(1000 * SECOND);
    if let Some(record) = record(input) {
        look(&record.text);
        let mut stamps = Stamps::default();
        for stamp in [record.stamp_us.unwrap_or(0), 0, u64::MAX] {
            assert!(stamps.written(now, stamp) <= now, "nothing is written later than it is read");
        }
    }
    let whole = lines(input, input.len().max(1));
    whole.0.iter().for_each(|line| look(line));
    let size = usize::from(input.first().copied().unwrap_or(0)) % 97 + 1;
    assert_eq!(whole, lines(input, size), "the same in pieces of {size}");
}

fn look(line: &str) {
    assert!(line.len() <= LONGEST && !line.contains(char::is_control), "{line:?}");
    patterns().find(line);
}

/// The whole lines of a file that is read in pieces, and how many were cut.
fn lines(file: &[u8], size: usize) -> (Vec<String>, u64) {
    let (mut lines, mut found) = (Lines::default(), Vec::new());
    file.chunks(size).for_each(|piece| lines.push(piece, |line| found.push(line.to_owned())));
    (found, lines.take_cut())
}
