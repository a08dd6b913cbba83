//! Times as people read them: the wall clock in the system's time zone.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// RFC 3339 with nanoseconds and the zone's offset: `2017-12-05T14:12:51.447649123+09:00`.
pub fn rfc3339(wall_ns: u64) -> String {
    local(wall_ns).strftime("%Y-%m-%dT%H:%M:%S%.9f%:z").to_string()
}

/// RFC 3339 with microseconds and the zone's offset, the most that syslog takes: `2017-12-05T14:12:51.447649+09:00`.
pub fn rfc3339_micros(wall_ns: u64) -> String {
    local(wall_ns).strftime("%Y-%m-%dT%H:%M:%S%.6f%:z").to_string()
}

/// `Dec  5 14:12:51`, as the syslog of RFC 3164 has it.
pub fn bsd_syslog(wall_ns: u64) -> String {
    local(wall_ns).strftime("%b %e %H:%M:%S").to_string()
}

/// RFC 3339 with nanoseconds, UTC: `2017-12-05T05:12:51.447649123Z`.
pub fn rfc3339_utc(wall_ns: u64) -> String {
    timestamp(wall_ns).strftime("%Y-%m-%dT%H:%M:%S%.9fZ").to_string()
}

/// `14:12:51.447649000`.
pub fn time_of_day(wall_ns: u64) -> String {
    local(wall_ns).strftime("%H:%M:%S%.9f").to_string()
}

/// `14:12:51`.
pub fn hours_minutes_seconds(wall_ns: u64) -> String {
    local(wall_ns).strftime("%H:%M:%S").to_string()
}

/// The date as the C locale has it: `12/05/17`.
pub fn date_as_c(wall_ns: u64) -> String {
    local(wall_ns).strftime("%m/%d/%y").to_string()
}

/// For tables: `2017-12-05 14:12:51`.
pub fn date_and_time(wall_ns: u64) -> String {
    local(wall_ns).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// For reports: `2017-12-05 14:12:51.447649 +09:00 (JST)`.
pub fn long(wall_ns: u64) -> String {
    local(wall_ns).strftime("%Y-%m-%d %H:%M:%S%.6f %:z (%Z)").to_string()
}

/// Id of an incident whose first trigger was then: UTC, so that names sort by time whatever the zone does in autumn.
///
/// `20171205T051251.447649Z`: no colons, for the sake of other systems' file names.
pub fn incident_id(wall_ns: u64) -> String {
    timestamp(wall_ns).strftime("%Y%m%dT%H%M%S%.6fZ").to_string()
}

/// True for a name that [`incident_id`] could have made, and for one that was made unique (`…Z-2`).
pub fn is_incident_id(name: &str) -> bool {
    let Some((id, suffix)) = name.split_once('Z') else { return false };
    let shape = |(at, byte): (usize, u8)| match at {
        8 => byte == b'T',
        15 => byte == b'.',
        _ => byte.is_ascii_digit(),
    };
    let unique = suffix.strip_prefix('-').map_or(suffix.is_empty(), |n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    id.len() == 22 && id.bytes().enumerate().all(shape) && unique
}

/// A length of time in seconds, with three digits behind the point: `12.345 s`.
pub fn seconds(ns: u64) -> String {
    format!("{}.{:03} s", ns / 1_000_000_000, ns % 1_000_000_000 / 1_000_000)
}

fn timestamp(wall_ns: u64) -> Timestamp {
    // Every u64 of nanoseconds lies before the year 2555.
    Timestamp::from_nanosecond(i128::from(wall_ns)).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn local(wall_ns: u64) -> Zoned {
    timestamp(wall_ns).to_zoned(TimeZone::system())
}

#[cfg(test)]
mod tests {
    use super::*;

    const INCIDENT: u64 = 1_512_450_771_447_649_123;

    #[test]
    fn a_time_has_nanoseconds_and_the_zone() {
        let text = rfc3339(INCIDENT);
        assert!(text.contains(".447649123"), "{text}");
        let back: Timestamp = text.parse().expect("RFC 3339");
        assert_eq!(back.as_nanosecond(), i128::from(INCIDENT));
    }

    #[test]
    fn times_for_others_are_in_utc_or_as_precise_as_syslog_takes() {
        assert_eq!(rfc3339_utc(INCIDENT), "2017-12-05T05:12:51.447649123Z");
        assert!(rfc3339_micros(INCIDENT).contains(":51.447649") && !rfc3339_micros(INCIDENT).contains("649123"));
    }

    #[test]
    fn an_id_is_the_time_in_utc_and_is_recognised() {
        assert_eq!(incident_id(INCIDENT), "20171205T051251.447649Z");
        assert!(is_incident_id("20171205T051251.447649Z"));
        assert!(is_incident_id("20171205T051251.447649Z-2"));
        for other in [
            "",
            "Z",
            "lost+found",
            "20171205T051251.447649",
            "20171205T051251.447649Z-",
            "20171205T051251.44764 Z",
            "20171205T051251.447649Z2",
        ] {
            assert!(!is_incident_id(other), "{other}");
        }
    }

    #[test]
    fn no_time_is_too_early_or_too_late() {
        assert!(rfc3339(0).starts_with("19"));
        assert!(rfc3339(u64::MAX).starts_with("2554"));
    }
}
