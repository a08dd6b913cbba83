//! The server as a reader sees it, over the loopback.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use probe_core::flight::{Flight, FlightConfig};
use probe_core::time::Mono;
use probe_core::tone::Tone;
use probe_core::traffic::Totals;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::agent::status::{IncidentStatus, LaneStatus, RecorderStatus};
use crate::export::status::SinkStatus;

fn reading(opened: u64) -> Reading {
    let mut tones = Tones::default();
    tones.count(Tone::Failure);
    Reading {
        instance: "a \"name\"".to_owned(),
        uptime_s: 1.5,
        flight: Flight::new(FlightConfig::default()).status(Mono(0)),
        totals: Totals::default(),
        totals_age_s: None,
        tones,
        recorder: RecorderStatus {
            memory_bytes: 4096,
            cpus: 1,
            lanes: vec![LaneStatus { lane: "control".to_owned(), depth_s: 12.5, everything: true }],
        },
        incidents: IncidentStatus { opened, last: Some("20171205T051251.447649Z".to_owned()), ..IncidentStatus::default() },
        sinks: vec![SinkStatus { kind: "sar".to_owned(), to: "tcp://h:9".to_owned(), dropped: 3, ..SinkStatus::default() }],
        sflow: None,
        losses: vec![("netlink-overruns".to_owned(), 2)],
    }
}

/// A server whose event loop answers with a reading of its own each time.
fn serve() -> SocketAddr {
    let mut server = Server::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a port");
    let address = server.address();
    tokio::spawn(async move {
        for opened in 1.. {
            let Some(scrape) = server.scrape().await else { return };
            let _ = scrape.reply.send(reading(opened));
        }
    });
    address
}

async fn ask(address: SocketAddr, head: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let request = format!("{head}\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    answer
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(20), test).await.expect("in time") });
}

#[test]
fn metrics_come_in_the_format_that_is_asked_for() {
    run(async {
        let address = serve();
        let classic = ask(address, "GET /metrics HTTP/1.1").await;
        assert!(classic.starts_with("HTTP/1.1 200 OK\r\n"), "{classic}");
        for line in [
            "content-type: text/plain; version=0.0.4; charset=utf-8\r",
            &format!("linkprobe_build_info{{version=\"{}\",instance=\"a \\\"name\\\"\"}} 1", env!("CARGO_PKG_VERSION")),
            "# TYPE linkprobe_incidents_opened_total counter",
            "linkprobe_incident_info{incident=\"20171205T051251.447649Z\",state=\"last\"} 1",
            "linkprobe_recorder_depth_seconds{lane=\"control\"} 12.5",
            "linkprobe_events_total{tone=\"failure\"} 1",
            "linkprobe_triggers_total{trigger=\"bond-down\"} 0",
            "linkprobe_sink_dropped_total{kind=\"sar\",to=\"tcp://h:9\"} 3",
            "linkprobe_losses_total{loss=\"netlink-overruns\"} 2",
        ] {
            assert!(classic.lines().any(|found| found == line.trim_end_matches('\r')), "{line} in {classic}");
        }
        let open = ask(address, "GET /metrics HTTP/1.1\r\nAccept: application/openmetrics-text;version=1.0.0").await;
        assert!(open.contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"), "{open}");
        assert!(open.contains("\n# TYPE linkprobe_incidents_opened counter\n") && open.ends_with("# EOF\n"), "{open}");
    });
}

#[test]
fn readers_at_the_same_time_share_one_reading_and_later_ones_get_another() {
    run(async {
        let address = serve();
        let opened =
            |answer: &str| answer.lines().find_map(|line| line.strip_prefix("linkprobe_incidents_opened_total ")?.parse().ok());
        let (first, second) = tokio::join!(ask(address, "GET /metrics HTTP/1.1"), ask(address, "GET /metrics HTTP/1.1"));
        assert_eq!((opened(&first), opened(&second)), (Some(1), Some(1)));
        tokio::time::sleep(server::FRESH).await;
        assert_eq!(opened(&ask(address, "GET /metrics HTTP/1.1").await), Some(2));
    });
}

#[test]
fn other_pages_and_methods_are_answered_as_http_wants_it() {
    run(async {
        let address = serve();
        let head = ask(address, "HEAD /metrics HTTP/1.1").await;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.ends_with("\r\n\r\n") && length > Some(1000), "{head}");
        let index = ask(address, "GET / HTTP/1.1").await;
        assert!(index.contains("text/html") && index.contains("<a href=\"/metrics\">"), "{index}");
        assert!(ask(address, "GET /metrics/x HTTP/1.1").await.starts_with("HTTP/1.1 404 "));
        let post = ask(address, "POST /metrics HTTP/1.1").await;
        assert!(post.starts_with("HTTP/1.1 405 ") && post.contains("allow: GET, HEAD\r\n"), "{post}");
        assert!(ask(address, "what is this").await.starts_with("HTTP/1.1 400 "));
        let long = format!("GET /{} HTTP/1.1", "x".repeat(100_000));
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        // It may stop reading before all is sent.
        let _ = stream.write_all(long.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(answer.len() < 1000, "{}", String::from_utf8_lossy(&answer));
    });
}

#[test]
fn readers_that_say_nothing_leave_room_and_a_dropped_server_hangs_up() {
    run(async {
        let mut server = Server::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a port");
        let address = server.address();
        let mut silent = Vec::new();
        for _ in 0..8 {
            silent.push(TcpStream::connect(address).await.expect("it listens"));
        }
        let (answer, ()) = tokio::join!(ask(address, "GET /metrics HTTP/1.1"), async {
            let scrape = server.scrape().await.expect("a question");
            let _ = scrape.reply.send(reading(1));
        });
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        drop(server);
        for mut stream in silent {
            assert!(matches!(stream.read(&mut [0; 16]).await, Ok(0) | Err(_)));
        }
        assert!(TcpStream::connect(address).await.is_err());
    });
}

#[test]
fn an_address_that_is_taken_is_an_error() {
    run(async {
        let server = Server::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a port");
        let again = Server::bind(server.address()).expect_err("it is taken");
        assert_eq!(again.kind(), std::io::ErrorKind::AddrInUse);
    });
}
