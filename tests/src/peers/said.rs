//! What capturing tools say of themselves when they end.

/// What a tool says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Packets that it captured; `None` where it does not say.
    pub captured: Option<u64>,
    /// Packets that it lost, by its own account; `None` where it does not say.
    pub lost: Option<u64>,
}

/// tcpdump: `5 packets captured`, `7 packets received by filter`, `2 packets dropped by kernel`, and `… by interface`.
pub fn tcpdump(text: &str) -> Said {
    Said {
        captured: before(text, " packets captured").or_else(|| before(text, " packet captured")),
        lost: sum([before_either(text, " dropped by kernel"), before_either(text, " dropped by interface")]),
    }
}

/// dumpcap: `Packets captured: 5` (behind a carriage return), `Packets received/dropped on interface 'eth0': 5/2 (pcap:2/dumpcap:0/flushed:0/ps_ifdrop:0) (71.4%)`.
pub fn dumpcap(text: &str) -> Said {
    let captured = text.lines().find_map(|line| line.trim_start().strip_prefix("Packets captured:")?.trim().parse().ok());
    let lost = text.lines().find_map(|line| {
        let counts = line.strip_prefix("Packets received/dropped on interface ")?.rsplit_once("': ")?.1;
        counts.split_once('/')?.1.split_whitespace().next()?.parse().ok()
    });
    Said { captured, lost }
}

/// xdpdump: `5 packets captured`, `2 packets dropped by perf ring`.
pub fn xdpdump(text: &str) -> Said {
    Said {
        captured: before(text, " packets captured").or_else(|| before(text, " packet captured")),
        lost: before_either(text, " dropped by perf ring"),
    }
}

/// "packets" or "packet" before `what`.
fn before_either(text: &str, what: &str) -> Option<u64> {
    before(text, &format!(" packets{what}")).or_else(|| before(text, &format!(" packet{what}")))
}

/// The number that a line begins with, where the rest of it is `what`.
fn before(text: &str, what: &str) -> Option<u64> {
    text.lines().find_map(|line| line.trim().strip_suffix(what)?.trim().parse().ok())
}

fn sum(numbers: [Option<u64>; 2]) -> Option<u64> {
    numbers.iter().any(Option::is_some).then(|| numbers.iter().flatten().sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tcpdumps_counts_are_those_before_their_words() {
        let text = "tcpdump: listening on wan0, link-type EN10MB (Ethernet), snapshot length 128 bytes\n\
                    41 packets captured\n47 packets received by filter\n5 packets dropped by kernel\n1 packet dropped by interface\n";
        assert_eq!(tcpdump(text), Said { captured: Some(41), lost: Some(6) });
        assert_eq!(tcpdump("1 packet captured\n1 packet received by filter\n0 packets dropped by kernel\n").captured, Some(1));
        assert_eq!(tcpdump("tcpdump: wan0: That device is not up\n"), Said::default());
    }

    #[test]
    fn dumpcaps_drops_stand_behind_the_slash() {
        let text = "Capturing on 'wan0'\nFile: /x/a_00001.pcapng\n\rPackets captured: 5000\n\
                    Packets received/dropped on interface 'wan0': 5000/12 (pcap:12/dumpcap:0/flushed:0/ps_ifdrop:0) (99.8%)\n";
        assert_eq!(dumpcap(text), Said { captured: Some(5000), lost: Some(12) });
        assert_eq!(dumpcap("Packets captured: x\n"), Said::default());
    }

    #[test]
    fn xdpdumps_drops_are_the_perf_rings() {
        let text = "listening on wan0, ingress XDP program ID 9 func xdpdump, capture mode entry\n\n5000 packets captured\n7 packets dropped by perf ring\n";
        assert_eq!(xdpdump(text), Said { captured: Some(5000), lost: Some(7) });
    }
}
