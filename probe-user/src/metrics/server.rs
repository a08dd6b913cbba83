//! The HTTP server: each connection is a task, so that a reader that is slow, or says nothing, holds up nobody but itself.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::body::{Body, Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use probe_core::metrics::{Format, encode};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Mutex, Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::page::{self, Answer, Page};
use super::{Process, Reading, families};

/// Readers that come within this time of one another get the same answer.
pub const FRESH: Duration = Duration::from_millis(250);
/// Connections at a time; others wait to be accepted.
const CONNECTIONS: usize = 16;
/// Time for a request, also for the next one on a connection: whoever asks less often connects again.
const REQUEST: Duration = Duration::from_secs(60);
/// A connection is closed, between two requests, when it is so old; so one that is stuck is not for ever.
const LIFETIME: Duration = Duration::from_secs(600);
/// Time for the request that it then is at.
const LAST: Duration = Duration::from_secs(10);
/// Time for the event loop to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most bytes of a request's head.
const HEAD: usize = 16 << 10;
/// Connections that the system holds for us.
const BACKLOG: u32 = 64;

/// A question to the event loop.
pub struct Scrape {
    /// Takes the answer.
    pub reply: oneshot::Sender<Reading>,
}

/// Listens until it is dropped; then all connections end.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    scrapes: mpsc::Receiver<Scrape>,
    accept: JoinHandle<()>,
}

/// What connections share.
struct Desk {
    scrapes: mpsc::Sender<Scrape>,
    newest: Mutex<Option<Newest>>,
}

/// The newest answer, in the formats that were asked for.
struct Newest {
    at: Instant,
    reading: Reading,
    texts: [Option<Bytes>; 2],
}

impl Server {
    /// Listens at an address.
    ///
    /// # Errors
    /// When it is taken, or none of this host.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // Connections of an agent that has just ended are no obstacle.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let listener = socket.listen(BACKLOG)?;
        let address = listener.local_addr()?;
        let (sender, scrapes) = mpsc::channel(1);
        let desk = Arc::new(Desk { scrapes: sender, newest: Mutex::new(None) });
        Ok(Self { address, scrapes, accept: tokio::spawn(accept(listener, desk)) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next question. Safe to drop before it is ready.
    pub async fn scrape(&mut self) -> Option<Scrape> {
        self.scrapes.recv().await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accept.abort();
    }
}

async fn accept(listener: TcpListener, desk: Arc<Desk>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    // They end with this task.
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => {
                let desk = Arc::clone(&desk);
                connections.spawn(async move {
                    serve(stream, desk).await;
                    drop(place);
                });
            }
            // Out of file descriptors, say: wait rather than spin.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn serve(stream: TcpStream, desk: Arc<Desk>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let desk = Arc::clone(&desk);
        async move { Ok::<_, Infallible>(answer(&request, &desk).await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(REQUEST).max_buf_size(HEAD);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    // What a reader does wrong is its own affair: the connection ends.
    if timeout(LIFETIME, connection.as_mut()).await.is_err() {
        connection.as_mut().graceful_shutdown();
        let _ = timeout(LAST, connection).await;
    }
}

async fn answer<B>(request: &Request<B>, desk: &Desk) -> Answer {
    let answer = match Page::of(request.method(), request.uri().path(), request.headers()) {
        Page::Metrics(format) => match desk.text(format).await {
            Some(text) => page::metrics(format, text),
            None => page::failed(StatusCode::SERVICE_UNAVAILABLE, "the agent does not answer\n"),
        },
        Page::Index => page::index(),
        Page::Nowhere => page::failed(StatusCode::NOT_FOUND, "there is only /metrics\n"),
        Page::NotAllowed => page::failed(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n"),
    };
    let length = answer.body().size_hint().exact().and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
    if request.method() == Method::HEAD { page::head(answer, length) } else { answer }
}

impl Desk {
    /// All metrics; `None` when the event loop does not answer.
    async fn text(&self, format: Format) -> Option<Bytes> {
        // Held while the loop is asked: those who come meanwhile wait for that answer instead of asking too.
        let mut newest = self.newest.lock().await;
        if newest.as_ref().is_none_or(|newest| newest.at.elapsed() >= FRESH) {
            let reading = timeout(PATIENCE, self.ask()).await.ok().flatten()?;
            *newest = Some(Newest { at: Instant::now(), reading, texts: [None, None] });
        }
        let Newest { reading, texts, .. } = newest.as_mut()?;
        let text = match format {
            Format::Classic => &mut texts[0],
            Format::OpenMetrics => &mut texts[1],
        };
        Some(text.get_or_insert_with(|| encode(&families(reading, Process::read()), format).into()).clone())
    }

    async fn ask(&self) -> Option<Reading> {
        let (reply, reading) = oneshot::channel();
        self.scrapes.send(Scrape { reply }).await.ok()?;
        reading.await.ok()
    }
}
