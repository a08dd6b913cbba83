//! The link that a capture file is of, by the file's name.

/// What a file's name says of the link whose packets it holds: `dp0bond0` for `dp0bond0-20171205_141200.pcap.gz`.
///
/// Endings and the numbers that `tcpdump -C`, `tcpdump -G` and `dumpcap -b` append go: files that were rotated are of one link.
pub fn link_name(file: &str) -> String {
    let mut name = file;
    for ending in [".gz", ".zst", ".zstd"] {
        name = name.strip_suffix(ending).unwrap_or(name);
    }
    for ending in [".pcapng", ".pcap", ".cap", ".dmp", ".dump", ".ntar"] {
        // tcpdump -C writes x.pcap, x.pcap1, x.pcap2 …
        let shorter = name.trim_end_matches(|c: char| c.is_ascii_digit());
        if let Some(stem) = name.strip_suffix(ending).or_else(|| shorter.strip_suffix(ending)) {
            name = stem;
            break;
        }
    }
    while let Some(shorter) = without_stamp(name) {
        name = shorter;
    }
    if name.is_empty() { file.to_owned() } else { name.to_owned() }
}

/// The name without a time or number at its end: a separator, then five or more digits with separators among them, or dumpcap's
/// `_00001`.
fn without_stamp(name: &str) -> Option<&str> {
    let stamp = |c: char| c.is_ascii_digit() || matches!(c, '-' | '_' | ':' | '.' | 'T' | 'Z' | '+');
    let start = name.char_indices().rev().take_while(|(_, c)| stamp(*c)).last().map(|(at, _)| at)?;
    let tail = name.get(start..)?;
    // Interfaces have numbers, and VLANs dots: what is cut begins with a separator that digits enough follow.
    tail.char_indices().filter(|(_, c)| matches!(c, '-' | '_' | '.')).find_map(|(at, separator)| {
        let rest = tail.get(at + 1..)?;
        let first: usize = rest.chars().take_while(char::is_ascii_digit).count();
        let digits = rest.chars().filter(char::is_ascii_digit).count();
        let is_stamp = first >= 5 || separator != '.' && first == 4 && digits >= 8;
        let kept = start + at;
        (is_stamp && kept > 0).then(|| name.get(..kept)).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::link_name;

    #[test]
    fn files_that_were_rotated_are_of_one_link() {
        for (file, link) in [
            ("bond0.pcap", "bond0"),
            ("dp0s0.pcapng.zst", "dp0s0"),
            ("eth1.pcap12", "eth1"),
            ("dp0bond0-20171205141200.pcap", "dp0bond0"),
            ("dp0bond0_20171205_141200.pcap.gz", "dp0bond0"),
            ("dp0bond0-2017-12-05T14:12:00.cap", "dp0bond0"),
            ("eth1_00003_20171205141200.pcapng", "eth1"),
            ("dp0bond0.956.pcap", "dp0bond0.956"),
            ("bond0-1.pcap", "bond0-1"),
            ("1512450771.pcap", "1512450771"),
            ("capture", "capture"),
            (".pcap", ".pcap"),
        ] {
            assert_eq!(link_name(file), link, "{file}");
        }
    }
}
