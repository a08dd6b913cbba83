//! Messages byte for byte, and what must be true of any.

use probe_core::level::Level;
use probe_core::notice::{Dropped, Notice, Place};
use probe_core::time::{Mono, WallOffset};
use probe_core::timeline::{Entry, LinkName, Source, What};
use serde_json::json;

use super::*;
use crate::export::spec::HostPort;

const AT: i64 = 1_512_450_771_447_649_123;

fn about() -> About {
    About { host: "router".to_owned(), instance: "default".to_owned(), pid: 77, version: "0.1.0", started_ns: 0xabc }
}

fn notice(what: What, link: &str) -> Notice {
    let link = LinkName { ifindex: 3, name: link.to_owned() };
    let place = Place { bond: Some("bond0".to_owned()), slave: Some(link.name.clone()) };
    let entry = Entry { at: Mono(0), link: Some(link), source: Source::Kernel, what };
    Notice::of_entry(&entry, WallOffset(AT), place, Some("20171205T051251.447649Z"))
}

fn lost() -> Notice {
    notice(What::Trigger { kind: "slave-down", text: "eth1: carrier lost".to_owned() }, "eth1")
}

fn log_line(line: &str, link: &str) -> Notice {
    let (file, pattern) = ("/var/log/x".to_owned(), "p".to_owned());
    notice(What::Log { file, failure: true, pattern, line: line.to_owned() }, link)
}

fn tcp() -> Transport {
    Transport::Tcp(HostPort { host: "h".to_owned(), port: 1 })
}

fn udp() -> Transport {
    Transport::Udp(HostPort { host: "h".to_owned(), port: 1 })
}

fn text(format: Format, transport: &Transport, notice: &Notice) -> String {
    String::from_utf8(Encoder::new(format, transport, about()).notice(notice, 4).0.bytes).expect("UTF-8")
}

/// The time in the zone of the machine that tests.
fn local() -> String {
    crate::incident::wall::rfc3339_micros(AT.unsigned_abs())
}

#[test]
fn the_older_syslog_names_the_host_only_where_it_leaves_it() {
    let old = |transport: &Transport| {
        let encoder = Encoder::new(Format::Syslog, transport, about()).with_old_syslog(transport);
        String::from_utf8(encoder.notice(&lost(), 4).0.bytes).expect("UTF-8")
    };
    let time = crate::incident::wall::bsd_syslog(AT.unsigned_abs());
    let rest = "linkprobe[77]: trigger slave-down: eth1: carrier lost [20171205T051251.447649Z]";
    assert_eq!(old(&Transport::Unix("/dev/log".into())), format!("<28>{time} {rest}"));
    assert_eq!(old(&udp()), format!("<28>{time} router {rest}"));
}

#[test]
fn a_syslog_message_is_as_the_rfc_has_it() {
    let message = text(Format::Syslog, &udp(), &lost());
    let expected = format!(
        "<28>1 {} router linkprobe 77 trigger [linkprobe@32473 incident=\"20171205T051251.447649Z\" bond=\"bond0\" slave=\"eth1\" \
         link=\"eth1\" ifindex=\"3\" trigger=\"slave-down\" tone=\"failure\" instance=\"default\"][origin software=\"linkprobe\" \
         swVersion=\"0.1.0\"][meta sequenceId=\"5\"] trigger slave-down: eth1: carrier lost",
        local()
    );
    assert_eq!(message, expected);
    assert_eq!(text(Format::Syslog, &tcp(), &lost()), format!("{} {expected}", expected.len()), "octets are counted");
}

#[test]
fn quotes_brackets_and_backslashes_of_values_are_escaped_and_those_of_the_text_are_not() {
    let message = text(Format::Syslog, &udp(), &log_line(r#"a "quote" [x] \ y"#, r#"e"t]h\1"#));
    assert!(message.contains(r#" slave="e\"t\]h\\1" "#), "{message}");
    assert!(message.ends_with(r#"] e"t]h\1: /var/log/x: a "quote" [x] \ y"#), "{message}");
}

#[test]
fn a_text_beyond_ascii_has_a_byte_order_mark_and_an_arrow_needs_none() {
    let message = text(Format::Syslog, &udp(), &log_line("câble débranché", "eth1"));
    assert!(message.ends_with("] \u{feff}eth1: /var/log/x: câble débranché"), "{message}");
    let oper = What::Oper { from: probe_core::link::OperState::Up, to: probe_core::link::OperState::Down };
    let message = text(Format::Syslog, &udp(), &notice(oper, "eth1"));
    assert!(message.ends_with("] eth1: operstate up -> down") && message.is_ascii(), "{message}");
}

#[test]
fn a_datagram_is_cut_between_characters_and_keeps_its_structured_data() {
    let encoder = Encoder::new(Format::Syslog, &udp(), about());
    let (message, cut) = encoder.notice(&log_line(&"é".repeat(3000), "eth1"), 0);
    assert!(cut && message.bytes.len() <= LONGEST_SYSLOG_DATAGRAM && message.bytes.len() > LONGEST_SYSLOG_DATAGRAM - 4);
    let message = String::from_utf8(message.bytes).expect("whole characters");
    assert!(message.contains("][meta sequenceId=\"1\"] ") && message.ends_with('é'));
    assert!(!encoder.notice(&lost(), 0).1);
    let stream = Encoder::new(Format::Syslog, &tcp(), about()).notice(&log_line(&"x".repeat(9000), "eth1"), 0);
    assert!(stream.1 && stream.0.bytes.len() < 8192, "what rsyslog takes");
}

#[test]
fn nothing_from_outside_can_end_a_line_or_forge_a_message() {
    for format in [Format::Syslog, Format::Json, Format::Text, Format::Sar] {
        let message = text(format, &tcp(), &log_line("one\n<0>1 - - - - - - forged\r\u{85}\u{1b}[31m", "eth\n1"));
        let line = message.strip_suffix('\n').unwrap_or(&message);
        assert!(!line.chars().any(char::is_control), "{format:?}: {message:?}");
    }
}

#[test]
fn a_host_s_name_is_what_syslog_allows() {
    for (name, shown) in [("", "-"), ("a b", "ab"), ("rôuter", "ruter"), ("x\n", "x")] {
        let about = About { host: name.to_owned(), ..about() };
        let bytes = Encoder::new(Format::Syslog, &udp(), about).notice(&lost(), 0).0.bytes;
        assert_eq!(String::from_utf8(bytes).expect("UTF-8").split(' ').nth(2), Some(shown), "{name:?}");
    }
}

#[test]
fn a_document_has_the_schema_s_names_and_its_own_under_one() {
    let document: Value = serde_json::from_str(&text(Format::Json, &tcp(), &lost())).expect("JSON");
    assert_eq!(
        document,
        json!({
            "@timestamp": "2017-12-05T05:12:51.447649123Z",
            "ecs": { "version": "8.17.0" },
            "message": "trigger slave-down: eth1: carrier lost",
            "log": { "level": "warning", "logger": "linkprobe" },
            "event": {
                "kind": "alert", "category": ["network"], "type": ["info"], "action": "trigger", "severity": 4,
                "outcome": "failure", "reason": "slave-down", "id": "abc-4d-4", "dataset": "linkprobe.events", "module": "linkprobe",
            },
            "host": { "name": "router", "hostname": "router" },
            "agent": { "name": "default", "type": "linkprobe", "version": "0.1.0" },
            "process": { "pid": 77 },
            "observer": {
                "hostname": "router", "product": "linkprobe",
                "ingress": { "interface": { "id": "3", "name": "eth1" } },
            },
            "linkprobe": {
                "tone": "failure", "incident": { "id": "20171205T051251.447649Z" }, "bond": "bond0", "slave": "eth1",
                "trigger": "slave-down",
            },
        })
    );
}

#[test]
fn a_document_about_traffic_is_completed_and_what_it_says_itself_stays() {
    let own = json!({ "event": { "kind": "metric" }, "@timestamp": "2020-01-01T00:00:00Z", "linkprobe": { "traffic": { "packets": 3 } } });
    let message = Encoder::new(Format::Json, &udp(), about()).document(&own, 5).expect("it fits");
    let document: Value = serde_json::from_slice(&message.bytes).expect("JSON");
    assert_eq!(document["event"], json!({ "kind": "metric", "module": "linkprobe" }));
    assert_eq!((&document["@timestamp"], &document["host"]["name"]), (&"2020-01-01T00:00:00Z".into(), &"router".into()));
    assert_eq!(document["linkprobe"], own["linkprobe"]);
    let large = json!({ "message": "x".repeat(LONGEST_DATAGRAM) });
    assert_eq!(Encoder::new(Format::Json, &udp(), about()).document(&large, 5), None);
    assert!(Encoder::new(Format::Json, &tcp(), about()).document(&large, 5).is_some());
}

#[test]
fn a_line_of_the_local_log_has_columns() {
    let expected = format!(
        "{} warning   failure  trigger          bond0/eth1   trigger slave-down: eth1: carrier lost [20171205T051251.447649Z]\n",
        local()
    );
    assert_eq!(text(Format::Text, &Transport::File("/x".into()), &lost()), expected);
    let start = Notice::of_start(AT.unsigned_abs(), "linkprobe records bond0".to_owned());
    let line = text(Format::Text, &Transport::File("/x".into()), &start);
    assert!(line.contains(" notice    note     agent-started    -            linkprobe records bond0\n"), "{line}");
}

#[test]
fn lines_of_sar_go_out_as_they_are_and_in_datagrams_that_end_with_lines() {
    let block: String = (0..100).map(|line| format!("line {line:>40}\n")).collect();
    let stream = Encoder::new(Format::Sar, &tcp(), about()).lines(&block, 9);
    assert_eq!(stream, [Message { at_ns: 9, bytes: block.clone().into_bytes() }]);
    let datagrams = Encoder::new(Format::Sar, &udp(), about()).lines(&block, 9);
    assert!(datagrams.len() > 1);
    assert!(datagrams.iter().all(|datagram| datagram.bytes.len() <= 1400 && datagram.bytes.ends_with(b"\n")));
    let all: Vec<u8> = datagrams.into_iter().flat_map(|datagram| datagram.bytes).collect();
    assert_eq!(all, block.into_bytes());
}

#[test]
fn what_was_dropped_is_told_in_every_format() {
    let dropped = Dropped { messages: 12, first_ns: 1, last_ns: 2_000_000_000 };
    let notice = Notice::of_dropped(AT.unsigned_abs(), dropped, "T1", "T2", "the queue was full");
    let said = "12 messages were dropped between T1 and T2: the queue was full";
    for format in [Format::Syslog, Format::Json, Format::Text, Format::Sar] {
        assert!(text(format, &tcp(), &notice).contains(said));
    }
    assert!(text(Format::Syslog, &tcp(), &notice).contains("dropped=\"12\""));
    assert!(text(Format::Sar, &tcp(), &notice).starts_with("# linkprobe: "));
    assert_eq!(notice.level, Level::Warning);
}
