use super::*;

fn takes(expression: &str, frame: &[u8]) -> bool {
    let filter: Filter = expression.parse().unwrap_or_else(|error| panic!("{expression}: {error}"));
    filter.takes(frame, frame.len() as u32, None)
}

/// TCP 172.20.18.40:61730 → 10.100.200.143:1434, behind so many tags of VLAN 956.
fn tcp(tags: usize) -> Vec<u8> {
    let mut frame = vec![0, 0x50, 0x56, 0x9A, 0x11, 0x22, 0, 0x1B, 0x21, 0x3C, 0x4D, 0x50];
    (0..tags).for_each(|_| frame.extend([0x81, 0, 0x03, 0xBC]));
    frame.extend([8, 0, 0x45, 0, 0, 40, 0, 1, 0x40, 0, 64, 6, 0, 0, 172, 20, 18, 40, 10, 100, 200, 143]);
    frame.extend([0xF1, 0x22, 0x05, 0x9A, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0x12, 0, 0, 0, 0, 0, 0]);
    frame
}

#[test]
fn conditions_hold_where_libpcap_says_so() {
    let frame = tcp(0);
    for expression in [
        "",
        "ip",
        "tcp",
        "host 172.20.18.40",
        "172.20.18.40",
        "src 172.20.18.40 and dst 10.100.200.143",
        "net 10.100.0.0/16",
        "net 10.100",
        "net 172.16.0.0 mask 255.240.0.0",
        "port 1434",
        "tcp dst port 80 or 1434",
        "tcp dst port (80 or 1434)",
        "src or dst portrange 1000-2000",
        "ether host 00:1b:21:3c:4d:50",
        "ether proto 0x800",
        "ether proto \\ip",
        "ip proto \\tcp",
        "not arp and not vlan",
        "!udp && (ip or ip6)",
        "ip[8] = 64",
        "ip[2:2] == len - 14",
        "tcp[tcpflags] & (tcp-syn | tcp-fin) != 0",
        "(tcp[13] & 2) != 0",
        "ether[12:2] = 0x0800",
        "less 54 and greater 54",
        "1 < 2",
    ] {
        assert!(takes(expression, &frame), "{expression}");
    }
    for expression in
        ["arp", "udp", "port 80", "dst 172.20.18.40", "src and dst net 10.0.0.0/8", "vlan", "ip[8] < 5", "broadcast", "icmp"]
    {
        assert!(!takes(expression, &frame), "{expression}");
    }
}

#[test]
fn what_follows_vlan_is_looked_for_behind_the_tag() {
    for expression in
        ["vlan", "vlan 956", "vlan 956 and tcp port 1434", "vlan and not udp and host 10.100.200.143", "tcp or vlan"]
    {
        assert!(takes(expression, &tcp(1)), "{expression}");
    }
    for expression in ["vlan 955", "tcp", "tcp and vlan 956", "vlan and vlan"] {
        assert!(!takes(expression, &tcp(1)), "{expression}");
    }
    assert!(takes("vlan 956 and vlan 956 and tcp", &tcp(2)));
}

#[test]
fn and_and_or_bind_equally() {
    assert!(!takes("tcp or udp and arp", &tcp(0)));
    assert!(takes("tcp or (udp and arp)", &tcp(0)));
}

#[test]
fn a_frame_that_ends_before_what_is_asked_for_is_not_taken() {
    let frame = &tcp(0)[..30];
    assert!(takes("ip", frame));
    assert!(!takes("port 80", frame));
    assert!(!takes("not port 80", frame));
    assert!(!takes("ip[100] = 0 or tcp", frame));
}

#[test]
fn a_direction_is_that_of_the_tap_and_where_it_is_not_known_nothing_is_taken() {
    let frame = tcp(0);
    let takes = |expression: &str, direction| {
        let filter: Filter = expression.parse().unwrap_or_else(|error| panic!("{expression}: {error}"));
        (filter.takes(&frame, 54, direction), filter.may_take(&frame, 54))
    };
    for (expression, inbound, outbound) in [
        ("inbound", true, false),
        ("outbound and port 1434", false, true),
        ("not inbound", false, true),
        ("udp or inbound", true, false),
        ("inbound and udp", false, false),
        ("tcp or inbound", true, true),
    ] {
        let may = inbound || outbound;
        assert_eq!(takes(expression, Some(Direction::Ingress)), (inbound, may), "{expression}");
        assert_eq!(takes(expression, Some(Direction::Egress)), (outbound, may), "{expression}");
    }
    assert_eq!(takes("not inbound", None), (false, true));
}

#[test]
fn errors_name_the_column_and_what_could_stand_there() {
    for (expression, told) in [
        ("port http", "column 6: expected the number of a port, found \"http\""),
        ("host", "column 5: expected an address like 10.0.0.1 or 2001:db8::1, found the end"),
        ("tcp and", "column 8: expected a condition, such as host, port, tcp or vlan, found the end"),
        ("tcp port 80 81", "column 13: expected and, or, or the end, found \"81\""),
        ("net 10.0.0.1/8", "column 14: expected a network whose address has no bit beyond its mask, found \"8\""),
        ("ip[8:3] = 1", "column 6: expected 1, 2 or 4 bytes, found \"3\""),
        ("ip[8]", "column 6: expected a comparison: =, !=, <, >, <= or >=, found the end"),
        ("(tcp", "column 5: expected ), found the end"),
        ("host example.org", "column 6: expected an address like 10.0.0.1 or 2001:db8::1, found \"example.org\""),
        ("tcp $ udp", "column 5: expected a word, a number or an operator, found '$'"),
        ("mpls", "column 1: expected a condition that is known here, found \"mpls\""),
        ("vlan 5000", "column 6: expected a VLAN, 4095 at most, found \"5000\""),
        ("ip[1/0] = 1", "column 6: expected a number other than 0, found \"0\""),
    ] {
        assert_eq!(expression.parse::<Filter>().map_err(|error| error.to_string()), Err(told.to_owned()), "{expression}");
    }
    let deep = "(".repeat(10_000);
    assert!(deep.parse::<Filter>().is_err());
    assert!("not ".repeat(10_000).parse::<Filter>().is_err());
    let long = vec!["tcp"; 1024].join(" or ");
    assert!(takes(&long, &tcp(0)));
    assert!(format!("{long} or tcp").parse::<Filter>().is_err());
}
