//! TCP: octet counting, a peer that stalls, dies, and comes back.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

use super::*;

/// Takes counted messages apart. What a broken connection cut is left out; anything else that is no message is an error.
fn messages(bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let Some(space) = rest.iter().position(|byte| *byte == b' ') else {
            assert!(rest.iter().all(u8::is_ascii_digit), "no count: {:?}", String::from_utf8_lossy(rest));
            break;
        };
        let count: usize = std::str::from_utf8(&rest[..space]).expect("digits").parse().expect("a count");
        let Some(message) = rest.get(space + 1..space + 1 + count) else { break };
        let message = std::str::from_utf8(message).expect("UTF-8").to_owned();
        assert!(message.starts_with("<29>1 ") || message.starts_with("<28>1 "), "{message}");
        found.push(message);
        rest = &rest[space + 1 + count..];
    }
    found
}

async fn accept(listener: &TcpListener) -> TcpStream {
    timeout(PATIENCE, listener.accept()).await.expect("a connection in time").expect("a connection").0
}

/// Reads until a message has that in it.
async fn read_until(stream: &mut TcpStream, bytes: &mut Vec<u8>, wanted: &str) {
    let reading = async {
        while !messages(bytes).iter().any(|message| message.contains(wanted)) {
            let mut buffer = vec![0; 65536];
            let read = stream.read(&mut buffer).await.expect("to read");
            assert!(read > 0, "closed before {wanted:?}");
            bytes.extend_from_slice(&buffer[..read]);
        }
    };
    timeout(PATIENCE, reading).await.unwrap_or_else(|_| panic!("no {wanted:?}"));
}

async fn rebind(address: SocketAddr) -> TcpListener {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_reuseaddr(true).expect("an option");
    socket.bind(address).expect("to bind");
    socket.listen(16).expect("to listen")
}

#[tokio::test]
async fn messages_come_whole_and_in_order_each_with_its_count() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("to bind");
    let mut sink = sink(Format::Syslog, &format!("tcp://{}", listener.local_addr().expect("an address")), 100);
    let mut stream = accept(&listener).await;
    for number in 0..50 {
        sink.tell(&numbered(number));
    }
    let mut bytes = Vec::new();
    read_until(&mut stream, &mut bytes, "number 49 ").await;
    let numbers: Vec<usize> = messages(&bytes).iter().filter_map(|message| number_of(message)).collect();
    assert_eq!(numbers, (0..50).collect::<Vec<_>>());
    let status = until(&sink, "all are counted", |status| status.sent == 50).await;
    assert_eq!((status.connected, status.dropped, status.queued, status.last_error), (true, 0, 0, None));
    assert_eq!(status.bytes, bytes.len() as u64);
}

#[tokio::test]
async fn a_collector_that_dies_and_comes_back_gets_what_it_missed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("to bind");
    let address = listener.local_addr().expect("an address");
    let mut sink = sink(Format::Syslog, &format!("tcp://{address}"), 100);
    let mut stream = accept(&listener).await;
    sink.tell(&numbered(0));
    read_until(&mut stream, &mut Vec::new(), "number 0 ").await;
    drop((stream, listener));
    let gone = until(&sink, "it is noticed", |status| !status.connected).await;
    assert!(gone.last_error.is_some(), "{gone:?}");
    for number in 1..20 {
        sink.tell(&numbered(number));
    }
    until(&sink, "it is tried again", |status| status.errors > 2).await;
    let listener = rebind(address).await;
    let mut stream = accept(&listener).await;
    let mut bytes = Vec::new();
    read_until(&mut stream, &mut bytes, "number 19 ").await;
    let numbers: Vec<usize> = messages(&bytes).iter().filter_map(|message| number_of(message)).collect();
    assert_eq!(numbers, (1..20).collect::<Vec<_>>());
    assert_eq!(until(&sink, "it is well again", |status| status.connected).await.dropped, 0);
}

#[tokio::test]
async fn a_collector_that_stalls_costs_what_has_no_room_and_is_told_how_much_when_it_reads_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("to bind");
    let mut sink = sink(Format::Syslog, &format!("tcp://{}", listener.local_addr().expect("an address")), 200);
    // It takes connections and reads nothing: buffers fill, the queue fills, messages are lost.
    let (mut told, mut streams) = (0, Vec::new());
    while sink.status().dropped < 100 {
        for _ in 0..20 {
            sink.tell(&numbered(told));
            told += 1;
        }
        if let Ok(Ok((stream, _))) = timeout(Duration::from_millis(5), listener.accept()).await {
            streams.push(stream);
        }
        assert!(told < 200_000, "nothing is lost: {:?}", sink.status());
    }
    until(&sink, "the stall is noticed", |status| status.last_error.as_deref() == Some("the other end takes nothing")).await;
    // Now it reads: what earlier connections hold, then the newest.
    let mut seen = Vec::new();
    for mut stream in streams {
        let mut bytes = Vec::new();
        // A connection that was given up may end with a reset.
        let _ = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("an end");
        seen.extend(messages(&bytes));
    }
    let reading = async {
        loop {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut bytes = Vec::new();
            let mut buffer = vec![0; 65536];
            loop {
                match stream.read(&mut buffer).await {
                    Ok(0) | Err(_) => break,
                    Ok(read) => bytes.extend_from_slice(&buffer[..read]),
                }
                if messages(&bytes).iter().any(|message| message.contains("messages-dropped")) {
                    return messages(&bytes);
                }
            }
            seen.extend(messages(&bytes));
        }
    };
    let last = timeout(PATIENCE, reading).await.expect("word of the loss");
    seen.extend(last);
    let reported: u64 =
        seen.iter().filter_map(|message| message.split("dropped=\"").nth(1)?.split('"').next()?.parse::<u64>().ok()).sum();
    let mut numbers: Vec<usize> = seen.iter().filter_map(|message| number_of(message)).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(reported, sink.status().dropped);
    assert_eq!(numbers.len() as u64 + reported, told as u64, "every message came, or was reported as lost");
}

#[tokio::test]
async fn a_message_that_a_broken_connection_cut_is_sent_anew_as_a_whole() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("to bind");
    let mut sink = sink(Format::Syslog, &format!("tcp://{}", listener.local_addr().expect("an address")), 4000);
    let mut numbers = Vec::new();
    let mut told = 0;
    for _ in 0..5 {
        let mut stream = accept(&listener).await;
        for _ in 0..200 {
            sink.tell(&numbered(told));
            told += 1;
        }
        // Some of it is read, in the middle of a message, and then the connection is reset.
        let mut bytes = vec![0; 30_001];
        timeout(PATIENCE, stream.read_exact(&mut bytes)).await.expect("in time").expect("bytes");
        numbers.extend(messages(&bytes).iter().filter_map(|message| number_of(message)));
        let left = async {
            let mut buffer = vec![0; 1 << 20];
            // What is in the buffers counts as arrived: it is read before the end.
            let read = stream.try_read(&mut buffer).unwrap_or(0);
            buffer.truncate(read);
            buffer
        };
        bytes.extend(left.await);
        numbers.extend(messages(&bytes).iter().filter_map(|message| number_of(message)));
        rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).expect("an option");
        drop(stream);
    }
    let mut stream = accept(&listener).await;
    sink.tell(&numbered(told));
    let mut bytes = Vec::new();
    read_until(&mut stream, &mut bytes, &format!("number {told} ")).await;
    numbers.extend(messages(&bytes).iter().filter_map(|message| number_of(message)));
    assert_eq!(numbers.last(), Some(&told));
    assert!(sink.status().resent > 0, "{:?}", sink.status());
    assert_eq!(sink.status().dropped, 0);
}

#[tokio::test]
async fn what_a_collector_says_is_read_and_forgotten() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("to bind");
    let mut sink = sink(Format::Json, &format!("tcp://{}", listener.local_addr().expect("an address")), 100);
    let mut stream = accept(&listener).await;
    stream.write_all(&vec![b'x'; 100_000]).await.expect("to write");
    sink.tell(&numbered(1));
    let mut line = vec![0; 200];
    timeout(PATIENCE, stream.read_exact(&mut line)).await.expect("in time").expect("bytes");
    assert!(line.starts_with(b"{\"@timestamp\":\"1970-01-01T00:00:01.000000000Z\""));
    assert!(sink.status().connected);
}

#[tokio::test]
async fn what_waits_is_sent_when_the_agent_stops_and_a_collector_that_is_gone_does_not_hold_it_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("to bind");
    let mut there = sink(Format::Syslog, &format!("tcp://{}", listener.local_addr().expect("an address")), 100);
    let mut gone = sink(Format::Syslog, "tcp://127.0.0.1:1", 100);
    for number in 0..20 {
        there.tell(&numbered(number));
        gone.tell(&numbered(number));
    }
    let started = std::time::Instant::now();
    let ends = tokio::join!(there.stop(), gone.stop());
    assert_eq!(ends, (true, true));
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    let mut bytes = Vec::new();
    timeout(PATIENCE, accept(&listener).await.read_to_end(&mut bytes)).await.expect("an end").expect("bytes");
    assert_eq!(messages(&bytes).len(), 20);
}
