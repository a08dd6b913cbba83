//! UDP and the local socket: receivers that are not there, and come back.

use std::path::Path;

use tokio::net::{UdpSocket, UnixDatagram, UnixListener};
use tokio::time::timeout;

use super::*;

async fn receive(socket: &UdpSocket) -> String {
    let mut buffer = vec![0; 65536];
    let length = timeout(PATIENCE, socket.recv(&mut buffer)).await.expect("in time").expect("a datagram");
    String::from_utf8(buffer[..length].to_vec()).expect("UTF-8")
}

/// Waits for a message, after which the next one comes. One before it may come again: a refusal that was late is taken for one of the
/// next datagram.
async fn arrives(socket: &UdpSocket, number: usize) {
    loop {
        match number_of(&receive(socket).await) {
            Some(earlier) if earlier < number => {}
            other => return assert_eq!(other, Some(number)),
        }
    }
}

#[tokio::test]
async fn a_datagram_that_is_refused_is_sent_again_when_somebody_listens() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("to bind");
    let address = socket.local_addr().expect("an address");
    drop(socket);
    let mut sink = sink(Format::Syslog, &format!("udp://{address}"), 100);
    for number in 0..10 {
        sink.tell(&numbered(number));
    }
    let refused = until(&sink, "it is refused", |status| status.errors > 1).await;
    assert!(refused.last_error.is_some_and(|error| error.contains("refused")));
    let socket = UdpSocket::bind(address).await.expect("to bind");
    for number in 0..10 {
        arrives(&socket, number).await;
    }
    assert!(until(&sink, "it is well", |status| status.connected).await.dropped == 0);
    // The receiver dies while nothing is sent, and is back after a while.
    drop(socket);
    sink.tell(&numbered(10));
    sink.tell(&numbered(11));
    until(&sink, "it is refused", |status| !status.connected).await;
    let socket = UdpSocket::bind(address).await.expect("to bind");
    arrives(&socket, 10).await;
    arrives(&socket, 11).await;
}

async fn local(path: &Path, number: usize, sink: &mut Sink) {
    let socket = UnixDatagram::bind(path).expect("to bind");
    sink.tell(&numbered(number));
    let mut buffer = vec![0; 65536];
    let length = timeout(PATIENCE, socket.recv(&mut buffer)).await.expect("in time").expect("a datagram");
    assert_eq!(number_of(&String::from_utf8_lossy(&buffer[..length])), Some(number));
    drop(socket);
    std::fs::remove_file(path).expect("to remove");
}

#[tokio::test]
async fn a_local_daemon_that_starts_again_is_found_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("log");
    let mut sink = sink(Format::Syslog, &format!("unix:{}", path.display()), 100);
    until(&sink, "it is missed", |status| status.errors > 0).await;
    local(&path, 0, &mut sink).await;
    local(&path, 1, &mut sink).await;
    assert_eq!(sink.status().dropped, 0);
}

#[tokio::test]
async fn a_local_socket_of_the_stream_kind_gets_lines() {
    use tokio::io::AsyncBufReadExt;
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("log");
    let listener = UnixListener::bind(&path).expect("to bind");
    let mut sink = sink(Format::Syslog, &format!("unix:{}", path.display()), 100);
    sink.tell(&numbered(0));
    sink.tell(&numbered(1));
    let (stream, _) = timeout(PATIENCE, listener.accept()).await.expect("in time").expect("a connection");
    let mut lines = tokio::io::BufReader::new(stream).lines();
    for number in 0..2 {
        let line = timeout(PATIENCE, lines.next_line()).await.expect("in time").expect("bytes").expect("a line");
        assert!(line.starts_with("<29>1 "));
        assert_eq!(number_of(&line), Some(number));
    }
}
