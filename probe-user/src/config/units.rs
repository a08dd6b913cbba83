//! Durations and sizes as people write them: `30s`, `64MiB`. Printed back in the same form.

use std::time::Duration;

use probe_core::filter::{Filter, FilterError};

/// Longest duration that is taken: ten years. What is longer is a slip, and sums of two never overflow.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 86_400);
/// Largest size that is taken: 1 EiB.
const LARGEST: u64 = 1 << 60;

const DURATION_UNITS: [(&str, u64); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

const SIZE_UNITS: [(&str, u64); 9] = [
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
];

/// What a duration may look like, for messages.
pub const DURATION_FORM: &str = "write 500ms, 30s, 5m or 1h";
/// What a size may look like, for messages.
pub const SIZE_FORM: &str = "write 65536, 512KiB, 64MiB or 2GiB";

/// Reads a duration: a whole or decimal number and a unit (ns, us, ms, s, m, h, d), or several (`1m30s`); `0` needs no unit.
///
/// # Errors
/// A message that quotes the text and says what is allowed.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{} is not a duration; {DURATION_FORM}", quote(text));
    let mut rest = text.trim();
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    let mut sum: u128 = 0;
    while let Some((number, unit, after)) = split_term(rest) {
        let (_, factor) = DURATION_UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
        let term = scale(number, *factor).ok_or_else(wrong)?;
        sum = sum.saturating_add(term);
        rest = after;
    }
    if !rest.is_empty() || text.trim().is_empty() {
        return Err(wrong());
    }
    let longest = LONGEST.as_nanos();
    match u64::try_from(sum) {
        Ok(ns) if sum <= longest => Ok(Duration::from_nanos(ns)),
        _ => Err(format!("{} is too long a duration; at most {}", quote(text), format_duration(LONGEST))),
    }
}

/// Reads a filter.
///
/// # Errors
/// The column, and what could stand there.
pub fn parse_filter(text: &str) -> Result<Filter, String> {
    text.parse().map_err(|error: FilterError| format!("{error}, in {}", quote(text)))
}

/// Reads a size in bytes: a whole or decimal number, and a unit (B, KiB, MiB, GiB, TiB, kB, MB, GB, TB) or none.
///
/// # Errors
/// A message that quotes the text and says what is allowed.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let wrong = || format!("{} is not a size; {SIZE_FORM}", quote(text));
    let trimmed = text.trim();
    let end = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(end);
    let factor = match unit.trim_start() {
        "" => 1,
        unit => SIZE_UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?.1,
    };
    match u64::try_from(scale(number, factor).ok_or_else(wrong)?) {
        Ok(bytes) if bytes <= LARGEST => Ok(bytes),
        _ => Err(format!("{} is too large a size; at most {}", quote(text), format_size(LARGEST))),
    }
}

/// Writes a duration in the largest unit that loses nothing.
pub fn format_duration(duration: Duration) -> String {
    let ns = duration.as_nanos();
    if ns == 0 {
        return "0s".to_owned();
    }
    let whole = DURATION_UNITS.iter().rev().find(|(_, factor)| ns.is_multiple_of(u128::from(*factor)));
    let (unit, factor) = whole.copied().unwrap_or(("ns", 1));
    format!("{}{unit}", ns / u128::from(factor))
}

/// Writes a size in the largest binary unit that loses nothing.
pub fn format_size(bytes: u64) -> String {
    let whole = SIZE_UNITS[1..5].iter().rev().find(|(_, factor)| bytes > 0 && bytes.is_multiple_of(*factor));
    match whole {
        Some((unit, factor)) => format!("{}{unit}", bytes / factor),
        None => bytes.to_string(),
    }
}

/// A stranger's text in quotes: control characters escaped, and no longer than a part of a line.
pub fn quote(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// The number and the unit at the start of a text, and what follows; `None` where it does not start so.
fn split_term(text: &str) -> Option<(&str, &str, &str)> {
    let number_end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, rest) = text.split_at(number_end);
    let rest = rest.trim_start();
    let unit_end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    let (unit, after) = rest.split_at(unit_end);
    (!number.is_empty() && !unit.is_empty()).then(|| (number, unit, after.trim_start()))
}

/// `number` (digits, perhaps a point and at most nine more) times `factor`; saturates, and rounds down.
fn scale(number: &str, factor: u64) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || (number.contains('.') && !(digits(fraction) && fraction.len() <= 9)) {
        return None;
    }
    let whole = whole.parse::<u128>().unwrap_or(u128::MAX).saturating_mul(u128::from(factor));
    if fraction.is_empty() {
        return Some(whole);
    }
    let part = fraction.parse::<u128>().ok()? * u128::from(factor) / 10_u128.pow(fraction.len() as u32);
    Some(whole.saturating_add(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_in_every_unit() {
        for (text, ns) in [
            ("500ms", 500_000_000),
            ("30s", 30_000_000_000),
            (" 30 s ", 30_000_000_000),
            ("5m", 300_000_000_000),
            ("1h", 3_600_000_000_000),
            ("1m30s", 90_000_000_000),
            ("1.5s", 1_500_000_000),
            ("7us", 7_000),
            ("2d", 172_800_000_000_000),
            ("0", 0),
            ("0s", 0),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_nanos(ns)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused_with_the_allowed_form() {
        for text in [
            "",
            " ",
            "30",
            "s",
            "30 parsecs",
            "-5s",
            "1e9s",
            "1.s",
            ".5s",
            "1..2s",
            "30s!",
            "٣٠s",
            "30\u{200b}s",
            "5M",
            "1.0000000001s",
        ] {
            let message = parse_duration(text).expect_err(text);
            assert!(message.contains(DURATION_FORM), "{text}: {message}");
        }
    }

    #[test]
    fn a_huge_number_is_refused_and_does_not_overflow() {
        for text in
            ["99999999999999999999999999999999999999999999999s", "20y", "4000d", "18446744073709551615h18446744073709551615h"]
        {
            assert!(parse_duration(text).is_err(), "{text}");
        }
        assert!(parse_size("999999999999999999999999999999999999999999999TiB").is_err());
    }

    #[test]
    fn sizes_are_read_in_every_unit() {
        for (text, bytes) in [
            ("65536", 65_536),
            ("0", 0),
            ("64MiB", 64 << 20),
            ("2 GiB", 2 << 30),
            ("1.5KiB", 1536),
            ("10MB", 10_000_000),
            ("7B", 7),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for text in ["", "MiB", "64mib", "64M", "-1", "1e6", "64 MiB of it", "0x10"] {
            assert!(parse_size(text).expect_err(text).contains(SIZE_FORM), "{text}");
        }
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        for ns in [0, 1, 1_500, 500_000_000, 30_000_000_000, 90_000_000_000, 3_600_000_000_000, 86_400_000_000_001] {
            let duration = Duration::from_nanos(ns);
            assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }
        for bytes in [0, 1, 1000, 1024, 64 << 20, (64 << 20) + 1, LARGEST] {
            assert_eq!(parse_size(&format_size(bytes)), Ok(bytes));
        }
        assert_eq!(format_duration(Duration::from_secs(90)), "90s");
        assert_eq!(format_size(64 << 20), "64MiB");
    }
}
